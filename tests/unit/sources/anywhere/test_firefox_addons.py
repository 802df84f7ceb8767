"""Add-ons of Firefox and its kin: profiles, folders, archives, registrations, damage, and a browser that really ran."""

import io
import json
import plistlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.users import User
from phaseout.model.nouns import Evidence, HostInfo

from tests.support.harness import Result, run
from tests.support.trees import MacTree, Tree, WindowsTree

FIREFOX = "/home/ada/.mozilla/firefox"
PROFILE = f"{FIREFOX}/abc.default"
INI = "[Install1]\nDefault=abc.default\n\n[Profile0]\nName=default\nIsRelative=1\nPath=abc.default\n"
ID = "light_plugin_ACF0E80077C511E59DED005056C00008@kaspersky.com"
GECKO = "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"


def listed(*addons: object) -> str:
    return json.dumps({"schemaVersion": 37, "addons": addons})


def addon(name: str = ID, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "version": "1.0",
        "type": "extension",
        "active": True,
        "location": "app-profile",
        "defaultLocale": {"name": "Kaspersky Protection", "creator": "AO Kaspersky Lab"},
        **more,
    }


def xpi(**members: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/mozilla.rsa", "x")
        archive.writestr("../../../../tmp/evil", "x")
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            archive.writestr(name.replace("__", "/").replace("_json", ".json"), data)
    return buffer.getvalue()


def states(result: Result) -> dict[str, str]:
    return {item.ids["extension_id"]: item.state for item in result.items}


def test_a_whole_addon(tree: Tree) -> None:
    path = f"{PROFILE}/extensions/{ID}.xpi"
    tree.write(path, b"PK")
    tree.write(f"{FIREFOX}/profiles.ini", INI)
    entry = addon(path=path, sourceURI="https://addons.mozilla.org/x.xpi", installDate=1795289068121)
    tree.write(f"{PROFILE}/extensions.json", listed(entry, addon("x@mozilla.org", location="app-builtin-addons")))
    result = run("firefox_addons", tree.host())
    (item,) = result.items
    assert (item.name, item.vendor, item.version, item.state) == (
        "Kaspersky Protection",
        "AO Kaspersky Lab",
        "1.0",
        "installed",
    )
    assert (item.path, item.user, item.ids) == (path, "ada", {"extension_id": ID})
    assert item.details == {
        "browser": "Firefox",
        "profile": "abc.default",
        "enabled": "yes",
        "location": "profile",
        "store": "addons.mozilla.org",
        "installed": "2026-11-21T19:24:28Z",
    }
    assert item.evidence == (Evidence(f"{PROFILE}/extensions.json", f"{ID} 1.0"),)
    assert result.run.left_out == {"part of the browser": 1}


def test_profiles_named_elsewhere_and_unnamed(tree: Tree) -> None:
    tree.write(
        f"{FIREFOX}/profiles.ini", f"{INI}\n[Profile1]\nIsRelative=0\nPath=/srv/profile\n\n[Profile2]\nPath=../..\n"
    )
    for number, folder in enumerate(
        (PROFILE, "/srv/profile", f"{FIREFOX}/unnamed", "/home/ada/.config/zen/Profiles/x")
    ):
        tree.write(f"{folder}/extensions.json", listed(addon(f"{number}@x", type="theme")))
    found = run("firefox_addons", tree.host()).items
    assert [(item.ids["extension_id"], item.details["browser"], item.details["profile"]) for item in found] == [
        ("0@x", "Firefox", "abc.default"),
        ("1@x", "Firefox", "profile"),
        ("2@x", "Firefox", "unnamed"),
        ("3@x", "Zen", "x"),
    ]
    assert {item.details["type"] for item in found} == {"theme"}


def test_gone_moved_and_disabled(tree: Tree) -> None:
    tree.write(f"{PROFILE}/extensions/moved@x.xpi", b"PK")
    tree.write(
        f"{PROFILE}/extensions.json",
        listed(
            addon("gone@x", path="/home/ada/gone.xpi"),
            addon("moved@x", path="/old/home/moved@x.xpi"),
            addon("off@x", active=False, userDisabled=True, foreignInstall=True),
            addon("../../x", path="/gone"),
        ),
    )
    result = run("firefox_addons", tree.host())
    assert states(result) == {"gone@x": "leftover", "moved@x": "installed", "off@x": "installed", "../../x": "leftover"}
    off = next(item for item in result.items if item.ids["extension_id"] == "off@x")
    assert (off.details["enabled"], off.details["disabled"]) == ("no", "by the user")
    assert off.details["brought_by"] == "another program"


def test_archives_that_no_list_names(tree: Tree) -> None:
    manifest = {
        "name": "__MSG_n__",
        "version": "2",
        "author": "Lab",
        "default_locale": "en",
        "browser_specific_settings": {"gecko": {"id": "told@x"}},
    }
    tree.write(f"{PROFILE}/extensions.json", listed(addon("listed@x")))
    folder = f"{PROFILE}/extensions"
    tree.write(f"{folder}/listed@x.xpi", b"broken, and not read")
    tree.write(
        f"{folder}/new@x.xpi", xpi(manifest_json=manifest, _locales__en__messages_json={"n": {"message": "New"}})
    )
    tree.write(f"{folder}/{ID}.xpi", xpi(install_rdf=b"<RDF/>"))
    tree.write(f"{folder}/bomb@x.xpi", xpi(manifest_json=b" " * (8 << 20)))
    tree.write(f"{folder}/broken@x.xpi", b"no archive")
    tree.write(f"{folder}/unpacked@x/manifest.json", json.dumps({"name": "Unpacked", "version": "3"}))
    tree.folder(f"{folder}/staged")
    tree.folder(f"{folder}/no add-on")
    result = run("firefox_addons", tree.host())
    found = {item.ids["extension_id"]: (item.name, item.version) for item in result.items}
    assert found == {
        "listed@x": ("Kaspersky Protection", "1.0"),
        "told@x": ("New", "2"),
        ID: (ID, ""),
        "bomb@x": ("bomb@x", ""),
        "broken@x": ("broken@x", ""),
        "unpacked@x": ("Unpacked", "3"),
    }
    assert result.one("New").vendor == "Lab"
    assert result.one("New").details["status"] == "not in the list of the profile"
    assert result.run.left_out == {"not an extension": 1}
    assert {problem.where.rpartition("/")[2] for problem in result.problems} == {"bomb@x.xpi", "broken@x.xpi"}


def test_folders_of_the_machine_and_of_users(tree: Tree) -> None:
    tree.write(
        f"/usr/share/mozilla/extensions/{GECKO}/u@x/manifest.json",
        json.dumps({"name": "__MSG_n__", "version": "1", "default_locale": "en"}),
    )
    tree.write(
        f"/usr/share/mozilla/extensions/{GECKO}/u@x/_locales/en/messages.json", json.dumps({"N": {"message": "U"}})
    )
    tree.link("/usr/lib/mozilla/extensions", "../../share/mozilla/nowhere")
    tree.write(f"/home/ada/.mozilla/extensions/{GECKO}/v@x.xpi", xpi(manifest_json={"name": "V", "version": "2"}))
    tree.write("/usr/lib/firefox/distribution/extensions/w@x.xpi", xpi(manifest_json={"name": "W", "version": "3"}))
    found = run("firefox_addons", tree.host()).items
    assert [(item.name, item.user, item.details["location"]) for item in found] == [
        ("U", "", "folder of the system"),
        ("V", "ada", "folder of the user"),
        ("W", "", "folder of the program"),
    ]


def test_policies(tree: Tree) -> None:
    settings = {ID: {"installation_mode": "force_installed", "install_url": "https://x/k.xpi"}, "*": {}, "y": {}}
    policies = {"policies": {"ExtensionSettings": settings, "Extensions": {"Install": ["https://x/z.xpi"]}}}
    tree.write("/etc/firefox/policies/policies.json", json.dumps(policies))
    tree.write("/usr/lib/thunderbird/distribution/policies.json", "{")
    result = run("firefox_addons", tree.host())
    assert [(item.name, item.state, item.details["store"]) for item in result.items] == [
        (ID, "leftover", "https://x/k.xpi"),
        ("z.xpi", "leftover", "https://x/z.xpi"),
    ]
    assert result.run.left_out == {"a setting": 1, "damaged": 1}
    assert [problem.where for problem in result.problems] == ["/usr/lib/thunderbird/distribution/policies.json"]


def test_macos(mac_tree: MacTree) -> None:
    top = "/Users/ada/Library/Application Support/Firefox"
    mac_tree.write(f"{top}/profiles.ini", "[Profile0]\nIsRelative=1\nPath=Profiles/abc.default\n")
    mac_tree.write(f"{top}/Profiles/abc.default/extensions.json", listed(addon()))
    mac_tree.write(
        "/Library/Preferences/org.mozilla.firefox.plist",
        plistlib.dumps({"ExtensionSettings": {"y@z": {"installation_mode": "normal_installed"}}}),
    )
    assert [(item.ids["extension_id"], item.state) for item in run("firefox_addons", mac_tree.host()).items] == [
        (ID, "installed"),
        ("y@z", "leftover"),
    ]


def test_windows(windows_tree: WindowsTree) -> None:
    top = r"C:\Users\ada\AppData\Roaming\Mozilla\Firefox"
    windows_tree.write(rf"{top}\profiles.ini", "[Profile0]\r\nIsRelative=1\r\nPath=Profiles/abc.default\r\n")
    path = rf"{top}\Profiles\abc.default\extensions\{ID}.xpi"
    windows_tree.write(path, b"PK")
    windows_tree.write(rf"{top}\Profiles\abc.default\extensions.json", listed(addon(path=path)))
    windows_tree.key(r"HKLM\SOFTWARE\WOW6432Node\Mozilla\Firefox\Extensions", {ID: r"C:\Kaspersky\x.xpi", "odd": 5})
    windows_tree.key(
        rf"HKU\{WindowsTree.ADA}\Software\Policies\Mozilla\Firefox",
        {"ExtensionSettings": json.dumps({"y@z": {"installation_mode": "force_installed"}})},
    )
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Mozilla\Firefox\Extensions\Install", {"1": "https://x/z.xpi"})
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Mozilla\Thunderbird", {"ExtensionSettings": "["})
    result = run("firefox_addons", windows_tree.host())
    assert [(item.name, item.state, item.user, item.path) for item in result.items] == [
        ("Kaspersky Protection", "installed", "ada", path),
        (ID, "leftover", "", r"C:\Kaspersky\x.xpi"),
        ("y@z", "leftover", "ada", ""),
        ("z.xpi", "leftover", "", ""),
    ]
    assert result.run.left_out == {"not an extension": 1, "damaged": 1}
    assert len(result.problems) == 1


def test_damage_costs_one_problem_each(tree: Tree) -> None:
    tree.write(f"{PROFILE}/extensions.json", listed(addon("a@x"), 5, {"id": None}, addon("b@x")))
    tree.write(f"{FIREFOX}/other/extensions.json", '{"addons": 5}')
    tree.write(f"{FIREFOX}/profiles.ini", b"\xff[Profile0]\nPath=\0\n")
    result = run("firefox_addons", tree.host())
    assert set(states(result)) == {"a@x", "b@x"}
    assert result.run.left_out == {"damaged": 2}
    assert {problem.where for problem in result.problems} == {
        f"{PROFILE}/extensions.json",
        f"{FIREFOX}/other/extensions.json",
    }


def test_a_firefox_that_really_ran(tmp_path: Path) -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    if firefox is None:
        pytest.skip("firefox is not installed")
    home = tmp_path / "home"
    profile = home / ".config/mozilla/firefox/own.default"
    (profile / "extensions").mkdir(parents=True)
    manifest = {
        "manifest_version": 2,
        "name": "__MSG_n__",
        "version": "1.2.3",
        "author": "Lab",
        "default_locale": "en",
        "browser_specific_settings": {"gecko": {"id": "own@example.org"}},
    }
    (profile / "extensions/own@example.org.xpi").write_bytes(
        xpi(manifest_json=manifest, _locales__en__messages_json={"n": {"message": "Own Add-on"}})
    )
    (profile / "user.js").write_text(
        'user_pref("xpinstall.signatures.required", false);\nuser_pref("extensions.autoDisableScopes", 0);\n'
    )
    subprocess.run(
        [firefox, "--headless", "--profile", str(profile), "--screenshot", str(tmp_path / "x.png"), "about:blank"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "MOZ_CRASHREPORTER_DISABLE": "1"},
        capture_output=True,
        timeout=180,
        check=True,
    )
    host = Host(HostInfo(name="live", platform="linux"), PosixFiles("/"), (User("ada", 1000, str(home)),))
    result = run("firefox_addons", host)
    wrote = json.loads((profile / "extensions.json").read_bytes())["addons"]
    theirs = {one["id"]: one for one in wrote if not one["location"].startswith("app-builtin")}
    ours = {item.ids["extension_id"]: item for item in result.items if item.user}
    assert "own@example.org" in ours
    assert set(ours) == set(theirs)
    assert result.run.left_out["part of the browser"] == len(wrote) - len(theirs) > 0
    for name, item in ours.items():
        locale = theirs[name]["defaultLocale"]
        assert (item.name, item.version, item.vendor) == (locale["name"], theirs[name]["version"], locale["creator"])
        assert (item.path, item.state) == (theirs[name]["path"], "installed")
    for item in result.items:  # of the system: read from its own manifest, and known to the profile as well
        known = ours.get(item.ids["extension_id"])
        if known is not None:
            assert (item.name, item.version, item.vendor) == (known.name, known.version, known.vendor)
    assert not [problem for problem in result.problems if str(home) in problem.where]


def test_names_of_archives_are_those_of_the_default_locale(tree: Tree) -> None:
    manifest = {"name": "__MSG_n__", "version": "1", "default_locale": "en"}
    for locale, expected in (("en", "Own"), ("de", "own@x")):
        data = xpi(manifest_json=manifest, **{f"_locales__{locale}__messages_json": {"n": {"message": "Own"}}})
        tree.write(f"{PROFILE}/extensions/own@x.xpi", data)
        tree.write(f"{PROFILE}/extensions.json", listed())
        assert run("firefox_addons", tree.host()).names() == [expected]
