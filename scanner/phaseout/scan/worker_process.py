"""The processes of workers, and the pipes through which they send.

On Linux a worker is a fork of the supervisor, which costs a few milliseconds, and there are two where two processors
are there for them. Elsewhere the one worker is a new interpreter, since macOS does not promise that a fork without exec
works, and Windows has none; a second would need as long for its start as it saves.

References:
    fork(2), setrlimit(2), pipe(7) (capacity), select(2); https://pyinstaller.org/en/stable/runtime-information.html
    (`sys.frozen`).
"""

import contextlib
import gc
import math
import os
import select
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from phaseout.scan.interruption import interruption_waits
from phaseout.scan.memory import address_space, peak_memory
from phaseout.scan.messages import Message, Request
from phaseout.scan.worker import TURNS, Returned, warm_up, work

if TYPE_CHECKING:
    import subprocess

    from phaseout.scan.windows_job import Job

FORKS = sys.platform.startswith("linux")
WORKER = "_worker"  # the argument that makes a frozen executable the worker
_PIPE = 1 << 20  # bytes that fit into the pipe: the worker need not wait while the rules are loaded
_CHUNK = 1 << 18
_SLOW_START = 10  # times its CPU time, and a second: what the program takes at most to reach its first line
_ALONE = 30  # seconds after the end of its time; a worker that still runs has lost its supervisor
_POLL = 0.2  # seconds until Ctrl-C takes effect: on Windows nothing interrupts the wait for a queue
_TOGETHER = 0.002  # seconds: what comes meanwhile is taken at once, instead of waking up for every item
_ours: set[int] = set()  # the supervisor's ends of pipes, which its other workers must not keep open
_WORKERS = 2  # at most: with a third, the longest source takes as long as all others
_PATIENCE = (*[0.0005] * 20, *[0.01] * 100)  # seconds between the checks whether a killed worker has ended


class Shared:
    """What the workers of one scan share: whose turn each source is, and the room that is left for results.

    A turn is one byte in a pipe, the number of a source: a worker that is free takes the next one. So two workers end
    together, whatever each source takes, and nobody waits for the supervisor, which loads the rules meanwhile.

    Args:
        workers: how many there will be at the same time.
    """

    def __init__(self, workers: int) -> None:
        self.turns, ours = os.pipe()
        os.write(ours, TURNS)
        os.close(ours)
        self.returned = Returned.shared(workers)

    def close(self) -> None:
        """Lets go of the pipe. May be called again."""
        if self.turns >= 0:
            os.close(self.turns)
            self.turns = -1


class PreparedWorker(NamedTuple):
    """A fork that waits for its request."""

    pid: int
    requests: int  # pipe to it
    messages: int  # pipe from it


class Prepared(NamedTuple):
    """Forks that were made early, with all that a scan needs. One that gets no request ends with this process."""

    workers: tuple[PreparedWorker, ...]
    shared: Shared
    began: float  # when this program was started, in seconds since 1970


class Worker(ABC):
    """A process that runs sources.

    Attributes:
        received: bytes that have come from it.
    """

    received = 0

    @classmethod
    @abstractmethod
    def receive(cls, workers: Sequence[Self], seconds: float) -> dict[Self, list[Message]]:
        """The next messages of each worker that has sent some within a time; an empty list from one that has ended."""

    @abstractmethod
    def death(self) -> str:
        """How the worker ended, in words."""

    @abstractmethod
    def kill(self) -> None:
        """Ends it unless it has ended, and collects its status. May be called again."""

    @abstractmethod
    def used(self) -> tuple[float, int]:
        """Seconds of CPU time that it has used, and bytes of memory that it took; zeros once it has ended."""


class Spawned(Worker):
    """A worker that is a new interpreter, or a second instance of the same frozen executable.

    Args:
        request: what it should do.
        memory: bytes that it may use.
        seconds: that it may run.
    """

    def __init__(self, request: Request, memory: int, seconds: float) -> None:
        import queue
        import subprocess
        import threading

        code = f"import sys; sys.path[:] = {sys.path!r}; from phaseout.scan.worker_process import spawned; spawned()"
        # In a virtual environment of Windows `sys.executable` is a launcher: one process more, and slower to start.
        python = getattr(sys, "_base_executable", sys.executable) if sys.platform == "win32" else sys.executable
        frozen = bool(getattr(sys, "frozen", False))
        self._process = subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, WORKER] if frozen else [python, "-B", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._job = _bounded(self._process, memory)
        self._ended = False
        self.received = 0  # bytes
        self._queue: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._unpack = _Frames()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # the exit status tells of a worker that died at once
            self._process.stdin.write(_asked(request, memory, seconds) + TURNS)
            self._process.stdin.close()
        threading.Thread(target=self._read, daemon=True).start()

    @classmethod
    def receive(cls, workers: Sequence[Self], seconds: float) -> dict[Self, list[Message]]:
        """The next messages of the one worker; an empty list once it has ended."""
        (worker,) = workers
        messages = worker.next(seconds)
        return {} if messages is None else {worker: messages}

    def next(self, seconds: float) -> list[Message] | None:
        """Its next messages; an empty list once it has ended; `None` if nothing came within that time."""
        import queue

        end = time.monotonic() + seconds
        while not self._ended:
            try:
                data = self._queue.get(timeout=min(max(end - time.monotonic(), 0.001), _POLL))
            except queue.Empty:
                if time.monotonic() < end:
                    continue
                return None
            self._ended = not data
            self.received += len(data)
            messages = list(self._unpack(data))
            if messages:
                return messages
        return []

    def death(self) -> str:
        """How the worker ended, in words."""
        status = self._process.wait()
        if status < 0:
            return f"the worker was ended by {signal.Signals(-status).name}"
        return f"the worker ended with status {status if status < 1 << 16 else hex(status)}"  # 0xc0000005 on Windows

    def kill(self) -> None:
        """Ends it unless it has ended, and collects its status. May be called again."""
        if self._process.poll() is None:
            self._process.kill()
        if self._job is not None:
            self._job.end()
        self._process.wait()

    def used(self) -> tuple[float, int]:
        """Seconds of CPU time that it has used, and bytes of memory that it holds; zeros once it has ended."""
        return _used(self._process.pid)

    def _read(self) -> None:
        """Queues what the pipe delivers: Windows cannot wait for a pipe and a clock at once."""
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while data := pipe.read1(_CHUNK):  # type: ignore[attr-defined]
                self._queue.put(data)
        self._queue.put(b"")


if sys.platform == "win32":
    Forked = Spawned
else:

    class Forked(Worker):
        """A worker that is a fork of this process.

        Args:
            request: what it should do.
            memory: bytes of address space that it may use, beside what it has from the program that it is a fork of.
            seconds: that it may run.
            prepared: the fork, which waits for the request.
        """

        def __init__(self, request: Request, memory: int, seconds: float, prepared: PreparedWorker) -> None:
            self._pid, requests, self.pipe = prepared
            self.unpack = _Frames()
            self._status = 0
            self._inherited = peak_memory()
            self.received = 0  # bytes
            self.streams = False  # whether the last call found something
            with contextlib.suppress(BrokenPipeError), open(requests, "wb") as pipe:
                pipe.write(_asked(request, memory, seconds))
            _ours.discard(requests)

        @classmethod
        def receive(cls, workers: Sequence[Self], seconds: float) -> dict[Self, list[Message]]:
            """The next messages of each worker that has sent some; an empty list from one that has ended."""
            if any(worker.streams for worker in workers):
                time.sleep(_TOGETHER)
            ready, _, _ = select.select([worker.pipe for worker in workers], [], [], max(seconds, 0))
            came: dict[Self, list[Message]] = {}
            for worker in workers:
                worker.streams = worker.pipe in ready
                if worker.streams:
                    data = os.read(worker.pipe, _CHUNK)
                    worker.received += len(data)
                    messages = list(worker.unpack(data))
                    if messages or not data:
                        came[worker] = messages
            return came

        def death(self) -> str:
            """How the worker ended, in words."""
            self.kill()
            if os.WIFSIGNALED(self._status):
                return f"the worker was ended by {signal.Signals(os.WTERMSIG(self._status)).name}"
            return f"the worker ended with status {os.waitstatus_to_exitcode(self._status)}"

        def kill(self) -> None:
            """Ends it unless it has ended, and collects its status. May be called again."""
            if not self._pid:
                return
            pid, self._pid = self._pid, 0
            with contextlib.suppress(ProcessLookupError):
                done, self._status = os.waitpid(pid, os.WNOHANG)
                if not done:
                    os.kill(pid, signal.SIGKILL)
                for pause in _PATIENCE:  # one that waits for a dead disk cannot be ended: stop waiting for it
                    if done:
                        break
                    time.sleep(pause)
                    done, self._status = os.waitpid(pid, os.WNOHANG)
            os.close(self.pipe)
            _ours.discard(self.pipe)

        def used(self) -> tuple[float, int]:
            """Seconds of CPU time that it has used, and bytes of memory that it took; zeros once it has ended."""
            seconds, held = _used(self._pid)
            return seconds, max(held - self._inherited, 0)

    def _fork(shared: Shared, number: int) -> PreparedWorker:
        """A new worker that waits for its request."""
        requests, to_worker = os.pipe()
        from_worker, writer = os.pipe()
        _ours.update((to_worker, from_worker))
        if sys.platform == "linux":
            import fcntl

            with contextlib.suppress(OSError):
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
        if sys.stdout is not None:
            sys.stdout.flush()
        with interruption_waits():
            pid = os.fork()
            if not pid:
                for end in _ours:
                    os.close(end)
                _live(requests, writer, shared.turns, shared.returned.by(number))
        os.close(requests)
        os.close(writer)
        return PreparedWorker(pid, to_worker, from_worker)


def started(
    request: Request,
    memory: int,
    seconds: float,
    shared: Shared | None,
    number: int,
    prepared: PreparedWorker | None = None,
) -> Worker:
    """A worker that runs.

    Args:
        request: what it should do.
        memory: bytes that it may use.
        seconds: that it may run.
        shared: what the workers of the scan share, if they are forks.
        number: its own among them.
        prepared: a fork that waits for a request; otherwise a new one is made.
    """
    if sys.platform != "win32" and shared is not None:
        return Forked(request, memory, seconds, prepared or _fork(shared, number))
    return Spawned(request, memory, seconds)


def workers_at_once() -> int:
    """How many workers a scan has at the same time."""
    if sys.platform == "linux":
        return min(len(os.sched_getaffinity(0)), _WORKERS)
    return 1


def prepare() -> Prepared | None:
    """Forks that are ready while the command line is parsed; `None` where workers are no forks.

    What a scan needs is loaded before, once for all of them: on two processors that takes as long as if each loaded it
    by itself, and half of the CPU time.
    """
    if sys.platform == "linux":
        warm_up()
        gc.freeze()  # what is loaded stays: a collection in a fork would copy each page of it
        shared = Shared(workers_at_once())
        workers = tuple(_fork(shared, number) for number in range(workers_at_once()))
        return Prepared(workers, shared, _started())
    return None


def _started() -> float:
    """When this program was started, in seconds since 1970: before it opened any file that a user may watch.

    A shell becomes the last program that it runs, and was started long before: it has waited, and used no CPU time.

    References:
        proc_pid_stat(5) (starttime, in ticks since the machine was started)
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open("/proc/self/stat", "rb") as file:
                ticks = int(file.read(4096).rpartition(b")")[2].split()[19]) + 1
            age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
            if 0 < age < 1 + _SLOW_START * time.process_time():
                return time.time() - age  # the later clock last: a delay between them must not make it too early
    return time.time()


def spawned() -> None:
    """Runs a spawned worker: the request comes through standard input, the messages leave through standard output."""
    reader, writer = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(reader, os.O_BINARY)
        msvcrt.setmode(writer, os.O_BINARY)
    _live(reader, writer, reader)


def _asked(request: Request, memory: int, seconds: float) -> bytes:
    """What a worker is asked, with its length before it."""
    data = msgspec.msgpack.encode((request, memory, seconds))
    return len(data).to_bytes(4, "big") + data


def _read(pipe: int, size: int) -> bytes:
    """So many bytes of a pipe, and none of what follows; fewer where it ends."""
    data = b""
    while len(data) < size and (part := os.read(pipe, size - len(data))):
        data += part
    return data


class _Frames:
    """Splits the bytes of the pipe into messages: each is preceded by its length in four bytes."""

    def __init__(self) -> None:
        self._rest = b""
        self._decode: Callable[[bytes], Message] = msgspec.msgpack.Decoder(Message).decode

    def __call__(self, data: bytes) -> Iterator[Message]:
        data = self._rest + data
        start = 0
        while len(data) - start >= 4:
            end = start + 4 + int.from_bytes(data[start : start + 4], "big")
            if end > len(data):
                break
            yield self._decode(data[start + 4 : end])
            start = end
        self._rest = data[start:]


def _live(reader: int, writer: int, turns: int, returned: Returned | None = None) -> None:
    """The worker's whole life. It prints nothing; keyboard signals are left to the supervisor.

    Args:
        reader: the pipe with its request.
        writer: the pipe for its messages.
        turns: the pipe with the numbers of the sources that it runs.
        returned: what all workers have returned, where they count together.
    """
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        sys.stdout = sys.stderr = open(nowhere, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        warm_up()
        asked = _read(reader, int.from_bytes(_read(reader, 4), "big"))
        if not asked:
            os._exit(0)  # the command line asked for something else, or was wrong
        request, memory, seconds = msgspec.msgpack.decode(asked, type=tuple[Request, int, float])
        _limit(memory, seconds)
        encode = msgspec.msgpack.Encoder().encode

        def send(message: Message) -> None:
            data = encode(message)
            rest = memoryview(len(data).to_bytes(4, "big") + data)
            while rest:
                rest = rest[os.write(writer, rest) :]

        numbers = (turn[0] for turn in iter(lambda: os.read(turns, 1), b""))
        work(request, send, numbers, returned or Returned([request.memory, request.results]))
        status = 0
    finally:
        os._exit(status)


def _used(pid: int) -> tuple[float, int]:
    import psutil  # late: only a scan that takes longer than usual needs it

    try:
        process = psutil.Process(pid)
        computed = process.cpu_times()
        return computed.user + computed.system, process.memory_info().rss
    except psutil.Error:
        return 0.0, 0


def _bounded(process: "subprocess.Popen[bytes]", memory: int) -> "Job | None":
    """The job object that bounds a new worker; `None` elsewhere, and where Windows refuses."""
    if sys.platform != "win32":
        return None
    from phaseout.scan.windows_job import Job

    with contextlib.suppress(OSError):
        return Job(int(getattr(process, "_handle")), memory)  # noqa: B009  (exists on Windows only, without a public name)
    return None


def _limit(memory: int, seconds: float) -> None:
    """Bounds the address space, forbids core dumps, and ends a worker whose supervisor was killed.

    On Windows the supervisor has done so with a job object. macOS accepts the memory limit and does not enforce it:
    there the supervisor checks what the worker uses.
    """
    if sys.platform == "win32":
        return
    import resource

    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # whatever the supervisor does with it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.alarm(math.ceil(seconds) + _ALONE)
    with contextlib.suppress(OSError, ValueError):
        most = memory + address_space()
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
