"""Loads phaseout once, and forks for each command that arrives on the socket that is its standard input."""

import json
import os
import pkgutil
import signal
import socket
import sys
import traceback
from importlib import import_module

import phaseout


def serve(asked: socket.socket) -> None:
    """Answers each request with the exit status of its command."""
    while True:
        size, handles, _, _ = socket.recv_fds(asked, 4, 2)
        if not size:
            return
        request = b""
        while len(request) < int.from_bytes(size, "big"):
            request += asked.recv(1 << 20)
        child = os.fork()
        if not child:
            os._exit(_command(asked, handles, *json.loads(request)))
        for handle in handles:
            os.close(handle)
        _, status = os.waitpid(child, 0)
        asked.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))


def _command(asked: socket.socket, handles: list[int], arguments: list[str], environment: dict[str, str]) -> int:
    asked.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, number in zip((nothing, *handles), (0, 1, 2), strict=True):
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", errors="backslashreplace")
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["phaseout", *arguments]
    from phaseout.__main__ import main

    status: object = 0
    try:
        main()
    except SystemExit as exit_:
        status = exit_.code
    except BaseException:  # noqa: BLE001  (as the interpreter does at its end)
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else 0


def _load() -> None:
    for module in pkgutil.walk_packages(phaseout.__path__, "phaseout."):
        if "windows" not in module.name.rpartition(".")[2] and not module.name.endswith("__main__"):
            import_module(module.name)


if __name__ == "__main__":
    _load()
    with socket.socket(fileno=os.dup(0)) as requests:  # 0 becomes the standard input of a command
        serve(requests)
