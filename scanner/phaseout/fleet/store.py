"""The file that a fleet is kept in: one SQLite database, changed in whole steps, by one process at a time.

A killed process leaves the store as it was after its last whole step. What is kept of an answer does not depend on when
it came: the same answers in any order, or twice, give the same store.

References:
    https://www.sqlite.org/pragma.html#pragma_application_id, https://www.sqlite.org/wal.html (section 9: SQLITE_BUSY)
"""

import contextlib
import os
import sqlite3
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from phaseout.host.mounts import network_kind, own_mountinfo

APPLICATION = 0x70686F66  # "phof", so that `file` and we know the store
VERSION = 3
_AT_ONCE = 500  # values in one query
_CACHE = 32 << 10  # KiB of pages: those of one step, which would be written several times if they were let go
WAIT = 30.0  # seconds for another process that writes
_PAUSE = 0.02  # seconds between two attempts to open a store that is locked

_SCHEMA = """
CREATE TABLE file (          -- the files that were added: each is read once, unless it changes
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE outcome (       -- what scans came to: the same for many hosts and days
  id INTEGER PRIMARY KEY, data BLOB NOT NULL UNIQUE, rules TEXT NOT NULL, tool TEXT NOT NULL,
  protection TEXT NOT NULL DEFAULT ''
);
CREATE TABLE subject (       -- a product with what is asked of it
  id INTEGER PRIMARY KEY, product_id TEXT NOT NULL, vendor_id TEXT NOT NULL, product TEXT NOT NULL,
  vendor TEXT NOT NULL, verdict TEXT NOT NULL, state TEXT NOT NULL, measure TEXT NOT NULL, milestone TEXT NOT NULL,
  due TEXT NOT NULL,
  UNIQUE (product_id, vendor_id, product, vendor, verdict, state, measure, milestone, due)
);
CREATE TABLE track (         -- answers with one name and one identity
  id INTEGER PRIMARY KEY, host INTEGER NOT NULL, name TEXT NOT NULL, platform TEXT NOT NULL,
  identity BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  times BLOB NOT NULL, runs BLOB NOT NULL, newest BLOB NOT NULL, shown BLOB NOT NULL
);
CREATE INDEX track_host ON track (host);
CREATE TABLE link (          -- how tracks are found: by digests of their key, their identities and their name
  value INTEGER NOT NULL, track INTEGER NOT NULL, PRIMARY KEY (value, track)
) WITHOUT ROWID;
CREATE TABLE host (          -- machines, each by the number of its first track
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, platform TEXT NOT NULL, os TEXT NOT NULL, serial TEXT NOT NULL,
  uuid TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, verdict TEXT NOT NULL, complete INTEGER NOT NULL,
  outcome INTEGER NOT NULL,  -- of the newest answer
  rules_of TEXT NOT NULL, flags TEXT NOT NULL
);
CREATE TABLE span (          -- the verdict on a host over time
  host INTEGER NOT NULL, since INTEGER NOT NULL,
  until INTEGER,             -- the last answer that gives it; that of the host where NULL
  next INTEGER,              -- the first answer after it
  verdict TEXT NOT NULL, outcome INTEGER NOT NULL,
  PRIMARY KEY (host, since)
) WITHOUT ROWID;
CREATE TABLE held (          -- a product on a host over time
  host INTEGER NOT NULL, subject INTEGER NOT NULL, since INTEGER NOT NULL,
  until INTEGER,             -- the last answer that shows it; that of the host where NULL
  ended INTEGER,             -- the first complete answer without it
  first INTEGER NOT NULL,    -- since when the product is there, whatever its verdict was
  origin TEXT NOT NULL,      -- how it came
  PRIMARY KEY (host, subject, since)
) WITHOUT ROWID;
CREATE INDEX held_subject ON held (subject);
CREATE TABLE item (          -- distinct items of all inventories
  id INTEGER PRIMARY KEY, digest INTEGER NOT NULL UNIQUE, data BLOB NOT NULL
);
CREATE TABLE kept (          -- the newest inventory of each track: all but its items, and their numbers
  track INTEGER PRIMARY KEY, at INTEGER NOT NULL, digest BLOB NOT NULL, head BLOB NOT NULL, items BLOB NOT NULL
);
CREATE TABLE asset (         -- the machines that must answer
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, serial TEXT NOT NULL COLLATE NOCASE, uuid TEXT NOT NULL,
  part TEXT NOT NULL,
  role TEXT NOT NULL, owner TEXT NOT NULL, retired INTEGER NOT NULL, host INTEGER, line INTEGER NOT NULL
);
CREATE INDEX asset_host ON asset (host);
CREATE INDEX asset_name ON asset (name COLLATE NOCASE);
CREATE INDEX asset_serial ON asset (serial COLLATE NOCASE) WHERE serial <> '';
CREATE INDEX asset_uuid ON asset (uuid) WHERE uuid <> '';
"""
_SINCE = {  # what a version added
    2: "ALTER TABLE outcome ADD COLUMN protection TEXT NOT NULL DEFAULT ''",
    3: "SELECT 1",  # shorter times and identities, which older programs cannot read; those that are there stay readable
}


class StoreError(Exception):
    """The store cannot be used; the text names it and says why."""


class Store:
    """An open store. Reading needs no transaction; writing happens inside `changing`."""

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @contextlib.contextmanager
    def changing(self, *, keep: bool = True) -> Iterator[None]:
        """Everything that is written within it becomes part of the store at once, or not at all.

        Args:
            keep: whether it becomes part of the store, or is only there to be read within it.

        Raises:
            StoreError: another process writes, or the disk is full.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT" if keep else "ROLLBACK")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise StoreError(f"{self.path}: {_why(error)}") from error
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def rows(self, query: str, *values: Any) -> list[Any]:
        """All rows of a query. Its values are given in their order, or all in one dict by their names.

        Raises:
            StoreError: the store is damaged.
        """
        try:
            named = values[0] if len(values) == 1 and isinstance(values[0], dict) else values
            return self._connection.execute(query, named).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {_why(error)}") from error

    def among(self, query: str, values: Iterable[Any]) -> Iterator[Any]:
        """The rows of a query with `IN (*)`, where the star stands for any number of values. Large ones are parted.

        Raises:
            StoreError: the store is damaged.
        """
        rest = iter(values)
        while chunk := list(islice(rest, _AT_ONCE)):
            yield from self.rows(query.replace("IN (*)", f"IN ({','.join('?' * len(chunk))})"), *chunk)

    def counted(self, query: str, values: dict[str, Any]) -> Counter[Any]:
        """How often each row of a query comes; for queries that give many rows, of which few differ.

        Raises:
            StoreError: the store is damaged.
        """
        try:
            return Counter(self._connection.execute(query, values))
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {_why(error)}") from error

    def one(self, query: str, *values: Any) -> Any:
        """The first row of a query; `None` if there is none."""
        found = self.rows(query, *values)
        return found[0] if found else None

    def write(self, statement: str, *values: Any) -> int:
        """Runs a statement within `changing`.

        Returns:
            The number of the row that it made.
        """
        return self._connection.execute(statement, values).lastrowid or 0

    def write_many(self, statement: str, rows: "Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]") -> None:
        """Runs a statement within `changing` for each of the rows."""
        self._connection.executemany(statement, rows)

    def compact(self) -> None:
        """Gives the room of what was deleted back, and leaves nothing of it in the file.

        Raises:
            StoreError: another process uses the store, or the disk is full.
        """
        try:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path}: the hosts are forgotten, but what they said is still in the file, which could not be"
                f" written anew ({error}): run this again"
            ) from error

    def close(self) -> None:
        """Closes it and folds the log into the file."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA optimize")
        self._connection.close()


@contextlib.contextmanager
def opened(path: str, *, make: bool = False) -> Iterator[Store]:
    """Opens a store.

    Args:
        path: the file.
        make: whether it is made if it is not there.

    Raises:
        StoreError: it is not there, no store, of a newer phaseout, or cannot be opened.
    """
    store = Store(path, _connect(path, make=make))
    try:
        yield store
    finally:
        store.close()


def _connect(path: str, *, make: bool) -> sqlite3.Connection:
    _refuse_network(path)
    if not make and not os.path.isfile(path):
        raise StoreError(f"{path}: no such store; `phaseout fleet add {path} PLACE` makes one")
    if make and not os.path.lexists(path):
        _make_private(path)
    if not os.path.isfile(path) or os.path.islink(path):
        raise StoreError(f"{path}: not a file of its own: a store is no link, folder or device")
    _refuse_foreign_log(path)
    try:
        return _prepared(path, path)
    except sqlite3.Error as error:
        if make or error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise StoreError(f"{path}: {_why(error)}") from error
    return _only_read(path)


def _refuse_network(path: str) -> None:
    """What several machines see is no place for a store: its log is shared memory of one machine."""
    folder = os.path.dirname(os.path.realpath(path))
    kind = network_kind(folder, own_mountinfo()) or ("network drive" if folder.startswith("\\\\") else "")
    if kind:
        raise StoreError(
            f"{path}: on a network file system ({kind}), where a store gets damaged: keep it on a local disk;"
            " the reports may lie on a share"
        )


def _refuse_foreign_log(path: str) -> None:
    """A log that somebody laid beside the store: SQLite would write it into the store without a word.

    Nothing in a log names its store. It cannot be the store's if another account made it, or if the store would be
    damaged by it; of a store of a few hosts, which has no page that both have, the second cannot be seen.
    """
    for log in (f"{path}-wal", f"{path}-journal"):
        try:
            found, store = os.lstat(log), os.stat(path)
        except OSError:
            continue
        shared = store.st_mode & 0o022  # then other accounts may write the store
        if not stat.S_ISREG(found.st_mode) or (found.st_uid != store.st_uid and not shared):
            raise StoreError(f"{path}: {log} is not of the owner of the store, so it is no log of it: move it away")
        if found.st_size and log.endswith("-wal") and not _fits(path):
            raise StoreError(
                f"{path}: {log} is the log of another store, or damaged; nothing of it was taken over."
                " Move it away, and add the newest reports again"
            )


def _fits(path: str) -> bool:
    """Whether the store is sound together with its log; the store stays as it is."""
    connection = sqlite3.connect(f"{Path(os.path.abspath(path)).as_uri()}?mode=ro", timeout=WAIT, uri=True)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error as error:  # if it cannot be opened, who opens it next says so
        return error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    finally:
        connection.close()


def _only_read(path: str) -> sqlite3.Connection:
    """A store on a medium that can only be read, which nobody changes meanwhile."""
    try:
        if os.path.exists(f"{path}-wal") and os.path.getsize(f"{path}-wal"):
            raise StoreError(f"{path}: its last steps are still in {path}-wal: open it once where it can be written")
        return _prepared(f"{Path(os.path.abspath(path)).as_uri()}?mode=ro&immutable=1", path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: {_why(error)}") from error


def _prepared(address: str, path: str) -> sqlite3.Connection:
    """A connection to a path or URI that can be used."""
    end = time.monotonic() + WAIT
    while True:
        connection = sqlite3.connect(address, timeout=WAIT, isolation_level=None, uri=address != path)
        try:
            _prepare(connection, path)
        except BaseException as error:
            connection.close()
            if not _is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return connection


def _is_busy(error: BaseException) -> bool:
    """Whether another process has the store locked. SQLite itself does not wait where it changes the journal's mode."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    # The tables first: another process may be making the store, and they come in one step with the rest.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION and tables:
        raise StoreError(f"{path}: a database of another program")
    if application == APPLICATION and version > VERSION:
        raise StoreError(f"{path}: made by a newer phaseout (version {version} of the store; this one knows {VERSION})")
    connection.execute("PRAGMA page_size = 8192")  # of a new file: a year of answers of one host takes a kilobyte
    connection.execute("PRAGMA journal_mode = WAL")  # where that is not possible, as on some shares, the old one stays
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    if application != APPLICATION:
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:  # nobody was faster
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    elif version < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        for added in range(connection.execute("PRAGMA user_version").fetchone()[0] + 1, VERSION + 1):
            connection.execute(_SINCE[added])
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")


def _make_private(path: str) -> None:
    """Makes the file so that only its owner reads it: it names users and paths. SQLite gives its logs the same mode."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _why(error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        return f"another process has been writing to it for {WAIT:.0f} seconds: try again when it has ended"
    if "full" in text:
        return "the disk is full: nothing of this step was kept"
    if "readonly" in text:
        return "it can only be read"
    if "unable to open" in text:
        return "it cannot be opened: the rights on it or on its folder do not allow it, or the medium can only be read"
    if "malformed" in text or "not a database" in text:
        return f"damaged, or no store: {text}"
    return text
