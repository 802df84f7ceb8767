"""Values out of a list: in upper or lower case, completed by the shell, and with a word for a typing error."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from phaseout.model.quoting import quoted

if TYPE_CHECKING:
    from phaseout.model.rules import Ruleset


class OneOf(click.ParamType):  # type: ignore[type-arg]  # a generic class in newer releases only
    """One of some names.

    Args:
        names: the names, or a function that gives them when they are needed.
        what: the names as messages call them, such as `format`.
        open_ended: whether another name is taken as it is, since the command itself says what is wrong with it.
    """

    def __init__(
        self, names: Sequence[str] | Callable[[], Sequence[str]], what: str = "value", *, open_ended: bool = False
    ) -> None:
        self.name = what
        self._names = names
        self._open = open_ended

    @property
    def names(self) -> Sequence[str]:
        """All names."""
        return self._names() if callable(self._names) else self._names

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:  # noqa: ARG002
        """The names, as usage and help show them; `None` where they are too many."""
        if callable(self._names):
            return None
        shown = "|".join(self._names)
        return f"[{shown}]" if param.param_type_name == "option" else f"{{{shown}}}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as the list has it."""
        names = {name.lower(): name for name in ([] if self._open else self.names)}
        found = value if self._open else names.get(str(value).lower())
        if found is None:
            self.fail(unknown(str(value), list(names.values()), self.name), param, ctx)
        return str(found)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """The names that begin so."""
        try:
            return [CompletionItem(name) for name in self.names if name.lower().startswith(incomplete.lower())]
        except click.ClickException:  # rules that cannot be read: the command itself will say so
            return []


def unknown(name: str, known: Sequence[str], what: str) -> str:
    """`no format 'jsno', did you mean json? There are csv, json, …`."""
    return f"no {what} {quoted(name)}{meant(name, known)} There are {', '.join(known)}."


def meant(name: str, known: Sequence[str], most: int = 1) -> str:
    """The names that are spelt most alike, as the end of a sentence: `, did you mean json?`, or a full stop."""
    import difflib

    close = difflib.get_close_matches(name.lower()[:100], known, n=most)
    return f", did you mean {' or '.join(close)}?" if close else "."


def source_names() -> list[str]:
    """The names of all sources."""
    from phaseout.sources import ALL

    return [name.rpartition(".")[2] for name in ALL]


def rule_ids(*kinds: str) -> Callable[[], list[str]]:
    """A function that gives the ids of the shipped rules.

    Args:
        kinds: of `vendor`, `product`, `measure` and `role` those that are meant.
    """

    def ids() -> list[str]:
        from phaseout.cli.rule_files import rules_and_policy

        return ids_of(rules_and_policy()[0], *kinds)

    return ids


def ids_of(ruleset: "Ruleset", *kinds: str) -> list[str]:
    """The ids of rules of these kinds."""
    by_kind = {
        "vendor": [one.id for one in ruleset.vendors],
        "product": [one.id for vendor in ruleset.vendors for one in vendor.product],
        "measure": [one.id for one in ruleset.measures],
        "role": [one.id for one in ruleset.roles],
    }
    return [one for kind in kinds for one in by_kind[kind]]
