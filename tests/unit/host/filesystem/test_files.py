"""The file system of the target: chroot-like, bounded, and never hanging."""

import contextlib
import errno
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import Problem


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "secret").write_text("outside")
    return folder


def test_absolute_links_restart_at_the_root(root: Path) -> None:
    (root / "etc").mkdir()
    (root / "etc" / "release").write_text("inside")
    (root / "link").symlink_to("/etc/release")
    (root / "folder").symlink_to("/etc")
    files = PosixFiles(str(root))
    assert files.read("/link") == b"inside"
    assert files.read("/folder/release") == b"inside"
    assert files.real("/folder/release") == "/etc/release"
    assert files.link("/link") == "/etc/release"
    assert files.problems == []


def test_dots_stop_at_the_root(root: Path) -> None:
    (root / "escape").symlink_to("../../secret")
    (root / "deeper").mkdir()
    (root / "deeper" / "escape").symlink_to("../../../../../secret")
    files = PosixFiles(str(root))
    assert files.read("/escape") is None
    assert files.read("/../../secret") is None
    assert files.read("/deeper/escape") is None
    assert files.problems == []  # all of them are simply absent inside


def test_loops_end(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    (root / "self").symlink_to("self/self/self")
    files = PosixFiles(str(root))
    assert files.read("/a") is None
    assert files.list("/self") == ()
    assert files.problems == [Problem(path, "too many symbolic links", "limit") for path in ("/a", "/self")]


def test_only_regular_files_are_opened(root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "zero").symlink_to("/dev/zero")
    (root / "folder").mkdir()
    files = PosixFiles(str(root))
    assert files.read("/fifo") is None  # opening it would wait for a writer
    assert files.read("/folder") is None
    assert files.problems == [
        Problem("/fifo", "not a regular file but a FIFO", "not_regular"),
        Problem("/folder", "not a regular file but a folder", "not_regular"),
    ]
    live = PosixFiles("/")
    assert live.read(str(root / "zero")) is None
    assert live.problems == [Problem(str(root / "zero"), "not a regular file but a device", "not_regular")]


def test_large_files_are_not_read(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(2 << 30)
    files = PosixFiles(str(root))
    assert files.read("/huge") is None
    assert files.head("/huge", 4) == b"\0\0\0\0"
    assert files.problems == [Problem("/huge", "larger than 16 MiB: not read", "limit")]


def test_small_files_of_a_folder_are_those_that_are_read_one_by_one(root: Path) -> None:
    names = ("empty", "fifo", "folder", "gone", "large", "link", "small")
    folder = root / "programs"
    (folder / "folder").mkdir(parents=True)
    os.mkfifo(folder / "fifo")
    (folder / "empty").write_text("")
    (folder / "small").write_text("#!x")
    (folder / "large").write_text("12345")
    (folder / "link").symlink_to("small")
    files = PosixFiles(str(root))
    expected = [files.small(f"/programs/{name}", 4) for name in names]
    assert expected == [b"", None, None, None, None, b"#!x", b"#!x"]
    problems, files.problems[:] = list(files.problems), []
    assert list(files.small_files("/programs", names, 4)) == expected
    assert files.problems == problems
    assert {problem.cause for problem in problems} == {"not_regular"}
    assert list(files.small_files("/nowhere", names[:2], 4)) == [None, None]


def test_growing_files_stop_at_the_limit() -> None:
    files = PosixFiles("/")
    assert files.read("/proc/self/maps", limit=10) is None  # a file of /proc says it has no size
    assert files.problems == [Problem("/proc/self/maps", "larger than 10 bytes: not read", "limit")]


def test_skipped_mounts_are_said_once(root: Path) -> None:
    (root / "mnt" / "share").mkdir(parents=True)
    (root / "mnt" / "share" / "file").write_text("over the network")
    (root / "home").symlink_to("/mnt/share")
    files = PosixFiles(str(root), {"/mnt/share": "nfs4"})
    assert files.read("/mnt/share/file") is None
    assert files.list("/home") == ()
    assert files.exists("/home/file") is False
    assert files.problems == [Problem("/mnt/share", "nfs4 mount, skipped", "mount")]


def test_names_that_are_not_utf8(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    (root / "new\nline").write_bytes(b"y")
    files = PosixFiles(str(root))
    names = [entry.name for entry in files.list("/")]
    assert [files.read(f"/{name}") for name in names] == [b"x", b"y"]
    assert files.text("/" + names[0]) == "x"


def test_kinds_of_entries(root: Path) -> None:
    (root / "file").touch()
    (root / "folder").mkdir()
    (root / "link").symlink_to("folder")
    os.mkfifo(root / "pipe")
    files = PosixFiles(str(root))
    assert files.list("/") == (
        Entry("file", "file"),
        Entry("folder", "dir"),
        Entry("link", "link"),
        Entry("pipe", "other"),
    )
    assert files.is_dir("/link")
    assert not files.is_file("/link")
    assert files.stat("/nothing") is None


def test_walk_is_bounded(root: Path) -> None:
    for number in range(5):
        (root / "a" / str(number) / "deep" / "deeper").mkdir(parents=True)
    files = PosixFiles(str(root))
    assert len(list(files.walk("/a", 4))) == 16
    assert files.problems == []
    assert len(list(files.walk("/a", 9, limit=3))) == 1
    assert files.problems == [Problem("/a", "more than 3 entries below: the rest was not read", "limit")]


def test_what_lies_too_deep_for_a_walk_is_a_problem(root: Path) -> None:
    for number in range(5):
        (root / "a" / str(number) / "deep" / "deeper").mkdir(parents=True)
    files = PosixFiles(str(root))
    assert len(list(files.walk("/a", 2))) == 6
    (problem,) = files.problems  # one, however many folders are too deep
    assert (problem.where, problem.cause, problem.hides) == ("/a/0/deep", "limit", True)


def test_database_is_not_touched(root: Path) -> None:
    import sqlite3

    with sqlite3.connect(root / "some?#%.sqlite") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (1)")
    database.close()
    before = sorted(path.name for path in root.iterdir())
    files = PosixFiles(str(root))
    with files.database("/some?#%.sqlite") as found:
        assert found is not None
        assert found.execute("SELECT x FROM t").fetchall() == [(1,)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            found.execute("DELETE FROM t")
    assert sorted(path.name for path in root.iterdir()) == before
    (root / "broken").write_bytes(b"not a database" * 100)
    with files.database("/broken") as found:
        assert found is not None
        found.execute("SELECT x FROM t")
    assert files.problems == [Problem("/broken", "DatabaseError: file is not a database", "damaged")]


def test_what_is_only_in_the_log_of_a_database_is_read_and_an_unfinished_change_is_a_problem(root: Path) -> None:
    import sqlite3

    with contextlib.closing(sqlite3.connect(root / "a.sqlite", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (1)")
        files = PosixFiles(str(root))
        with files.database("/a.sqlite") as found:
            assert found is not None
            assert found.execute("SELECT x FROM t").fetchall() == [(1,)]
    assert files.problems == []
    (root / "a.sqlite-journal").write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(504))
    with files.database("/a.sqlite") as found:
        assert found is not None
    (problem,) = files.problems
    assert (problem.where, problem.cause, problem.hides) == ("/a.sqlite", "damaged", True)


@pytest.mark.skipif(sys.platform == "win32", reason="makes a FIFO")
def test_what_is_neither_a_file_nor_a_folder_hides_what_should_lie_below(root: Path) -> None:
    assert sys.platform != "win32"
    os.mkfifo(root / "profile")
    os.symlink("profile", root / "link")
    for ask in (PosixFiles.is_dir, PosixFiles.list):
        files = PosixFiles(str(root))
        assert not ask(files, "/profile")
        assert [(one.where, one.cause) for one in files.problems] == [("/profile", "not_regular")]
    files = PosixFiles(str(root))
    assert files.read("/profile/Preferences") is None
    assert [(one.where, one.cause) for one in files.problems] == [("/profile", "not_regular")]
    assert not files.gone("/profile/Preferences")
    files = PosixFiles(str(root))
    assert not files.is_dir("/link")  # as browsers have it: a link to their socket
    assert files.stat("/link/Preferences") is None
    assert files.problems == []


@pytest.mark.slow
def test_endless_queries_are_ended(root: Path) -> None:
    import sqlite3

    sqlite3.connect(root / "empty.sqlite").close()
    (root / "empty.sqlite").write_bytes(b"")
    files = PosixFiles(str(root))
    with files.database("/empty.sqlite") as found:
        assert found is not None
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        found.execute(endless).fetchall()
    assert files.problems == [Problem("/empty.sqlite", "OperationalError: interrupted", "limit")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_permission_denied_is_a_problem(root: Path) -> None:
    (root / "closed").mkdir(mode=0o700)
    (root / "closed" / "file").touch()
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.seteuid(65534)
        files = PosixFiles(str(root))
        files.read("/closed/file")
        files.list("/closed")
        os.write(writer, repr(files.problems).encode())
        os._exit(0)
    os.waitpid(child, 0)
    problems = os.read(reader, 10_000).decode()
    os.close(reader)
    os.close(writer)
    denied = [
        Problem("/closed/file", "permission denied", "permission"),
        Problem("/closed", "permission denied", "permission"),
    ]
    assert problems == repr(denied)


@given(st.text(max_size=60))
def test_no_path_raises(path: str) -> None:
    files = PosixFiles("/nonexistent-root")
    assert files.read(path) is None
    assert files.list(path) == ()
    assert files.stat(path) is None or path.strip("/.") == ""
    assert files.link(path) is None
    assert all(problem.why != os.strerror(errno.ENOENT) for problem in files.problems)
