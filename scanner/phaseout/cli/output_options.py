"""The options that say what is written, where and how."""

import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import click

from phaseout.cli.choices import OneOf
from phaseout.report import FORMATS, REDACTIONS, Detail, Redaction, Subject

_F = TypeVar("_F", bound=Callable[..., Any])
Colour = Literal["auto", "always", "never"]


class OutputOptions(NamedTuple):
    """What is written, where and how, as the command line says it."""

    format_name: str | None
    files: tuple[str, ...]
    redact: tuple[Redaction, ...]
    colour: Colour
    detail: Detail

    @property
    def quiet(self) -> bool:
        """Whether progress is not shown either."""
        return self.detail == "verdict"


def output_options(subject: Subject) -> Callable[[_F], _F]:
    """Adds `-f`, `-o`, `--redact`, `--color`, `-q` and `-v`, which the command gets as `output`.

    Args:
        subject: what the command writes; its help names the formats that have a place for it.
    """
    return functools.partial(_with_output_options, subject)


def _with_output_options(subject: Subject, function: _F) -> _F:
    able = ", ".join(one.name for one in FORMATS if subject in one.holds)

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        options = OutputOptions(**{name: kwargs.pop(name) for name in OutputOptions._fields})
        return function(*args, output=options._replace(detail=options.detail or "usual"), **kwargs)

    for option in (
        click.option(
            "-q", "--quiet", "detail", flag_value="verdict", help="Print only the verdict in the table; no progress."
        ),
        click.option(
            "-v",
            "--verbose",
            "detail",
            flag_value="all",
            help="Print every place, version and measure in the table, and how each source ended.",
        ),
        click.option(
            "--color",
            "colour",
            type=OneOf(("auto", "always", "never")),
            default="auto",
            help="Colour in the table; auto: on a terminal, as NO_COLOR and FORCE_COLOR say.",
        ),
        click.option(
            "--redact",
            multiple=True,
            type=OneOf(REDACTIONS),
            help="Take names of users, or folders of paths, out of everything that is written (repeatable).",
        ),
        click.option(
            "-o",
            "--output",
            "files",
            multiple=True,
            metavar="FILE",
            help="Write to FILE, or - for standard output (repeatable).",
        ),
        click.option(
            "-f",
            "--format",
            "format_name",
            metavar="FORMAT",
            type=OneOf([one.name for one in FORMATS], "format"),
            help=f"{able}; by default FILE's ending decides.",
        ),
    ):
        command = option(command)
    return command  # type: ignore[return-value]
