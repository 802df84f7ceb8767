"""Supervises the look at a host: starts the worker, holds its budgets, and makes the inventory of what it sends.

On POSIX the worker is a fork, made before anything heavy is loaded, so that the rules are read while it looks. It
sends every item as soon as it has it. A source that exceeds its time, or takes the worker with it, is marked so; what
it had sent is kept, and a new worker goes on with the rest.

References:
    fork(2), setrlimit(2), pipe(7) (capacity), select(2).
"""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from scanner.model import INVENTORY_SCHEMA, HostInfo, Inventory, Item, Problem, SourceRun, Unseen
from scanner.worker import UNWANTED, Ended, Found, Message, Opened, Planned, Refused, Request, Started, work

SOURCE_SECONDS = 30.0
WHOLE_SECONDS = 120.0
_MEMORY = 2 << 30  # bytes of address space for the worker
_PIPE = 1 << 20  # so much is sent while nobody reads: the worker need not wait for the rules to be read
_CHUNK = 1 << 18


class CannotLookError(Exception):
    """The host cannot be opened, or there is no such source; the text says which."""


class Look:
    """A look at a host that is under way. Make it first, do other work, then ask for the inventory.

    Args:
        request: what is looked at.
        whole: seconds for all sources together.
        each: seconds for one source.
    """

    def __init__(self, request: Request, *, whole: float = WHOLE_SECONDS, each: float = SOURCE_SECONDS) -> None:
        self._request = request
        self._each = each
        self._end = time.monotonic() + whole
        self._host: HostInfo | None = None
        self._opening: tuple[Problem, ...] = ()
        self._planned: dict[str, Planned] = {}
        self._runs: dict[str, SourceRun] = {}
        self._items: list[Item] = []
        self._current = ""
        self._since = 0.0
        self.interrupted = False
        self._worker: _Worker | None = _Worker(request) if hasattr(os, "fork") else None

    def inventory(self, *, scanned_at: str, tool: str) -> Inventory:
        """Everything that the sources saw, sorted, so that the same host gives the same inventory.

        Args:
            scanned_at: the moment to put into it, RFC 3339 in UTC.
            tool: name and version to put into it.

        Raises:
            CannotLookError: there is nothing to look at.
        """
        try:
            if self._worker is None:
                work(self._request, self._take)
            else:
                self._supervise()
        except KeyboardInterrupt:
            self.interrupted = True
            self._give_up("interrupted")
        finally:
            self.abandon()
        if self._host is None:
            raise CannotLookError("the worker ended before it had opened the host")
        self._items.sort(
            key=lambda item: (item.kind, item.name, item.version, item.path, item.user, item.source, item.command)
        )
        return Inventory(
            schema=INVENTORY_SCHEMA,
            tool=tool,
            scanned_at=scanned_at,
            host=self._host,
            items=tuple(self._items),
            runs=tuple(self._runs[name] for name in self._planned if name in self._runs),
            unseen=tuple(_unseen(self._opening, self._runs, tuple(self._planned.values()))),
        )

    def abandon(self) -> None:
        """Ends the worker, wherever it is."""
        if self._worker is not None:
            self._worker.kill()

    def _supervise(self) -> None:
        while True:
            assert self._worker is not None
            how = self._listen(self._worker)
            if how is None:
                return
            self._worker.kill()
            status, reason = how
            if not self._current:
                self._give_up(reason)
                return
            self._lose(status, reason)
            if time.monotonic() >= self._end:
                self._give_up(f"no time left: the whole scan may take {WHOLE_SECONDS:g} s")
                return
            if all(name in self._runs for name in self._planned):
                return
            self._worker = _Worker(msgspec.structs.replace(self._request, done=tuple(self._runs)))

    def _listen(self, worker: "_Worker") -> tuple[str, str] | None:
        """Takes messages to the end; status and reason where a source did not come to its own."""
        self._since = time.monotonic()
        while True:
            limit = min(self._since + self._each, self._end)
            messages = worker.receive(limit - time.monotonic())
            if messages is None:
                took = time.monotonic() - self._since
                return "timeout", f"ended after {took:.0f} s: a source may take {self._each:g} s"
            if not messages:
                done = bool(self._planned) and all(name in self._runs for name in self._planned)
                return None if done else ("failed", worker.death())
            for message in messages:
                self._take(message)

    def _take(self, message: Message) -> None:
        if isinstance(message, Found):
            self._items.append(message.item)
        elif isinstance(message, Started):
            self._current = message.source
            self._since = time.monotonic()
        elif isinstance(message, Ended):
            self._runs[message.run.source] = message.run
            self._current = ""
        elif isinstance(message, Opened):
            if self._host is None:
                self._host, self._opening = message.host, message.problems
                self._planned = {planned.name: planned for planned in message.planned}
        elif isinstance(message, Refused):
            raise CannotLookError(message.why)

    def _lose(self, status: str, reason: str) -> None:
        """Marks the source that was running."""
        items = sum(item.source == self._current for item in self._items)
        self._runs[self._current] = SourceRun(
            source=self._current,
            status="timeout" if status == "timeout" else "failed",
            reason=reason,
            rows=items,
            items=items,
            seconds=round(time.monotonic() - self._since, 6),
        )
        self._current = ""

    def _give_up(self, reason: str) -> None:
        """Marks everything that has not run."""
        if self._current:
            self._lose("failed", reason)
        for name in self._planned:
            self._runs.setdefault(name, SourceRun(source=name, status="failed", reason=reason))


class _Worker:
    """The process that looks, and the pipe that it sends through."""

    def __init__(self, request: Request) -> None:
        reader, writer = os.pipe()
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import fcntl

            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
        sys.stdout.flush()
        self._pid = os.fork()
        if not self._pid:
            os.close(reader)
            _child(request, writer)
        os.close(writer)
        self._pipe = reader
        self._rest = b""
        self._decode: Callable[[bytes], Message] = msgspec.msgpack.Decoder(Message).decode
        self._status = 0

    def receive(self, seconds: float) -> list[Message] | None:
        """The next messages; none if the worker ended; `None` if it sent nothing in that time."""
        while True:
            ready, _, _ = select.select([self._pipe], [], [], max(seconds, 0))
            if not ready:
                return None
            data = os.read(self._pipe, _CHUNK)
            if not data:
                return []
            data = self._rest + data
            messages: list[Message] = []
            start = 0
            while len(data) - start >= 4:
                end = start + 4 + int.from_bytes(data[start : start + 4], "big")
                if end > len(data):
                    break
                messages.append(self._decode(data[start + 4 : end]))
                start = end
            self._rest = data[start:]
            if messages:
                return messages

    def death(self) -> str:
        """What the worker died of, in words."""
        self.kill()
        if os.WIFSIGNALED(self._status):
            return f"the worker was ended by {signal.Signals(os.WTERMSIG(self._status)).name}"
        return f"the worker ended with status {os.waitstatus_to_exitcode(self._status)}"

    def kill(self) -> None:
        """Ends it if it has not ended, and takes its status; harmless if that was done."""
        if not self._pid:
            return
        pid, self._pid = self._pid, 0
        with contextlib.suppress(ProcessLookupError):
            done, self._status = os.waitpid(pid, os.WNOHANG)
            if not done:
                os.kill(pid, signal.SIGKILL)
                _, self._status = os.waitpid(pid, 0)
        os.close(self._pipe)


def _child(request: Request, writer: int) -> None:
    """The worker's whole life. It prints nothing, and what it is told by the keyboard is the supervisor's affair."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        _limit_memory()
        encode = msgspec.msgpack.Encoder().encode

        def send(message: Message) -> None:
            data = encode(message)
            rest = memoryview(len(data).to_bytes(4, "big") + data)
            while rest:
                rest = rest[os.write(writer, rest) :]

        work(request, send)
        status = 0
    finally:
        os._exit(status)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _unseen(opening: Sequence[Problem], runs: dict[str, SourceRun], planned: Sequence[Planned]) -> Iterator[Unseen]:
    """What the runs did not see. What a host cannot have (an offline root no processes) is not unseen."""
    if opening:
        yield Unseen("Users and operating system", _summary(opening), _remedy(opening))
    for source in planned:
        run = runs.get(source.name)
        if run is None or run.status in {"failed", "timeout"}:
            reason = run.reason if run else "it never ran"
            yield Unseen(source.title, reason, source=source.name, kinds=source.kinds)
        elif run.reason == UNWANTED:
            yield Unseen(source.title, UNWANTED, "leave out --source and --skip-source", source.name, source.kinds)
        elif run.status == "partial":
            yield Unseen(source.title, _summary(run.problems), _remedy(run.problems), source.name, source.kinds)


def _summary(problems: Sequence[Problem]) -> str:
    first = problems[0]
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{first.where}: {first.why}{more}"


def _remedy(problems: Sequence[Problem]) -> str:
    return "run as root" if any("permission denied" in problem.why for problem in problems) else ""
