"""The running processes of a Linux machine, out of /proc: each file once, and nothing asked of anybody else.

References:
    proc_pid_stat(5), proc_pid_status(5), proc_pid_cmdline(5), proc_pid_exe(5) (the suffix " (deleted)"),
    proc_pid_maps(5), proc_stat(5) (btime), cgroups(7).
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeVar

from phaseout.host.processes.process import Process, from_command_line

assert sys.platform != "win32"

_PROC = "/proc"
_CONTAINER = re.compile(
    r"(docker|libpod|crio|cri-containerd|containerd|lxc|lxc\.payload|machine\.slice/systemd-nspawn|kubepods)"
    r"[^\s]*?([0-9a-f]{12,64}|[./-][\w@.-]+)?(?:\.scope)?(?:/|\s|$)"
)
_CODE = re.compile(rb"^[^ ]+ ..x[^ ]* [^ ]+ [^ ]+ [1-9][0-9]* +(/[^\n]*)$", re.MULTILINE)  # a file mapped to be run
_LIMIT = 1 << 16
_MAPS = 1 << 24  # bytes; a database with many threads has a megabyte
_SHORT = 15  # bytes of a name: the kernel cuts it there
_OF_KERNEL = 0x00200000  # PF_KTHREAD, in the flags of a process
_DELETED = " (deleted)"
_GONE = (FileNotFoundError, ProcessLookupError)
_T = TypeVar("_T")


def pids() -> Iterator[int]:
    """The number of every process that is shown to us."""
    yield from sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal())


def processes(names: Mapping[int, str]) -> Iterator[Process]:
    """Every process there is; see `phaseout.host.processes`."""
    for pid in pids():
        found = process(pid, names)
        if found is not None:
            yield found


def process(pid: int, names: Mapping[int, str]) -> Process | None:
    """One process; `None` if it has ended. A zombie has a name and nothing else.

    Args:
        pid: its number.
        names: user id → name.
    """
    unreadable: list[str] = []

    def ask(what: str, question: Callable[[int], _T], fallback: _T) -> _T:
        try:
            return question(pid)
        except _GONE:  # a zombie, or a thread of the kernel; whether it has ended the folder tells
            return fallback
        except (OSError, ValueError):  # hardened kernels answer with any number
            unreadable.append(what)
            return fallback

    try:
        name, flags, began = _stat(pid)
    except _GONE:
        return None
    except (OSError, ValueError):
        name, flags, began = "", 0, -1.0
        unreadable.append("name")
    started = booted() + began if began >= 0 and booted() else 0.0
    if not started:
        unreadable.append("started")
    none: tuple[str, ...] = ()
    command = ask("command", _command, none)
    exe = ask("exe", _executable, "")
    uid = ask("user", _user, -1)
    if uid < 0 and "user" not in unreadable:
        return None  # it ended while it was read
    kernel = not command and not exe and bool(flags & _OF_KERNEL)
    deleted = exe.endswith(_DELETED)
    exe, told = from_command_line(exe.removesuffix(_DELETED), command, unreadable)
    if len(os.fsencode(name)) >= _SHORT and command and (whole := _base(command[0])).startswith(name):
        name = whole
    return Process(
        pid=pid,
        name=name or _base(exe or (command[0] if command else "")),
        exe=exe,
        command=command,
        uid=uid,
        user=names.get(uid, str(uid) if uid >= 0 else ""),
        started=started,
        deleted=deleted,
        told=told,
        container="" if kernel else _container(pid),
        kernel=kernel,
        unreadable=() if kernel else tuple(unreadable),
    )


def mapped(pid: int) -> frozenset[str] | None:
    """The files whose code a process has loaded, as it sees them; `None` if they are hidden from us."""
    try:
        found = _read(pid, "maps", _MAPS)
    except _GONE:
        return frozenset()
    except OSError:
        return None
    return frozenset(
        os.fsdecode(path).removesuffix(_DELETED).replace("\\012", "\n")
        for path in set(_CODE.findall(found))
        if not path.startswith((b"/memfd:", b"/dev/", b"/SYSV"))
    )


def _stat(pid: int) -> tuple[str, int, float]:
    """Name, flags, and when it began, in seconds since the machine did."""
    data = _read(pid, "stat")
    head, _, tail = data.rpartition(b")")
    fields = tail.split()
    if len(fields) < 20:
        raise ValueError("no status of a process")
    name = os.fsdecode(head.partition(b"(")[2])
    return name, int(fields[6]), int(fields[19]) / os.sysconf("SC_CLK_TCK")


@cache
def booted() -> float:
    """When the machine was started, in seconds since 1970; 0 where /proc shows processes alone (`subset=pid`)."""
    try:
        with open(f"{_PROC}/stat", "rb") as file:
            return next((float(line.split()[1]) for line in file if line.startswith(b"btime ")), 0.0)
    except (OSError, ValueError, IndexError):
        return 0.0


def _command(pid: int) -> tuple[str, ...]:
    """Words end with a null byte. A program that writes its own title over them parts them by blanks, if at all."""
    data = _read(pid, "cmdline")
    if not data:
        return ()
    words = data.removesuffix(b"\0").split(b"\0" if b"\0" in data else b" ")
    if len(words) == 1:
        words = words[0].split(b" ")
    return tuple(map(os.fsdecode, words))


def _executable(pid: int) -> str:
    return os.readlink(f"{_PROC}/{pid}/exe")


def _user(pid: int) -> int:
    """The real user: not always the owner of the folder, which is root for a process that guards itself."""
    found = re.search(rb"^Uid:\s+(\d+)", _read(pid, "status"), re.MULTILINE)
    if found is None:
        raise ValueError("no user")
    return int(found[1])


def _container(pid: int) -> str:
    try:
        found = _CONTAINER.search(os.fsdecode(_read(pid, "cgroup")))
    except OSError:
        return ""
    return f"{found[1]}:{(found[2] or '').lstrip('./-')[:12]}" if found else ""


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _read(pid: int, name: str, limit: int = _LIMIT) -> bytes:
    handle = os.open(f"{_PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while limit > 0 and (part := os.read(handle, limit)):
            parts.append(part)
            limit -= len(part)
    finally:
        os.close(handle)
    return b"".join(parts)
