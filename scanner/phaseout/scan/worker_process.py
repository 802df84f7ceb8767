"""The worker's process, and the pipe through which it sends.

On Linux the worker is a fork of the supervisor, which costs a few milliseconds. Elsewhere it is a new interpreter:
macOS does not promise that a fork without exec works, and Windows has none.

References:
    fork(2), setrlimit(2), pipe(7) (capacity), select(2); https://pyinstaller.org/en/stable/runtime-information.html
    (`sys.frozen`).
"""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from phaseout.scan.interruption import interruption_waits
from phaseout.scan.memory import address_space, peak_memory
from phaseout.scan.messages import Message, Request
from phaseout.scan.worker import warm_up, work

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
_PATIENCE = (*[0.0005] * 20, *[0.01] * 100)  # seconds between the checks whether a killed worker has ended


class PreparedWorker(NamedTuple):
    """A fork that was made early, has loaded what a scan needs, and waits for its request."""

    pid: int
    requests: int  # pipe to it
    messages: int  # pipe from it
    began: float  # when this program was started, in seconds since 1970


class Spawned:
    """A worker that is a new interpreter, or a second instance of the same frozen executable.

    Args:
        request: what it should do.
        memory: bytes that it may use.
        seconds: that it may run.
        prepared: ignored; only forks can be prepared.
    """

    def __init__(self, request: Request, memory: int, seconds: float, prepared: PreparedWorker | None = None) -> None:
        import queue
        import subprocess
        import threading

        del prepared
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
            self._process.stdin.write(msgspec.msgpack.encode((request, memory, seconds)))
            self._process.stdin.close()
        threading.Thread(target=self._read, daemon=True).start()

    def receive(self, seconds: float) -> list[Message] | None:
        """The next messages; an empty list once the worker has ended; `None` if nothing came within that time."""
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

    class Forked:
        """A worker that is a fork of this process.

        Args:
            request: what it should do.
            memory: bytes of address space that it may use, beside what it has from the program that it is a fork of.
            seconds: that it may run.
            prepared: a fork that waits for a request; otherwise a new one is made.
        """

        def __init__(
            self, request: Request, memory: int, seconds: float, prepared: PreparedWorker | None = None
        ) -> None:
            self._pid, requests, self._pipe, _ = prepared or _fork()
            self._unpack = _Frames()
            self._status = 0
            self._streams = False  # whether the last call found something
            self._inherited = peak_memory()
            self.received = 0  # bytes
            with contextlib.suppress(BrokenPipeError), open(requests, "wb") as pipe:
                pipe.write(msgspec.msgpack.encode((request, memory, seconds)))

        def receive(self, seconds: float) -> list[Message] | None:
            """The next messages; an empty list once the worker has ended; `None` if nothing came within that time."""
            if self._streams:
                time.sleep(_TOGETHER)
            while True:
                ready, _, _ = select.select([self._pipe], [], [], max(seconds, 0))
                self._streams = bool(ready)
                if not ready:
                    return None
                data = os.read(self._pipe, _CHUNK)
                if not data:
                    return []
                self.received += len(data)
                messages = list(self._unpack(data))
                if messages:
                    return messages

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
            os.close(self._pipe)

        def used(self) -> tuple[float, int]:
            """Seconds of CPU time that it has used, and bytes of memory that it took; zeros once it has ended."""
            seconds, held = _used(self._pid)
            return seconds, max(held - self._inherited, 0)

    def _fork() -> PreparedWorker:
        """A new worker that waits for its request."""
        requests, to_worker = os.pipe()
        from_worker, writer = os.pipe()
        if sys.platform == "linux":
            import fcntl

            with contextlib.suppress(OSError):
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
        if sys.stdout is not None:
            sys.stdout.flush()
        with interruption_waits():
            pid = os.fork()
            if not pid:
                os.close(to_worker)
                os.close(from_worker)
                _live(requests, writer)
        os.close(requests)
        os.close(writer)
        return PreparedWorker(pid, to_worker, from_worker, time.time())


def prepare() -> PreparedWorker | None:
    """A fork that loads what a scan needs while the command line is parsed; `None` where workers are no forks."""
    if sys.platform == "linux":
        return _fork()._replace(began=_started())
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
    _live(reader, writer)


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


def _live(reader: int, writer: int) -> None:
    """The worker's whole life. It prints nothing; keyboard signals are left to the supervisor."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        sys.stdout = sys.stderr = open(nowhere, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        warm_up()
        with open(reader, "rb") as pipe:
            asked = pipe.read()
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

        work(request, send)
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
    signal.alarm(int(seconds) + _ALONE)
    with contextlib.suppress(OSError, ValueError):
        most = memory + address_space()
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
