"""How a product is removed from this host: the steps of the rules, and the commands that the machine records."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from typing import get_args

from phaseout.model.nouns import Inventory, Item
from phaseout.model.rules import Product, Step, StepKind, Vendor

# What is not the operator's to remove: a sign of equipment, and what is not restricted.
_WITHOUT_PLAN = frozenset(("indicator", "successor"))
_ORDER: dict[StepKind, int] = {kind: number for number, kind in enumerate(get_args(StepKind))}
_AFTERWARDS = frozenset(("restart", "clean", "block", "verify"))  # steps that follow the uninstallation
# Steps that still make sense where nothing of the product is installed.
_FOR_LEFTOVERS = frozenset(("ask", "unmanage", "clean", "block", "verify"))
_PLACES = 5  # of leftovers that are named


def plan(vendor: Vendor, product: Product, items: Sequence[Item], inventory: Inventory) -> tuple[str, ...]:
    """The steps for this platform and, after the one that uninstalls, the commands that the machine itself records.

    Steps stand in the order of `StepKind`: the scan that verifies comes after the deletion. Where only leftovers were
    found, there is nothing to replace or to uninstall, and the plan says what to delete.

    The commands are quoted for a person to read and never run: anyone may have written that registry value.
    """
    if product.role in _WITHOUT_PLAN:
        return ()
    steps = [step for step in product.remove or vendor.remove if step.platform in ("", inventory.host.platform)]
    steps.sort(key=lambda step: _ORDER[step.step])
    only_left = all(item.state == "leftover" for item in items)
    if only_left:
        steps = [step for step in steps if step.step in _FOR_LEFTOVERS]
    asked = any(step.shown_by for step in steps)
    names = {item.name.lower() for item in inventory.items} if asked else set()
    recorded: dict[str, str] = {}  # command → name of the first entry that has it
    for item in items if not only_left else ():
        if command := item.details.get("uninstall", ""):
            recorded.setdefault(command, item.name)
    quoted = [f"Recorded on this machine to uninstall {name}: {command}" for command, name in recorded.items()]
    if only_left:
        quoted = [f"Delete what is left: {_places(items)}."]
    texts = [_worded(step, names) for step in steps]
    uninstalls = [number for number, step in enumerate(steps, 1) if step.step == "uninstall"]
    afterwards = [number for number, step in enumerate(steps) if step.step in _AFTERWARDS]
    at = next(iter([*uninstalls, *afterwards]), len(steps))
    return (*texts[:at], *quoted, *texts[at:])


def _places(items: Sequence[Item]) -> str:
    """Where the leftovers are, each place once."""
    places = dict.fromkeys(
        item.path or item.ids.get("registry_key") or f"{item.kind.replace('_', ' ')} {item.name}" for item in items
    )
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return f"{', '.join([*places][:_PLACES])}{more}"


def _worded(step: Step, names: Collection[str]) -> str:
    """A step that takes something for granted is a question where no item shows it."""
    if not step.shown_by or any(fnmatchcase(name, pattern.lower()) for pattern in step.shown_by for name in names):
        return step.text
    return f"Nothing here shows whether this is needed, so find out first: {step.text}"
