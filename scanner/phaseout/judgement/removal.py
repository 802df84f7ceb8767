"""How a product is removed from this host: the steps of the rules, and the commands that the machine records."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from typing import get_args

from phaseout.judgement.readiness import Readiness
from phaseout.model.nouns import Item, Kind, Platform
from phaseout.model.rules import Product, Step, StepKind, Vendor

# What is not the operator's to remove: a sign of equipment, and what is not restricted.
_WITHOUT_PLAN = frozenset(("indicator", "successor"))
_ORDER: dict[StepKind, int] = {kind: number for number, kind in enumerate(get_args(StepKind))}
_AFTERWARDS = frozenset(("restart", "clean", "block", "verify"))  # steps that follow the uninstallation
# Steps that still make sense where nothing of the product is installed.
_FOR_LEFTOVERS = frozenset(("ask", "unmanage", "clean", "block", "verify"))
_PLACES = 5  # of leftovers that are named
_SETTINGS = 10  # that are named
# What is undone, as its path leads to a program and not to what is left; what a plan calls it, where it has no type.
_NO_FILES: dict[Kind, str] = {"setting": "", "security_product": "entry of Security Center"}


class Names:
    """The names of all items of a host. Each pattern is looked for once, whatever the number of products that ask."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = items
        self._names: set[str] | None = None
        self._known: dict[str, bool] = {}

    def has(self, pattern: str) -> bool:
        """Whether one of them fits a pattern, in upper or lower case."""
        if pattern not in self._known:
            if self._names is None:
                self._names = {item.name.lower() for item in self._items}
            fits = re.compile(translate(pattern.lower())).match
            self._known[pattern] = any(map(fits, self._names))
        return self._known[pattern]


def plan(
    vendor: Vendor, product: Product, items: Sequence[Item], platform: Platform, names: Names, ready: Readiness
) -> tuple[str, ...]:
    """The steps for this platform and, after the one that uninstalls, the commands that the machine itself records.

    What stands in the way comes first. Steps stand in the order of `StepKind`: the scan that verifies comes after the
    deletion. Where only leftovers were found, there is nothing to replace or to uninstall, and the plan says what to
    delete.

    The commands are quoted for a person to read and never run: anyone may have written that registry value.
    """
    if product.role in _WITHOUT_PLAN:
        return ()
    steps = [step for step in product.remove or vendor.remove if step.platform in ("", platform)]
    steps.sort(key=lambda step: _ORDER[step.step])
    only_left = all(item.state == "leftover" for item in items)
    if only_left:
        steps = [step for step in steps if step.step in _FOR_LEFTOVERS]
    recorded: dict[str, str] = {}  # command → name of the first entry that has it
    for item in items if not only_left else ():
        if command := item.details.get("uninstall", ""):
            recorded.setdefault(command, item.name)
    quoted = [f"Recorded on this machine to uninstall {name}: {command}" for command, name in recorded.items()]
    if only_left:
        files = [item for item in items if item.kind not in _NO_FILES]
        quoted = [*_settings(items), *([f"Delete what is left: {_places(files)}."] if files else [])]
    texts = [_worded(step, names) for step in steps]
    uninstalls = [number for number, step in enumerate(steps, 1) if step.step == "uninstall"]
    afterwards = [number for number, step in enumerate(steps) if step.step in _AFTERWARDS]
    at = next(iter([*uninstalls, *afterwards]), len(steps))
    return (*ready.steps(vendor.id, only_left=only_left), *texts[:at], *quoted, *texts[at:])


def _settings(items: Sequence[Item]) -> Iterator[str]:
    """What the system is still set to, with what follows from it: it goes before the files that it names."""
    said = dict.fromkeys(
        f"Undo the {_NO_FILES[item.kind] or item.details.get('type', 'setting')} {item.name}: "
        f"{item.details.get('effect', '')}".rstrip(": ")
        for item in items
        if item.kind in _NO_FILES
    )
    yield from (f"{one}." for one in [*said][:_SETTINGS])
    if len(said) > _SETTINGS:
        yield f"Undo {len(said) - _SETTINGS} more settings that the finding lists."


def _places(items: Sequence[Item]) -> str:
    """Where the leftovers are, each place once."""
    places = dict.fromkeys(
        item.path or item.ids.get("registry_key") or f"{item.kind.replace('_', ' ')} {item.name}" for item in items
    )
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return f"{', '.join([*places][:_PLACES])}{more}"


def _worded(step: Step, names: Names) -> str:
    """A step that takes something for granted is a question where no item shows it."""
    if not step.shown_by or any(map(names.has, step.shown_by)):
        return step.text
    return f"Nothing here shows whether this is needed, so find out first: {step.text}"
