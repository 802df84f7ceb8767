"""The command line. One file a command; each is loaded when it is called."""

import io
import os
import sys
from importlib import import_module

import click

from phaseout import __version__

COMMANDS = {
    "scan": "Look at this machine and say what must be replaced, and by when.",
    "inventory": "List everything installed and running, without any rules.",
    "match": "Judge saved inventories again: one, or those of a whole fleet.",
    "diff": "Say what went and what came between two scans, and prove a removal.",
    "explain": "Say why a name is, or is not, matched.",
    "rules": "List, show, check, begin and export rules.",
    "sources": "List the places that are looked at.",
    "osquery-extension": "Serve what is found as tables of osquery.",
}
EXIT_FOUND = 1
EXIT_WRONG_USE = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


class Failure(click.ClickException):
    """The end of a command that could not do what was asked, in one line for each error."""

    exit_code = EXIT_WRONG_USE


class LateGroup(click.Group):
    """A group that knows its commands by name and loads only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"phaseout.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, told without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="phaseout", message="%(prog)s %(version)s")
def group() -> None:
    """Find software of restricted vendors: what must be replaced, by when, and whether everything was seen.

    \b
    Exit status:
      0  nothing found, and everything was seen
      1  found (at or above --fail-on)
      2  wrong use, or broken rules
      3  nothing found, but not everything was seen
      130  interrupted
    """


def run() -> None:
    """Runs the command that the arguments name, and ends the process with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Windows would write cp1252 into files and pipes, and fail at a name
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    try:
        status = group.main(prog_name="phaseout", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away. What it did not read is lost, so this is no success, and at exit the
        # interpreter must find a place for what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = EXIT_WRONG_USE
    sys.exit(status if isinstance(status, int) else 0)
