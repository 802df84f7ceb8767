"""The running processes of the live machine.

References:
    https://psutil.readthedocs.io/ (Process), proc_pid_exe(5) (the suffix " (deleted)"), proc_pid_maps(5), cgroups(7).
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

import psutil

_CONTAINER = re.compile(
    r"(docker|libpod|crio|cri-containerd|containerd|lxc|lxc\.payload|machine\.slice/systemd-nspawn|kubepods)"
    r"[^\s]*?([0-9a-f]{12,64}|[./-][\w@.-]+)?(?:\.scope)?(?:/|\s|$)"
)
_CODE = re.compile(rb"^[^ ]+ ..x[^ ]* [^ ]+ [^ ]+ [1-9][0-9]* +(/[^\n]*)$", re.MULTILINE)  # a file mapped to be run
_LIMIT = 1 << 16
_MAPS = 1 << 24  # bytes; a database with many threads has a megabyte
_PRIVILEGED = sys.platform == "win32" or os.geteuid() == 0  # Windows shows executables to everybody
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
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                found = _read(process, names)
        except psutil.NoSuchProcess:
            continue
        if found is not None:
            yield found


def modules(pid: int) -> frozenset[str] | None:
    """The files whose code a process has loaded, its executable among them; `None` if the system does not show them.

    They are spelled as the process sees them: one in a container sees files of the container.
    """
    if sys.platform.startswith("linux"):
        try:
            with open(f"/proc/{pid}/maps", "rb") as file:
                mapped = file.read(_MAPS)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            return frozenset() if isinstance(error, ProcessLookupError) else None
        return frozenset(
            os.fsdecode(path).removesuffix(" (deleted)").replace("\\012", "\n")
            for path in set(_CODE.findall(mapped))
            if not path.startswith((b"/memfd:", b"/dev/", b"/SYSV"))
        )
    if sys.platform == "darwin":
        return None
    try:
        regions = psutil.Process(pid).memory_maps(grouped=False)
    except psutil.NoSuchProcess:
        return frozenset()
    except (psutil.Error, OSError, RuntimeError, AttributeError):
        return None
    return frozenset(region.path for region in regions if "x" in region.perms and region.path)


def _read(process: psutil.Process, names: Mapping[int, str]) -> Process | None:
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

    command: list[str] = ask("command", process.cmdline, [])
    on_linux = sys.platform.startswith("linux")
    exe = ask("exe", (lambda: _executable(process.pid)) if on_linux else process.exe, "")
    # On Windows the name is that of the executable's file, which psutil would ask for once more.
    name = exe.rpartition("\\")[2] if sys.platform == "win32" and exe else ask("name", process.name, "")
    if sys.platform == "win32":
        uid = -1
        user = ask("user", process.username, "")
    else:
        uid = ask("user", lambda: process.uids().real, -1)
        user = names.get(uid, str(uid) if uid >= 0 else "")
    started = ask("started", process.create_time, 0.0)
    if sys.platform == "win32":
        kernel = process.pid in _SYSTEM or bool(exe and "\\" not in exe)  # "Registry", "MemCompression"
        exe = "" if kernel else exe
    else:
        kernel = on_linux and not command and not exe and _is_kernel_thread(process.pid)
    deleted = on_linux and exe.endswith(" (deleted)")
    told = "exe" in unreadable and _PRIVILEGED and bool(command) and _ABSOLUTE.match(command[0]) is not None
    if told:  # hidden even from root: nobody will ever see more, so that is no reason to say "run as root"
        exe = command[0]
        unreadable = [what for what in unreadable if what != "exe" and (what != "name" or sys.platform != "win32")]
    return Process(
        pid=process.pid,
        name=name or (exe or (command[0] if command else "")).replace("\\", "/").rpartition("/")[2],
        exe=exe.removesuffix(" (deleted)") if deleted else exe,
        command=tuple(command),
        uid=uid,
        user=user,
        started=started,
        deleted=deleted,
        told=told,
        container=_container(process.pid) if on_linux and not kernel else "",
        kernel=kernel,
        unreadable=() if kernel else tuple(unreadable),
    )


def _executable(pid: int) -> str:
    """As the kernel says it: psutil drops the mark of a deleted executable. Kernel threads and zombies have none."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _is_kernel_thread(pid: int) -> bool:
    """Field 9 of `/proc/PID/stat` has PF_KTHREAD (0x00200000)."""
    try:
        return bool(int(_proc(pid, "stat").rpartition(")")[2].split()[6]) & 0x00200000)
    except (IndexError, ValueError):
        return False


def _container(pid: int) -> str:
    found = _CONTAINER.search(_proc(pid, "cgroup"))
    return f"{found[1]}:{(found[2] or '').lstrip('./-')[:12]}" if found else ""


def _proc(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read(_LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""
