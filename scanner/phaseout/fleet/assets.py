"""The machines that must answer: read from a list of the organisation, and found among the hosts that did answer.

A serial number or UUID decides; a name only where it is all that the list has, and only one host has it.

References:
    RFC 4180 (CSV); the exports of Intune (devices), Active Directory (`Get-ADComputer | Export-Csv`) and of Kaspersky
    Security Center, of which the headings are known here.
"""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from phaseout.fleet.hosts import hosts_of
from phaseout.fleet.store import Store
from phaseout.inventories.document import BrokenError, documents
from phaseout.model.nouns import Problem
from phaseout.model.quoting import quoted
from phaseout.parsers.encodings.identity import comparable, identity

_ROWS = 5_000_000
# Headings as people and tools write them, without blanks, hyphens and underscores, in small letters. Where a list has
# several of one field, the first of these counts: Active Directory exports `DNSHostName` before `Name`, and what Intune
# calls `Managed by` is no person.
_HEADINGS: dict[str, tuple[str, ...]] = {
    "name": (
        *("name", "host", "hostname", "computer", "computername", "devicename", "device", "machine", "dnshostname"),
        *(
            "gerätename",
            "computernamen",
            "nomdelappareil",
            "nombredeldispositivo",
            "имяустройства",
            "имя",
            "устройство",
            "dnsимя",
        ),
    ),
    "serial": ("serial", "serialnumber", "serialno", "hardwareserial", "seriennummer", "numérodesérie", "servicetag"),
    "uuid": ("uuid", "smbiosuuid", "hardwareuuid", "biosuuid", "systemuuid"),
    "part": (
        "group",
        "part",
        "department",
        "site",
        "ou",
        "organizationalunit",
        "category",
        "groupname",
        "devicecategory",
        "teamname",
        "полноеназваниегруппы",
        "группа",
    ),
    "role": ("role", "purpose"),
    "owner": ("owner", "user", "primaryuser", "primaryuserupn", "userprincipalname", "managedby"),
    "retired": ("retired", "decommissioned", "disposed"),
    "enabled": ("enabled",),
    "distinguished": ("distinguishedname",),
}
_NO_LETTERS = " -_().'\N{RIGHT SINGLE QUOTATION MARK}"
_YES = frozenset(("1", "true", "yes", "y", "x", "retired", "decommissioned", "disposed", "ja", "oui", "да"))
_NO = frozenset(("", "0", "false", "no", "n", "active", "in use", "nein", "non", "нет"))


class Asset(NamedTuple):
    """A machine that must answer; empty where the list does not say."""

    name: str
    serial: str
    uuid: str
    part: str
    role: str
    owner: str
    retired: bool
    line: int


def read_assets(stream: BinaryIO, name: str) -> Iterator[Asset | Problem]:
    """The machines in a CSV, and a problem for each row that cannot be one, or contradicts another.

    Args:
        stream: its bytes; gzip and a zip archive with one file are unpacked.
        name: what the user calls it.
    """
    try:
        for document in documents(stream, name):
            text = document.whole().decode("utf-8-sig", "replace")
            yield from _unique(_rows(text, document.name), document.name)
    except BrokenError as error:
        yield error.problem


def _rows(text: str, name: str) -> Iterator[Asset | Problem]:
    lines = text.splitlines(keepends=True)
    skipped = 0
    while lines and (not lines[0].strip() or lines[0].startswith(("#TYPE", "sep="))):
        lines.pop(0)
        skipped += 1
    if not lines:
        yield Problem(name, "empty", cause="damaged")
        return
    rows = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=_separator(lines[0]))
    try:
        columns = _columns(next(rows))
        if not {"name", "serial", "uuid"} & columns.keys():
            yield Problem(name, f"no list of machines: it needs a heading such as {_examples()}", cause="unsupported")
            return
        for row in rows:
            line = rows.line_num + skipped
            if line > _ROWS:
                yield Problem(name, f"more than {_ROWS:,} lines: the rest was not read", cause="limit")
                return
            if any(one.strip() for one in row):
                yield _asset(row, columns, line, name)
    except csv.Error as error:
        yield Problem(f"{name}:{rows.line_num + skipped}", f"damaged CSV: {error}", cause="damaged")


def _asset(row: Sequence[str], columns: dict[str, int], line: int, name: str) -> Asset | Problem:
    values = {field: row[at].strip() if at < len(row) else "" for field, at in columns.items()}
    serial = identity("serial", values.get("serial", ""))
    uuid = identity("smbios_uuid", values.get("uuid", ""))
    part = values.get("part", "") or _unit(values.get("distinguished", ""))
    retired = values.get("retired", "").casefold()
    if retired not in _YES | _NO:
        return Problem(f"{name}:{line}", f"retired is {quoted(retired, 40)}: yes or no is meant", cause="damaged")
    found = Asset(
        name=values.get("name", "")[:255],
        serial=serial.value if serial else "",
        uuid=comparable(uuid).partition(":")[2] if uuid else "",
        part=part[:255],
        role=values.get("role", "")[:255],
        owner=values.get("owner", "")[:255],
        retired=retired in _YES or values.get("enabled", "").casefold() in {"false", "0"},
        line=line,
    )
    if not (found.name or found.serial or found.uuid):
        given = values.get("serial", "") or values.get("uuid", "")
        why = f"{quoted(given, 40)} tells no machine from another" if given else "neither name, serial number nor UUID"
        return Problem(f"{name}:{line}", why, cause="damaged")
    return found


def _unique(found: Iterator[Asset | Problem], name: str) -> Iterator[Asset | Problem]:
    """Each machine once: of rows about one machine the first counts; rows that contradict each other are said."""
    lines: dict[tuple[str, str], Asset] = {}
    for one in found:
        if isinstance(one, Problem):
            yield one
            continue
        keys = [("serial", one.serial.casefold()), ("uuid", one.uuid)]
        if not (one.serial or one.uuid):
            keys = [("name", one.name.casefold())]
        before = next((lines[key] for key in keys if key[1] and key in lines), None)
        if before is None:
            lines.update((key, one) for key in keys if key[1])
            yield one
            continue
        same = one._replace(line=0) == before._replace(line=0)
        why = "the same machine as" if same else "contradicts"
        yield Problem(f"{name}:{one.line}", f"{why} line {before.line}, which counts", cause="damaged")


def replace_assets(store: Store, assets: Sequence[Asset]) -> None:
    """Makes these the list of machines that must answer. Call it within `store.changing`."""
    store.write("DELETE FROM asset")
    store.write_many(
        "INSERT INTO asset (name, serial, uuid, part, role, owner, retired, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*one[:6], int(one.retired), one.line) for one in assets],
    )
    find_hosts(store, None)


def find_hosts(store: Store, hosts: Collection[int] | None) -> None:
    """Finds the host of each machine in the list anew. Call it within `store.changing`.

    Args:
        store: where both are.
        hosts: those that changed or are no more; `None` stands for all.
    """
    if hosts is None:
        assets = store.rows("SELECT id, name, serial, uuid FROM asset")
    elif store.one("SELECT 1 FROM asset LIMIT 1") is None:
        return
    else:
        assets = list(_concerned(store, list(hosts)))
    words = {word for _, name, serial, uuid in assets for word in _words(name, serial, uuid)}
    known = hosts_of(store, list(words))
    names: dict[int, tuple[str, str, str, int]] = {}
    rows = store.among(
        "SELECT id, name, serial, uuid, last FROM host WHERE id IN (*)",
        {one for found in known.values() for one in found},
    )
    names.update((row[0], row[1:]) for row in rows)
    store.write_many(
        "UPDATE asset SET host = ? WHERE id = ?",
        [(_host(name, serial, uuid, known, names), number) for number, name, serial, uuid in assets],
    )


def _words(name: str, serial: str, uuid: str) -> Iterator[str]:
    """What a machine of the list is found by, the strongest first."""
    if uuid:
        yield f"smbios_uuid:{uuid}"
    if serial:
        yield f"serial:{serial.casefold()}"
    if name:
        yield f"name:{name.casefold()}"
        if "." in name:  # a list may have names with their domain
            yield f"name:{name.partition('.')[0].casefold()}"


def _host(
    name: str,
    serial: str,
    uuid: str,
    known: dict[str, set[int]],
    hosts: dict[int, tuple[str, str, str, int]],
) -> int | None:
    """The host that a machine of the list is: by UUID, else by serial number, else by a name that only one host has.

    Where the list knows a serial number or UUID, and a host of its name shows others, that is another machine.
    """
    for word in _words(name, serial, uuid):
        found = known.get(word, set())
        if word.startswith("name:"):
            same = {one for one in found if _plain(hosts[one][0]) in {_plain(name), _plain(name.partition(".")[0])}}
            if serial or uuid:
                same = {one for one in same if not (hosts[one][1] or hosts[one][2])}
            if found:
                return next(iter(same)) if len(same) == 1 else None
        elif found:
            named = {one for one in found if _plain(hosts[one][0]) == _plain(name)}
            return max(named or found, key=lambda one: (hosts[one][3], hosts[one][0]))
    return None


def _plain(name: str) -> str:
    return name.casefold()


def _concerned(store: Store, hosts: list[int]) -> Iterator[tuple[int, str, str, str]]:
    """The machines of the list that were, or may now be, one of the hosts."""
    by_name = (
        "SELECT a.id, a.name, a.serial, a.uuid FROM host h JOIN asset a"
        " ON a.name = h.name COLLATE NOCASE AND a.serial = '' AND a.uuid = '' WHERE h.id IN (*)"
    )
    queries = (
        by_name,
        "SELECT id, name, serial, uuid FROM asset WHERE host IN (*)",
        *(
            f"SELECT a.id, a.name, a.serial, a.uuid FROM host h JOIN asset a ON a.{column} = h.{column}"
            f" WHERE h.id IN (*) AND h.{column} <> ''"
            for column in ("serial", "uuid")
        ),
    )
    yield from {row for query in queries for row in store.among(query, hosts)}


def _separator(heading: str) -> str:
    return max(",;\t", key=heading.count)


def _columns(heading: Sequence[str]) -> dict[str, int]:
    plain = ["".join(char for char in title.casefold() if char not in _NO_LETTERS) for title in heading]
    first = {word: at for at, word in reversed(list(enumerate(plain)))}
    found = {field: [first[word] for word in words if word in first] for field, words in _HEADINGS.items()}
    return {field: columns[0] for field, columns in found.items() if columns}


def _unit(distinguished: str) -> str:
    """The organisational unit of a name such as `CN=PC1,OU=Sales,DC=example,DC=org`."""
    return next((part[3:] for part in distinguished.split(",") if part.upper().startswith("OU=")), "")


def _examples() -> str:
    return "name, hostname, serial, serial number or uuid"
