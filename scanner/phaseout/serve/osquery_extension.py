"""An osquery extension: registers with the running osquery and answers its queries of the tables.

Every connection has its own thread, so that osquery's `ping` is answered during a scan; a query that comes meanwhile
waits for the result of that scan. A result is kept for some seconds. A join queries a table once for each row of the
other table, therefore only the requested rows and columns are sent.

osquery's own Python bindings are not used: they serve one connection at a time, so that a ping would wait for a scan,
they end by `os._exit`, and they need three packages. All that is needed of them are the five messages below.

References:
    https://github.com/osquery/osquery/blob/master/osquery/extensions/thrift/osquery.thrift (the messages),
    https://osquery.readthedocs.io/en/stable/deployment/extensions/ (socket, timeout, interval, autoload)
"""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from phaseout import __version__
from phaseout.model.findings import Report
from phaseout.model.nouns import Inventory
from phaseout.model.quoting import visible
from phaseout.parsers.encodings.thrift import (
    CALL,
    EXCEPTION,
    I32,
    I64,
    ONEWAY,
    REPLY,
    Fields,
    Message,
    ThriftError,
    read_message,
    write_message,
)
from phaseout.serve.osquery_tables import TABLES, Row, selected

Result = tuple[Inventory, Report]
_SDK = "5.0.0"  # of osquery: the messages are those of every 5.x
_SILENCE = 60.0  # seconds for which a connection may be silent, and for which one message may arrive
_CONNECTIONS = 32  # osquery has a few at a time
_SHOWN = 200  # characters of a request that its error quotes
_PAUSE = 0.1  # seconds between the attempts to reach osquery


class CannotServeError(Exception):
    """osquery cannot be reached, or rejects the tables; the text says which."""


class CachedResult:
    """The rows of the last scan; a new scan runs when they are too old."""

    def __init__(self, scan: Callable[[], Result], seconds: float) -> None:
        self._scan = scan
        self._seconds = seconds
        self._lock = threading.Lock()
        self._tables: dict[str, list[Row]] = {}
        self._end = 0.0

    def rows(self, table: str) -> list[Row]:
        """The rows of a table. Queries during a scan wait for its result."""
        with self._lock:
            if not self._tables or time.monotonic() >= self._end:
                self._tables = {}  # before the scan: either may take a hundred megabytes
                result = self._scan()
                self._tables = {name: list(table.rows(*result)) for name, table in TABLES.items()}
                self._end = time.monotonic() + self._seconds
            return self._tables[table]


def serve(path: str, scan: Callable[[], Result], *, timeout: float, interval: float, keep: float) -> None:
    """Serves the tables until osquery ends or asks the extension to shut down.

    Args:
        path: osquery's socket, on Windows its pipe.
        scan: scans and judges; its exceptions become the error of the query.
        timeout: seconds to wait for osquery.
        interval: seconds between the checks whether osquery is still running.
        keep: seconds for which a result is reused.

    Raises:
        CannotServeError: the tables could not be registered.
    """
    osquery = _reach(path, timeout)
    shutdown = threading.Event()
    with contextlib.closing(osquery):
        uuid = _register(osquery)
        with _served(f"{path}.{uuid}", _Answers(CachedResult(scan, keep), shutdown)):
            while not shutdown.wait(interval):
                try:
                    _ask(osquery, "ping", Fields())
                except (OSError, EOFError, ThriftError):
                    return
            with contextlib.suppress(OSError, EOFError, ThriftError):
                _ask(osquery, "deregisterExtension", Fields({1: I64(uuid)}))


class _Answers:
    """The answers to the requests that osquery sends to an extension."""

    def __init__(self, result: CachedResult, shutdown: threading.Event) -> None:
        self._result = result
        self.shutdown = shutdown
        self._free = threading.BoundedSemaphore(_CONNECTIONS)

    def taken(self, connection: "_Connection") -> bool:
        """Answers in a thread of its own, unless there are too many."""
        if not self._free.acquire(blocking=False):
            return False
        threading.Thread(target=self._answered, args=(connection,), daemon=True).start()
        return True

    def _answered(self, connection: "_Connection") -> None:
        try:
            self(connection)
        finally:
            self._free.release()

    def __call__(self, connection: "_Connection") -> None:
        """Answers until the other side closes the connection."""
        with contextlib.closing(connection), contextlib.suppress(OSError, EOFError, ThriftError):
            while True:
                connection.wait()
                asked = read_message(connection.read)
                answer = self._answer(asked)
                if asked.kind != ONEWAY:
                    connection.write(write_message(answer))
                if asked.name == "shutdown":
                    self.shutdown.set()

    def _answer(self, asked: Message) -> Message:
        if asked.name == "ping":
            return _reply(asked, _status(0, "OK"))
        if asked.name == "shutdown":
            return Message(asked.name, REPLY, asked.sequence, Fields())
        if asked.name == "call":
            status, rows = self._call(asked.fields)
            return _reply(asked, Fields({1: status, 2: rows}))
        unknown = Fields({1: f"no method {asked.name[:_SHOWN]}", 2: I32(1)})
        return Message(asked.name, EXCEPTION, asked.sequence, unknown)

    def _call(self, fields: Fields) -> tuple[Fields, list[dict[str, str]]]:
        registry, name, request = fields.get(1), fields.get(2), fields.get(3)
        table = TABLES.get(name) if registry == "table" and isinstance(name, str) else None
        if table is None or not isinstance(request, dict):
            return _status(1, f"no {registry} {name}"[:_SHOWN]), []
        action = request.get("action")
        if action == "columns":
            return _status(0, "OK"), _routes(table.columns)
        if action != "generate":
            return _status(1, f"no action {action}"[:_SHOWN]), []
        try:
            rows = selected(self._result.rows(str(name)), table.columns, request.get("context", ""))
            return _status(0, "OK"), rows
        except Exception as error:  # noqa: BLE001  (it becomes the error of this query, and the extension continues)
            return _status(1, f"phaseout: {error}"), []


def _routes(columns: dict[str, str]) -> list[dict[str, str]]:
    return [{"id": "column", "name": name, "type": kind, "op": "0"} for name, kind in columns.items()]


def _status(code: int, message: str) -> Fields:
    return Fields({1: I32(code), 2: message, 3: I64(0)})


def _reply(asked: Message, result: Fields) -> Message:
    return Message(asked.name, REPLY, asked.sequence, Fields({0: result}))


def _register(osquery: "_Connection") -> int:
    """Registers the tables; returns the number from osquery with which the name of our own socket ends."""
    info = Fields({1: "phaseout", 2: __version__, 3: _SDK, 4: "4.0.0"})
    registry = {"table": {name: _routes(table.columns) for name, table in TABLES.items()}}
    try:
        status = _ask(osquery, "registerExtension", Fields({1: info, 2: registry}))
    except (OSError, EOFError, ThriftError) as error:
        raise CannotServeError(f"osquery did not answer: {str(error) or 'it closed the connection'}") from error
    if status.get(1) or not isinstance(status.get(3), int):
        raise CannotServeError(f"osquery rejected the tables: {visible(str(status.get(2))[:_SHOWN])}")
    return int(status[3])


def _ask(connection: "_Connection", name: str, fields: Fields) -> Fields:
    """The result of a call.

    Raises:
        ThriftError: the other side answered with an error, or not with a result.
        EOFError: it closed the connection.
        OSError: the connection broke.
    """
    connection.write(write_message(Message(name, CALL, 0, fields)))
    connection.wait()
    answer = read_message(connection.read)
    result = answer.fields.get(0)
    if answer.kind != REPLY or not isinstance(result, Fields):
        raise ThriftError(visible(str(answer.fields.get(1, "an answer without result"))[:_SHOWN]))
    return result


class _Connection(Protocol):
    """Bytes to and from the other side."""

    def wait(self) -> None:
        """Says that another message may begin, which must then arrive in time."""

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes.

        Raises:
            EOFError: the other side closed the connection.
            TimeoutError: they did not come in time.
        """

    def write(self, data: bytearray) -> None:
        """Sends all of it."""

    def close(self) -> None:
        """Closes it."""


def _reach(path: str, seconds: float) -> _Connection:
    """A connection to osquery, which may still be starting."""
    end = time.monotonic() + seconds
    while True:
        try:
            return _connect(path)
        except OSError as error:
            if time.monotonic() >= end:
                raise CannotServeError(f"{path}: osquery does not listen there ({error.strerror or error})") from error
            time.sleep(_PAUSE)


if sys.platform == "win32":
    import _winapi
    import msvcrt
    from multiprocessing.connection import Connection, Listener, PipeConnection

    _IDENTIFIED_ONLY = 0x00100000 | 0x00010000  # SECURITY_SQOS_PRESENT, SECURITY_IDENTIFICATION
    _LARGEST = 1 << 24  # bytes of a message

    class _Pipe:
        """A named pipe that was opened like a file.

        The program that made the pipe may not act in our name, as it could by default.
        """

        def __init__(self, path: str) -> None:
            handle = _winapi.CreateFile(
                path,
                _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
                0,
                _winapi.NULL,
                _winapi.OPEN_EXISTING,
                _IDENTIFIED_ONLY,
                _winapi.NULL,
            )
            self._file = open(msvcrt.open_osfhandle(handle, os.O_RDWR), "r+b", buffering=0)  # noqa: SIM115, PTH123

        def wait(self) -> None:
            pass

        def read(self, size: int) -> bytes:
            parts = b""
            while len(parts) < size:
                part = self._file.read(size - len(parts))
                if not part:
                    raise EOFError
                parts += part
            return parts

        def write(self, data: bytearray) -> None:
            self._file.write(data)

        def close(self) -> None:
            self._file.close()

    class _Served:
        """Our end of a pipe. It delivers messages, whose boundaries mean nothing."""

        def __init__(self, pipe: PipeConnection | Connection) -> None:
            self._pipe = pipe
            self._rest = b""
            self._end = 0.0

        def wait(self) -> None:
            self._end = time.monotonic() + _SILENCE

        def read(self, size: int) -> bytes:
            while len(self._rest) < size:
                if not self._pipe.poll(max(self._end - time.monotonic(), 0)):
                    raise TimeoutError
                self._rest += self._pipe.recv_bytes(_LARGEST)
            data, self._rest = self._rest[:size], self._rest[size:]
            return data

        def write(self, data: bytearray) -> None:
            self._pipe.send_bytes(data)

        def close(self) -> None:
            self._pipe.close()

    def _connect(path: str) -> _Connection:
        return _Pipe(path)

    @contextlib.contextmanager
    def _served(path: str, answers: _Answers) -> Iterator[None]:
        """Listens on a pipe."""
        try:
            listener = Listener(path, "AF_PIPE")
        except OSError as error:  # another program has made it before
            raise CannotServeError(f"{path}: {error.strerror or error}") from error

        def accept() -> None:
            while not answers.shutdown.is_set():
                with contextlib.suppress(OSError, EOFError):
                    pipe = _Served(listener.accept())
                    if not answers.taken(pipe):
                        pipe.close()

        threading.Thread(target=accept, daemon=True).start()
        with contextlib.closing(listener):
            yield

else:
    import struct
    from pathlib import Path

    _PART = 1 << 16  # bytes that are read at a time

    class _Socket:
        """A stream socket."""

        def __init__(self, connected: socket.socket) -> None:
            self._socket = connected
            self._rest = bytearray()
            self.wait()

        def wait(self) -> None:
            self._end = time.monotonic() + _SILENCE

        def read(self, size: int) -> bytes:
            while len(self._rest) < size:
                self._socket.settimeout(max(self._end - time.monotonic(), 0.001))
                part = self._socket.recv(_PART)
                if not part:
                    raise EOFError("the connection was closed")
                self._rest += part
            data = bytes(self._rest[:size])
            del self._rest[:size]
            return data

        def write(self, data: bytearray) -> None:
            self._socket.settimeout(_SILENCE)
            self._socket.sendall(data)

        def close(self) -> None:
            self._socket.close()

    def _connect(path: str) -> _Connection:
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.connect(path)
            owner = _listener(connected, path)
        except OSError:
            connected.close()
            raise
        if owner not in {0, os.geteuid()}:
            connected.close()
            raise CannotServeError(f"{path}: neither root nor the user who runs phaseout listens there")
        return _Socket(connected)

    def _listener(connected: socket.socket, path: str) -> int:
        """The number of the user who listens; where the system does not say it, of the owner of the socket."""
        if sys.platform == "linux":
            _, user, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return int(user)
        return Path(path).stat().st_uid

    @contextlib.contextmanager
    def _served(path: str, answers: _Answers) -> Iterator[None]:
        """Listens on a socket that only its owner may use."""
        place = Path(path)
        if place.is_socket():  # left by an extension that was killed
            place.unlink()
        before = os.umask(0o077)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(path)
        except OSError as error:
            listener.close()
            raise CannotServeError(f"{path}: {error.strerror or error}") from error
        finally:
            os.umask(before)
        listener.listen()

        def accept() -> None:
            while not answers.shutdown.is_set():
                try:
                    connected, _ = listener.accept()
                except OSError:  # it was closed
                    return
                if not answers.taken(_Socket(connected)):
                    connected.close()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
            listener.close()
            place.unlink(missing_ok=True)
