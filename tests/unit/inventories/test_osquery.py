"""osquery: what its shell prints, its results log, and Fleet's lines."""

import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.inventories import read_logs
from phaseout.model.nouns import Inventory, Problem

from tests.unit.inventories.conftest import JSON, broken, one, read_bytes

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
    assert "no host is clean by that" in broken(b"[]").why


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


BASH = DEB | {"name": "bash"}


def event(**members: Any) -> dict[str, Any]:
    return {"name": "pack_inv_deb_packages", "hostIdentifier": "h", "unixTime": 1767225600, "epoch": 0, **members}


def packages(*values: Any) -> list[str]:
    return [item.name for item in one(lines(*values)).items]


def test_a_snapshot_replaces_the_one_before_it() -> None:
    first, second = event(snapshot=[DEB, BASH]), event(snapshot=[BASH], unixTime=1767225700)
    assert packages(first, second) == ["bash"]
    assert packages(second, first) == ["bash"]  # whatever the order of the lines
    assert packages(first, event(snapshot=[PROCESS], name="procs")) == ["bash", "kesl", "avp.exe"]
    empty = one(lines(first, event(snapshot=[], unixTime=1767225700)))
    assert empty.items == ()
    assert "package" not in empty.unseen[0].kinds  # the table was asked
    assert empty.unseen[-1].why == "nothing of any kind was listed"


def test_a_snapshot_of_one_line_a_row() -> None:
    rows = [event(columns=row, action="snapshot") for row in (DEB, BASH)]
    assert packages(*rows) == ["bash", "kesl"]
    assert packages(*rows, event(columns=BASH, action="snapshot", unixTime=1767225700)) == ["bash"]


@pytest.mark.parametrize("number", [int, str])
def test_a_higher_epoch_starts_anew(number: Any) -> None:
    before = [event(columns=row, action="added", counter=0) for row in (DEB, BASH)]
    assert packages(*before, event(columns=BASH, action="added", epoch=number(2), counter=0)) == ["bash"]
    # Counter 0 also follows a change of the query within an epoch: nothing may be dropped.
    assert packages(*before, event(columns=DEB | {"name": "x"}, action="added", counter=0)) == ["bash", "kesl", "x"]
    batch = event(diffResults={"added": [BASH], "removed": ""}, epoch=number(2))
    assert packages(*before, batch) == ["bash"]


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("pack_incident-response_open_files", "pid path"),
        ("pack_fim_file_events", "target_path category action"),
        ("pack_inv_etc_services", "name port protocol aliases comment"),
        ("pack_inv_rpm_package_files", "package path"),
        ("running_apps", "pid bundle_identifier is_active"),
        ("docker_container_processes", "id pid cmdline"),
        ("apt_sources", "name source base_uri release version maintainer"),
    ],
)
def test_a_word_in_the_name_of_a_query_is_no_table(query: str, columns: str) -> None:
    row = {name: f"{name}-1" for name in columns.split()}
    found = one(lines(event(name=query, columns=row, action="added"), event(columns=BASH, action="added")))
    assert [item.name for item in found.items] == ["bash"]
    assert found.runs[-1].left_out == {"of a table without software": 1}
    assert (found.runs[-1].status, found.host.platform) == ("ok", "linux")
    assert {"service", "file"} <= set(found.unseen[0].kinds)


def test_the_columns_count_more_than_the_name() -> None:
    row = {"path": "/opt/kaspersky", "filename": "kaspersky", "directory": "/opt", "inode": "1"}
    (item,) = one(lines(event(columns=row, action="added"))).items
    assert (item.kind, item.path) == ("file", "/opt/kaspersky")
    (item,) = one(lines(event(columns={"name": "kesl", "version": "1"}, action="added"))).items
    assert item.kind == "package"  # here they leave a choice


def test_hosts_are_one_in_whatever_letters_and_decorations_may_stand_on_top() -> None:
    gone = event(columns=DEB, action="removed", hostIdentifier="PC-1")
    assert packages(event(columns=DEB, action="added", hostIdentifier="pc-1"), gone) == []
    assert one(lines(event(columns=DEB, action="added", hostname="ws"))).host.name == "ws"


def test_hosts_without_rows_are_there() -> None:
    first, second = read_bytes(
        lines({"host": "w1", "rows": []}, {"host": "w2", "rows": None, "error": "no such table"})
    )
    assert isinstance(first, Inventory)
    assert isinstance(second, Inventory)
    assert (first.host.name, second.host.name) == ("w1", "w2")
    assert first.unseen[-1].what == "All software"
    assert "no such table" in second.unseen[0].why


def test_identity() -> None:
    system = {"hostname": "WS", "cpu_brand": "x", "uuid": "4C4C4544-0042-3510-8052-B4C04F4A3132"}
    system |= {"hardware_serial": "PF3ABC12"}
    found = one(json.dumps({"system_info": [system], "deb_packages": [DEB]}).encode())
    assert [(one.kind, one.value) for one in found.host.identity] == [
        ("smbios_uuid", "4c4c4544-0042-3510-8052-b4c04f4a3132"),
        ("serial", "PF3ABC12"),
    ]
    mac = one(json.dumps({"system_info": [system], "apps": [{"name": "A.app", "bundle_identifier": "a"}]}).encode())
    assert mac.host.identity[1].kind == "ioplatform_uuid"
    assert mac.host.identity[1].value != system["uuid"].lower()


def test_csv_of_the_shell_and_of_fleet() -> None:
    shell = b'name|version|source|maintainer|status\nkesl|12.1|""|"Kaspersky Lab <s@k>"|"install ok installed"\n'
    (item,) = one(shell, "x.csv").items
    assert (item.name, item.vendor, item.kind) == ("kesl", "Kaspersky Lab", "package")
    two = shell + b"pid|name|path|cmdline\n1|kesl|/opt/k|k\n"
    assert [item.kind for item in one(two, "x.csv").items] == ["package", "process"]
    fleet = b"Host,Last fetched,name,version,publisher\nb,x,Kaspersky Free,21,Kaspersky\na,x,Other,1,X\n"
    assert [(one.host.name, one.items[0].name) for one in read_bytes(fleet) if isinstance(one, Inventory)] == [
        ("a", "Other"),
        ("b", "Kaspersky Free"),
    ]
    named = one(b"name,version\nkesl,12.1\n", "deb_packages.csv")
    assert named.items[0].kind == "package"


def test_answers_of_fleet() -> None:
    software: list[dict[str, Any]] = [
        {"name": "Kaspersky Free", "version": "21", "source": "programs", "vendor": "Kaspersky"},
        {"name": "odd", "source": "nix_packages", "installed_versions": [{"version": "1"}, {"version": "2"}]},
        {"name": "TikTok", "source": "ios_apps", "bundle_identifier": "com.zhiliaoapp.musically", "version": "1"},
    ]
    host = {"hostname": "ws", "platform": "windows", "hardware_serial": "PF3ABC12", "software": software}
    printed = {"kind": "host", "apiVersion": "v1", "spec": host}
    answers: tuple[dict[str, Any], ...] = ({"host": host}, {"hosts": [host]}, printed)
    for answer in answers:
        found = one(json.dumps(answer).encode())
        assert (found.host.name, found.host.platform, found.host.identity[0].value) == ("ws", "windows", "PF3ABC12")
        assert [(item.kind, item.name, item.version) for item in found.items] == [
            ("app", "TikTok", "1"),
            ("program", "Kaspersky Free", "21"),
            ("program", "odd", "1"),
            ("program", "odd", "2"),
        ]
    results: list[dict[str, Any]] = [
        {"host_id": 1, "host_name": "a", "columns": DEB},
        {"host_id": 2, "rows": [BASH], "error": None},
        {"host_id": 3, "rows": None, "error": "timed out"},
    ]
    for answer in ({"query_id": 5, "results": results}, {"live_query_results": [{"query_id": 5, "results": results}]}):
        a, second, third = (host for host in read_bytes(json.dumps(answer).encode()) if isinstance(host, Inventory))
        assert (a.host.name, a.items[0].name, second.items[0].name) == ("a", "kesl", "bash")
        assert (second.host.name, third.items) == ("host 2", ())
        assert "timed out" in third.unseen[0].why


def test_titles_of_all_hosts_of_fleet() -> None:
    titles = [{"name": "Kaspersky Free", "source": "programs", "versions": [{"version": "21"}, {"version": "20"}]}]
    found = one(json.dumps({"count": 1, "software_titles": titles}).encode(), "titles.json")
    assert [(item.kind, item.name, item.version) for item in found.items] == [
        ("program", "Kaspersky Free", "20"),
        ("program", "Kaspersky Free", "21"),
    ]


def test_lines_of_a_log_shipper_and_noise_between_them() -> None:
    wrapped: list[dict[str, Any]] = [{"@timestamp": "x", "message": json.dumps(event(columns=DEB, action="added"))}]
    wrapped.append({"json": event(columns=BASH, action="added")})
    assert packages(*wrapped) == ["bash", "kesl"]
    fleet = b"Connecting to the server...\n" + lines({"host": "w1", "rows": [PROGRAM]}) + b"100% responded\n"
    first, problem = read_bytes(fleet)
    assert isinstance(first, Inventory)
    assert isinstance(problem, Problem)
    assert problem.where == "host-1.json:3"
    assert one(b"W1126 warning\n" + json.dumps([DEB], indent=1).encode()).items


def opened(path: str) -> BinaryIO:
    return io.BytesIO(Path(path).read_bytes())


def test_several_logs_of_one_host(tmp_path: Path) -> None:
    logs = {
        "osqueryd.results.log": lines(event(columns=DEB, action="removed", unixTime=1767225700)),
        "osqueryd.results.log.1": lines(event(columns=DEB, action="added"), event(columns=BASH, action="added")),
        "osqueryd.snapshots.log": lines(event(name="procs", snapshot=[PROCESS])),
        "other.log": b"hello\n",
    }
    for name, data in logs.items():
        (tmp_path / name).write_bytes(data)
    for names in (list(logs), list(reversed(logs))):
        found, problem = read_logs([str(tmp_path / name) for name in names], opened)
        assert isinstance(found, Inventory)
        assert [item.name for item in found.items] == ["bash", "avp.exe"]
        assert isinstance(problem, Problem)
        assert problem.where.endswith("other.log")
    (missing,) = read_logs([str(tmp_path / "none.log")], opened)
    assert isinstance(missing, Problem)


@pytest.mark.parametrize(
    ("path", "args", "program"),
    [
        ("C:\\Program", "Files (x86)\\K\\avp.exe -autorun", "C:\\Program Files (x86)\\K\\avp.exe"),
        ('"C:\\P\\avp.exe"', "-x", "C:\\P\\avp.exe"),
        ("rundll32.exe", "C:\\K\\k.dll,Start", "C:\\K\\k.dll"),
        ("/opt/k/k", "--x", "/opt/k/k"),
    ],
)
def test_paths_that_were_cut_at_a_blank(path: str, args: str, program: str) -> None:
    row = {"name": "avp", "path": path, "args": args, "type": "Startup Item", "source": "HKEY_LOCAL_MACHINE\\...\\Run"}
    (item,) = one(json.dumps({"startup_items": [row]}).encode()).items
    assert (item.path, item.command) == (program, f"{path} {args}")


CAPTURES = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures/osquery-5.20"


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures of osquery here")
def test_captures() -> None:
    for folder in ("default", "batch", "numerics", "snapshot-events"):
        for name in ("osqueryd.results.log", "osqueryd.snapshots.log"):
            found = one((CAPTURES / folder / name).read_bytes(), name)
            assert found.host.name == "host-demo"
            assert found.runs
    assert [item.kind for item in one((CAPTURES / "osqueryi.csv").read_bytes(), "osqueryi.csv").items] == [
        "package"
    ] * 3
    assert len(one((CAPTURES / "osqueryi.json").read_bytes(), "osqueryi.json").items) == 3


@given(st.lists(st.dictionaries(st.sampled_from(("name", "version", "rows", "columns", "snapshot", "host")), JSON)))
def test_odd_lines_never_raise(values: list[dict[str, Any]]) -> None:
    for found in read_bytes(lines(event(columns=DEB, action="added"), *values)):
        assert found is not None


@pytest.mark.slow
def test_the_real_shell() -> None:
    shell = os.environ.get("PHASEOUT_OSQUERY") or shutil.which("osqueryi")
    if shell is None:
        pytest.skip("not installed: osqueryi (PHASEOUT_OSQUERY names it)")
    result = subprocess.run([shell, "--json", "select * from processes"], capture_output=True, check=True, timeout=600)
    assert one(result.stdout).items


def test_what_is_no_row_costs_itself() -> None:
    row = '{"name":"%s","version":"1","install_location":"","publisher":"Foo","identifying_number":""}'
    rows = f"[{row % 'Reader'},5,{row % 'Viewer'}]"
    for data in (rows, f'{{"programs":{rows}}}'):
        problem, inventory = read_bytes(data.encode(), "programs.json")
        assert isinstance(inventory, Inventory)
        assert isinstance(problem, Problem)
        assert [item.name for item in inventory.items] == ["Reader", "Viewer"]
        assert problem.where.endswith("[1]")
