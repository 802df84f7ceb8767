"""Runs the command line as a process of its own, without starting a new interpreter for each call.

A helper process loads phaseout once and forks for each command. The command has its own standard streams, environment
and exit status, as if it had been started from a shell. What depends on a fresh interpreter (its start, its locale)
is tested with `in_a_new_interpreter`.
"""

import atexit
import functools
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from tests.support.places import CODE

_SECONDS = 120
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG")  # read once, when it starts


def phaseout(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `phaseout ARGUMENTS…`; named arguments are added to the environment."""
    if not hasattr(os, "fork") or any(name.startswith(_OF_THE_INTERPRETER) for name in environment):
        return in_a_new_interpreter(*arguments, **environment)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        status = _helper().run(arguments, {**os.environ, **environment}, output, errors)
        return subprocess.CompletedProcess(arguments, status, _text(output), _text(errors))


def in_a_new_interpreter(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m phaseout ARGUMENTS…`; named arguments are added to the environment."""
    return subprocess.run(
        [sys.executable, "-m", "phaseout", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        env={**os.environ, **environment},
        cwd=CODE,
    )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    with io.TextIOWrapper(file, encoding="utf-8") as text:  # one kind of line end, as subprocess gives
        return text.read()


class _Helper:
    """The process that forks."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_SECONDS)
        with theirs:
            command = [sys.executable, "-B", str(Path(__file__).with_name("fork_server.py"))]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), cwd=CODE)
        atexit.register(self.end)

    def run(self, arguments: tuple[str, ...], environment: dict[str, str], *streams: IO[bytes]) -> int:
        """Runs one command and gives its exit status, that of a shell where a signal ended it."""
        request = json.dumps([arguments, environment]).encode()
        handles = [stream.fileno() for stream in streams]
        socket.send_fds(self._socket, [len(request).to_bytes(4, "big")], handles)
        self._socket.sendall(request)
        answer = self._socket.recv(4)
        assert len(answer) == 4, "the helper process ended"
        return int.from_bytes(answer, "big", signed=True)

    def end(self) -> None:
        """Ends the process."""
        self._socket.close()
        self._process.wait()


@functools.cache
def _helper() -> _Helper:
    return _Helper()
