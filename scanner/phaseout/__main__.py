"""Entry of the command `phaseout` and of `python -m phaseout`."""

import sys

from phaseout import __version__


def main() -> None:
    """Runs the command line; the version is told without loading it."""
    sys.dont_write_bytecode = True  # a scan writes what it was asked to write, and nothing else
    _open_standard()
    if sys.argv[1:] in (["--version"], ["-V"]):
        if sys.stdout is not None:
            sys.stdout.write(f"phaseout {__version__}\n")
        return
    if sys.argv[1:] == ["_worker"]:  # a frozen executable starts itself once more to look
        from phaseout.scan.worker_process import spawned

        spawned()
    if sys.argv[1:2] == ["--socket"]:  # so osquery starts its extensions, and no other command begins with it
        sys.argv.insert(1, "osquery-extension")
    if sys.argv[1:2] in (["scan"], ["inventory"]):
        from phaseout.scan.worker_process import make_ready

        make_ready()
    from phaseout.cli import run

    run()


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
