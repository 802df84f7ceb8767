"""What stands in the way of a removal."""

from phaseout.judgement.readiness import Readiness
from phaseout.model.findings import Hit
from phaseout.model.nouns import Item
from phaseout.model.rules import Match, Product, Specimen, Vendor

PRODUCT = Product(
    id="kes",
    name="KES",
    category="endpoint_security",
    platforms=("windows",),
    match=(Match(name="kes"),),
    hit=(Specimen(name="kes"),),
)
VENDOR = Vendor(id="kaspersky", name="Kaspersky", product=(PRODUCT,))
KEY = r"HKLM\SOFTWARE\KasperskyLab\AVP21.3\settings"
ITEMS = (
    Item(kind="setting", name="pending restart", details={"note": "updates of Windows"}),
    Item(kind="file", name="settings", ids={"registry_key": KEY}, details={"uninstall_password": "set"}),
    Item(kind="file", name="1103", details={"managed_by": "ksc.example.org, last reached on 2026-11-20"}),
)


def _steps(*items: Item, only_left: bool = False, vendor: str = "kaspersky") -> tuple[str, ...]:
    hits = [Hit(number, VENDOR, PRODUCT, "likely", "") for number, item in enumerate(items) if item.kind == "file"]
    return Readiness(items, hits).steps(vendor, only_left=only_left)


def test_everything_in_order() -> None:
    restart, managed, password = _steps(*ITEMS)
    assert restart == "Restart first, and scan again: the system waits for a restart (updates of Windows)."
    assert managed.startswith("It is managed by ksc.example.org, last reached on 2026-11-20: take it out of")
    assert password == f"Have the uninstall password at hand: one is set ({KEY})."


def test_what_starts_before_the_system_may_have_encrypted_it() -> None:
    item = Item(kind="file", name="made.efi", details={"type": "program of the EFI partition"})
    for only_left in (False, True):
        (step,) = _steps(item, only_left=only_left)
        assert step.startswith("Decrypt the disks first, and see that they are: made.efi starts before the system")
    assert _steps(item, vendor="dji") == ()


def test_only_of_its_own_vendor_and_of_what_is_installed() -> None:
    assert len(_steps(*ITEMS, vendor="dji")) == 1
    assert len(_steps(*ITEMS, only_left=True)) == 1
    assert _steps(*ITEMS[1:], only_left=True) == ()
    assert _steps() == ()
