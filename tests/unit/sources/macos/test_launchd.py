"""Jobs of launchd: whose they are, what they run, and what is left of them."""

from pathlib import Path

import pytest
from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.macho_writer import signed_macho
from tests.support.trees import MacTree

KAV = "/Library/Application Support/Kaspersky Lab/KAV/Binaries/kavd"


def test_what_a_job_tells(mac_tree: MacTree) -> None:
    mac_tree.write(KAV, signed_macho("kavd", "2Y8XE5CQ94", "Kaspersky Lab UK Limited"))
    mac_tree.plist(
        "/Library/LaunchDaemons/com.kaspersky.kav.plist",
        {"Label": "com.kaspersky.kav", "ProgramArguments": [KAV, "--daemon"], "RunAtLoad": True, "UserName": "root"},
    )
    (item,) = run("launchd", mac_tree.host()).items
    assert (item.kind, item.name, item.state, item.path) == ("service", "com.kaspersky.kav", "installed", KAV)
    assert item.command == f"{KAV} --daemon"
    assert item.vendor == "Kaspersky Lab UK Limited"
    assert item.ids == {"bundle_id": "kavd", "team_id": "2Y8XE5CQ94"}
    assert item.signer == "Developer ID Application: Kaspersky Lab UK Limited (2Y8XE5CQ94)"
    assert item.details == {"domain": "daemon", "at_load": "yes", "runs_as": "root"}


def test_every_folder_and_user(mac_tree: MacTree) -> None:
    mac_tree.folder("/Users/eve")
    for folder in (
        "/Library/LaunchDaemons",
        "/Library/LaunchAgents",
        "/System/Library/LaunchDaemons",
        "/Users/ada/Library/LaunchAgents",
        "/Users/eve/Library/LaunchAgents",
    ):
        mac_tree.plist(f"{folder}/com.acme.plist", {"Label": "com.acme"}, binary=True)
    mac_tree.write("/System/Library/LaunchDaemons/com.apple.cloudd.plist", "never read")
    result = run("launchd", mac_tree.host())
    assert sorted((item.user, item.details["domain"]) for item in result.items) == [
        ("", "agent"),
        ("", "daemon"),
        ("", "daemon"),
        ("ada", "agent"),
        ("eve", "agent"),
    ]
    assert result.run.left_out == {"part of the operating system": 1}
    assert result.run.status == "ok"


@pytest.mark.parametrize(
    ("job", "path"),
    [
        ({"Program": "/opt/a", "ProgramArguments": ["b", "c"]}, "/opt/a"),
        ({"ProgramArguments": ["/bin/sh", "/opt/a.sh"]}, "/opt/a.sh"),
        ({"ProgramArguments": ["/bin/sh", "-c", "cd / && exec '/opt/a b' -x"]}, "/opt/a b"),
        ({"ProgramArguments": ["/bin/bash", "-lc", "sleep 1; /opt/a"]}, "/opt/a"),
        ({"ProgramArguments": ["/bin/sh"]}, "/bin/sh"),
        ({"ProgramArguments": ["/usr/bin/python3", "-m", "http.server"]}, "/usr/bin/python3"),
        ({"ProgramArguments": ["a"]}, ""),
        ({"ProgramArguments": "no list"}, ""),
        ({"BundleProgram": "Contents/MacOS/a"}, ""),
    ],
)
def test_programs(mac_tree: MacTree, job: dict[str, object], path: str) -> None:
    mac_tree.plist("/Library/LaunchDaemons/job.plist", {"Label": "job", **job})
    (item,) = run("launchd", mac_tree.host()).items
    assert item.path == path


def test_leftovers_and_switches(mac_tree: MacTree) -> None:
    folder = "/Library/LaunchDaemons"
    mac_tree.plist(f"{folder}/gone.plist", {"Label": "gone", "Program": "/opt/gone"})
    mac_tree.plist(f"{folder}/elsewhere.plist", {"Label": "elsewhere", "Program": "/x", "RootDirectory": "/jail"})
    mac_tree.plist(f"{folder}/off.plist", {"Label": "off", "Disabled": True})
    mac_tree.plist(f"{folder}/on.plist", {"Label": "on", "Disabled": True})
    mac_tree.link(f"{folder}/dangling.plist", "/Applications/Acme.app/job.plist")
    mac_tree.plist("/private/var/db/com.apple.xpc.launchd/disabled.plist", {"on": False, "other": True})
    items = {item.name: item for item in run("launchd", mac_tree.host()).items}
    assert {name: item.state for name, item in items.items()} == {
        "gone": "leftover",
        "elsewhere": "installed",
        "off": "installed",
        "on": "installed",
        "dangling": "leftover",
    }
    assert items["gone"].details["note"] == "its program is gone"
    assert items["dangling"].details["note"] == "link to /Applications/Acme.app/job.plist, which is gone"
    assert (items["off"].details["enabled"], items["on"].details["enabled"]) == ("no", "yes")


def test_damage(mac_tree: MacTree) -> None:
    mac_tree.write("/Library/LaunchDaemons/com.acme.broken.plist", b"bplist00")
    mac_tree.plist("/Library/LaunchDaemons/odd.plist", {"Label": ["x"], "ProgramArguments": [1, {}], "Disabled": "x"})
    result = run("launchd", mac_tree.host())
    assert result.names() == ["com.acme.broken", "odd"]
    assert result.problems == (
        Problem("/Library/LaunchDaemons/com.acme.broken.plist", "is damaged: no property list", "damaged"),
    )


def test_startup_items(mac_tree: MacTree) -> None:
    mac_tree.plist("/Library/StartupItems/Acme/StartupParameters.plist", {"Description": "Acme", "Provides": ["a"]})
    mac_tree.write("/Library/StartupItems/Acme/Acme", "#!/bin/sh", 0o755)
    mac_tree.folder("/Library/StartupItems/Gone")
    items = run("launchd", mac_tree.host()).items
    assert [(item.name, item.state) for item in items] == [("Acme", "installed"), ("Gone", "leftover")]


def test_real_files(corpora: Path, mac_tree: MacTree) -> None:
    for file in (corpora / "plaso/test_data/plist").glob("launchd*.plist"):
        mac_tree.copy(f"/Library/LaunchDaemons/{file.name}", file)
    mac_tree.copy("/Library/LaunchDaemons/mdns.plist", corpora / "osquery/plist/test_launchd.plist")
    mac_tree.copy(
        "/Library/StartupItems/A/StartupParameters.plist", corpora / "plaso/test_data/plist/StartupParameters.plist"
    )
    items = run("launchd", mac_tree.host()).items
    assert [(item.name, item.path) for item in items] == [
        ("A", "/Library/StartupItems/A/A"),
        ("com.apple.mDNSResponder", "/usr/sbin/mDNSResponder"),
        ("com.foobar.test", "/Test"),
        ("foo", "/usr/bin/true"),
        ("foo", "/usr/bin/true"),
    ]
    assert items[0].details["provides"] == "The best service ever"


def test_an_empty_job_starts_nothing(mac_tree: MacTree) -> None:
    mac_tree.write("/Users/ada/Library/LaunchAgents/com.google.keystone.agent.plist")
    result = run("launchd", mac_tree.host())
    assert (result.items, result.run.status, result.run.left_out) == ((), "ok", {"an empty entry": 1})


def test_what_lies_on_a_volume_that_is_not_here_is_not_gone(mac_tree: MacTree) -> None:
    mac_tree.plist("/Library/LaunchDaemons/a.plist", {"Label": "a", "Program": "/Volumes/Apps/a"})
    mac_tree.link("/Library/LaunchDaemons/b.plist", "/Volumes/Apps/b.plist")
    mac_tree.link("/opt/moved", "/Volumes/Apps")
    mac_tree.plist("/Library/LaunchDaemons/c.plist", {"Label": "c", "Program": "/opt/moved/c"})
    mac_tree.folder("/Volumes/Empty")
    mac_tree.plist("/Library/LaunchDaemons/d.plist", {"Label": "d", "Program": "/Volumes/Empty/d"})
    mac_tree.write("/Volumes/Here/other")
    mac_tree.plist("/Library/LaunchDaemons/e.plist", {"Label": "e", "Program": "/Volumes/Here/e"})
    items = run("launchd", mac_tree.host()).items
    assert {item.name: item.state for item in items} == {
        **dict.fromkeys("abcd", "installed"),
        "e": "leftover",
    }
    assert all("was not seen" in item.notes[0] for item in items if item.state == "installed")


@pytest.mark.parametrize(
    "top", ["/Applications/Kit.app", "/Applications/Sub/Kit.app", "/Users/ada/Applications/Kit.app"]
)
def test_jobs_of_an_application_and_their_program(mac_tree: MacTree, top: str) -> None:
    top = top.replace("~", "/Users/ada")
    program = f"{top}/Contents/Resources/deep/helper"
    mac_tree.write(program, signed_macho("com.kit.helper", "2Y8XE5CQ94", "Kaspersky Lab UK Limited"))
    job = {"Label": "com.kit.helper", "BundleProgram": "Contents/Resources/deep/helper"}
    mac_tree.plist(f"{top}/Contents/Library/LaunchDaemons/com.kit.helper.plist", job)
    (item,) = run("launchd", mac_tree.host()).items
    assert (item.path, item.state, item.ids["team_id"]) == (program, "installed", "2Y8XE5CQ94")


def test_a_job_of_an_application_that_it_only_names(mac_tree: MacTree) -> None:
    job = {"Label": "kit", "BundleProgram": "Contents/MacOS/Kit", "AssociatedBundleIdentifiers": "com.kit"}
    mac_tree.plist("/Library/LaunchAgents/kit.plist", job)
    (item,) = run("launchd", mac_tree.host()).items
    assert (item.path, item.command, item.state, item.ids) == (
        "",
        "Contents/MacOS/Kit",
        "installed",
        {"bundle_id": "com.kit"},
    )


def test_a_volume_that_is_not_here_is_named_once(mac_tree: MacTree) -> None:
    mac_tree.plist("/Library/LaunchDaemons/a.plist", {"Label": "a", "Program": "/Volumes/Tools/a"})
    mac_tree.plist("/Library/LaunchDaemons/b.plist", {"Label": "b", "Program": "/Volumes/Tools/b"})
    (problem,) = run("launchd", mac_tree.host()).problems
    assert (problem.where, problem.cause, problem.hides) == ("/Volumes/Tools", "missing", True)
