"""The two options that name folders of rules."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


class RuleFolders(NamedTuple):
    """Folders of rules that a command names.

    Attributes:
        added: read beside the shipped rules.
        only: read instead of the shipped rules.
    """

    added: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


def rule_folder_options(function: _F) -> _F:
    """Adds `--rules` and `--only-rules`; the command gets both as `folders`."""

    @functools.wraps(function)
    def command(*args: Any, more_rules: tuple[str, ...], only_rules: tuple[str, ...], **kwargs: Any) -> Any:
        return function(*args, folders=RuleFolders(more_rules, only_rules), **kwargs)

    for option in (
        click.option(
            "--only-rules",
            "only_rules",
            multiple=True,
            metavar="DIR",
            help="Rules instead of the shipped ones (repeatable).",
        ),
        click.option(
            "--rules", "more_rules", multiple=True, metavar="DIR", help="Rules beside the shipped ones (repeatable)."
        ),
    ):
        command = option(command)
    return command  # type: ignore[return-value]
