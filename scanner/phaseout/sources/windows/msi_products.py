r"""Products as Windows Installer records them, even where their Uninstall entries are gone.

A product is recorded under `UserData` with everything that its Uninstall entry has (the machine's products under the
SID of the system), and again, with its name and package only, where it is advertised: for the machine under `Classes`,
for a user in the user's own hive or under `Managed`. Both records are one item. A product is `leftover` if its folder
is gone or if only components are left. Of products that only the list of components knows, the programs that are still
there are items.

References:
    https://learn.microsoft.com/windows/win32/msi/installation-context, …/advertisement, …/properties (ARP…);
    the layout of the keys is that of Wine's dlls/msi/registry.c as well.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import unpack
from phaseout.parsers.windows.windows_dates import filetime
from phaseout.sources.kit import windows_programs
from phaseout.sources.kit.missing_files import MissingFiles, shared_folders
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.windows_installer import READS, upgrade_codes, version
from phaseout.sources.kit.windows_programs import variables_of
from phaseout.sources.kit.windows_registry import decoration, installed_on, registry_of, subkeys
from phaseout.sources.source import Source, Trace

_INSTALLER = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer"
_USER_DATA = rf"{_INSTALLER}\UserData"
_MANAGED = rf"{_INSTALLER}\Managed"
_MACHINE = r"HKLM\SOFTWARE\Classes\Installer\Products"
_OF_USER = r"Software\Microsoft\Installer\Products"
_SYSTEM = "S-1-5-18"  # its products are the machine's
_PERMANENT = "{00000000-0000-0000-0000-000000000000}"  # stands for products that leave a component behind
_COMPONENTS = 200_000  # of all users; a machine with large programs has twenty thousand
_PROGRAM = regex(r".:\\.*\.exe", re.IGNORECASE | re.DOTALL)
_NO_CODE = "the name is no packed product code"
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
    """The keys that describe one product; any of them may be missing."""

    code: str
    sid: str  # empty for the machine
    data: Key | None = None
    properties: Key | None = None
    advertised: tuple[Key, ...] = ()


def collect(host: Host) -> Iterator[Trace]:
    """An item for every product of the machine and of every user."""
    registry = registry_of(host)
    products: dict[tuple[str, str], _Product] = {}
    for user_data in subkeys(registry.key(_USER_DATA)):
        sid = "" if user_data.name == _SYSTEM else user_data.name
        for key in subkeys(user_data.child("Products")):
            code = unpack(key.name)
            if code:
                products[code, sid] = _Product(code, sid, key, key.child("InstallProperties"))
            else:
                yield from damaged(key.path, _NO_CODE)
    for sid, place in _advertisements(host):
        for key in subkeys(place):
            code = unpack(key.name)
            if not code:
                yield from damaged(key.path, _NO_CODE)
                continue
            product = products.get((code, sid), _Product(code, sid))
            products[code, sid] = product._replace(advertised=(*product.advertised, key))
    upgrades = upgrade_codes(host)
    missing, shared = MissingFiles(host), shared_folders(host)
    for product in products.values():
        yield _item(host, product, upgrades.get(product.code, ""), missing, shared)
    yield from _unknown(host, {code for code, _ in products})


def _unknown(host: Host, known: set[str]) -> Iterator[Trace]:
    """The programs of products that are recorded nowhere else, each file once."""
    met: set[str] = set()
    count = 0
    for user_data in subkeys(registry_of(host).key(_USER_DATA)):
        sid = "" if user_data.name == _SYSTEM else user_data.name
        user = next((user.name for user in host.users if sid and user.sid == sid), sid)
        for component in subkeys(user_data.child("Components")):
            count += 1
            if count > _COMPONENTS:
                yield Problem(component.path, f"more than {_COMPONENTS:,} components: the rest was not read", "limit")
                return
            for name, data in component.values().items():
                path = absolute(data, host.variables) if isinstance(data, str) and _PROGRAM.fullmatch(data) else ""
                code = unpack(name) if path else ""
                if not code or code in known or path.lower() in met:
                    continue
                met.add(path.lower())
                yield _program(host, code, path, user, rf"{component.path}\{name}")


def _program(host: Host, code: str, path: str, user: str, where: str) -> Item | LeftOut:
    if not host.files.is_file(path):
        return LeftOut("names nothing that is there")
    identity = host.executables.identity(path)
    return Item(
        kind="program",
        name=(identity.product if identity else "") or path.rpartition("\\")[2],
        vendor=identity.company if identity else "",
        version=identity.version if identity else "",
        path=path,
        user=user,
        signer=identity.signer if identity else "",
        ids={} if code == _PERMANENT else {"product_code": code},
        details={**(identity.details if identity else {}), "note": "only components are left"},
        evidence=(Evidence(where, path),),
    )


def _advertisements(host: Host) -> Iterator[tuple[str, Key | None]]:
    registry = registry_of(host)
    yield "", registry.key(_MACHINE)
    for managed in subkeys(registry.key(_MANAGED)):
        yield managed.name, managed.key(r"Installer\Products")
    for user in host.users:
        if user.sid:
            yield user.sid, registry.key(rf"HKU\{user.sid}\{_OF_USER}")


def _item(host: Host, product: _Product, upgrade: str, missing: MissingFiles, shared: frozenset[str]) -> Item:
    user = next((user for user in host.users if product.sid and user.sid == product.sid), None)
    variables = variables_of(host, user) if user else host.variables
    properties, advertised = product.properties, next(iter(product.advertised), None)
    record = properties or advertised
    notes: list[str] = []
    details: dict[str, str] = {}
    name = vendor = number = location = ""
    if properties is not None:
        name, vendor = properties.text("DisplayName"), properties.text("Publisher")
        details |= {detail: decoration(properties, value, notes) for detail, value in _DETAILS}
        location = absolute(details["location"], variables)
        location = "" if location.lower() in shared else location
        details["kind"] = "system component" if properties.number("SystemComponent") else ""
        details["installed"] = installed_on(properties, "InstallDate", notes)
    if advertised is not None:
        name = name or advertised.text("ProductName")
        source = advertised.child("SourceList")
        details["package"] = decoration(source, "PackageName", notes) if source is not None else ""
    if record is not None:
        number = version(record, notes)
        details["modified"] = filetime(record.modified)
    else:
        details["note"] = "only components are left"
    if properties is None and advertised is not None:
        details["note"] = "advertised"
    ids: dict[IdType, str] = {"product_code": product.code, "upgrade_code": upgrade}
    seen = f"name: {name}, publisher: {vendor}, version: {number}"
    state, unknown = missing.state(location)
    return Item(
        kind="program",
        name=name or product.code,
        state="leftover" if record is None else state,
        vendor=vendor,
        version=number,
        path=location,
        user=user.name if user else product.sid,
        ids=ids,
        details=details,
        notes=(*notes, *unknown),
        evidence=tuple(
            Evidence(key.path, seen if key is record else "")
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
    reads=(_USER_DATA, _MANAGED, _MACHINE, rf"HKU\*\{_OF_USER}", *READS, windows_programs.READS, r"?:\**\*.exe"),
    limits="The cached packages themselves are not opened, and patches are not listed.",
    collect=collect,
)
