"""Runs the command line with a terminal as its output.

References:
    openpty(3), pty(7)
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Literal

import pytest

from tests.support.places import CODE


def on_terminal(
    *arguments: str, stream: Literal["output", "errors"] = "output", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m phaseout ARGUMENTS…`; `stdout` of the result is what the terminal shows.

    Args:
        arguments: of the command line.
        stream: whether standard output or standard error is the terminal; the other goes nowhere.
        environment: added to ours, from which NO_COLOR is removed.
    """
    if sys.platform == "win32":
        pytest.skip("no terminals of POSIX here")
    try:
        ours, theirs = os.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be opened here: {error}")
    command = [sys.executable, "-m", "phaseout", *arguments]
    inherited = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    env = {**inherited, "TERM": "xterm", **(environment or {})}
    nowhere = subprocess.DEVNULL
    output, errors = (theirs, nowhere) if stream == "output" else (nowhere, theirs)
    with subprocess.Popen(command, stdin=theirs, stdout=output, stderr=errors, env=env, cwd=CODE) as process:
        os.close(theirs)
        shown = _all_of(ours)
    return subprocess.CompletedProcess(command, process.returncode, shown.decode())


def _all_of(terminal: int) -> bytes:
    seen = b""
    try:
        while more := os.read(terminal, 1 << 16):
            seen += more
    except OSError:  # Linux says so when the other side is closed
        pass
    finally:
        os.close(terminal)
    return seen
