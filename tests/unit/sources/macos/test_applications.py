"""Applications of macOS: where they are, what they are called, who signed them, and what only looks like one."""

import json
import plistlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phaseout.model.nouns import Problem
from phaseout.sources.macos import applications

from tests.support.harness import run
from tests.support.macho_writer import detached_signature, fat, signed_macho
from tests.support.trees import MacTree

TEAM = "2Y8XE5CQ94"
KASPERSKY = signed_macho("com.kaspersky.kav", TEAM, "Kaspersky Lab UK Limited")
COHERENCE = "/Users/ada/Applications (Parallels)/{7a01a9b1-0c5e-4e3a-9d4c-6a3c0d2c5d6f} Applications.localized"


def test_what_an_application_tells(mac_tree: MacTree) -> None:
    mac_tree.app(
        "/Applications/Kaspersky Anti-Virus For Mac.app",
        fat(signed_macho(arch="x86_64"), KASPERSKY),
        CFBundleIdentifier="com.kaspersky.kav",
        CFBundleName="Kaspersky",
        CFBundleExecutable="kav_app",
        CFBundleShortVersionString="21.3",
        CFBundleVersion="21.3.0.150",
        NSHumanReadableCopyright="© 2021 AO Kaspersky Lab. All rights reserved.",
    )
    result = run("applications", mac_tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.version, item.vendor) == (
        "app",
        "Kaspersky Anti-Virus For Mac",
        "21.3",
        "Kaspersky Lab UK Limited",
    )
    assert item.path == "/Applications/Kaspersky Anti-Virus For Mac.app"
    assert item.ids == {"bundle_id": "com.kaspersky.kav", "team_id": TEAM}
    assert item.signer == f"Developer ID Application: Kaspersky Lab UK Limited ({TEAM})"
    assert item.details == {
        "names": "Kaspersky",
        "build": "21.3.0.150",
        "copyright": "© 2021 AO Kaspersky Lab. All rights reserved.",
        "arch": "x86_64 arm64",
    }
    assert item.evidence[0].where == "/Applications/Kaspersky Anti-Virus For Mac.app/Contents/Info.plist"
    assert result.run.status == "ok"


def test_every_place_and_user(mac_tree: MacTree) -> None:
    mac_tree.folder("/Users/eve")
    places = {
        "/Applications/A.app": "",
        "/Applications/Utilities/B.app": "",
        "/Applications/Setapp/C.app": "",
        "/Applications/Acme Suite 2024/Tools/D.app": "",
        "/System/Applications/E.app": "",
        "/Library/Input Methods/F.app": "",
        "/Library/Application Support/Acme/Agent/bin/G.app": "",
        "/Library/F-Secure/bin/fsavd.app": "",
        "/Users/ada/Applications/H.app": "ada",
        "/Users/eve/Applications/H.app": "eve",
        "/Users/ada/Library/Input Methods/I.app": "ada",
        "/Users/ada/Library/Application Support/Acme/J.app": "ada",
        "/Users/ada/Downloads/K.app": "ada",
        "/Users/ada/Desktop/L.app": "ada",
        "/Users/ada/M.app": "ada",
    }
    for place in places:
        mac_tree.app(place)
    result = run("applications", mac_tree.host())
    assert {item.path: item.user for item in result.items} == places
    assert {item.state for item in result.items} == {"installed"}


def test_hidden_folders_at_the_top_of_a_home_hide_nothing(mac_tree: MacTree) -> None:
    for folder in (".hidden", "com.apple.own"):
        mac_tree.app(f"/Users/ada/{folder}/Acme.app")
    mac_tree.app("/Users/ada/.hidden/deeper/Other.app")
    mac_tree.app("/Users/ada/.hidden/deeper/and/Deepest.app")
    found = run("applications", mac_tree.host()).items
    assert {item.path for item in found} == {
        "/Users/ada/.hidden/Acme.app",
        "/Users/ada/.hidden/deeper/Other.app",
        "/Users/ada/com.apple.own/Acme.app",
    }


@pytest.mark.parametrize(
    "folder",
    [
        *("/data", "/data/tools/x", "/Users/ada/Library/Foo", "/Users/ada/Library/Foo/Bar", "/Library/Foo"),
        *("/Users/ada/tools", "/Users/ada/tools/deep", "/.hidden", "/System/Volumes/Data/depot"),
        *("/Users/ada/Documents/a/b", "/Users/ada/Desktop/a/b", "/Users/ada/Library/Application Support/A/B"),
        *("/private/var/folders/ab/cdef/T", "/Users/ada/Library/Mobile Documents/com~apple~CloudDocs/x"),
        *("/Users/ada/Documents/a/b/c/d", "/Users/ada/tools/a/b/c"),
        *(
            "/Users/ada/Library/Mobile Documents/iCloud~org~x/Documents",
            "/Users/ada/Library/Containers/org.x/Data/Documents",
        ),
        "/Users/ada/Library/Group Containers/ABC.org.x/Library",
    ],
)
def test_folders_that_somebody_made(mac_tree: MacTree, folder: str) -> None:
    mac_tree.app(f"{folder}/Acme.app")
    result = run("applications", mac_tree.host())
    assert [item.path for item in result.items] == [f"{folder}/Acme.app"]
    assert result.run.status == "ok"


@pytest.mark.parametrize(("depth", "hides"), [(1, True), (4, False)])
def test_a_limit_deep_in_what_people_keep_is_a_note(
    mac_tree: MacTree, monkeypatch: pytest.MonkeyPatch, depth: int, hides: bool
) -> None:
    monkeypatch.setattr(applications, "_LIMIT", 20)
    folder = "/Users/ada/Documents" + "/x" * depth
    for number in range(30):
        mac_tree.folder(f"{folder}/{number}")
    (problem,) = run("applications", mac_tree.host()).run.problems
    assert (problem.cause, problem.hides) == ("limit", hides)


def test_a_folder_below_the_root_may_be_a_link(mac_tree: MacTree) -> None:
    """As synthetic.conf makes them."""
    mac_tree.app("/System/Volumes/Data/depot/Acme.app")
    mac_tree.link("/depot", "System/Volumes/Data/depot")
    assert [item.path for item in run("applications", mac_tree.host()).items] == ["/depot/Acme.app"]


def test_on_the_data_volume(mac_tree: MacTree) -> None:
    mac_tree.folder("/Applications")
    mac_tree.app("/System/Volumes/Data/Applications/Acme.app")
    assert [item.path for item in run("applications", mac_tree.host()).items] == ["/Applications/Acme.app"]


def test_nested_applications_and_extensions(mac_tree: MacTree) -> None:
    outer = "/Applications/Acme.app"
    inner = (
        f"{outer}/Contents/Library/LoginItems/Agent.app",
        f"{outer}/Contents/Frameworks/Acme Helper (GPU).app",
        f"{outer}/Contents/Frameworks/Acme Framework.framework/Helpers/Renderer.app",
        f"{outer}/Contents/MacOS/Updater.app",
        f"{outer}/Contents/MacOS/Updater.app/Contents/Helpers/Deep.app",
        f"{outer}/Contents/PlugIns/Finder.appex",
    )
    mac_tree.app(outer)
    mac_tree.link(f"{outer}/Contents/Frameworks/Acme Framework.framework/Helpers", "Versions/A/Helpers")
    mac_tree.app(f"{outer}/Contents/Frameworks/Acme Framework.framework/Versions/A/Helpers/Renderer.app")
    for path in inner:
        if "Framework.framework" not in path:
            mac_tree.app(path, NSExtension={"NSExtensionPointIdentifier": "com.apple.FinderSync"})
    result = run("applications", mac_tree.host())
    assert {item.path: item.details.get("inside", "") for item in result.items} == {
        outer: "",
        **dict.fromkeys(inner, outer),
    }
    extension = result.one("Finder")
    assert (extension.kind, extension.details["extension_point"]) == ("extension", "com.apple.FinderSync")


def test_depth_of_nesting_is_bounded(mac_tree: MacTree) -> None:
    path = "/Applications/A.app"
    for _ in range(12):
        mac_tree.app(path)
        path += "/Contents/Helpers/A.app"
    result = run("applications", mac_tree.host())
    assert len(result.items) == 4
    assert [problem.cause for problem in result.problems] == ["limit"]


def test_links_count_once(mac_tree: MacTree) -> None:
    data = "/System/Volumes/Data"
    mac_tree.folder("/Applications")
    mac_tree.app(f"{data}/Applications/Acme.app")
    mac_tree.link(f"{data}/Applications/Also Acme.app", "Acme.app")
    mac_tree.link("/Users/ada/Applications/Acme.app", "/Applications/Acme.app")
    mac_tree.link("/Users/ada/Desktop/Acme.app", f"{data}/Applications/Acme.app")
    mac_tree.app("/System/Cryptexes/App/Safari.app")
    mac_tree.link(f"{data}/Applications/Safari.app", "/System/Cryptexes/App/Safari.app")
    mac_tree.link(f"{data}/Applications/Gone.app", "/Users/Shared/Gone.app")
    mac_tree.link(f"{data}/Applications/On a volume.app", "/Volumes/Other/Gone.app")
    host = mac_tree.host()
    result = run("applications", host)
    assert [(item.name, item.state) for item in result.items] == [
        ("Acme", "installed"),
        ("Gone", "leftover"),
        ("On a volume", "installed"),
        ("Safari", "installed"),
    ]
    assert result.one("Safari").details["link"] == "/System/Cryptexes/App/Safari.app"
    assert result.one("Gone").details["note"] == "link to /Users/Shared/Gone.app, which is gone"
    assert "the volume of /Volumes" in result.one("On a volume").notes[0]
    assert result.run.left_out == {"listed as another item": 3}


def test_what_one_user_calls_his_trash_is_still_the_others_application(mac_tree: MacTree) -> None:
    mac_tree.app("/Users/bob/Applications/K.app", CFBundleIdentifier="k")
    for user in ("ada", "zoe"):
        mac_tree.link(f"/Users/{user}/.Trash", "/Users/bob/Applications")
    states = {item.user: item.state for item in run("applications", mac_tree.host()).items}
    assert states == {"ada": "leftover", "bob": "installed", "zoe": "leftover"}


def test_trash(mac_tree: MacTree) -> None:
    mac_tree.app("/Users/ada/.Trash/Kaspersky.app", KASPERSKY)
    mac_tree.app("/.Trashes/501/Acme.app")
    result = run("applications", mac_tree.host())
    assert [(item.name, item.state, item.user) for item in result.items] == [
        ("Acme", "leftover", "ada"),
        ("Kaspersky", "leftover", "ada"),
    ]
    assert result.one("Kaspersky").details["note"] == "in the Trash"
    assert result.one("Kaspersky").ids["team_id"] == TEAM


def test_shortcuts_into_a_virtual_machine_are_no_applications(mac_tree: MacTree) -> None:
    name = "Parallels Internet Security Powered by Kaspersky"
    mac_tree.app(f"{COHERENCE}/{name}.app", CFBundleIdentifier="com.parallels.winapp.1234.5678")
    mac_tree.app("/Users/ada/Applications/Proxy.app", CFBundleIdentifier="com.vmware.proxyApp.5678")
    result = run("applications", mac_tree.host())
    assert [(item.kind, item.name, item.path, item.version, item.details["guest"]) for item in result.items] == [
        ("file", name, f"{COHERENCE}/{name}.app", "", "Parallels"),
        ("file", "Proxy", "/Users/ada/Applications/Proxy.app", "", "VMware"),
    ]


def test_applications_of_a_phone(mac_tree: MacTree) -> None:
    app = "/Applications/TikTok.app"
    info = {"CFBundleIdentifier": "com.zhiliaoapp.musically", "CFBundleExecutable": "TikTok", "CFBundleVersion": "31.0"}
    mac_tree.plist(f"{app}/Wrapper/TikTok.app/Info.plist", info, binary=True)
    store = signed_macho("com.zhiliaoapp.musically", "A123456789", "TikTok Ltd")
    mac_tree.write(f"{app}/Wrapper/TikTok.app/TikTok", store)
    mac_tree.link(f"{app}/WrappedBundle", "Wrapper/TikTok.app")
    (item,) = run("applications", mac_tree.host()).items
    assert (item.version, item.ids) == ("31.0", {"bundle_id": "com.zhiliaoapp.musically", "team_id": "A123456789"})


def test_from_the_app_store(mac_tree: MacTree) -> None:
    mac_tree.app("/Applications/Acme.app", NSHumanReadableCopyright="Copyright © 2024 Acme GmbH")
    mac_tree.write("/Applications/Acme.app/Contents/_MASReceipt/receipt", b"0")
    (item,) = run("applications", mac_tree.host()).items
    assert (item.vendor, item.details["app_store"]) == ("Acme GmbH", "yes")


def test_what_is_broken_is_an_item_all_the_same(mac_tree: MacTree) -> None:
    mac_tree.folder("/Applications/Empty.app")
    mac_tree.write("/Applications/Damaged.app/Contents/Info.plist", b"bplist00 and no more")
    mac_tree.plist("/Applications/Hollow.app/Contents/Info.plist", {"CFBundleExecutable": "hollow"})
    mac_tree.plist("/Applications/Odd.app/Contents/Info.plist", {"CFBundleExecutable": "../../../../etc/passwd"})
    mac_tree.write("/Applications/File.app", "x")
    result = run("applications", mac_tree.host())
    assert [(item.name, item.state, item.details.get("note", "")) for item in result.items] == [
        ("Damaged", "installed", "no readable Info.plist"),
        ("Empty", "installed", "no readable Info.plist"),
        ("Hollow", "leftover", "its program is gone"),
        ("Odd", "installed", ""),
    ]
    assert result.problems == (
        Problem("/Applications/Damaged.app/Contents/Info.plist", "is damaged: no property list", "damaged"),
    )
    assert result.run.left_out == {"a file, not a folder": 1}


def test_icloud_placeholders(mac_tree: MacTree) -> None:
    mac_tree.write("/Users/ada/Desktop/.Acme.app.icloud", b"bplist00")
    result = run("applications", mac_tree.host())
    (item,) = result.items
    assert [problem.cause for problem in result.problems] == ["cloud"]
    assert (item.name, item.path, item.state) == ("Acme", "/Users/ada/Desktop/Acme.app", "installed")
    assert item.notes == ("kept in iCloud: only a placeholder is here",)


@pytest.mark.slow
def test_large_folders_hide_nothing(mac_tree: MacTree, monkeypatch: pytest.MonkeyPatch) -> None:
    many = mac_tree.folder("/Users/ada/Applications")
    for number in range(5002):
        (many / f"a{number}").mkdir()
    mac_tree.app("/Users/ada/Applications/zzz/Acme.app")
    result = run("applications", mac_tree.host())
    assert (result.names(), result.run.status) == (["Acme"], "ok")
    monkeypatch.setattr("phaseout.sources.macos.applications._LIMIT", 5000)
    (problem,) = run("applications", mac_tree.host()).problems
    assert (problem.where, problem.cause) == ("/Users/ada/Applications", "limit")


def test_folders_for_applications_are_searched_whole_or_that_is_a_problem(mac_tree: MacTree) -> None:
    mac_tree.app("/Applications/.hidden/temp/com.apple.x/y.framework/Deep.app")
    mac_tree.app("/Users/ada/Applications/1/2/3/4/5/6/7/8/Deeper.app")
    mac_tree.app("/Users/Shared/Other/Linked.app")
    mac_tree.link("/Applications/Other", "/Users/Shared/Other")
    mac_tree.link("/Applications/Round", "/Applications")
    result = run("applications", mac_tree.host())
    assert [item.path for item in result.items] == [
        "/Applications/.hidden/temp/com.apple.x/y.framework/Deep.app",
        "/Applications/Other/Linked.app",
    ]
    assert [(problem.where, problem.cause) for problem in result.problems] == [
        ("/Users/ada/Applications/1/2/3/4/5/6/7/8", "limit")
    ]


def test_other_places(mac_tree: MacTree) -> None:
    places = (
        *("/Users/Shared/KL/A.app", "/opt/kl/B.app", "/usr/local/kl/C.app", "/D.app"),
        *("/Volumes/Extra/Applications/E.app", "/Volumes/Extra/F.app"),
    )
    for place in places:
        mac_tree.app(place, KASPERSKY)
    mac_tree.link("/Volumes/Macintosh HD", "/")
    assert sorted(item.path for item in run("applications", mac_tree.host()).items) == sorted(places)


def test_plug_ins(mac_tree: MacTree) -> None:
    mac_tree.app("/Library/PreferencePanes/Kaspersky.prefPane", KASPERSKY, CFBundleIdentifier="com.kaspersky.pane")
    mac_tree.app("/Users/ada/Library/Internet Plug-Ins/Kaspersky.plugin", KASPERSKY)
    mac_tree.write("/Library/QuickLook/x.txt")
    items = run("applications", mac_tree.host()).items
    assert {(item.kind, item.name, item.user, item.ids["team_id"]) for item in items} == {
        ("extension", "Kaspersky", "", TEAM),
        ("extension", "Kaspersky", "ada", TEAM),
    }


def test_a_signature_beside_a_script(mac_tree: MacTree) -> None:
    mac_tree.app("/Applications/Acme Tool.app", CFBundleIdentifier="com.acme.tool")
    for name, part in detached_signature("com.acme.tool", "ABCDE12345", "Acme Software GmbH").items():
        mac_tree.write(f"/Applications/Acme Tool.app/Contents/_CodeSignature/{name}", part)
    (item,) = run("applications", mac_tree.host()).items
    assert (item.vendor, item.signer, item.ids["team_id"]) == (
        "Acme Software GmbH",
        "Developer ID Application: Acme Software GmbH (ABCDE12345)",
        "ABCDE12345",
    )


def test_a_folder_like_that_of_parallels_hides_nothing(mac_tree: MacTree) -> None:
    folder = "/Users/ada/Applications/{x} Applications.localized"
    mac_tree.app(f"{folder}/A.app", KASPERSKY, CFBundleIdentifier="com.kaspersky.kav")
    mac_tree.app(f"{folder}/B.app", KASPERSKY, CFBundleIdentifier="com.parallels.winapp.1.2")
    items = run("applications", mac_tree.host()).items
    assert [(item.kind, item.name, item.details.get("guest", "")) for item in items] == [
        ("app", "A", ""),
        ("app", "B", ""),
    ]
    assert {item.ids["team_id"] for item in items} == {TEAM}


def test_a_damaged_list_costs_nothing_where_the_signature_says_enough(mac_tree: MacTree) -> None:
    mac_tree.app("/Applications/Kaspersky.app", KASPERSKY)
    mac_tree.write("/Applications/Kaspersky.app/Contents/Info.plist")
    result = run("applications", mac_tree.host())
    assert result.one("Kaspersky").ids == {"bundle_id": "com.kaspersky.kav", "team_id": TEAM}
    assert result.run.status == "ok"


@given(data=st.binary(max_size=120))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes(mac_tree: MacTree, data: bytes) -> None:
    mac_tree.app("/Applications/A.app", data)
    run("applications", mac_tree.host())
    mac_tree.write("/Applications/A.app/Contents/Info.plist", data)
    assert len(run("applications", mac_tree.host()).items) == 1


# Real captures: the applications of three Macs. A tree is built from what the capture says of each, and must give back
# what another program made of the same capture.

SAMPLES = ("sample1.SPApplicationsDataType", "sample3.SPApplicationsDataType", "sample5.SPApplicationsDataType-xml")
LOCATIONS = ("/Applications/", "/System/Applications/")


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES)
def test_real_captures(sample: str, corpora: Path, mac_tree: MacTree) -> None:
    folder = corpora / "glpi-agent/macos-applications"
    captured = _captured((folder / sample).read_bytes())
    expected = json.loads((folder / f"{sample}.expected.json").read_bytes())["results"]
    versions = {str(one["NAME"]): str(one.get("VERSION") or "").replace(",", ".") for one in expected}
    taken: dict[str, dict[str, str]] = {}
    for one in captured:
        path = one["path"]
        if path.endswith(".app") and path.startswith(LOCATIONS) and path.lower() not in taken and "//" not in path:
            taken[path.lower()] = one
    wanted = {}
    for one in taken.values():
        leaf = {} if not one["team"] else {"CFBundleIdentifier": "x"}
        program = signed_macho("x", one["team"], one["maker"]) if one["team"] else b"#!/bin/sh\n"
        mac_tree.app(one["path"], program, CFBundleShortVersionString=one["version"], **leaf)
        wanted[one["path"]] = (one["version"], one["team"])
    result = run("applications", mac_tree.host())
    found = {item.path: (item.version, item.ids.get("team_id", "")) for item in result.items}
    reached = {path for path in wanted if _within_reach(path)}
    assert {path: found.get(path) for path in reached} == {path: wanted[path] for path in reached}
    assert found.keys() <= wanted.keys()
    assert len(reached) >= {"sample1": 20, "sample3": 30, "sample5": 60}[sample.partition(".")[0]]
    names = [one["name"] for one in captured]
    compared = [one for one in taken.values() if one["path"] in reached and names.count(one["name"]) == 1]
    assert {one["name"]: one["version"].replace(",", ".") for one in compared} == {
        one["name"]: versions[one["name"]] for one in compared
    }


def _within_reach(path: str) -> bool:
    """Not too deep below the folder, and nested only where code may be."""
    return ".app/" not in path and path.count("/") <= 5


def _captured(data: bytes) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    if data.startswith(b"<?xml"):
        (report,) = plistlib.loads(data)
        for one in report["_items"]:
            signed = next(iter(one.get("signed_by", [])), "")
            found.append(_application(one["_name"], one.get("version", ""), one.get("path", ""), signed))
        return found
    values: dict[str, Any] = {}
    for line in data.decode().splitlines():
        if re.fullmatch(r"    \S.*:", line):
            values = {"name": line.strip()[:-1]}
        match = re.fullmatch(r"      (Version|Location|Signed by): (.*)", line)
        if match:
            values[match[1]] = match[2]
        if match and match[1] == "Location":
            signed = values.get("Signed by", "").partition("), ")[0] + ")"
            found.append(_application(values["name"], values.get("Version", ""), match[2], signed))
    return found


def _application(name: str, version: str, path: str, signed: str) -> dict[str, str]:
    maker = re.fullmatch(r"Developer ID Application: (.*) \((\w{10})\)", signed)
    return {
        "name": name,
        "version": version,
        "path": path,
        "maker": maker[1] if maker else "",
        "team": maker[2] if maker else "",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        *("/Applications/Helper", "/Applications/Sub/Helper.old", "/Users/ada/Applications/Helper"),
        *("/Library/PrivilegedHelperTools/com.kit.bundle", "/Users/Shared/Kit/Helper", "/opt/kit/Helper"),
        *("/Library/Application Support/Kit/Helper.bundle", "/Users/ada/tools/Helper", "/Volumes/Disk/Kit/Helper"),
    ],
)
def test_a_bundle_without_the_usual_ending(mac_tree: MacTree, path: str) -> None:
    mac_tree.app(
        path, signed_macho("com.kit", "2Y8XE5CQ94", "Kit Ltd"), CFBundleExecutable="run", CFBundleIdentifier="com.kit"
    )
    found = [(item.path, item.ids["team_id"]) for item in run("applications", mac_tree.host()).items]
    assert found == [(path, "2Y8XE5CQ94")]


@pytest.mark.parametrize(
    "path",
    [
        "/Library/Audio/Plug-Ins/HAL/Kit.driver",
        "/Library/Filesystems/kit.fs",
        "/Users/ada/Library/ColorPickers/k.colorPicker",
    ],
)
def test_further_kinds_of_plug_ins(mac_tree: MacTree, path: str) -> None:
    mac_tree.app(path, signed_macho("com.kit", "2Y8XE5CQ94", "Kit Ltd"), CFBundleIdentifier="com.kit")
    (item,) = run("applications", mac_tree.host()).items
    assert (item.kind, item.path, item.vendor) == ("extension", path, "Kit Ltd")


def test_a_framework(mac_tree: MacTree) -> None:
    path = "/Library/Frameworks/kit.framework"
    mac_tree.plist(
        f"{path}/Versions/A/Resources/Info.plist", {"CFBundleIdentifier": "com.kit", "CFBundleExecutable": "kit"}
    )
    mac_tree.write(f"{path}/Versions/A/kit", signed_macho("com.kit", "2Y8XE5CQ94", "Kit Ltd"))
    mac_tree.link(f"{path}/Versions/Current", "A")
    mac_tree.link(f"{path}/kit", "Versions/Current/kit")
    mac_tree.link(f"{path}/Resources", "Versions/Current/Resources")
    (item,) = run("applications", mac_tree.host()).items
    assert (item.kind, item.name, item.ids) == ("extension", "kit", {"bundle_id": "com.kit", "team_id": "2Y8XE5CQ94"})


def test_what_a_user_keeps_in_the_dock(mac_tree: MacTree) -> None:
    path = "/Users/ada/a/b/c/My Kit.app"
    mac_tree.app(path, CFBundleIdentifier="com.kit")
    kept = [
        {"tile-data": {"file-data": {"_CFURLString": "file:///Users/ada/a/b/c/My%20Kit.app/"}}},
        {"tile-data": {}},
        1,
    ]
    mac_tree.plist("/Users/ada/Library/Preferences/com.apple.dock.plist", {"persistent-apps": kept})
    (item,) = run("applications", mac_tree.host()).items
    assert (item.path, item.user) == (path, "ada")
