"""Entry of the command `phaseout` and of `python -m scanner`."""

import sys

from scanner import __version__


def main() -> None:
    """Runs the command line; the version is told without loading it."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"phaseout {__version__}\n")
        return
    from scanner.cli import run

    run()


if __name__ == "__main__":
    main()
