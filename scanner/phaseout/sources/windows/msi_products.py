r"""Products as Windows Installer itself keeps them, whatever became of their Uninstall entries.

A product stands under `UserData` with all that the Uninstall entry has (the machine's under the SID of the system), and
once more, with its name and package only, where it is advertised: for the machine under `Classes`, for a user in his
own hive or under `Managed`. Both are one item. `leftover` is one whose folder is gone, and one of which only
components are left.

References:
    https://learn.microsoft.com/windows/win32/msi/installation-context, …/advertisement, …/properties (ARP…);
    the layout of the keys is that of Wine's dlls/msi/registry.c as well.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute, for_user
from phaseout.parsers.windows.packed_guid import unpack
from phaseout.parsers.windows.windows_dates import filetime, install_date
from phaseout.sources.kit.missing_files import gone_from
from phaseout.sources.kit.windows_installer import READS, subkeys, upgrade_codes, version
from phaseout.sources.source import Source, Trace

_INSTALLER = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer"
_USER_DATA = rf"{_INSTALLER}\UserData"
_MANAGED = rf"{_INSTALLER}\Managed"
_MACHINE = r"HKLM\SOFTWARE\Classes\Installer\Products"
_OF_USER = r"Software\Microsoft\Installer\Products"
_SYSTEM = "S-1-5-18"  # whose products are the machine's
_DETAILS = (
    ("local_package", "LocalPackage"),
    ("location", "InstallLocation"),
    ("install_source", "InstallSource"),
    ("uninstall", "UninstallString"),
    ("modify", "ModifyPath"),
    ("comments", "Comments"),
    ("contact", "Contact"),
    ("url", "URLInfoAbout"),
    ("help", "HelpLink"),
)


class _Product(NamedTuple):
    """The keys that tell of one product; any of them may be missing."""

    code: str
    sid: str  # empty for the machine
    data: Key | None = None
    properties: Key | None = None
    advertised: tuple[Key, ...] = ()


def collect(host: Host) -> Iterator[Trace]:
    """An item for every product of the machine and of every user."""
    registry = host.registry
    assert registry is not None
    products: dict[tuple[str, str], _Product] = {}
    for user_data in subkeys(registry.key(_USER_DATA)):
        sid = "" if user_data.name == _SYSTEM else user_data.name
        for key in subkeys(user_data.child("Products")):
            code = unpack(key.name)
            if code:
                products[code, sid] = _Product(code, sid, key, key.child("InstallProperties"))
            else:
                yield from _damaged(key)
    for sid, place in _advertisements(host):
        for key in subkeys(place):
            code = unpack(key.name)
            if not code:
                yield from _damaged(key)
                continue
            product = products.get((code, sid), _Product(code, sid))
            products[code, sid] = product._replace(advertised=(*product.advertised, key))
    upgrades = upgrade_codes(host)
    gone = gone_from(host)
    for product in products.values():
        yield from _item(host, product, upgrades.get(product.code, ""), gone)


def _advertisements(host: Host) -> Iterator[tuple[str, Key | None]]:
    registry = host.registry
    assert registry is not None
    yield "", registry.key(_MACHINE)
    for managed in subkeys(registry.key(_MANAGED)):
        yield managed.name, managed.key(r"Installer\Products")
    for user in host.users:
        if user.sid:
            yield user.sid, registry.key(rf"HKU\{user.sid}\{_OF_USER}")


def _damaged(key: Key) -> Iterator[Trace]:
    yield Problem(key.path, "the name is no packed product code")
    yield LeftOut("damaged")


def _item(host: Host, product: _Product, upgrade: str, gone: Callable[[str], bool]) -> Iterator[Trace]:
    user = next((user for user in host.users if product.sid and user.sid == product.sid), None)
    variables = for_user(host.variables, user.home) if user else host.variables
    properties, advertised = product.properties, next(iter(product.advertised), None)
    told = properties or advertised
    details: dict[str, str] = {}
    name = vendor = number = location = ""
    if properties is not None:
        name, vendor = properties.text("DisplayName"), properties.text("Publisher")
        location = absolute(properties.text("InstallLocation"), variables)
        details |= {detail: properties.text(value) for detail, value in _DETAILS}
        details["kind"] = "system component" if properties.number("SystemComponent") else ""
        try:
            details["installed"] = install_date(properties.text("InstallDate"))
        except ValueError as error:
            yield Problem(properties.path, f"InstallDate: {error}")
    if advertised is not None:
        name = name or advertised.text("ProductName")
        source = advertised.child("SourceList")
        details["package"] = source.text("PackageName") if source is not None else ""
    if told is not None:
        number = version(told)
        details["modified"] = filetime(told.modified)
    else:
        details["note"] = "only components are left"
    if properties is None and advertised is not None:
        details["note"] = "advertised"
    ids: dict[IdType, str] = {"product_code": product.code, "upgrade_code": upgrade}
    seen = f"name: {name}, publisher: {vendor}, version: {number}"
    yield Item(
        kind="program",
        name=name or product.code,
        state="leftover" if told is None or gone(location) else "installed",
        vendor=vendor,
        version=number,
        path=location,
        user=user.name if user else product.sid,
        ids=ids,
        details=details,
        evidence=tuple(
            Evidence(key.path, seen if key is told else "")
            for key in (properties or product.data, *product.advertised)
            if key is not None
        ),
    )


SOURCE = Source(
    name="msi_products",
    title="Products of Windows Installer",
    platforms=("windows",),
    kinds=("program",),
    needs=("registry",),
    reads=(_USER_DATA, _MANAGED, _MACHINE, rf"HKU\*\{_OF_USER}", *READS),
    limits="The cached packages themselves are not opened, and patches are not listed.",
    collect=collect,
)
