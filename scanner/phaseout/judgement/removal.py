"""How a product is removed from this host: the steps of the rules, and the commands that the machine records."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from phaseout.model.nouns import Inventory, Item
from phaseout.model.rules import Product, Step, Vendor

# What is not the operator's to remove: a sign of equipment, and what is not restricted.
_WITHOUT_PLAN = frozenset(("indicator", "successor"))
_AFTERWARDS = frozenset(("restart", "clean", "block", "verify"))  # steps that follow the uninstallation


def plan(vendor: Vendor, product: Product, items: Sequence[Item], inventory: Inventory) -> tuple[str, ...]:
    """The steps for this platform and, after the one that uninstalls, the commands that the machine itself records.

    The commands are quoted for a person to read and never run: anyone may have written that registry value.
    """
    if product.role in _WITHOUT_PLAN:
        return ()
    steps = [step for step in product.remove or vendor.remove if step.platform in ("", inventory.host.platform)]
    asked = any(step.shown_by for step in steps)
    names = {item.name.lower() for item in inventory.items} if asked else set()
    recorded: dict[str, str] = {}  # command → name of the first entry that has it
    for item in items:
        if command := item.details.get("uninstall", ""):
            recorded.setdefault(command, item.name)
    quoted = [f"Recorded on this machine to uninstall {name}: {command}" for command, name in recorded.items()]
    texts = [_worded(step, names) for step in steps]
    uninstalls = [number for number, step in enumerate(steps, 1) if step.step == "uninstall"]
    afterwards = [number for number, step in enumerate(steps) if step.step in _AFTERWARDS]
    at = next(iter([*uninstalls, *afterwards]), len(steps))
    return (*texts[:at], *quoted, *texts[at:])


def _worded(step: Step, names: Collection[str]) -> str:
    """A step that takes something for granted is a question where no item shows it."""
    if not step.shown_by or any(fnmatchcase(name, pattern.lower()) for pattern in step.shown_by for name in names):
        return step.text
    return f"Nothing here shows whether this is needed, so find out first: {step.text}"
