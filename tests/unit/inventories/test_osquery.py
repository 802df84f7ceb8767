"""osquery: what its shell prints, its results log, and Fleet's lines."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest
from phaseout.model.nouns import Inventory, Problem

from tests.unit.inventories.conftest import broken, one, read_bytes

DEB = {
    "name": "kesl",
    "version": "12.1",
    "maintainer": "Kaspersky Lab <s@k>",
    "arch": "amd64",
    "status": "a ok installed",
}
PROGRAM = {
    "name": "Kaspersky Free",
    "version": "21",
    "publisher": "Kaspersky",
    "install_location": "C:\\P\\Kaspersky",
    "identifying_number": "{90120000-0010-0409-0000-0000000FF1CE}",
    "uninstall_string": "MsiExec.exe /X{9}",
}
PROCESS = {"name": "avp.exe", "path": "C:\\P\\avp.exe", "cmdline": "avp.exe -r", "pid": "12", "uid": "0"}


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_rows_of_one_table() -> None:
    removed = DEB | {"name": "old", "status": "deinstall ok config-files"}
    never = DEB | {"name": "never", "status": "purge ok not-installed"}
    found = one(json.dumps([DEB, removed, never], indent=2).encode(), "ws-17.json")
    assert found.host.name == "ws-17"
    assert [(item.name, item.vendor, item.state) for item in found.items] == [
        ("kesl", "Kaspersky Lab", "installed"),
        ("old", "Kaspersky Lab", "leftover"),
    ]
    assert "process" in found.unseen[0].kinds


def test_tables_by_name() -> None:
    document = {
        "system_info": [{"hostname": "WS", "cpu_brand": "x"}],
        "os_version": [{"name": "Windows 11", "version": "10", "platform": "windows", "arch": "64-bit"}],
        "programs": [PROGRAM],
        "processes": [PROCESS],
        "services": [{"name": "AVP21", "display_name": "K", "status": "RUNNING", "path": '"C:\\P\\avp.exe" -s'}],
        "apps": [],
        "users": [{"username": "ada"}],
    }
    found = one(json.dumps(document).encode())
    assert (found.host.name, found.host.platform) == ("WS", "windows")
    program = next(item for item in found.items if item.kind == "program")
    assert program.ids["product_code"] == PROGRAM["identifying_number"]
    assert program.details["uninstall"] == "MsiExec.exe /X{9}"
    service = next(item for item in found.items if item.kind == "service")
    assert (service.state, service.path) == ("running", "C:\\P\\avp.exe")
    assert {"app", "program", "process", "service"}.isdisjoint(found.unseen[-1].kinds)


def test_results_log_with_several_hosts_and_removals() -> None:
    head = {"hostIdentifier": "b", "calendarTime": "x", "unixTime": 1767225600, "epoch": 0}
    data = lines(
        {"name": "pack/fleet/deb_packages", **head, "columns": DEB, "action": "added"},
        {"name": "pack/fleet/deb_packages", **head, "columns": DEB | {"name": "gone"}, "action": "added"},
        {"name": "pack/fleet/deb_packages", **head, "columns": DEB | {"name": "gone"}, "action": "removed"},
        {"name": "procs", **head, "hostIdentifier": "uuid", "decorations": {"hostname": "a"}, "snapshot": [PROCESS]},
        {"name": "programs", **head, "diffResults": {"added": [PROGRAM], "removed": ""}},
        {"name": "uptime", **head, "columns": {"days": "3"}, "action": "added"},
    )
    a, b = read_bytes(data)
    assert isinstance(a, Inventory)
    assert isinstance(b, Inventory)
    assert (a.host.name, [item.name for item in a.items]) == ("a", ["avp.exe"])
    assert (b.host.name, [item.name for item in b.items]) == ("b", ["kesl", "Kaspersky Free"])
    assert b.scanned_at == "2026-01-01T00:00:00Z"
    assert b.runs[-1].left_out == {"of a table without software": 1}


def test_scopes_of_npm_are_written_out_once() -> None:
    row = {"name": "@kaspersky/hexa-ui", "version": "7.1.0", "path": "/x/node_modules/@kaspersky/hexa-ui/package.json"}
    found = one(lines({"name": "npm_packages", "hostIdentifier": "b", "unixTime": 1767225600, "snapshot": [row]}))
    assert found.items[0].ids["purl"] == "pkg:npm/%40kaspersky/hexa-ui@7.1.0"


def test_fleet_lines_and_a_broken_one() -> None:
    problem, found = read_bytes(lines({"host": "w1", "rows": [PROGRAM]}, {"host": "w2", "rows": 3}))
    assert isinstance(found, Inventory)
    assert found.host.name == "w1"
    assert isinstance(problem, Problem)
    assert problem.where == "host-1.json:2"


def test_columns_that_say_no_table_are_no_clean_host() -> None:
    found = one(lines({"host": "w", "rows": [{"name": "x", "version": "1"}]}))
    assert found.items == ()
    assert "name the query after its table" in found.unseen[0].why


def test_nothing_asked() -> None:
    assert "never clean" in broken(b"[]").why


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("name version summary directory author license path", "library"),
        ("name version bundle_identifier path", "app"),
        ("name identifier version author path uid", "extension"),
        ("name uuid version publisher path", "extension"),
        ("label program program_arguments path name", "service"),
        ("id active_state fragment_path", "service"),
        ("name action path enabled", "task"),
        ("service image version provider", "driver"),
        ("identifier team version state", "driver"),
        ("name signatures_up_to_date state type", "security_product"),
        ("name version release arch vendor epoch", "package"),
    ],
)
def test_tables_told_by_their_columns(columns: str, kind: str) -> None:
    row = {name: f"{name}-1" for name in columns.split()}
    (item,) = one(json.dumps([row]).encode()).items
    assert item.kind == kind


def test_the_real_shell() -> None:
    shell = os.environ.get("PHASEOUT_OSQUERY") or shutil.which("osqueryi")
    if shell is None:
        pytest.skip("not installed: osqueryi (PHASEOUT_OSQUERY names it)")
    result = subprocess.run([shell, "--json", "select * from processes"], capture_output=True, check=True, timeout=60)
    assert one(result.stdout).items
