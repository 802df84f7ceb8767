"""The command line. One file a command; each is loaded when it is called."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Collection
from importlib import import_module
from typing import Any, NoReturn

import click

from phaseout import __version__, release

COMMANDS = {
    "scan": "Scan this machine: what must be replaced, and by when.",
    "inventory": "List everything installed and running, without any rules.",
    "match": "Judge saved inventories again: one, or those of a whole fleet.",
    "fleet": "Keep what many machines report: who still runs what, who is silent, how it goes.",
    "diff": "Compare two scans: what went, what came, and whether a removal is proven.",
    "explain": "Explain why a name is, or is not, matched.",
    "rules": "List, show, check, start, export and import rules.",
    "sources": "List the places that a scan reads.",
    "osquery-extension": "Serve what a scan finds as tables of osquery.",
}
EXIT_FOUND = 1
EXIT_WRONG_USE = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


class Failure(click.ClickException):
    """The command could not do what was asked; the message has one line for each error."""

    exit_code = EXIT_WRONG_USE


class _ReaderGoneError(Exception):
    """The reader closed standard output. click itself would end with status 1 on `BrokenPipeError`."""


class LateGroup(click.Group):
    """A group that knows its commands by name and loads only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            from phaseout.cli.choices import unknown

            if ctx.resilient_parsing:  # of the shell, which completes a name
                return None
            ctx.fail(unknown(cmd_name, list(COMMANDS), "command"))
        command = import_module(f"phaseout.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Reads the arguments, and prints help where that is asked for."""
        try:
            return super().make_context(*args, **more)
        except BrokenPipeError as error:
            raise _ReaderGoneError from error

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGoneError from error


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"phaseout {__version__}\n{release.described()}")
        ctx.exit()


_VERSION_HELP = "Show the version of the program and of its rules, and exit."


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-V", "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help=_VERSION_HELP)
def group() -> None:
    """Find software of restricted vendors: what must be replaced, by when, and whether anything was not seen.

    \b
    Exit status:
      0    nothing found, and every source ran to its end
      1    found (at or above --fail-on)
      2    wrong use, broken rules, or output that could not be written
      3    nothing found, but not everything was seen
      130  interrupted
    """


def run(arguments: list[str] | None = None, prepared: object = None) -> NoReturn:
    """Runs a command and ends the process with its status: 1 only if the command says that something was found.

    Args:
        arguments: of the command line; those of the process if left out.
        prepared: a worker that waits for a scan, see `phaseout.scan.worker_process.prepare`.
    """
    status = EXIT_WRONG_USE
    held: BaseException | None = None  # with the frames of the command, and what was found in them
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # Windows would write cp1252 into files and pipes
                stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
        status, held = _status(arguments, prepared)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except (_ReaderGoneError, BrokenPipeError):  # the second from what was still buffered
        status = EXIT_WRONG_USE
    except OSError as error:
        status = EXIT_WRONG_USE
        _say(f"Error: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")
    except Exception:  # noqa: BLE001  (a fault of ours is never a finding)
        import traceback

        status = EXIT_WRONG_USE
        _say(traceback.format_exc())
    _drop_unwritable()
    with contextlib.suppress(ValueError):  # not the main thread
        # All is written. While the interpreter ends, it takes its own handlers away, and Ctrl-C would kill the process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepared is not None:  # the process did nothing but this scan: to free all that it holds, one by one, takes time
        os._exit(status)
    del held
    sys.exit(status)


def found_status(verdicts: Collection[str], fail_on: str, *, complete: bool) -> int:
    """The exit status of what was judged.

    Args:
        verdicts: of all findings.
        fail_on: the weakest verdict that counts as found, or `never`.
        complete: whether nothing was left unseen.
    """
    if fail_on != "never" and ("replace" in verdicts or (fail_on == "review" and "review" in verdicts)):
        return EXIT_FOUND
    return 0 if complete else EXIT_INCOMPLETE


def _status(arguments: list[str] | None, prepared: object) -> tuple[int, BaseException | None]:
    """The exit status, and what ended the command."""
    try:
        result = group.main(arguments, prog_name="phaseout", standalone_mode=False, obj=prepared)
    except SystemExit as end:
        return (end.code if isinstance(end.code, int) else EXIT_WRONG_USE if end.code else 0), end
    except click.ClickException as error:
        error.show()
        return error.exit_code, error
    except click.Abort as abort:
        return EXIT_INTERRUPTED, abort
    return (result if isinstance(result, int) else 0), None


def _say(text: str) -> None:
    with contextlib.suppress(OSError, AttributeError, ValueError):
        sys.stderr.write(text.rstrip() + "\n")
        sys.stderr.flush()


def _drop_unwritable() -> None:
    """Gives what can no longer be written a place to go: else the interpreter would end with a status of its own."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
