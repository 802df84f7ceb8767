"""CSV of installed software out of management systems: Intune's discovered apps, Configuration Manager's software.

Columns are told by their headings, whatever their order and in several languages; reports and views spell them
differently (`ApplicationName`, `Application name`, `ProductName0`). Several machines may be in one file, in any order.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/reports-export-graph-available-reports
    (AppInvRawData, AppInvByDevice, AppInvAggregate); https://learn.microsoft.com/intune/configmgr/develop/reference/core/clients/client-classes/sms_installedsoftware-client-wmi-class;
    RFC 4180
"""

import csv
from array import array
from collections.abc import Iterator, Mapping

from phaseout.inventories.document import BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, platform_of, text
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Problem
from phaseout.parsers.windows.packed_guid import guid

_LIMITS = "a list of discovered apps has installed programs only, and those that were reported in time"
_MOST = 1_000_000  # different programs; the rows themselves cost eight bytes each
_FIELD = 1 << 16
# What a heading means; letters and digits only, in small letters, a `0` at the end of a view's column left away.
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": (
        *("applicationname", "appname", "application", "productname", "arpdisplayname", "displayname", "softwarename"),
        *("softwaretitle", "normalizedname", "discoveredapps", "discoveredapp", "programname"),
        *("anwendungsname", "anwendung", "produktname", "anzeigename", "softwareprodukt"),
        *("nomdelapplication", "nomdelogiciel", "nomduproduit", "nombredelaaplicación", "nombredeaplicación"),
        *("nombredelproducto", "nomeapplicazione", "nomedellapplicazione", "nomeprodotto", "nomedoaplicativo"),
        *("toepassingsnaam", "naamvantoepassing", "productnaam", "アプリケーション名", "应用程序名称", "应用名称"),
        *("названиеприложения", "имяприложения", "nazwaaplikacji"),
    ),
    "vendor": (
        *("applicationpublisher", "publisher", "normalizedpublisher", "manufacturer", "vendor", "company"),
        *("herausgeber", "hersteller", "anwendungsherausgeber", "éditeur", "editeur", "editor", "fabricante"),
        *("autore", "editore", "fornecedor", "uitgever", "発行元", "发布者", "издатель", "wydawca"),
    ),
    "version": (
        *("applicationversion", "productversion", "version", "normalizedversion", "softwareversion", "appversion"),
        *("applicationshortversion", "anwendungsversion", "produktversion", "versión", "versione", "versão", "versie"),
        *("versiondelapplication", "versióndelaaplicación", "versionedellapplicazione"),
        *("バージョン", "版本", "версия", "wersja"),
    ),
    "device": (
        *("devicename", "device", "computername", "computer", "machinename", "netbiosname", "resourcename"),
        *("systemname", "gerätename", "gerät", "computername", "nomdelappareil", "nomdelordinateur"),
        *("nombredeldispositivo", "nombrededispositivo", "nomedispositivo", "nomedeldispositivo", "nomedodispositivo"),
        *("apparaatnaam", "デバイス名", "设备名称", "имяустройства", "nazwaurządzenia"),
    ),
    "platform": (
        "platform",
        "plattform",
        "plateforme",
        "plataforma",
        "piattaforma",
        "operatingsystem",
        "osdescription",
    ),
    "os_version": ("osversion", "betriebssystemversion", "versiondusystèmedexploitation"),
    "user": ("username", "userprincipalname", "upn", "emailaddress", "primaryuser", "benutzername", "registereduser"),
    "code": ("productcode", "softwarecode", "productid"),
    "path": ("installedlocation", "installlocation", "installationfolder"),
    "uninstall": ("uninstallstring",),
    "installed": ("installdate",),
}
_MOBILE = ("android", "ios", "ipad")
_DELIMITERS = (",", ";", "\t")

_Program = tuple[str, ...]
_FIELDS = ("name", "vendor", "version", "user", "code", "path", "uninstall", "installed")


def fits(document: Document) -> bool:
    """A heading for the name, and one for the vendor or the version."""
    if document.start.lstrip()[:1] in (b"{", b"[", b"<"):
        return False
    lines = document.start.decode("utf-8", "replace").splitlines()
    if lines and lines[0].lower().startswith("sep="):
        return True
    return bool(lines) and bool(_columns(lines[0])[1])


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each device, in the order of their names; one for the file where it names none."""
    content = _lines(document)
    heading = next(content, "")
    if heading[:4].lower() == "sep=":
        heading = next(content, "")
    delimiter, columns = _columns(heading)
    if not columns:
        raise BrokenError(document.name, "no column is headed as the name of an application, with vendor or version")
    csv.field_size_limit(_FIELD)
    programs: dict[_Program, int] = {}
    hosts: dict[str, tuple[str, str, array[int], array[int]]] = {}  # name → platform, version, program, line
    rows: dict[str, Rows] = {}
    reader = csv.reader(content, delimiter=delimiter)
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            _rows(rows, document.stem).damaged(f"{document.name}:{document.line}", str(error))
            continue
        if fields is None:
            break
        if not any(fields):
            continue
        found = {meaning: text(fields[at]) for meaning, at in columns.items() if at < len(fields)}
        host = found.get("device", "") or document.stem
        program = tuple(found.get(field, "") for field in _FIELDS)
        if not program[0]:
            _rows(rows, host).damaged(f"{document.name}:{document.line}", "a row without the name of an application")
            hosts.setdefault(host, (found.get("platform", ""), "", array("I"), array("I")))
            continue
        if len(programs) >= _MOST and program not in programs:
            raise BrokenError(f"{document.name}:{document.line}", f"more than {_MOST:,} different programs")
        _, _, numbers, lines = hosts.setdefault(
            host, (found.get("platform", ""), found.get("os_version", ""), array("I"), array("I"))
        )
        numbers.append(programs.setdefault(program, len(programs)))
        lines.append(document.line)
    listed = list(programs)
    for host in sorted(hosts):
        platform, version, numbers, lines = hosts[host]
        mine = _rows(rows, host)
        if platform.lower().startswith(_MOBILE):
            for _ in numbers:
                mine.left_out("on a phone or tablet")
        else:
            for number, line in zip(numbers, lines, strict=True):
                mine.items.append(_item(f"{document.name}:{line}", listed[number], platform))
        yield inventory(
            HostInfo(name=host, platform=_platform(platform), os=platform, os_version=version),
            "list of discovered apps (CSV)",
            "",
            [mine],
            {item.kind for item in mine.items},
            _LIMITS,
        )
        del rows[host]
    if not hosts:
        for left in rows.values():
            yield Problem(document.name, left.run().problems[0].why)


def _rows(rows: dict[str, Rows], host: str) -> Rows:
    return rows.setdefault(host, Rows("discovered apps"))


def _lines(document: Document) -> Iterator[str]:
    """The lines; UTF-8, and what is not that in the western code page of Windows."""
    for _, line in document.lines():
        try:
            yield line.decode()
        except UnicodeDecodeError:
            yield line.decode("cp1252", "replace")


def _columns(line: str) -> tuple[str, dict[str, int]]:
    """The delimiter, and meaning → column; no columns where the line is no such heading."""
    for delimiter in _DELIMITERS:
        try:
            headings = [_plain(heading) for heading in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        columns: dict[str, int] = {}
        for meaning, names in _HEADINGS.items():
            at = next((headings.index(name) for name in names if name in headings), None)
            if at is not None:
                columns[meaning] = at
        if "name" in columns and ("vendor" in columns or "version" in columns):
            return delimiter, columns
    return ",", {}


def _plain(heading: str) -> str:
    return "".join(char for char in heading.casefold() if char.isalnum()).removesuffix("0")


def _platform(word: str) -> Platform:
    return platform_of(word) or "windows"


def _item(where: str, program: _Program, platform: str) -> Item:
    name, vendor, version, user, code, path, uninstall, installed = program
    kind: Kind = "app" if _platform(platform) == "macos" else "program"
    key = guid(code if code.startswith("{") else f"{{{code}}}")
    ids: dict[IdType, str] = {"product_code": key} if key else {}
    return Item(
        kind=kind,
        name=name,
        source="discovered apps",
        vendor=vendor,
        version=version,
        user=user,
        path=path,
        ids=ids,
        details=kept(uninstall=uninstall, installed=installed),
        evidence=(Evidence(where, name),),
    )
