"""Entry of the command `phaseout` and of `python -m scanner`."""

import sys

from scanner import __version__


def main() -> None:
    """Runs the command line; the version is told without loading it."""
    sys.dont_write_bytecode = True  # a scan writes what it was asked to write, and nothing else
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"phaseout {__version__}\n")
        return
    if sys.argv[1:] == ["_worker"]:  # a frozen executable starts itself once more to look
        from scanner.process import spawned

        spawned()
    from scanner.cli import run

    run()


if __name__ == "__main__":
    main()
