"""The running processes of Windows and macOS.

References:
    https://psutil.readthedocs.io/ (Process).
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import psutil

from phaseout.host.processes.process import Process, from_command_line

_SYSTEM = (0, 4)  # on Windows "System Idle Process" and "System"
_T = TypeVar("_T")


def processes(names: Mapping[int, str]) -> Iterator[Process]:
    """Every process there is; see `phaseout.host.processes`."""
    for pid in psutil.pids():
        try:
            one = psutil.Process(pid)
            with one.oneshot():
                yield _read(one, names)
        except psutil.NoSuchProcess:
            continue


def mapped(pid: int) -> frozenset[str] | None:
    """The files whose code a process has loaded; `None` if the system does not show them."""
    if sys.platform == "darwin":
        return None
    try:
        regions = psutil.Process(pid).memory_maps(grouped=False)
    except psutil.NoSuchProcess:
        return frozenset()
    except (psutil.Error, OSError, RuntimeError, AttributeError):
        return None
    return frozenset(region.path for region in regions if "x" in region.perms and region.path)


def _read(process: psutil.Process, names: Mapping[int, str]) -> Process:
    """A process of Windows or macOS."""
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
    exe, from_command = from_command_line(exe, command, unreadable)
    return Process(
        pid=process.pid,
        name=name or (exe or (command[0] if command else "")).replace("\\", "/").rpartition("/")[2],
        exe=exe,
        command=command,
        uid=uid,
        user=user,
        started=started,
        deleted=False,
        from_command=from_command,
        container="",
        kernel=kernel,
        unreadable=() if kernel else tuple(unreadable),
    )
