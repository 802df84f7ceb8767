"""A device of a management system and the apps that it reports, made into an inventory.

The apps of a phone or tablet that belongs to a person are that person's affair: they are counted, and listed only
where the user asks for it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from phaseout.inventories.inventory_builder import Rows, inventory, kept, platform_of
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Unseen
from phaseout.parsers.encodings.identity import identities
from phaseout.parsers.windows.packed_guid import guid

NOT_LISTED = Unseen(
    "Apps of a personal device",
    "they are counted, not listed",
    "--personal-apps lists them",
    kinds=("app",),
    cause="not_asked",
)
PHONES: frozenset[Platform] = frozenset(("android", "ios"))
_LIMITS = "a list of discovered apps has installed programs only, and those that were reported in time"
_PHONE_LIMITS = "a phone or tablet tells its management system of its apps only, a personal one of managed apps only"
# What Intune, Jamf, Workspace ONE and Google call a device that belongs to its user, without blanks and punctuation.
_PERSONAL = frozenset(
    (
        *("personal", "byod", "employee", "employeeowned", "e", "2", "personaldevice", "personaldeviceprofile"),
        *("userenrollment", "accountdrivenuserenrollment", "personallyowned", "userowned", "onpersonal"),
    )
)


class App(NamedTuple):
    """What a management system says of an app or a program."""

    name: str
    vendor: str = ""
    version: str = ""
    user: str = ""
    code: str = ""
    bundle: str = ""
    path: str = ""
    uninstall: str = ""
    installed: str = ""


class Device(NamedTuple):
    """What it says of the device.

    Attributes:
        name: as people know it, or what tells it from others.
        system: its operating system in words, which name the platform.
        platform: the platform, where the kind of inventory tells it.
        owner: whose it is, as the system says it.
        notes: what a reader should know of this list.
    """

    name: str
    system: str = ""
    platform: Platform | None = None
    os_version: str = ""
    device_id: str = ""
    serial: str = ""
    owner: str = ""
    notes: tuple[str, ...] = ()


def is_personal(owner: str) -> bool:
    """Whether this is what a management system says of a device that belongs to its user."""
    return "".join(char for char in owner.casefold() if char.isalnum()) in _PERSONAL


def device_inventory(
    device: Device,
    tool: str,
    scanned_at: str,
    rows: Rows,
    apps: Iterable[tuple[str, App]],
    *,
    personal_apps: bool,
) -> Inventory:
    """The inventory of a device.

    Args:
        device: which.
        tool: what made the list.
        scanned_at: when; empty if it does not say.
        rows: of this device; what could not be read is in them.
        apps: each with the place where it was read.
        personal_apps: whether those of a personal phone are listed; otherwise they are counted.
    """
    platform = device.platform or platform_of(device.system) or "windows"
    also: tuple[Unseen, ...] = ()
    if platform in PHONES and is_personal(device.owner) and not personal_apps:
        rows.leave_out("an app on a personal phone or tablet", sum(1 for _ in apps))
        also = (NOT_LISTED,)
    else:
        for where, app in apps:
            rows.add(_item(where, app, rows.source, platform))
    return inventory(
        HostInfo(
            name=device.name,
            platform=platform,
            os=device.system,
            os_version=device.os_version,
            notes=device.notes,
            identity=identities((("serial", device.serial), ("device_id", device.device_id))),
        ),
        tool,
        scanned_at,
        [rows],
        {item.kind for item in rows.items},
        _PHONE_LIMITS if platform in PHONES else _LIMITS,
        also,
    )


def kaspersky_agents(agent: str, protection: str) -> Iterator[App]:
    """What Kaspersky Security Center manages a host with, by the versions that it shows; nothing where it has none."""
    if agent:
        yield App("Kaspersky Security Center Network Agent", "Kaspersky", agent)
    if protection:
        yield App("Kaspersky security application", "Kaspersky", protection)


def _item(where: str, app: App, source: str, platform: Platform) -> Item:
    kind: Kind = "program" if platform in ("windows", "linux") else "app"
    key = guid(app.code if app.code.startswith("{") else f"{{{app.code}}}")
    ids: dict[IdType, str] = {}
    if key:
        ids["product_code"] = key
    if app.bundle:
        ids["bundle_id"] = app.bundle
    return Item(
        kind=kind,
        name=app.name,
        source=source,
        vendor=app.vendor,
        version=app.version,
        user=app.user,
        path=app.path,
        ids=ids,
        details=kept(uninstall=app.uninstall, installed=app.installed),
        evidence=(Evidence(where, app.name),),
    )
