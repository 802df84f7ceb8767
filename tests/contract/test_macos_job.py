"""The main job on a Mac: its disk in a folder, recognised by its content, and scanned by the program itself."""

import csv
import io
import json
from pathlib import Path

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.host.opening import offline_host
from phaseout.model.nouns import Item
from phaseout.rules.matcher import Matcher
from phaseout.scan.worker import run_source
from phaseout.sources import load

from tests.support.bom_writer import bom
from tests.support.command import phaseout
from tests.support.macho_writer import fat, signed_macho
from tests.support.trees import MacTree

TEAM = "2Y8XE5CQ94"
LAB = "Kaspersky Lab UK Limited"
HOME = "kaspersky-home-macos"
COHERENCE = "/Users/ada/Applications (Parallels)/{7a01a9b1-0c5e-4e3a-9d4c-6a3c0d2c5d6f} Applications.localized"


@pytest.fixture
def mac(mac_tree: MacTree) -> MacTree:
    """A Mac with the product for homes, the agent of an organisation, and what only looks like either."""
    kav = "Library/Application Support/Kaspersky Lab/KAV"
    agent = "Library/Application Support/Kaspersky Lab/klnagent"
    app = "/Applications/Kaspersky Anti-Virus For Mac.app"
    program = fat(signed_macho(arch="x86_64"), signed_macho("com.kaspersky.kav", TEAM, LAB))
    mac_tree.app(app, program, CFBundleIdentifier="com.kaspersky.kav", CFBundleShortVersionString="21.3")
    mac_tree.app(f"{app}/Contents/MacOS/kav_agent.app", program, CFBundleIdentifier="com.kaspersky.kav_agent")
    shortcut = f"{COHERENCE}/Parallels Internet Security Powered by Kaspersky.app"
    mac_tree.app(shortcut, CFBundleIdentifier="com.parallels.winapp.7a01a9b1.1")
    mac_tree.app("/Applications/Cyberduck.app", signed_macho("ch.sudo.cyberduck", "G69SCX94XU", "David Kocher"))
    mac_tree.write(f"/{kav}/Binaries/kavd", signed_macho("kavd", TEAM, LAB))
    mac_tree.plist(
        "/Library/LaunchDaemons/com.kaspersky.kav.plist",
        {"Label": "com.kaspersky.kav", "ProgramArguments": [f"/{kav}/Binaries/kavd"]},
    )
    mac_tree.plist(
        "/Library/LaunchAgents/com.kaspersky.kav.gui.plist", {"Label": "com.kaspersky.kav.gui", "Program": "/gone"}
    )
    for name, path in (("com.kaspersky.kav.core", kav), ("com.kaspersky.klnagent.core", agent)):
        values = {"PackageIdentifier": name, "PackageVersion": "21.3.0.150", "InstallPrefixPath": "/"}
        mac_tree.plist(f"/private/var/db/receipts/{name}.plist", values, binary=True)
        mac_tree.write(f"/private/var/db/receipts/{name}.bom", bom(f"{path}/Binaries/a", f"{path}/Binaries/b"))
    place = "/Library/SystemExtensions/B4A2/com.kaspersky.kav.sysext.systemextension"
    mac_tree.folder(place)
    extension = {
        "identifier": "com.kaspersky.kav.sysext",
        "teamID": TEAM,
        "state": "activated_enabled",
        "stagedBundleURL": {"relative": f"file://{place}/"},
    }
    mac_tree.plist("/Library/SystemExtensions/db.plist", {"extensions": [extension]})
    mac_tree.plist(
        "/Library/Extensions/klif.kext/Contents/Info.plist", {"CFBundleIdentifier": "com.kaspersky.kext.klif"}
    )
    mac_tree.plist(
        "/Library/Managed Preferences/com.apple.system-extension-policy.plist",
        {"AllowedSystemExtensions": {TEAM: ["com.kaspersky.kav.sysext"]}},
    )
    return mac_tree


def test_every_trace_is_recognised(mac: MacTree) -> None:
    host = offline_host(str(mac.root))
    assert host.info.platform == "macos"
    items: list[Item] = []
    statuses = {source.name: run_source(source, host, items.append).status for source in load("macos")}
    assert set(statuses.values()) <= {"ok", "skipped"}, statuses
    found = {
        (items[hit.item].source, items[hit.item].name): (hit.product.id, items[hit.item].state, hit.confidence)
        for hit in Matcher(read_rules()).match(items)
    }
    assert found == {
        ("applications", "Kaspersky Anti-Virus For Mac"): (HOME, "installed", "certain"),
        ("applications", "kav_agent"): (HOME, "installed", "certain"),
        ("launchd", "com.kaspersky.kav"): (HOME, "installed", "certain"),
        ("programs", "kavd"): (HOME, "installed", "certain"),
        ("launchd", "com.kaspersky.kav.gui"): (HOME, "leftover", "possible"),
        ("receipts", "com.kaspersky.kav.core"): (HOME, "leftover", "certain"),
        ("receipts", "com.kaspersky.klnagent.core"): ("kaspersky-network-agent", "leftover", "certain"),
        ("system_extensions", "com.kaspersky.kav.sysext"): (HOME, "installed", "certain"),
        ("kernel_extensions", "klif"): (HOME, "installed", "certain"),
        ("profiles", "com.kaspersky.kav.sysext"): (HOME, "leftover", "certain"),
        ("support_folders", "KAV"): (HOME, "leftover", "likely"),
        ("support_folders", "Kaspersky Lab"): ("kaspersky-other", "leftover", "likely"),
    }


@pytest.mark.slow
def test_real_casks_of_restricted_vendors(mac_tree: MacTree, corpora: Path) -> None:
    lines = (corpora / "names/macos_restricted_casks.jsonl").read_text().splitlines()
    casks = [json.loads(line) for line in lines]
    for cask in casks:
        app = cask["app"].rpartition(" -> ")[2]
        mac_tree.app(f"/Applications/{app}", CFBundleIdentifier=[*cask.get("quit", ()), *cask["ids"]][0])
        receipt = {"source": {"version": cask["version"]}, "uninstall_artifacts": [{"app": [app]}]}
        mac_tree.write(f"/opt/homebrew/Caskroom/{cask['token']}/.metadata/INSTALL_RECEIPT.json", json.dumps(receipt))
        mac_tree.folder(f"/opt/homebrew/Caskroom/{cask['token']}/{cask['version']}")
    items: list[Item] = []
    host = mac_tree.host()
    for source in load("macos"):
        if source.name in {"applications", "homebrew"}:
            run_source(source, host, items.append)
    hits = [items[hit.item] for hit in Matcher(read_rules()).match(items)]
    assert {item.name for item in items if item.kind == "app"} == {item.name for item in hits if item.kind == "app"}
    assert sum(item.kind == "package" for item in items) == len(casks)


@pytest.mark.slow
def test_scan_of_a_disk(mac: MacTree) -> None:
    result = phaseout("scan", "--root", str(mac.root), "-f", "csv")
    assert result.returncode == 1, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["verdict"] for row in rows} == {"replace"}
    assert {row["product"] for row in rows} == {
        "Kaspersky home security for Mac",
        "Kaspersky Security Center Network Agent",
    }
    assert "Parallels" not in result.stdout
    assert result.stderr == ""


def test_what_is_left_when_the_application_was_thrown_away(mac_tree: MacTree) -> None:
    mac_tree.folder("/Library/Application Support/Kaspersky Lab/KAV")
    result = phaseout("scan", "--root", str(mac_tree.root), "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert ("KAV", "leftover", "Kaspersky home security for Mac") in {
        (row["name"], row["state"], row["product"]) for row in rows
    }


@pytest.mark.slow
def test_clean_disk(mac_tree: MacTree) -> None:
    mac_tree.app("/Applications/Cyberduck.app", signed_macho("ch.sudo.cyberduck", "G69SCX94XU", "David Kocher"))
    shortcut = f"{COHERENCE}/Parallels Internet Security Powered by Kaspersky.app"
    mac_tree.app(shortcut, CFBundleIdentifier="com.parallels.winapp.7a01a9b1.1")
    result = phaseout("scan", "--root", str(mac_tree.root))
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
