"""One process of the live machine, and what its command line says of its executable."""

import os
import re
import sys
from typing import NamedTuple

_ABSOLUTE = re.compile(r"[A-Za-z]:\\" if sys.platform == "win32" else "/")


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
    from_command: bool  # `exe` is only what the command line says
    container: str
    kernel: bool  # a thread or process of the kernel: it has no executable
    unreadable: tuple[str, ...]


def from_command_line(exe: str, command: tuple[str, ...], unreadable: list[str]) -> tuple[str, bool]:
    """The executable, and whether only the command line names it; if so, it is no longer `unreadable`.

    What is hidden even from root cannot be seen in any other way, so that is no reason to say "run as root".
    """
    privileged = sys.platform == "win32" or os.geteuid() == 0  # Windows shows executables to everybody
    if not ("exe" in unreadable and privileged and command and _ABSOLUTE.match(command[0])):
        return exe, False
    unreadable.remove("exe")
    if sys.platform == "win32" and "name" in unreadable:
        unreadable.remove("name")
    return command[0], True
