"""The running processes of the live machine.

References:
    https://psutil.readthedocs.io/ (Process); for Linux see `scanner.host.proc`.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import psutil

_ABSOLUTE = re.compile(r"[A-Za-z]:\\" if sys.platform == "win32" else "/")
_SYSTEM = (0, 4)  # on Windows "System Idle Process" and "System"
_T = TypeVar("_T")


class Process(NamedTuple):
    """One process. `started` is in seconds since 1970; `unreadable` names what the system did not let us see."""

    pid: int
    name: str
    exe: str
    command: tuple[str, ...]
    uid: int
    user: str
    started: float
    deleted: bool  # the executable was removed or replaced while running
    told: bool  # `exe` is only what the command line says
    container: str
    kernel: bool  # a thread or process of the kernel: it has no executable
    unreadable: tuple[str, ...]


def processes(names: Mapping[int, str]) -> Iterator[Process]:
    """Every process there is; one that ends while being read is left out, one that hides an attribute is not.

    Args:
        names: user id → name. Names are not asked of the system: that may go over the network.
    """
    if sys.platform == "linux":
        from scanner.host.proc import pids, process

        for pid in pids():
            found = process(pid, names)
            if found is not None:
                yield found
        return
    import psutil

    for pid in psutil.pids():
        try:
            one = psutil.Process(pid)
            with one.oneshot():
                yield _read(one, names)
        except psutil.NoSuchProcess:
            continue


def modules(pid: int) -> frozenset[str] | None:
    """The files whose code a process has loaded, its executable among them; `None` if the system does not show them.

    They are spelled as the process sees them: one in a container sees files of the container.
    """
    if sys.platform == "linux":
        from scanner.host.proc import mapped

        return mapped(pid)
    if sys.platform == "darwin":
        return None
    import psutil

    try:
        regions = psutil.Process(pid).memory_maps(grouped=False)
    except psutil.NoSuchProcess:
        return frozenset()
    except (psutil.Error, OSError, RuntimeError, AttributeError):
        return None
    return frozenset(region.path for region in regions if "x" in region.perms and region.path)


def told_by_command(exe: str, command: tuple[str, ...], unreadable: list[str]) -> tuple[str, bool]:
    """The executable, and whether only the command line tells it; what is known so is no longer `unreadable`.

    What is hidden even from root nobody will ever see better: that is no reason to say "run as root".
    """
    privileged = sys.platform == "win32" or os.geteuid() == 0  # Windows shows executables to everybody
    if not ("exe" in unreadable and privileged and command and _ABSOLUTE.match(command[0])):
        return exe, False
    unreadable.remove("exe")
    if sys.platform == "win32" and "name" in unreadable:
        unreadable.remove("name")
    return command[0], True


def _read(process: "psutil.Process", names: Mapping[int, str]) -> Process:
    """A process of Windows or macOS."""
    import psutil

    unreadable: list[str] = []

    def ask(what: str, question: Callable[[], _T], fallback: _T) -> _T:
        try:
            return question()
        except psutil.NoSuchProcess as error:
            if not isinstance(error, psutil.ZombieProcess):
                raise
        except (psutil.Error, OSError, ValueError, RuntimeError):  # Wine and hardened kernels raise any of these
            unreadable.append(what)
        return fallback

    words: list[str] = []
    command = tuple(ask("command", process.cmdline, words))
    exe = ask("exe", process.exe, "")
    # On Windows the name is that of the executable's file, which psutil would ask for once more.
    name = exe.rpartition("\\")[2] if sys.platform == "win32" and exe else ask("name", process.name, "")
    if sys.platform == "win32":
        uid = -1
        user = ask("user", process.username, "")
        kernel = process.pid in _SYSTEM or bool(exe and "\\" not in exe)  # "Registry", "MemCompression"
        exe = "" if kernel else exe
    else:
        uid = ask("user", lambda: process.uids().real, -1)
        user = names.get(uid, str(uid) if uid >= 0 else "")
        kernel = False
    started = ask("started", process.create_time, 0.0)
    exe, told = told_by_command(exe, command, unreadable)
    return Process(
        pid=process.pid,
        name=name or (exe or (command[0] if command else "")).replace("\\", "/").rpartition("/")[2],
        exe=exe,
        command=command,
        uid=uid,
        user=user,
        started=started,
        deleted=False,
        told=told,
        container="",
        kernel=kernel,
        unreadable=() if kernel else tuple(unreadable),
    )
