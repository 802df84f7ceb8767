"""Inventories of FusionInventory, the GLPI Agent and OCS: XML as agents send it, JSON as GLPI 10 takes it.

References:
    https://github.com/glpi-project/inventory_format (inventory.schema.json, original.md)
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, moment, platform_of, program_of, text
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Problem, State
from phaseout.parsers.encodings.identity import identities
from phaseout.parsers.encodings.xml_elements import elements
from phaseout.parsers.windows.packed_guid import guid

_LIMITS = "an inventory of this kind lists software, processes and antivirus products only"
_LARGEST = 64 << 20  # bytes of XML; a machine with 3,000 packages has 2 MiB
_ELEMENTS = 2_000_000
_ROOTS = (b"<REQUEST", b"<?xml")
_SECTIONS = ("softwares", "processes", "antivirus")
_HEADS = ("hardware", "operatingsystem", "accesslog", "bios")
_NULL = msgspec.Raw(b"null")
_STAMP = re.compile(r"-\d{4}(?:-\d\d){5}$")  # of a device id: when it was first made
# Where the agent read the software; all other words are package managers.
_KINDS: dict[str, Kind] = {"registry": "program", "uwp": "app", "macos": "app", "system_profiler": "app"}
_OFFSET = re.compile(r"[+-]\d{4}")

_Row = dict[str, Any]


class _Computer(Struct):
    """What an inventory says in either form: single values by section, rows section by section."""

    heads: dict[str, _Row]
    sections: dict[str, list[_Row]]
    rows: dict[str, Rows]  # the same while they become items
    device_id: str = ""
    tool: str = ""


def fits(document: Document) -> bool:
    """A `REQUEST` in XML, or JSON with `content` and `deviceid`."""
    start = document.start.lstrip()
    if start.startswith(_ROOTS):
        return b"<REQUEST" in start or b"<REQUEST" in document.whole()[: 1 << 16]
    return {"content", "deviceid"} <= document.members().keys()


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each computer in it."""
    if document.start.lstrip().startswith(b"<"):
        yield _from_xml(document)
        return
    for where, value in document.values():
        try:
            yield _from_json(document, where, value)
        except JSON_ERRORS as error:
            yield Problem(where, f"no GLPI inventory: {error}", "damaged")


def _empty() -> _Computer:
    return _Computer({}, {name: [] for name in _SECTIONS}, {name: Rows(f"glpi {name}") for name in _SECTIONS})


def _from_json(document: Document, where: str, value: msgspec.Raw) -> Inventory:
    members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    content = msgspec.json.decode(members["content"], type=dict[str, msgspec.Raw])
    computer = _empty()
    for name, raw in content.items():
        place = f"{where}: {name}"
        if name in _SECTIONS:
            computer.sections[name] = list(_decoded(place, raw, computer.rows[name]))
        elif name in _HEADS:
            computer.heads[name] = next(_decoded(place, raw, computer.rows["softwares"]), {})
    computer.device_id = text(_plain(members["deviceid"]))
    computer.tool = text(_plain(content.get("versionclient", members.get("versionclient", _NULL))))
    return _inventory(document, where, computer)


def _decoded(where: str, raw: msgspec.Raw, rows: Rows) -> Iterator[_Row]:
    """The rows of a section: a list, a single one, or none."""
    first = bytes(raw).lstrip()[:1]
    if first == b"n":
        return
    values = msgspec.json.decode(raw, type=list[msgspec.Raw]) if first == b"[" else [raw]
    for number, value in enumerate(values):
        try:
            yield msgspec.json.decode(value, type=_Row)
        except JSON_ERRORS as error:
            rows.damaged(f"{where}[{number}]", str(error))


def _plain(raw: msgspec.Raw) -> Any:
    return msgspec.json.decode(raw)


def _from_xml(document: Document) -> Inventory:
    data = document.whole()
    if len(data) > _LARGEST:
        raise BrokenError(document.name, f"larger than {_LARGEST >> 20} MiB of XML", "limit")
    computer = _empty()
    row: _Row = {}
    try:
        for path, _, value in elements(data, _ELEMENTS):
            parts = path.lower().split("/")
            if parts == ["request", "deviceid"]:
                computer.device_id = text(value)
            if parts[:2] != ["request", "content"] or len(parts) < 3:
                continue
            section = parts[2]
            if len(parts) == 4:
                row[parts[3]] = value
            elif len(parts) == 5:
                row[f"{parts[3]}.{parts[4]}"] = value
            elif len(parts) == 3:
                if section in _SECTIONS:
                    computer.sections[section].append(row)
                elif section in _HEADS:
                    computer.heads[section] = row
                elif section == "versionclient":
                    computer.tool = text(value)
                row = {}
    except ValueError as error:
        if not computer.sections["softwares"]:
            raise BrokenError(document.name, str(error)) from error
        computer.rows["softwares"].problem(Problem(document.name, f"cut off or damaged: {error}", "damaged"))
    return _inventory(document, document.name, computer)


def _inventory(document: Document, where: str, computer: _Computer) -> Inventory:
    rows = computer.rows
    hardware = computer.heads.get("hardware", {})
    system = computer.heads.get("operatingsystem", {})
    full = text(system.get("full_name")) or text(hardware.get("osname"))
    platform: Platform = platform_of(text(system.get("kernel_name")), full) or "linux"
    for number, row in enumerate(computer.sections["softwares"]):
        _software(f"{where}: softwares[{number}]", row, platform, rows["softwares"])
    for number, row in enumerate(computer.sections["processes"]):
        _process(f"{where}: processes[{number}]", row, rows["processes"])
    for number, row in enumerate(computer.sections["antivirus"]):
        _antivirus(f"{where}: antivirus[{number}]", row, rows["antivirus"])
    shown: set[Kind] = {item.kind for one in rows.values() for item in one.items}
    return inventory(
        HostInfo(
            name=text(hardware.get("name"))
            or text(system.get("fqdn"))
            or _STAMP.sub("", computer.device_id)
            or document.stem,
            platform=platform,
            os=text(system.get("name")) or full,
            os_version=text(system.get("version")),
            arch=text(system.get("arch")),
            identity=identities(
                (
                    ("ioplatform_uuid" if platform == "macos" else "smbios_uuid", text(hardware.get("uuid"))),
                    ("serial", text(computer.heads.get("bios", {}).get("ssn"))),
                )
            ),
        ),
        computer.tool,
        _scanned(computer),
        [one for name, one in rows.items() if computer.sections[name] or one.rows],
        shown,
        _LIMITS,
    )


def _scanned(computer: _Computer) -> str:
    """The time of the access log, in the zone of the computer where that is known."""
    zone = computer.heads.get("operatingsystem", {}).get("timezone", {})
    offset = text(zone.get("offset")) if isinstance(zone, dict) else ""
    offset = offset or text(computer.heads.get("operatingsystem", {}).get("timezone.offset"))
    logged = text(computer.heads.get("accesslog", {}).get("logdate"))
    return moment(logged + offset if _OFFSET.fullmatch(offset) else logged)


def _software(place: str, row: _Row, platform: Platform, rows: Rows) -> None:
    name, key = text(row.get("name")), text(row.get("guid"))
    if not (name or key):
        rows.damaged(place, "software without a name")
        return
    origin = text(row.get("from")).lower()
    ids: dict[IdType, str] = {}
    if key:
        ids["registry_key"] = key
        if product := guid(key):
            ids["product_code"] = product
    unknown: Kind = "program" if platform == "windows" else "package" if platform == "linux" else "app"
    rows.add(
        Item(
            kind=_KINDS.get(origin, "package" if origin else unknown),
            name=name or key,
            source=rows.source,
            vendor=text(row.get("publisher")),
            version=text(row.get("version")),
            path=text(row.get("folder")),
            user=text(row.get("username")),
            ids=ids,
            details=kept(
                **{"from": origin},
                arch=text(row.get("arch")),
                uninstall=text(row.get("uninstall_string")),
                installed=text(row.get("install_date")) or text(row.get("installdate")),
            ),
            evidence=(Evidence(place, name),),
        )
    )


def _process(place: str, row: _Row, rows: Rows) -> None:
    command = text(row.get("cmd"))
    if not command:
        rows.damaged(place, "a process without a command")
        return
    kernel = command.startswith("[") and command.endswith("]")
    program = "" if kernel else _program(command)
    absolute = program.startswith("/") or program[1:3] == ":\\"
    rows.add(
        Item(
            kind="process",
            name=command[1:-1] if kernel else program.replace("\\", "/").rpartition("/")[2] or command,
            source=rows.source,
            state="running",
            path=program if absolute else "",
            user=text(row.get("user")),
            command=command,
            details=kept(pid=text(row.get("pid")), started=text(row.get("started"))),
            evidence=(Evidence(place, command),),
        )
    )


def _program(command: str) -> str:
    """The path of the program, or else the first word."""
    return program_of(command) or command.split(" ", 1)[0]


def _antivirus(place: str, row: _Row, rows: Rows) -> None:
    name = text(row.get("name"))
    if not name:
        rows.damaged(place, "an antivirus product without a name")
        return
    state: State = "running" if text(row.get("enabled")) in ("1", "true") else "installed"
    rows.add(
        Item(
            kind="security_product",
            name=name,
            source=rows.source,
            state=state,
            vendor=text(row.get("company")),
            version=text(row.get("version")),
            details=kept(guid=text(row.get("guid")), signatures=text(row.get("base_version"))),
            evidence=(Evidence(place, name),),
        )
    )
