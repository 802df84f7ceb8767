"""The write-ahead logs of SQLite, written by SQLite itself."""

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.sqlite_log import committed, is_behind, with_log

LIMIT = 1 << 20


def files(folder: Path) -> tuple[bytes, bytes]:
    """A database, and its log with a row that the database has not."""
    path = folder / "one.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.executemany("INSERT INTO t VALUES (?)", [("a" * 3000,)] * 3)
        return path.read_bytes(), path.with_name("one.db-wal").read_bytes()


def rows(data: bytes) -> list[str]:
    data = data[:18] + b"\1\1" + data[20:]
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(data)
        return [row for (row,) in database.execute("SELECT x FROM t")]


def test_the_rows_of_the_log_are_there(tmp_path: Path) -> None:
    data, log = files(tmp_path)
    assert rows(data) == []
    assert is_behind(log)
    assert rows(with_log(data, log, LIMIT)) == ["a" * 3000] * 3


def test_a_torn_log_gives_what_was_committed(tmp_path: Path) -> None:
    data, log = files(tmp_path)
    assert len(rows(with_log(data, log[:-100], LIMIT))) == 2


def test_what_an_earlier_use_left_does_not_count(tmp_path: Path) -> None:
    data, log = files(tmp_path)
    assert with_log(data, log[:16] + bytes(8) + log[24:], LIMIT) == data
    assert with_log(data, b"", LIMIT) == data


def test_the_log_of_another_database_and_one_too_large_are_refused(tmp_path: Path) -> None:
    data, log = files(tmp_path)
    with pytest.raises(ValueError, match="pages of 4096 bytes"):
        with_log(data[:16] + b"\x02\x00" + data[18:], log, LIMIT)
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        with_log(data, log, 100)


@given(st.binary(max_size=300), st.binary(max_size=2000))
def test_arbitrary_bytes(data: bytes, log: bytes) -> None:
    log = b"\x37\x7f\x06\x82\x00\x2d\xe2\x18\x00\x00\x02\x00" + log
    assert committed(log)[0] == 512
    with contextlib.suppress(ValueError):
        assert len(with_log(data, log, LIMIT)) <= LIMIT
