"""Results of osquery: what `osqueryi --json` prints, osqueryd's results log, and what Fleet hands out.

The tables are told by the names of the queries, and where these say nothing, by the columns.

    [{…}, …]                                                     rows of one table: `osqueryi --json`
    {"deb_packages": [{…}, …], "processes": [{…}, …]}            tables by name, put together by a script
    {"name": …, "hostIdentifier": …, "columns": {…}, "action": "added"}          a line of the results log
    {"name": …, "hostIdentifier": …, "diffResults": {"added": […], "removed": […]}}
    {"name": …, "hostIdentifier": …, "snapshot": [{…}, …]}
    {"host": "…", "rows": [{…}, …]}                              a line of `fleetctl query`

References:
    https://osquery.io/schema/; https://osquery.readthedocs.io/en/stable/deployment/logging/ (results log);
    https://fleetdm.com/docs/using-fleet/fleetctl-cli
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.inventories.inventory_builder import Rows, inventory, kept, moment, platform_of, text
from phaseout.model.nouns import Evidence, HostInfo, IdType, Inventory, Item, Kind, Platform, Problem, State
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.parsers.windows.packed_guid import guid

_LIMITS = "no table that was given shows these"
_ROWS = 2_000_000  # of a document, all hosts together

_Row = dict[str, Any]
_Columns = dict[str, str]


class _Table(NamedTuple):
    """One table: what its rows are, on which system only, and the columns by which it is told without its name."""

    kind: Kind
    make: Callable[[_Columns], dict[str, Any] | None]
    columns: frozenset[str]
    platform: Platform | None = None


def fits(document: Document) -> bool:
    """JSON of one of the shapes above, with a table that is known or a host beside its rows."""
    members = document.members()
    if not members:
        return document.by_line is not None and not document.no_json and document.start.lstrip()[:1] == b"["
    names = members.keys()
    if "hostIdentifier" in names and names & {"columns", "snapshot", "diffResults"}:
        return True
    if {"host", "rows"} <= names or names & (_TABLES.keys() | _HEADS):
        return True
    return document.start.lstrip()[:1] == b"[" and _table_of(frozenset(names)) is not None


def read(document: Document) -> Iterator[Inventory | Problem]:
    """An inventory for each host, in the order of their names."""
    hosts: dict[str, _Host] = {}
    count = 0
    broken: list[Problem] = []
    for where, value in _values(document):
        try:
            for host, table, row, removed in _rows_of(document, where, value):
                count += 1
                if count > _ROWS:
                    raise BrokenError(where, f"more than {_ROWS:,} rows")
                hosts.setdefault(host, _Host()).take(where, table, row, removed=removed)
        except JSON_ERRORS as error:
            broken.append(Problem(where, f"no result of osquery: {error}"))
    for problem in broken[:1]:
        more = f" (and {len(broken) - 1} more lines)" if len(broken) > 1 else ""
        yield Problem(problem.where, problem.why + more)
    for name in sorted(hosts):
        yield hosts[name].inventory(name)
    if not hosts and not broken:
        yield Problem(document.name, "no rows, and no table is named: a host is never clean by that")


class _Result(Struct):
    """A line of a results log, or of Fleet."""

    name: str = ""
    hostIdentifier: Any = ""  # noqa: N815  (osquery's own spelling)
    unixTime: Any = ""  # noqa: N815
    action: str = ""
    columns: _Row | None = None
    snapshot: list[_Row] | None = None
    diffResults: "_Difference | str | None" = None  # noqa: N815
    decorations: _Row = {}
    host: Any = ""
    rows: list[_Row] | None = None


class _Difference(Struct):
    added: list[_Row] | str = []
    removed: list[_Row] | str = []


def _values(document: Document) -> Iterator[tuple[str, msgspec.Raw]]:
    """The values; a list is one table, so it stays whole."""
    if document.start.lstrip()[:1] == b"[" and not document.by_line:
        yield document.name, msgspec.Raw(document.whole())
    else:
        for number, line in document.lines() if document.by_line else ((0, document.whole()),):
            yield f"{document.name}:{number}" if number else document.name, msgspec.Raw(line)


def _rows_of(document: Document, where: str, value: msgspec.Raw) -> Iterator[tuple[str, str, _Row, bool]]:
    """Host, table (or the name of a query, or nothing), row, and whether it is gone."""
    if bytes(value).lstrip()[:1] == b"[":
        rows = msgspec.json.decode(value, type=list[_Row])
        for row in rows:
            yield document.stem, "", row, False
        return
    members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    if members.keys() & (_TABLES.keys() | _HEADS) and "hostIdentifier" not in members:
        host = document.stem
        for name in ("system_info", "osquery_info"):
            for row in msgspec.json.decode(members.get(name, b"[]"), type=list[_Row])[:1]:
                host = text(row.get("hostname")) or text(row.get("computer_name")) or host
        for name, rows_of_table in members.items():
            yield host, name, {}, False  # the table was asked, whatever came of it
            for row in msgspec.json.decode(rows_of_table, type=list[_Row]):
                yield host, name, row, False
        return
    found = msgspec.json.decode(value, type=_Result)
    host = text(found.decorations.get("hostname")) or text(found.hostIdentifier) or text(found.host) or document.stem
    if found.unixTime:
        yield host, "time", {"unix_time": found.unixTime}, False
    if found.columns is not None:
        yield host, found.name, found.columns, found.action == "removed"
    for row in found.snapshot or found.rows or ():
        yield host, found.name, row, False
    if isinstance(found.diffResults, _Difference):
        difference = found.diffResults
        for row in difference.removed if isinstance(difference.removed, list) else ():
            yield host, found.name, row, True
        for row in difference.added if isinstance(difference.added, list) else ():
            yield host, found.name, row, False
    elif found.columns is None and found.snapshot is None and found.rows is None:
        raise msgspec.ValidationError(f"{where} holds neither columns, snapshot nor rows")


class _Host:
    """What was said of one host so far: a row that a later line takes back is none."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[frozenset[tuple[str, str]], str]] = {}  # table → row → place
        self._heads: dict[str, _Columns] = {}
        self._unknown = Rows("osquery")
        self._names: dict[tuple[str, frozenset[str]], str | None] = {}
        self._latest = 0

    def take(self, where: str, query: str, row: _Row, *, removed: bool) -> None:
        """Adds a row, or takes it away."""
        if query == "time":
            if (time := text(row.get("unix_time"))).isdigit():
                self._latest = max(self._latest, int(time))
            return
        columns = {name: text(value) for name, value in row.items()}
        named = (query, frozenset(columns))
        if named not in self._names:
            self._names[named] = _named(query) or _table_of(frozenset(columns))
        table = self._names[named]
        if table is None:
            if not columns.keys() >= _SOFTWARE or columns.keys() & _FOREIGN:
                self._unknown.leave_out("of a table without software")
            else:
                shown = ", ".join(sorted(columns)[:6])
                self._unknown.damaged(where, f"columns {shown} say no table: name the query after its table")
        elif table in _HEADS:
            if columns and not removed:
                self._heads[table] = columns
        else:
            rows = self._rows.setdefault(table, {})
            if columns:
                key = frozenset(columns.items())
                if removed:
                    rows.pop(key, None)
                else:
                    rows.setdefault(key, where)

    def inventory(self, name: str) -> Inventory:
        """The host as it was after the last row."""
        sources: list[Rows] = []
        shown: set[Kind] = set()
        platforms: list[Platform] = []
        for table in sorted(self._rows):
            about = _TABLES[table]
            rows = Rows(f"osquery {table}")
            sources.append(rows)
            shown.add(about.kind)
            if about.platform is not None:
                platforms.append(about.platform)
            for row, where in self._rows[table].items():
                _add(rows, about, where, dict(row))
        if self._unknown.rows:
            sources.append(self._unknown)
        system, release = self._heads.get("system_info", {}), self._heads.get("os_version", {})
        told = platform_of(release.get("platform", ""), release.get("name", ""))
        return inventory(
            HostInfo(
                name=system.get("hostname", "") or system.get("computer_name", "") or name,
                platform=told or (platforms[0] if platforms else "linux"),
                os=release.get("name", ""),
                os_version=release.get("version", ""),
                arch=release.get("arch", ""),
            ),
            f"osquery {self._heads.get('osquery_info', {}).get('version', '')}".strip(),
            moment(self._latest or self._heads.get("time", {}).get("unix_time", "")),
            sources,
            shown,
            _LIMITS,
        )


def _add(rows: Rows, table: _Table, where: str, columns: _Columns) -> None:
    fields = table.make(columns)
    if fields is None:
        rows.leave_out("known but not installed")
        return
    if not fields.get("name"):
        rows.damaged(where, "a row without a name")
        return
    rows.add(
        Item(
            kind=table.kind,
            source=rows.source,
            evidence=(Evidence(where, fields["name"]),),
            **{key: value for key, value in fields.items() if value},
        )
    )


def _named(query: str) -> str | None:
    """The table that the name of a query holds, the longest of them: `pack/fleet/windows_drivers_daily`."""
    lower = query.lower().replace("-", "_").replace(" ", "_")
    found = [table for table in (*_TABLES, *_HEADS) if table in lower]
    if found:
        return max(found, key=len)
    return next((table for part, table in _ALIASES.items() if part in lower), None)


def _table_of(columns: frozenset[str]) -> str | None:
    """The first table whose columns these are."""
    if columns & _FOREIGN:
        return None
    heads = (name for name, wanted in _HEADS.items() if wanted <= columns)
    return next(heads, next((name for name, table in _TABLES.items() if table.columns <= columns), None))


def _ids(**ids: str) -> dict[IdType, str]:
    return kept(**ids)  # type: ignore[return-value]


def _deb(row: _Columns) -> dict[str, Any] | None:
    status = row.get("status", "").split()
    word = status[2] if len(status) == 3 else "installed"
    if word == "not-installed":
        return None
    state: State = "leftover" if word == "config-files" else "installed"
    return _package(row, "deb", maintainer_name(row.get("maintainer", ""))) | {"state": state}


def _rpm(row: _Columns) -> dict[str, Any]:
    epoch, release = row.get("epoch", ""), row.get("release", "")
    version = row.get("version", "") + (f"-{release}" if release else "")
    version = f"{epoch}:{version}" if epoch not in ("", "0", "null") else version
    return _package(row | {"version": version}, "rpm", row.get("vendor", ""))


def _package(row: _Columns, kind: str, vendor: str) -> dict[str, Any]:
    name, version, arch = row.get("name", "") or row.get("package", ""), row.get("version", ""), row.get("arch", "")
    return {
        "name": name,
        "version": version,
        "vendor": vendor,
        "ids": _ids(purl=purl(kind, name, version, arch=arch)),
        "details": kept(arch=arch, status=row.get("status", "")),
    }


def _library(kind: str) -> Callable[[_Columns], dict[str, Any]]:
    def make(row: _Columns) -> dict[str, Any]:
        name = row.get("name", "")
        return {
            "name": name,
            "version": row.get("version", ""),
            "vendor": row.get("author", ""),
            "path": row.get("path", "") or row.get("directory", ""),
            "ids": _ids(purl=purl(kind, name, row.get("version", ""))),
        }

    return make


def _program(row: _Columns) -> dict[str, Any]:
    return {
        "name": row.get("name", ""),
        "version": row.get("version", ""),
        "vendor": row.get("publisher", "") or row.get("author", ""),
        "path": row.get("install_location", "") or row.get("path", ""),
        "ids": _ids(
            product_code=guid(row.get("identifying_number", "")),
            upgrade_code=guid(row.get("upgrade_code", "")),
            registry_key=row.get("identifying_number", ""),
            package_family=row.get("package_family_name", ""),
        ),
        "details": kept(uninstall=row.get("uninstall_string", ""), installed=row.get("install_date", "")),
    }


def _app(row: _Columns) -> dict[str, Any]:
    return {
        "name": row.get("display_name", "") or row.get("name", "").removesuffix(".app"),
        "version": row.get("bundle_short_version", "") or row.get("bundle_version", "") or row.get("version", ""),
        "path": row.get("path", ""),
        "ids": _ids(bundle_id=row.get("bundle_identifier", "")),
        "details": kept(copyright=row.get("copyright", ""), executable=row.get("bundle_executable", "")),
    }


def _process(row: _Columns) -> dict[str, Any]:
    path = row.get("path", "")
    return {
        "name": row.get("name", "") or path.replace("\\", "/").rpartition("/")[2],
        "state": "running",
        "path": path,
        "command": row.get("cmdline", ""),
        "user": row.get("username", "") or row.get("uid", ""),
        "details": kept(pid=row.get("pid", ""), started=row.get("start_time", "")),
    }


def _service(row: _Columns) -> dict[str, Any]:
    running = row.get("status", "").upper() == "RUNNING"
    command = row.get("path", "")
    return {
        "name": row.get("name", ""),
        "state": "running" if running else "installed",
        "path": row.get("module_path", "") or _executable(command),
        "command": command,
        "user": row.get("user_account", ""),
        "details": kept(
            display_name=row.get("display_name", ""),
            start_type=row.get("start_type", ""),
            description=row.get("description", ""),
        ),
    }


def _executable(command: str) -> str:
    if command.startswith('"'):
        return command[1:].partition('"')[0]
    end = command.lower().find(".exe")
    return command[: end + 4] if end > 0 else command


def _launchd(row: _Columns) -> dict[str, Any]:
    return {
        "name": row.get("label", "") or row.get("name", ""),
        "path": row.get("program", "") or row.get("program_arguments", "").partition(" ")[0],
        "command": row.get("program_arguments", ""),
        "user": row.get("username", ""),
        "details": kept(plist=row.get("path", "")),
    }


def _systemd(row: _Columns) -> dict[str, Any]:
    return {
        "name": row.get("id", ""),
        "state": "running" if row.get("active_state") == "active" else "installed",
        "path": row.get("fragment_path", "") or row.get("source_path", ""),
        "user": row.get("user", ""),
        "details": kept(description=row.get("description", "")),
    }


def _startup(row: _Columns) -> dict[str, Any]:
    return {
        "name": row.get("name", ""),
        "path": row.get("path", ""),
        "command": f"{row.get('path', '')} {row.get('args', '')}".strip(),
        "user": row.get("username", ""),
        "details": kept(source=row.get("source", "")),
    }


def _task(row: _Columns) -> dict[str, Any]:
    command = row.get("action", "") or row.get("command", "")
    return {
        "name": row.get("name", "") or row.get("command", ""),
        "path": _executable(row.get("action", "")),
        "command": command,
        "details": kept(path=row.get("path", ""), enabled=row.get("enabled", "")),
    }


def _driver(row: _Columns) -> dict[str, Any]:
    return {
        "name": row.get("service", "") or row.get("device_name", "") or row.get("name", ""),
        "version": row.get("version", ""),
        "vendor": row.get("provider", "") or row.get("manufacturer", ""),
        "path": row.get("image", ""),
        "details": kept(device=row.get("device_name", ""), description=row.get("description", "")),
    }


def _module(row: _Columns) -> dict[str, Any]:
    return {"name": row.get("name", ""), "state": "running", "version": row.get("version", "")}


def _kernel_extension(row: _Columns) -> dict[str, Any]:
    name = row.get("name", "")
    fields = {"name": name, "state": "running", "version": row.get("version", ""), "path": row.get("path", "")}
    return fields | {"ids": _ids(bundle_id=name)}


def _system_extension(row: _Columns) -> dict[str, Any]:
    identifier = row.get("identifier", "")
    return {
        "name": identifier,
        "state": "running" if "activated" in row.get("state", "") else "installed",
        "version": row.get("version", ""),
        "path": row.get("path", "") or row.get("bundle_path", ""),
        "ids": _ids(bundle_id=identifier, team_id=row.get("team", "")),
        "details": kept(state=row.get("state", ""), category=row.get("category", "")),
    }


def _extension(row: _Columns) -> dict[str, Any]:
    identifier = row.get("identifier", "") or row.get("uuid", "")
    return {
        "name": row.get("name", "") or identifier,
        "version": row.get("version", ""),
        "vendor": row.get("author", "") or row.get("creator", "") or row.get("publisher", "") or row.get("vendor", ""),
        "path": row.get("path", ""),
        "user": row.get("username", "") or row.get("uid", ""),
        "ids": _ids(extension_id=identifier),
        "details": kept(browser=row.get("browser_type", ""), profile=row.get("profile", "")),
    }


def _security_product(row: _Columns) -> dict[str, Any]:
    state = "running" if row.get("state", "").lower() == "on" else "installed"
    return {"name": row.get("name", ""), "state": state, "path": row.get("remediation_path", "")}


def _file(row: _Columns) -> dict[str, Any]:
    path = row.get("path", "")
    fields = {"name": path.replace("\\", "/").rstrip("/").rpartition("/")[2], "path": path}
    return fields | {"version": row.get("product_version", "") or row.get("file_version", "")}


def _columns(*names: str) -> frozenset[str]:
    return frozenset(names)


_HEADS: Mapping[str, frozenset[str]] = {
    "system_info": _columns("hostname", "cpu_brand"),
    "os_version": _columns("name", "version", "major", "platform"),
    "osquery_info": _columns("config_hash", "version"),
}
_SOFTWARE = _columns("name", "version")
_FOREIGN = _columns("base_uri", "protocol")  # of tables that share columns with one below
_ALIASES = {"installed_software": "programs", "installed_applications": "apps", "debs": "deb_packages"}
# Told by the columns is the first that fits, so the more telling stand first.
_TABLES: Mapping[str, _Table] = {
    "vscode_extensions": _Table("extension", _extension, _columns("name", "uuid", "publisher")),
    "python_packages": _Table("library", _library("pypi"), _columns("name", "version", "summary", "directory")),
    "npm_packages": _Table("library", _library("npm"), _columns("name", "version", "homepage", "directory")),
    "deb_packages": _Table("package", _deb, _columns("name", "version", "maintainer"), "linux"),
    "rpm_packages": _Table("package", _rpm, _columns("name", "version", "release", "arch"), "linux"),
    "portage_packages": _Table(
        "package", lambda row: _package(row, "ebuild", ""), _columns("package", "version", "slot"), "linux"
    ),
    "homebrew_packages": _Table(
        "package", lambda row: _package(row, "brew", ""), _columns("name", "version", "prefix"), "macos"
    ),
    "chocolatey_packages": _Table(
        "package",
        lambda row: _package(row, "chocolatey", row.get("author", "")),
        _columns("name", "version", "author", "summary", "license", "path"),
        "windows",
    ),
    "programs": _Table("program", _program, _columns("name", "version", "publisher"), "windows"),
    "apps": _Table("app", _app, _columns("name", "bundle_identifier"), "macos"),
    "processes": _Table("process", _process, _columns("name", "pid")),
    "services": _Table("service", _service, _columns("name", "display_name", "start_type"), "windows"),
    "launchd": _Table("service", _launchd, _columns("label", "program_arguments"), "macos"),
    "systemd_units": _Table("service", _systemd, _columns("id", "active_state"), "linux"),
    "startup_items": _Table("task", _startup, _columns("name", "path", "args", "type", "source")),
    "scheduled_tasks": _Table("task", _task, _columns("name", "action"), "windows"),
    "crontab": _Table("task", _task, _columns("command", "minute")),
    "drivers": _Table("driver", _driver, _columns("service", "image"), "windows"),
    "kernel_modules": _Table("driver", _module, _columns("name", "used_by"), "linux"),
    "kernel_extensions": _Table("driver", _kernel_extension, _columns("name", "linked_against"), "macos"),
    "system_extensions": _Table("driver", _system_extension, _columns("identifier", "team"), "macos"),
    "firefox_addons": _Table("extension", _extension, _columns("name", "identifier", "creator")),
    "safari_extensions": _Table("extension", _extension, _columns("name", "identifier", "bundle_version"), "macos"),
    "jetbrains_plugins": _Table("extension", _extension, _columns("name", "product_type", "vendor")),
    "chrome_extensions": _Table("extension", _extension, _columns("name", "identifier", "version")),
    "ie_extensions": _Table("extension", _extension, _columns("name", "registry_path"), "windows"),
    "windows_security_products": _Table(
        "security_product", _security_product, _columns("name", "signatures_up_to_date"), "windows"
    ),
    "file": _Table("file", _file, _columns("path", "filename", "directory", "inode")),
}
