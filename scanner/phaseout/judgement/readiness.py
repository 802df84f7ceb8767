"""What stands in the way of a removal, as far as the host shows it. Pure."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from phaseout.model.findings import Hit
from phaseout.model.nouns import Item

_WAITS = "pending restart"  # the name of its item
_BEFORE_THE_SYSTEM = frozenset(("boot entry", "program of the EFI partition"))


class Readiness:
    """The facts of one host that come before the first step of any removal plan.

    Args:
        items: what the host showed.
        hits: those that are a vendor's.
    """

    def __init__(self, items: Sequence[Item], hits: Iterable[Hit]) -> None:
        self._items = items
        self._protected: dict[str, str] = {}  # id of a vendor → where its password shows
        self._managed: dict[str, str] = {}  # id of a vendor → the server, and when it was last reached
        self._boots: dict[str, str] = {}  # id of a vendor → what of it starts before the system
        for hit in hits:
            item = items[hit.item]
            if item.details.get("uninstall_password"):
                self._protected.setdefault(hit.vendor.id, item.ids.get("registry_key", item.name))
            if item.details.get("type", "") in _BEFORE_THE_SYSTEM:
                self._boots.setdefault(hit.vendor.id, item.name)
            if server := item.details.get("managed_by", ""):
                self._managed.setdefault(hit.vendor.id, server)

    @cached_property
    def _waits(self) -> str | None:
        """What the system waits for a restart for; `None` if it does not. Asked for only where something was found."""
        waiting = (item for item in self._items if item.kind == "setting" and item.name == _WAITS)
        return next((item.details.get("note", "") for item in waiting), None)

    def steps(self, vendor_id: str, *, only_left: bool) -> tuple[str, ...]:
        """What to do before the removal of a vendor's product; of leftovers, only the restart counts."""
        steps = []
        if self._waits is not None:
            steps.append(f"Restart first, and scan again: the system waits for a restart ({self._waits}).")
        if vendor_id in self._boots:
            steps.append(
                f"Decrypt the disks first, and see that they are: {self._boots[vendor_id]} starts before the system, "
                "so a disk may be encrypted that nothing else can read."
            )
        if only_left:
            return tuple(steps)
        if vendor_id in self._managed:
            steps.append(
                f"It is managed by {self._managed[vendor_id]}: take it out of the policies and tasks there first, "
                "and remove the agent before the product."
            )
        if vendor_id in self._protected:
            steps.append(f"Have the uninstall password at hand: one is set ({self._protected[vendor_id]}).")
        return tuple(steps)
