"""Results of osquery: what `osqueryi` prints as JSON or CSV, osqueryd's results log, and what Fleet hands out.

    [{…}, …]                                                     rows of one table: `osqueryi --json`
    {"deb_packages": [{…}, …], "processes": [{…}, …]}            tables by name, put together by a script
    {"name": …, "hostIdentifier": …, "columns": {…}, "action": "added"}          a line of the results log
    {"name": …, "hostIdentifier": …, "diffResults": {"added": […], "removed": […]}}
    {"name": …, "hostIdentifier": …, "snapshot": [{…}, …]}
    {"host": "…", "rows": [{…}, …]}                              a line of `fleetctl query`
    {"host": {"hostname": …, "software": [{…}, …]}}              answers of Fleet's API

Of each query of a host the last state counts: a snapshot replaces the one before it, added and removed rows accumulate,
and a higher epoch starts anew. A query that the log says nothing of again keeps its rows. Several files of one host are
one host; their order is that of the times in them.

References:
    https://osquery.io/schema/; https://osquery.readthedocs.io/en/stable/deployment/logging/ (results log),
    …/deployment/configuration/ (`schedule_epoch`, decorations); https://fleetdm.com/docs/using-fleet/fleetctl-cli,
    https://fleetdm.com/docs/rest-api/rest-api
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from phaseout.inventories import delimited
from phaseout.inventories.delimited import Heading, heading_of
from phaseout.inventories.device_apps import NOT_LISTED, PHONES, is_personal
from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, moment, platform_of, text
from phaseout.inventories.osquery_tables import FLEET_SOFTWARE, HEADS, TABLES, Columns, Table, says_software, table_of
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, HostInfo, IdentityKind, Inventory, Item, Kind, Platform, Problem
from phaseout.model.recording import PROBLEMS
from phaseout.parsers.encodings.identity import identities

_LIMITS = "no table that was given shows these"
_ROWS = 2_000_000  # of all hosts together
_DEPTH = 4  # of answers within answers
_HOSTS = ("Host", "host_display_name", "host_hostname", "hostname", "Hostname", "HOSTNAME", "host_name")
_FLEET = frozenset(("Last fetched", *_HOSTS))

_WRAPPERS = ("json", "osquery", "message")  # where log shippers put a line of the log
_FOREIGN = frozenset(("schema", "bomFormat", "spdxVersion", "@context", "artifacts"))
_LISTS = ("software", "software_titles")  # of all hosts together
_REPORTS = frozenset(("query_id", "report_clipped", "summary"))

_Row = dict[str, Any]
_Key = frozenset[tuple[str, str]]


def fits(document: Document) -> bool:
    """JSON or CSV of one of the shapes above, with a known table or a host beside its rows."""
    members = document.members()
    if not members:
        empty_list = document.by_line is not None and not document.no_json and document.start.lstrip()[:1] == b"["
        return empty_list or heading_of(document, lambda heading: _is_table(document, heading)) is not None
    return _shape(members) != "" or (
        document.start.lstrip()[:1] == b"[" and table_of(document.stem, members.keys()) is not None
    )


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each host, in the order of their names."""
    hosts = Hosts()
    hosts.take(document)
    yield from hosts.inventories()
    if hosts.empty:
        yield Problem(document.name, "no rows, and no table is named: no host is clean by that", "missing")


def first_time(document: Document) -> float:
    """The time of the first line, in seconds since 1970: files of one host come in any order."""
    try:
        return float(msgspec.json.decode(document.members().get("unixTime", b"0"), type=float | str))
    except (*JSON_ERRORS, ValueError):
        return 0.0


def _shape(members: Mapping[str, msgspec.Raw]) -> str:
    """Which of the shapes above a JSON object has; empty for all others."""
    names = members.keys()
    if "hostIdentifier" in names and names & {"columns", "snapshot", "diffResults"}:
        return "result"
    if "host" in names and names & {"rows", "error"}:
        return "fleetctl"
    if names & _FOREIGN:
        return ""
    if _is_answer(members):
        return "answer"
    if names & (TABLES.keys() | HEADS):
        return "tables"
    return "wrapped" if any(b"hostIdentifier" in bytes(members.get(name, b"")) for name in _WRAPPERS) else ""


def _is_answer(members: Mapping[str, msgspec.Raw]) -> bool:
    """Whether it is an answer of Fleet's API."""
    names = members.keys()
    for name in ("host", "spec"):  # the second as `fleetctl get host` prints it
        if name in names:
            return b'"software"' in bytes(members[name])
    if not names.isdisjoint(_LISTS):
        return bool(names & {"count", "meta", "counts_updated_at"})
    return bool(names & {"hosts", "live_query_results"} or ("results" in names and names & _REPORTS))


class _Result(Struct):
    """A line of a results log, or of Fleet."""

    name: str | None = ""
    hostIdentifier: Any = ""  # noqa: N815  (osquery's own spelling)
    hostname: Any = ""
    host_uuid: Any = ""
    unixTime: Any = ""  # noqa: N815
    epoch: Any = 0
    action: str | None = ""
    columns: _Row | None = None
    snapshot: list[_Row] | str | None = None
    diffResults: "_Difference | str | None" = None  # noqa: N815
    decorations: _Row | None = None
    host: Any = ""
    rows: list[_Row] | None = None
    error: Any = ""


class _Difference(Struct):
    added: list[_Row] | str | None = None
    removed: list[_Row] | str | None = None


class _Query:
    """The present rows of one query of one host."""

    def __init__(self) -> None:
        self.rows: dict[_Key, tuple[str | None, str]] = {}  # row → table, place
        self.asked: set[str] = set()  # tables that it has read, whatever came of it
        self._epoch: int | None = None
        self._taken = 0

    def snapshot(self, at: int) -> bool:
        """Starts a snapshot, or goes on with that of the same time; false if a later one is known."""
        if at < self._taken:
            return False
        if at > self._taken or not at:
            self.rows.clear()
        self._taken = at
        return True

    def differential(self, epoch: int) -> None:
        """Starts anew with a higher epoch. Counter 0 alone says nothing: it also follows a change of the query."""
        if self._epoch is not None and epoch > self._epoch:
            self.rows.clear()
        self._epoch = epoch if self._epoch is None else max(epoch, self._epoch)


class _Host:
    """What was said of one host so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.latest = 0
        self.raw_identity: dict[IdentityKind, str] = {}
        self.info: Columns = {}  # out of Fleet's answers
        self.private = False  # a personal phone whose apps are not asked for
        self._queries: dict[str, _Query] = {}
        self._heads: dict[str, Columns] = {}
        self._unknown = Rows("osquery")
        self._tables: dict[tuple[str, frozenset[str]], str | None] = {}

    def query(self, name: str, *, table: str | None = None) -> _Query:
        """The rows of a query; a table that it names, or that is known, counts as asked."""
        query = self._queries.setdefault(name, _Query())
        found = table or table_of(name, ())
        if found is not None:
            query.asked.add(found)
        return query

    def problem(self, where: str, why: str) -> None:
        """Notes what osquery itself could not do."""
        self._unknown.problem(Problem(where, why, "error"))

    def take(self, where: str, name: str, row: _Row, *, removed: bool = False, table: str | None = None) -> None:
        """Adds a row of a query, or takes it away."""
        columns = {column: text(value) for column, value in row.items() if column not in _FLEET or column == "hostname"}
        named = (name, frozenset(columns))
        if table is None:
            if named not in self._tables:
                self._tables[named] = table_of(name, columns) or _by_source(columns)
            table = self._tables[named]
        if table is not None and table in HEADS:
            if columns and not removed:
                self._heads[table] = columns
            return
        query = self._queries.setdefault(name, _Query())
        if table is not None:
            query.asked.add(table)
        if not columns:
            return
        key = frozenset(columns.items())
        if removed:
            query.rows.pop(key, None)
        else:
            query.rows.setdefault(key, (table, where))

    def inventory(self) -> Inventory:
        """The host as it was after the last row."""
        tables: dict[str, dict[_Key, str]] = {name: {} for query in self._queries.values() for name in query.asked}
        for query in self._queries.values():
            for row, (name, where) in query.rows.items():
                if name is not None:
                    tables.setdefault(name, {}).setdefault(row, where)
                elif says_software(columns := dict(row)):
                    shown = ", ".join(sorted(columns)[:6])
                    self._unknown.damaged(where, f"columns {shown} fit no table: name the query after its table")
                else:
                    self._unknown.leave_out("of a table without software")
        sources: list[Rows] = []
        for table in sorted(tables):
            rows = Rows(f"osquery {table}")
            sources.append(rows)
            if self.private and TABLES[table].platform in PHONES:
                rows.leave_out("an app on a personal phone or tablet", len(tables[table]))
                continue
            for row, where in tables[table].items():
                _add(rows, TABLES[table], where, dict(row))
        unknown = self._unknown.run()
        if unknown.rows or unknown.problems:
            sources.append(self._unknown)
        system, release = self._heads.get("system_info", {}), self._heads.get("os_version", {}) or self.info
        platform = platform_of(release.get("platform", ""), release.get("name", "")) or _platform(tables, sources)
        shown_kinds: set[Kind] = {TABLES[name].kind for name in tables}
        return inventory(
            HostInfo(
                name=system.get("hostname", "") or system.get("computer_name", "") or self.name,
                platform=platform,
                os=release.get("name", ""),
                os_version=release.get("version", ""),
                arch=release.get("arch", ""),
                identity=identities(self._raw_identity(system, platform)),
            ),
            f"osquery {self._heads.get('osquery_info', {}).get('version', '')}".strip(),
            moment(self.latest) if self.latest else "",
            sources,
            shown_kinds,
            _LIMITS,
            (NOT_LISTED,) if self.private else (),
        )

    def _raw_identity(self, system: Columns, platform: Platform) -> Iterator[tuple[IdentityKind, str]]:
        uuid: IdentityKind = "ioplatform_uuid" if platform == "macos" else "smbios_uuid"
        yield uuid, system.get("uuid", "")
        yield "serial", system.get("hardware_serial", "")
        if platform not in ("android", "ios"):
            yield uuid, self.info.get("uuid", "")
        else:
            yield "device_id", self.info.get("uuid", "")
        yield "serial", self.info.get("hardware_serial", "")


def _platform(tables: Iterable[str], sources: Iterable[Rows]) -> Platform:
    """The system that has these tables, or these paths."""
    known = (TABLES[name].platform for name in sorted(tables))
    drives = any(item.path[1:3] == ":\\" for rows in sources for item in rows.items)
    return next((platform for platform in known if platform is not None), "windows" if drives else "linux")


class Hosts:
    """The hosts of one or several documents."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self._count = 0
        self._broken: list[Problem] = []

    @property
    def empty(self) -> bool:
        """Whether nothing was said of any host."""
        return not self._hosts and not self._broken

    def inventories(self) -> Iterator[Inventory | Problem]:
        """Each host, in the order of their names, after the first line that is no result."""
        for problem in self._broken[:1]:
            more = f" (and {counted(len(self._broken) - 1, 'more line')})" if len(self._broken) > 1 else ""
            yield Problem(problem.where, problem.why + more, problem.cause)
        for key in sorted(self._hosts):
            yield self._hosts[key].inventory()

    def take(self, document: Document) -> None:
        """Takes all rows of a document.

        Raises:
            BrokenError: there are more than anybody has.
        """
        if not document.members() and document.start.lstrip()[:1] not in (b"[", b"{"):
            self._csv(document)
            return
        for where, value in document.values(lists=True):
            try:
                self._value(document, where, value, _DEPTH)
            except JSON_ERRORS as error:
                self._damaged(where, f"no result of osquery: {error}")

    def _host(self, name: str) -> _Host:
        """The host of that name, in whatever letters."""
        return self._hosts.setdefault(name.casefold(), _Host(name))

    def _counted(self, where: str) -> None:
        self._count += 1
        if self._count > _ROWS:
            raise BrokenError(where, f"more than {_ROWS:,} rows", "limit")

    def _value(self, document: Document, where: str, value: msgspec.Raw, depth: int) -> None:
        if bytes(value).lstrip()[:1] == b"[":
            self._list(document, where, value, depth)
            return
        members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        shape = _shape(members)
        if shape == "tables":
            self._tables(document, where, members)
        elif shape == "answer" and depth:
            self._answer(document, where, members, depth)
        elif shape == "wrapped" and depth:
            self._wrapped(document, where, members, depth)
        else:
            self._result(document, where, value)

    def _list(self, document: Document, where: str, value: msgspec.Raw, depth: int) -> None:
        """Rows of one table, or results one after the other."""
        values = msgspec.json.decode(value, type=list[msgspec.Raw])
        first = msgspec.json.decode(values[0], type=dict[str, msgspec.Raw] | None) if values else None
        if first and depth and _shape(first):
            for number, one in enumerate(values):
                self._value(document, f"{where}[{number}]", one, depth - 1)
            return
        for row in self._each(where, value):
            self._counted(where)
            self._host(document.stem).take(where, document.stem, row)

    def _tables(self, document: Document, where: str, members: Mapping[str, msgspec.Raw]) -> None:
        name = document.stem
        heads = {head: _rows(members[head]) for head in HEADS if head in members}
        for head in ("osquery_info", "system_info"):
            for row in heads.get(head, [])[:1]:
                name = text(row.get("hostname")) or text(row.get("computer_name")) or name
        host = self._host(name)
        for table, rows in members.items():
            if bytes(rows).lstrip()[:1] != b"[" and bytes(rows) != b"null":
                continue  # a member that a script put beside the tables
            if table in TABLES:
                host.query(table)
            for row in self._each(where, rows):
                self._counted(where)
                host.take(where, table, row)

    def _each(self, where: str, rows: msgspec.Raw) -> Iterator[_Row]:
        """The rows of a list. What is no row costs itself."""
        try:
            yield from _rows(rows)
        except JSON_ERRORS:
            for number, row in enumerate(_raw_list(rows)):
                try:
                    yield msgspec.json.decode(row, type=_Row)
                except JSON_ERRORS as error:
                    self._damaged(f"{where}[{number}]", f"no row: {error}")

    def _damaged(self, where: str, why: str) -> None:
        """Notes what could not be read; of very many, that there are more."""
        if len(self._broken) < PROBLEMS:
            self._broken.append(Problem(where, why, "damaged"))
        elif len(self._broken) == PROBLEMS:
            self._broken.append(Problem(where, f"{why}; more that follow are not listed", "limit"))

    def _answer(self, document: Document, where: str, members: Mapping[str, msgspec.Raw], depth: int) -> None:
        """An answer of Fleet's API: hosts with their software, or results with their hosts."""
        for name in ("host", "spec"):
            if name in members and bytes(members[name])[:1] == b"{":
                self._fleet_host(document, where, members[name])
                return
        for name in _LISTS:
            if name in members:
                self._software(where, self._host(document.stem), members[name])
        for name in ("hosts", "live_query_results"):
            for number, one in enumerate(_raw_list(members.get(name))):
                if name == "hosts":
                    self._fleet_host(document, f"{where}: hosts[{number}]", one)
                else:
                    inner = msgspec.json.decode(one, type=dict[str, msgspec.Raw])
                    self._answer(document, f"{where}: {name}[{number}]", inner, depth - 1)
        for number, one in enumerate(_raw_list(members.get("results"))):
            self._fleet_result(document, f"{where}: results[{number}]", one)

    def _fleet_host(self, document: Document, where: str, value: msgspec.Raw) -> None:
        row = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        known = {name: text(_plain(row.get(name))) for name in _FLEET_INFO}
        name = known["hostname"] or known["display_name"] or known["computer_name"] or document.stem
        host = self._host(name)
        host.info = {
            "platform": known["platform"],
            "name": known["os_version"],
            "uuid": known["uuid"],
            "hardware_serial": known["hardware_serial"],
        }
        mdm = _plain(row.get("mdm"))
        owner = text(mdm.get("enrollment_status")) if isinstance(mdm, dict) else ""
        host.private = is_personal(owner) and platform_of(known["platform"]) in PHONES and not document.personal_apps
        if "software" in row:
            self._software(where, host, row["software"])

    def _software(self, where: str, host: _Host, value: msgspec.Raw) -> None:
        for number, row in enumerate(_rows(value)):
            self._counted(where)
            source = text(row.get("source"))
            table = source if source in TABLES else FLEET_SOFTWARE
            for columns in _versions(row):
                host.take(f"{where}: software[{number}]", f"software {source}", columns, table=table)

    def _fleet_result(self, document: Document, where: str, value: msgspec.Raw) -> None:
        """A result of a report or a live query; `host_name`, or a host with its `hostname`."""
        row = msgspec.json.decode(value, type=_Row)
        inner = row.get("host")
        names = (row.get("host_name"), row.get("hostname"), inner.get("hostname") if isinstance(inner, dict) else inner)
        name = next((found for found in map(text, names) if found), "")
        name = name or (f"host {text(row.get('host_id'))}" if "host_id" in row else document.stem)
        host = self._host(name)
        if row.get("error"):
            host.problem(where, text(row["error"]) or "the query failed")
        columns, rows = row.get("columns"), row.get("rows")
        for one in [columns] if isinstance(columns, dict) else rows if isinstance(rows, list) else []:
            self._counted(where)
            if isinstance(one, dict):
                host.take(where, document.stem, one)

    def _wrapped(self, document: Document, where: str, members: Mapping[str, msgspec.Raw], depth: int) -> None:
        """A line of a log shipper that carries a line of osquery's log, as a string or as an object."""
        for name in _WRAPPERS:
            inner = members.get(name)
            if inner is None or b"hostIdentifier" not in bytes(inner):
                continue
            if bytes(inner)[:1] == b'"':
                inner = msgspec.Raw(msgspec.json.decode(inner, type=str).encode())
            self._value(document, where, inner, depth - 1)
            return

    def _result(self, document: Document, where: str, value: msgspec.Raw) -> None:
        found = msgspec.json.decode(value, type=_Result)
        decorations = found.decorations or {}
        names = (decorations.get("hostname"), found.hostname, found.hostIdentifier, found.host)
        host = self._host(next((name for name in map(text, names) if name), document.stem))
        at, epoch = _number(found.unixTime), _number(found.epoch)
        host.latest = max(host.latest, at)
        name = found.name or ("" if found.rows is None else document.stem)
        if found.error:
            host.problem(where, text(found.error) or "the query failed")
        if found.action == "snapshot" and found.columns is not None:  # one line for each row of a snapshot
            if host.query(name).snapshot(at):
                self._counted(where)
                host.take(where, name, found.columns)
        elif found.columns is not None:
            host.query(name).differential(epoch)
            self._counted(where)
            host.take(where, name, found.columns, removed=found.action == "removed")
        elif found.snapshot is not None:
            if host.query(name).snapshot(at):
                self._all(host, where, name, found.snapshot)
        elif isinstance(found.diffResults, _Difference):
            host.query(name).differential(epoch)
            self._all(host, where, name, found.diffResults.removed, removed=True)
            self._all(host, where, name, found.diffResults.added)
        elif found.rows is not None:
            self._all(host, where, name, found.rows)
        elif not (found.error or found.host):
            raise msgspec.ValidationError("neither columns, snapshot nor rows")

    def _all(self, host: _Host, where: str, name: str, rows: list[_Row] | str | None, *, removed: bool = False) -> None:
        for row in rows if isinstance(rows, list) else ():
            self._counted(where)
            host.take(where, name, row, removed=removed)

    def _csv(self, document: Document) -> None:
        """CSV of the shell, with a heading for each query, or of Fleet, with a column for the host."""
        found = delimited.table(document, lambda heading: _is_table(document, heading))
        if found is None:
            return
        heading, lines = found
        if heading.names[0] not in _HOSTS:
            self._host(document.stem)
        for row in lines:
            where = f"{document.name}:{row.line}"
            if _is_table(document, Heading(heading.delimiter, tuple(row.fields))):  # the next query
                heading = Heading(heading.delimiter, tuple(row.fields))
                continue
            self._counted(where)
            columns: _Row = dict(zip(heading.names, row.fields, strict=False))
            is_head = table_of(document.stem, columns) in HEADS
            named = [text(columns.get(name)) for name in _HOSTS if name in columns and not is_head]
            host = self._host(next((name for name in named if name), document.stem))
            if row.wrong or len(row.fields) > len(heading.names):
                host.problem(where, row.wrong)
            host.take(where, document.stem, columns)


_FLEET_INFO = ("hostname", "display_name", "computer_name", "platform", "os_version", "uuid", "hardware_serial")


def _is_table(document: Document, heading: Heading) -> bool:
    """Whether the columns are those of a table of osquery, in its own letters."""
    names = frozenset(heading.names) - _FLEET
    if not names or not all(name.islower() or name.isdigit() for name in names):
        return False
    return table_of(document.stem, names) is not None or (says_software(names) and "source" in names)


def _by_source(columns: Columns) -> str | None:
    """The table that Fleet names beside each program."""
    source = columns.get("source", "")
    return source if source in TABLES else None


def _versions(row: _Row) -> Iterator[_Row]:
    """The columns of a program as Fleet lists it: once, or once for each version that is installed."""
    vendor = row.get("vendor")
    paths = row.get("installed_paths")
    common = {
        "name": row.get("name"),
        "bundle_identifier": row.get("bundle_identifier"),
        "identifier": row.get("extension_id"),
        "browser_type": row.get("browser"),
        **dict.fromkeys(("maintainer", "publisher", "author", "vendor"), vendor),
    }
    versions = row.get("installed_versions") or row.get("versions")
    for one in versions if isinstance(versions, list) and versions else [{**row, "installed_paths": paths}]:
        if isinstance(one, dict):
            places = one.get("installed_paths")
            path = places[0] if isinstance(places, list) and places else ""
            yield {**common, "version": one.get("version"), "path": path, "install_location": path}


def _rows(value: msgspec.Raw) -> list[_Row]:
    return msgspec.json.decode(value, type=list[_Row] | None) or []


def _raw_list(value: msgspec.Raw | None) -> list[msgspec.Raw]:
    return (msgspec.json.decode(value, type=list[msgspec.Raw] | None) or []) if value is not None else []


def _plain(value: msgspec.Raw | None) -> Any:
    return msgspec.json.decode(value) if value is not None else ""


def _number(value: Any) -> int:
    try:
        return int(float(text(value)))
    except (ValueError, OverflowError):
        return 0


def _add(rows: Rows, about: Table, where: str, columns: Columns) -> None:
    fields = about.make(columns)
    if fields is None:
        rows.leave_out("known but not installed")
        return
    if not fields.get("name"):
        rows.damaged(where, "a row without a name")
        return
    rows.add(
        Item(
            kind=about.kind,
            source=rows.source,
            evidence=(Evidence(where, fields["name"]),),
            **{key: value for key, value in fields.items() if value},
        )
    )
