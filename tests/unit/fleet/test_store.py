"""Where a store may lie, and copies of it."""

import contextlib
import os
import shutil
import sqlite3
import threading
import zlib
from array import array
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from phaseout.fleet.history import unpacked
from phaseout.fleet.store import StoreError, opened

from tests.support.answers import answer
from tests.unit.fleet.test_hosts import add, content

UUID_1, UUID_2 = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_no_store_on_a_network_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    line = f"31 27 0:41 / {tmp_path.resolve()} rw - {kind} server:/ rw\n".encode()
    monkeypatch.setattr("phaseout.fleet.store.own_mountinfo", lambda: line)
    place = tmp_path / "inner" / "fleet.db"
    place.parent.mkdir()
    said = pytest.raises(StoreError, match=rf"on a network file system \({kind}\).* keep it on a local disk")
    with said, opened(str(place), make=True):
        pass
    assert list(place.parent.iterdir()) == []


def test_a_local_disk_that_fuse_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"31 27 8:1 / {tmp_path.resolve()} rw - fuseblk /dev/sdb1 rw\n".encode()
    monkeypatch.setattr("phaseout.fleet.store.own_mountinfo", lambda: line)
    with opened(str(tmp_path / "fleet.db"), make=True) as store:
        assert store.one("SELECT count(*) FROM host") == (0,)


def test_a_copy_that_is_made_while_the_store_is_open_takes_the_rest_again(tmp_path: Path) -> None:
    """The file alone lacks what is still in the log."""
    answers = [
        answer("pc1", 0, uuid=UUID_1, products=("kes",)), answer("pc2", 0, uuid=UUID_2), answer("pc1", 1, uuid=UUID_1)
    ]  # fmt: skip
    one, other = str(tmp_path / "one.db"), str(tmp_path / "other.db")
    with opened(one, make=True) as store:
        add(store, answers[:2])
        shutil.copy(one, other)
        add(store, answers[2:])
        expected = content(store)
    with opened(other, make=True) as copied:
        add(copied, answers)
        assert content(copied) == expected


def test_a_new_file_that_another_process_is_making_a_store_of_is_waited_for(tmp_path: Path) -> None:
    """SQLite waits for a lock everywhere but where the journal's mode changes."""
    path = str(tmp_path / "fleet.db")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.2, other.execute, ("COMMIT",))
        end.start()
        with opened(path, make=True) as store:
            assert store.one("SELECT count(*) FROM host") == (0,)
        end.join()


def test_tracks_as_version_2_wrote_them(tmp_path: Path) -> None:
    """They stay as they are until their host answers again."""
    path = tmp_path / "fleet.db"
    answers = [answer("pc1", day + day % 5 / 10, uuid=UUID_1, serial="PF1", installation="a") for day in range(40)]
    with opened(str(path), make=True) as store:
        add(store, answers)
        expected = content(store)
    with sqlite3.connect(path) as database:
        ((times,),) = database.execute("SELECT times FROM track").fetchall()
        moments = unpacked(times)
        planes = array("I", [moments[0], *(later - one for one, later in pairwise(moments))]).tobytes()
        old = b"\1" + zlib.compress(b"".join(planes[at::4] for at in range(4)), 6)
        identity = [(one.kind, one.value) for one in answers[0].identity]
        database.execute("UPDATE track SET times = ?, identity = ?", (old, msgspec.msgpack.encode(identity)))
        database.execute("PRAGMA user_version = 2")
    with opened(str(path)) as store:
        assert unpacked(store.one("SELECT times FROM track")[0]) == moments
        add(store, answers)
        assert content(store) == expected


def _with_log(path: Path, hosts: range) -> bytes:
    """Makes a store of some hosts; returns the log of its last step, which the store has taken in."""
    with opened(str(path), make=True) as store:
        add(store, [answer(f"pc{number}", number % 9, serial=f"PF{number:04}") for number in hosts])
    with opened(str(path)) as store:
        add(store, [answer(f"new{number}", number % 9, serial=f"NEW{number:04}") for number in hosts])
        return Path(f"{path}-wal").read_bytes()


def test_the_log_of_another_store_is_refused_and_costs_nothing(tmp_path: Path) -> None:
    own, other, log = tmp_path / "own.db", tmp_path / "other.db", tmp_path / "own.db-wal"
    _with_log(own, range(200))
    foreign = _with_log(other, range(1000, 1300))
    with opened(str(own)) as store:
        expected = content(store)
    log.write_bytes(foreign)
    with pytest.raises(StoreError, match="is the log of another store, or damaged"), opened(str(own)):
        pass
    log.unlink()
    with opened(str(own)) as store:
        assert content(store) == expected


def test_the_log_of_a_killed_process_is_taken_in(tmp_path: Path) -> None:
    path, copy = tmp_path / "one.db", tmp_path / "copy.db"
    with opened(str(path), make=True) as store:
        add(store, [answer("pc1", 0, uuid=UUID_1)])
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    with opened(str(copy)) as store:
        assert store.one("SELECT name FROM host") == ("pc1",)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_a_log_of_another_account_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "one.db"
    with opened(str(path), make=True) as store:
        add(store, [answer("pc1", 0, uuid=UUID_1)])
    log = Path(f"{path}{ending}")
    log.write_bytes(b"")
    os.chown(log, 65534, 65534)
    with pytest.raises(StoreError, match="is not of the owner of the store"), opened(str(path)):
        pass
