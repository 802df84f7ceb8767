"""The tables of osquery that list software: how each is recognised, and what its rows become.

A table is recognised by its columns, and by the name of its query where the columns leave a choice: a query may have
any name, but no other table has these columns.

References:
    https://osquery.io/schema/; https://fleetdm.com/docs/rest-api/rest-api (`software[].source` names a table)
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from phaseout.inventories.inventory_builder import kept, program_of
from phaseout.model.nouns import IdType, Kind, Platform, State
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.parsers.windows.packed_guid import guid

Columns = dict[str, str]


class Table(NamedTuple):
    """One table.

    Attributes:
        kind: of its items.
        make: the fields of an item; `None` for a row that is not installed.
        columns: by which it is recognised without its name.
        platform: the only one that has it.
        row: the columns without one of which a row cannot be of this table; those by which it is named.
    """

    kind: Kind
    make: Callable[[Columns], dict[str, Any] | None]
    columns: frozenset[str]
    platform: Platform | None = None
    row: frozenset[str] = frozenset(("name",))


def table_of(query: str, columns: Collection[str]) -> str | None:
    """The table that rows with these columns are of; `None` if it lists no software.

    Args:
        query: the name of the query, or of the file.
        columns: of its rows; none where it had no row.
    """
    shown = frozenset(columns)
    named = _named(query)
    if not shown:
        return named if named in TABLES else None
    if shown & _FOREIGN:
        return None
    fitting = [name for name, wanted in HEADS.items() if wanted <= shown]
    fitting += [name for name, table in TABLES.items() if table.columns <= shown]
    if named in fitting or (named in HEADS and not fitting):
        return named
    if fitting:
        return fitting[0]
    about = TABLES.get(named or "")
    return named if about is not None and shown & about.row else None


def says_software(columns: Collection[str]) -> bool:
    """Whether rows of no known table look like software all the same."""
    return {"name", "version"} <= set(columns) and not _FOREIGN.intersection(columns)


def _named(query: str) -> str | None:
    """The longest name of a table that the name of a query has as words: `pack/fleet/windows_drivers_daily`."""
    words = "_" + _BETWEEN.sub("_", query.lower()) + "_"
    known = (*TABLES, *HEADS, *_OTHERS, *_ALIASES)
    found = max((name for name in known if f"_{name}_" in words), key=len, default=None)
    return _ALIASES.get(found, found) if found is not None else None


def _ids(**ids: str) -> dict[IdType, str]:
    return kept(**ids)  # type: ignore[return-value]


def _deb(row: Columns) -> dict[str, Any] | None:
    status = row.get("status", "").split()
    word = status[2] if len(status) == 3 else "installed"
    if word == "not-installed":
        return None
    state: State = "leftover" if word == "config-files" else "installed"
    return _package(row, "deb", maintainer_name(row.get("maintainer", ""))) | {"state": state}


def _rpm(row: Columns) -> dict[str, Any]:
    epoch, release = row.get("epoch", ""), row.get("release", "")
    version = row.get("version", "") + (f"-{release}" if release else "")
    version = f"{epoch}:{version}" if epoch not in ("", "0", "null") else version
    return _package(row | {"version": version}, "rpm", row.get("vendor", ""))


def _package(row: Columns, kind: str, vendor: str) -> dict[str, Any]:
    name, version, arch = row.get("name", "") or row.get("package", ""), row.get("version", ""), row.get("arch", "")
    return {
        "name": name,
        "version": version,
        "vendor": vendor,
        "ids": _ids(purl=purl(kind, name, version, arch=arch)),
        "details": kept(arch=arch, status=row.get("status", "")),
    }


def _library(kind: str) -> Callable[[Columns], dict[str, Any]]:
    def make(row: Columns) -> dict[str, Any]:
        name = row.get("name", "")
        return {
            "name": name,
            "version": row.get("version", ""),
            "vendor": row.get("author", ""),
            "path": row.get("path", "") or row.get("directory", ""),
            "ids": _ids(purl=purl(kind, name, row.get("version", ""))),
        }

    return make


def _program(row: Columns) -> dict[str, Any]:
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


def _app(row: Columns) -> dict[str, Any]:
    return {
        "name": row.get("display_name", "") or row.get("name", "").removesuffix(".app"),
        "version": row.get("bundle_short_version", "") or row.get("bundle_version", "") or row.get("version", ""),
        "path": row.get("path", ""),
        "ids": _ids(bundle_id=row.get("bundle_identifier", "")),
        "details": kept(copyright=row.get("copyright", ""), executable=row.get("bundle_executable", "")),
    }


def _process(row: Columns) -> dict[str, Any]:
    path = row.get("path", "")
    return {
        "name": row.get("name", "") or path.replace("\\", "/").rpartition("/")[2],
        "state": "running",
        "path": path,
        "command": row.get("cmdline", ""),
        "user": row.get("username", "") or row.get("uid", ""),
        "details": kept(pid=row.get("pid", ""), started=row.get("start_time", "")),
    }


def _service(row: Columns) -> dict[str, Any]:
    running = row.get("status", "").upper() in {"RUNNING", "4"}  # the state of a service, or its number
    command = row.get("path", "")
    return {
        "name": row.get("name", ""),
        "state": "running" if running else "installed",
        "path": row.get("module_path", "") or program_of(command) or command,
        "command": command,
        "user": row.get("user_account", ""),
        "details": kept(
            display_name=row.get("display_name", ""),
            start_type=row.get("start_type", ""),
            description=row.get("description", ""),
        ),
    }


def _launchd(row: Columns) -> dict[str, Any]:
    return {
        "name": row.get("label", "") or row.get("name", ""),
        "path": row.get("program", "") or program_of(row.get("program_arguments", "")),
        "command": row.get("program_arguments", ""),
        "user": row.get("username", ""),
        "details": kept(plist=row.get("path", "")),
    }


def _systemd(row: Columns) -> dict[str, Any]:
    return {
        "name": row.get("id", ""),
        "state": "running" if row.get("active_state") == "active" else "installed",
        "path": row.get("fragment_path", "") or row.get("source_path", ""),
        "user": row.get("user", ""),
        "details": kept(description=row.get("description", "")),
    }


def _startup(row: Columns) -> dict[str, Any]:
    command = f"{row.get('path', '')} {row.get('args', '')}".strip()  # osquery cuts a path at its first blank
    return {
        "name": row.get("name", ""),
        "path": program_of(command) or row.get("path", ""),
        "command": command,
        "user": row.get("username", ""),
        "details": kept(source=row.get("source", "")),
    }


def _task(row: Columns) -> dict[str, Any]:
    command = row.get("action", "") or row.get("command", "")
    return {
        "name": row.get("name", "") or row.get("command", ""),
        "path": program_of(command) or row.get("action", ""),
        "command": command,
        "details": kept(path=row.get("path", ""), enabled=row.get("enabled", "")),
    }


def _driver(row: Columns) -> dict[str, Any]:
    return {
        "name": row.get("service", "") or row.get("device_name", "") or row.get("name", ""),
        "version": row.get("version", ""),
        "vendor": row.get("provider", "") or row.get("manufacturer", ""),
        "path": row.get("image", ""),
        "details": kept(device=row.get("device_name", ""), description=row.get("description", "")),
    }


def _module(row: Columns) -> dict[str, Any]:
    return {"name": row.get("name", ""), "state": "running", "version": row.get("version", "")}


def _kernel_extension(row: Columns) -> dict[str, Any]:
    name = row.get("name", "")
    fields = {"name": name, "state": "running", "version": row.get("version", ""), "path": row.get("path", "")}
    return fields | {"ids": _ids(bundle_id=name)}


def _system_extension(row: Columns) -> dict[str, Any]:
    identifier = row.get("identifier", "")
    return {
        "name": identifier,
        "state": "running" if "activated" in row.get("state", "") else "installed",
        "version": row.get("version", ""),
        "path": row.get("path", "") or row.get("bundle_path", ""),
        "ids": _ids(bundle_id=identifier, team_id=row.get("team", "")),
        "details": kept(state=row.get("state", ""), category=row.get("category", "")),
    }


def _extension(row: Columns) -> dict[str, Any]:
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


def _security_product(row: Columns) -> dict[str, Any]:
    state = "running" if row.get("state", "").lower() == "on" else "installed"
    return {"name": row.get("name", ""), "state": state, "path": row.get("remediation_path", "")}


def _file(row: Columns) -> dict[str, Any]:
    path = row.get("path", "")
    fields = {"name": path.replace("\\", "/").rstrip("/").rpartition("/")[2], "path": path}
    return fields | {"version": row.get("product_version", "") or row.get("file_version", "")}


def _receipt(row: Columns) -> dict[str, Any]:
    identifier = row.get("package_id", "")
    return {
        "name": row.get("package_filename", "").removesuffix(".plist") or identifier,
        "version": row.get("version", ""),
        "ids": _ids(receipt_id=identifier),
        "details": kept(installed=row.get("install_time", "")),
    }


def _phone_app(row: Columns) -> dict[str, Any]:
    return {
        "name": row.get("name", ""),
        "version": row.get("version", ""),
        "vendor": row.get("vendor", ""),
        "ids": _ids(bundle_id=row.get("bundle_identifier", "")),
    }


def _columns(*names: str) -> frozenset[str]:
    return frozenset(names)


HEADS: Mapping[str, frozenset[str]] = {
    "system_info": _columns("hostname", "cpu_brand"),
    "os_version": _columns("name", "version", "major", "platform"),
    "osquery_info": _columns("config_hash", "version"),
}
FLEET_SOFTWARE = "software of Fleet"  # of a source that is no table
_FLEET_ONLY = _columns("only in answers of Fleet")
_BETWEEN = re.compile(r"[^a-z0-9]+")
_FOREIGN = _columns("base_uri", "protocol")  # of tables that share columns with one below
_ALIASES = {"installed_software": "programs", "installed_applications": "apps", "debs": "deb_packages"}
# Tables without software whose names hold that of one with it, or that queries are often named after.
_OTHERS = frozenset(
    (
        *("apt_sources", "chrome_extension_content_scripts", "deb_package_files", "docker_container_processes"),
        *("es_process_events", "etc_hosts", "etc_services", "file_events", "lxd_instances", "ntfs_journal_events"),
        *("open_files", "process_etw_events", "process_events", "process_file_events", "process_memory_map"),
        *("process_open_files", "process_open_sockets", "rpm_package_files", "running_apps", "windows_events"),
        *(
            "bpf_process_events",
            "docker_images",
            "kernel_info",
            "listening_ports",
            "yara_file",
            "es_process_file_events",
        ),
        *("windows_optional_features", "app_schemes", "alf_explicit_auths", "windows_update_history", "carbon_black"),
    )
)
# The first whose columns fit counts, so the most distinctive stand first.
TABLES: Mapping[str, Table] = {
    "vscode_extensions": Table("extension", _extension, _columns("name", "uuid", "publisher")),
    "python_packages": Table("library", _library("pypi"), _columns("name", "version", "summary", "directory")),
    "npm_packages": Table("library", _library("npm"), _columns("name", "version", "homepage", "directory")),
    "deb_packages": Table("package", _deb, _columns("name", "version", "maintainer"), "linux"),
    "rpm_packages": Table("package", _rpm, _columns("name", "version", "release", "arch"), "linux"),
    "portage_packages": Table(
        "package",
        lambda row: _package(row, "ebuild", ""),
        _columns("package", "version", "slot"),
        "linux",
        _columns("package"),
    ),
    "homebrew_packages": Table(
        "package", lambda row: _package(row, "brew", ""), _columns("name", "version", "prefix"), "macos"
    ),
    "chocolatey_packages": Table(
        "package",
        lambda row: _package(row, "chocolatey", row.get("author", "")),
        _columns("name", "version", "author", "summary", "license", "path"),
        "windows",
    ),
    "programs": Table("program", _program, _columns("name", "version", "publisher"), "windows"),
    "apps": Table("app", _app, _columns("name", "bundle_identifier"), "macos"),
    "processes": Table("process", _process, _columns("name", "pid")),
    "services": Table("service", _service, _columns("name", "display_name", "start_type"), "windows"),
    "launchd": Table("service", _launchd, _columns("label", "program_arguments"), "macos", _columns("label", "name")),
    "systemd_units": Table("service", _systemd, _columns("id", "active_state"), "linux", _columns("id")),
    "startup_items": Table("task", _startup, _columns("name", "path", "args", "type", "source")),
    "scheduled_tasks": Table("task", _task, _columns("name", "action"), "windows"),
    "crontab": Table("task", _task, _columns("command", "minute"), None, _columns("command")),
    "drivers": Table(
        "driver", _driver, _columns("service", "image"), "windows", _columns("service", "device_name", "image")
    ),
    "kernel_modules": Table("driver", _module, _columns("name", "used_by"), "linux"),
    "kernel_extensions": Table("driver", _kernel_extension, _columns("name", "linked_against"), "macos"),
    "system_extensions": Table(
        "driver", _system_extension, _columns("identifier", "team"), "macos", _columns("identifier")
    ),
    "firefox_addons": Table("extension", _extension, _columns("name", "identifier", "creator")),
    "safari_extensions": Table("extension", _extension, _columns("name", "identifier", "bundle_version"), "macos"),
    "jetbrains_plugins": Table("extension", _extension, _columns("name", "product_type", "vendor")),
    "chrome_extensions": Table("extension", _extension, _columns("name", "identifier", "version")),
    "ie_extensions": Table("extension", _extension, _columns("name", "registry_path"), "windows"),
    "windows_security_products": Table(
        "security_product", _security_product, _columns("name", "signatures_up_to_date"), "windows"
    ),
    "file": Table("file", _file, _columns("path", "filename", "directory", "inode"), None, _columns("path")),
    # Fleet gives these by name only.
    **dict.fromkeys(("ios_apps", "ipados_apps"), Table("app", _phone_app, _FLEET_ONLY, "ios")),
    "android_apps": Table("app", _phone_app, _FLEET_ONLY, "android"),
    FLEET_SOFTWARE: Table("program", _program, _FLEET_ONLY),
    "go_binaries": Table("library", _library("golang"), _FLEET_ONLY),
}
