"""Entry of the command `phaseout` and of `python -m phaseout`."""

import gc
import sys


def _forget_working_folder() -> None:
    """Takes the working folder, which `python -m` searches first, off the path: what lies there would run."""
    import os

    import phaseout

    try:
        here = os.getcwd()
    except OSError:  # it is gone
        return
    above = os.path.dirname(os.path.dirname(os.path.abspath(phaseout.__file__)))
    if not sys.flags.safe_path and sys.path[:1] == [here] != [above]:
        del sys.path[0]


if __name__ == "__main__":
    _forget_working_folder()  # before anything else is imported

from phaseout import __version__  # noqa: E402

_INTERRUPTED = 130


def main() -> None:
    """Runs the command line. `--version` is answered without loading it."""
    try:
        _main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _main(arguments: list[str]) -> None:
    sys.dont_write_bytecode = True  # a scan writes what it was asked to write, and nothing else
    _open_standard()
    if arguments in (["--version"], ["-V"]) and _says_version():
        return
    if arguments == ["_worker"]:  # a frozen executable starts itself once more as its own worker
        from phaseout.scan.worker_process import spawned

        spawned()
    _leave_on_interruption()
    prepared = None
    if arguments[:1] in (["scan"], ["inventory"]):
        gc.set_threshold(200_000)  # modules and items have few cycles; the usual 700 look for them a hundred times
        _load_msgspec()
        from phaseout.scan.worker_process import prepare

        prepared = prepare()
    from phaseout.cli import run

    if arguments[:1] == ["--socket"]:  # osquery starts its extensions with it; no other command begins so
        run(["osquery-extension", *arguments])
    run(prepared=prepared)


def _says_version() -> bool:
    """Prints the version; the command line reports what goes wrong."""
    try:
        if sys.stdout is not None:
            from phaseout.release import described

            sys.stdout.write(f"phaseout {__version__}\n{described()}\n")
            sys.stdout.flush()
    except OSError:
        return False
    return True


def _load_msgspec() -> None:
    """Loads msgspec without typing_extensions, which takes twice as long and has nothing that Python 3.11 lacks."""
    hidden = "typing_extensions" not in sys.modules
    if hidden:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    import msgspec  # noqa: F401

    if hidden:
        del sys.modules["typing_extensions"]


def _leave_on_interruption() -> None:
    """Lets Ctrl-C end the process at once while modules are loaded; `cli.interruption` says where it does not."""
    import os
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))


def _open_standard() -> None:
    """Fills closed standard streams: else the next file that is opened would take their numbers and their output."""
    import os

    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main()
