"""The running processes of a Linux machine, from /proc: each file once, and no other service is asked.

References:
    proc_pid_stat(5), proc_pid_status(5), proc_pid_cmdline(5), proc_pid_exe(5) (the suffix " (deleted)"),
    proc_pid_maps(5), proc_pid_ns(5), proc_stat(5) (btime), cgroups(7).
"""

import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import TypeVar

from phaseout.host.mounts import mounts
from phaseout.host.processes.loader import has_loader, run_by_loader
from phaseout.host.processes.namespaces import covering
from phaseout.host.processes.process import Process, from_command_line
from phaseout.model.nouns import Problem
from phaseout.model.regex import regex

assert sys.platform != "win32"

_PROC = "/proc"
_CONTAINER = regex(
    r"(docker|libpod|crio|cri-containerd|containerd|lxc|lxc\.payload|machine\.slice/systemd-nspawn|kubepods)"
    r"[^\s]*?([0-9a-f]{12,64}|[./-][\w@.-]+)?(?:\.scope)?(?:/|\s|$)"
)
_CODE = regex(rb"^[^ ]+ ..x[^ ]* [^ ]+ [^ ]+ [1-9][0-9]* +(/[^\n]*)$", re.MULTILINE)  # a file mapped to be run
_LIMIT = 1 << 16
_MAPS = 1 << 24  # bytes; a database with many threads has a megabyte
_PASSES = 10  # over all processes; those that only start and end are rarely missed in each
_SHORT = 15  # bytes of a name: the kernel cuts it there
_OF_KERNEL = 0x00200000  # PF_KTHREAD, in the flags of a process
_DELETED = " (deleted)"
_GONE = (FileNotFoundError, ProcessLookupError)
_T = TypeVar("_T")


def pids() -> Iterator[int]:
    """The numbers of all processes that the kernel shows us."""
    yield from sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal())


def processes(names: Mapping[int, str], homes: Collection[str] = ()) -> Iterator[Process | Problem]:
    """Every process there is; see `phaseout.host.processes`."""
    seen: set[int] = set()
    namespaces: dict[str, Process] = {}
    for _ in range(_PASSES):
        ended = 0
        for pid in pids():
            if pid not in seen:
                seen.add(pid)
                found = process(pid, names)
                if found is None:
                    ended += 1
                    continue
                if not found.kernel:
                    namespaces.setdefault(_link(pid, "ns/mnt"), found)
                yield found
        if not ended:  # none that takes the place of one that ended was missed
            break
    else:
        why = f"in each of {_PASSES} attempts some ended before they were read: one may start itself again and again"
        yield Problem("processes", why, "vanished")
    yield from _hidden_places(namespaces, homes)


def _hidden_places(namespaces: Mapping[str, Process], homes: Collection[str]) -> Iterator[Problem]:
    """The places that processes in a user namespace of their own see another file system in."""
    own = _link("self", "ns/mnt")
    user = _link("self", "ns/user")
    for namespace, one in namespaces.items():
        if not namespace or namespace == own or _link(one.pid, "ns/user") in ("", user):
            continue
        with suppress(OSError):
            ours = mounts(_read("self", "mountinfo", _MAPS))
            for mount in covering(_read(one.pid, "mountinfo", _MAPS), ours, homes):
                why = f"process {one.pid} ({one.name}) sees a file system of its own there, which is not read"
                remedy = f"scan again when process {one.pid} has ended"
                yield Problem(mount.point, why, "unsupported", remedy=remedy)


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
        except _GONE:  # a zombie, or a thread of the kernel; the user is asked for last, and shows whether it has ended
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
    exe, from_command = from_command_line(exe.removesuffix(_DELETED), command, unreadable)
    if exe and len(command) > 1:  # the loader needs a word to know what to run
        exe = ask("exe", lambda pid: _program(pid, exe, command), exe)
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
        from_command=from_command,
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
    """Words end with a null byte. A program that writes its own title over them separates them by blanks, if at all."""
    data = _read(pid, "cmdline")
    if not data:
        return ()
    words = data.removesuffix(b"\0").split(b"\0" if b"\0" in data else b" ")
    if len(words) == 1:
        words = words[0].split(b" ")
    return tuple(map(os.fsdecode, words))


def _executable(pid: int) -> str:
    return os.readlink(f"{_PROC}/{pid}/exe")


def _program(pid: int, exe: str, command: tuple[str, ...]) -> str:
    """The executable, or the program that it runs if it is the dynamic loader.

    Raises:
        ValueError: it is the loader, and what it runs is not known.
    """
    try:
        if has_loader(_read(pid, "auxv")):
            return exe
        others = (mapped(pid) or frozenset()) - {exe}
    except OSError:
        return exe
    if not others:  # a static program
        return exe
    found = run_by_loader(command, _link(pid, "cwd"), others)
    if not found:
        raise ValueError("a program run by the loader that is not known")
    return found


def _link(pid: int | str, name: str) -> str:
    """Where a link of a process points; empty where it is hidden or gone."""
    try:
        return os.readlink(f"{_PROC}/{pid}/{name}")
    except OSError:
        return ""


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


def _read(pid: int | str, name: str, limit: int = _LIMIT) -> bytes:
    handle = os.open(f"{_PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while limit > 0 and (part := os.read(handle, limit)):
            parts.append(part)
            limit -= len(part)
    finally:
        os.close(handle)
    return b"".join(parts)
