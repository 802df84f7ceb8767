"""Extensions of the Chromium family: profiles, versions, registrations, damage, and a browser that really ran."""

import json
import plistlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.users import User
from phaseout.model.nouns import Evidence, HostInfo, Item
from phaseout.rules.load import load
from phaseout.rules.matcher import Matcher
from phaseout.scan.worker import run_source
from phaseout.sources.anywhere.chromium_extensions import SOURCE

from tests.support.harness import run
from tests.support.observer import ObservedFiles, undeclared
from tests.support.trees import MacTree, Tree, WindowsTree

ID = "ahkjpbeeocnddjkakilopmfdlnjdpcdm"
OTHER = "abcdefghijklmnopabcdefghijklmnop"
STORE = "https://clients2.google.com/service/update2/crx"
CHROME = "/home/ada/.config/google-chrome"
MANIFEST = {"name": "Kaspersky Protection", "version": "30.1", "author": "Kaspersky", "update_url": STORE}


def dumps(value: object) -> str:
    return json.dumps(value)


def preferences(**extensions: object) -> str:
    return dumps({"extensions": {"settings": extensions}})


def setting(path: str, location: int = 1, **more: object) -> dict[str, object]:
    return {"path": path, "location": location, "state": 1, "first_install_time": "13439762687018310", **more}


def in_profile(tree: Tree, profile: str = "Default", top: str = CHROME, **manifest: object) -> str:
    folder = f"{top}/{profile}/Extensions/{ID}/30.1_0"
    tree.write(f"{folder}/manifest.json", dumps(MANIFEST | manifest))
    tree.write(f"{top}/{profile}/Preferences", preferences(**{ID: setting(f"{ID}/30.1_0", from_webstore=True)}))
    return folder


WINDOWS_POLICY = r"Policies\Google\Chrome"


def in_moved_profile(tree: WindowsTree, top: str) -> None:
    tree.write(rf"{top}\Default\Extensions\{ID}\30.1_0\manifest.json", dumps(MANIFEST))
    tree.write(rf"{top}\Default\Preferences", preferences(**{ID: setting(f"{ID}/30.1_0")}))


@pytest.mark.parametrize(
    ("policy", "folder"),
    [
        (r"C:\Chrome\${user_name}", r"C:\Chrome\ada"),
        (r"${local_app_data}\Elsewhere", r"C:\Users\ada\AppData\Local\Elsewhere"),
        (r"${profile}/Chrome", r"C:\Users\ada\Chrome"),
    ],
)
@pytest.mark.parametrize("software", [r"HKLM\SOFTWARE", rf"HKU\{WindowsTree.ADA}\Software"])
def test_profiles_that_a_policy_moves(windows_tree: WindowsTree, policy: str, folder: str, software: str) -> None:
    in_moved_profile(windows_tree, folder)
    windows_tree.key(rf"{software}\{WINDOWS_POLICY}", {"UserDataDir": policy})
    (item,) = run("chromium_extensions", windows_tree.host()).items
    assert (item.name, item.user, item.details["browser"]) == ("Kaspersky Protection", "ada", "Chrome")


@pytest.mark.parametrize(
    ("policy", "cause"),
    [(r"\\server\chrome\${user_name}", "mount"), (r"D:\chrome", "missing"), (r"C:\${session_name}", "unsupported")],
)
def test_moved_profiles_that_cannot_be_read_are_a_problem(windows_tree: WindowsTree, policy: str, cause: str) -> None:
    windows_tree.folder(r"C:\Users\ada")
    windows_tree.key(rf"HKLM\SOFTWARE\{WINDOWS_POLICY}", {"UserDataDir": policy})
    assert {problem.cause for problem in run("chromium_extensions", windows_tree.host()).problems} == {cause}


def test_profiles_that_managed_preferences_move(mac_tree: MacTree) -> None:
    in_profile(mac_tree, top="/Users/ada/Chrome")
    mac_tree.plist(
        "/Library/Managed Preferences/com.google.Chrome.plist", {"UserDataDir": "/Users/${user_name}/Chrome"}
    )
    (item,) = run("chromium_extensions", mac_tree.host()).items
    assert (item.name, item.user) == ("Kaspersky Protection", "ada")


def test_a_whole_extension(tree: Tree) -> None:
    folder = in_profile(tree)
    result = run("chromium_extensions", tree.host())
    (item,) = result.items
    assert (item.name, item.vendor, item.version, item.state) == (
        "Kaspersky Protection",
        "Kaspersky",
        "30.1",
        "installed",
    )
    assert (item.path, item.user, item.ids) == (folder, "ada", {"extension_id": ID})
    assert item.details == {
        "browser": "Chrome",
        "profile": "Default",
        "enabled": "yes",
        "store": "Chrome Web Store",
        "location": "installed by the user",
        "installed": "2026-11-21T19:24:47Z",
    }
    assert item.evidence == (Evidence(f"{CHROME}/Default/Preferences", f"{ID} 30.1"),)
    assert result.run.status == "ok"


def test_the_rules_find_it(tree: Tree) -> None:
    in_profile(tree, name="__MSG_gone__")
    (item,) = run("chromium_extensions", tree.host()).items
    assert item.name == ID
    file = "rules/vendors/kaspersky.toml"
    matcher = Matcher(load({file: (Path(__file__).parents[4] / file).read_bytes()}))
    assert [hit.product.id for hit in matcher.match([item])] == ["kaspersky-browser-extensions"]


def test_every_profile_of_every_browser(tree: Tree) -> None:
    in_profile(tree)
    in_profile(tree, "Profile 7")
    in_profile(tree, "Guest Profile", "/home/ada/snap/chromium/common/chromium")
    in_profile(tree, "odd", "/root/.config/microsoft-edge")
    in_profile(tree, ".", "/root/.config/opera")
    tree.folder(f"{CHROME}/Crashpad")
    tree.write("/home/ada/.config/vivaldi", "a file")
    found = run("chromium_extensions", tree.host()).items
    assert [(item.user, item.details["browser"], item.details.get("profile", "")) for item in found] == [
        ("ada", "Chrome", "Default"),
        ("ada", "Chrome", "Profile 7"),
        ("ada", "Chromium", "Guest Profile"),
        ("root", "Edge", "odd"),
        ("root", "Opera", ""),
    ]


def test_only_the_profiles_are_looked_into(tree: Tree) -> None:
    """Nothing is read but what the source declares for the folders of browsers, and the manifests it was led to."""
    in_profile(tree)
    for number in range(50):
        tree.write(f"{CHROME}/Default/Cache/{number}")
        tree.write(f"{CHROME}/Default/Extensions/{ID}/30.1_0/deep/{number}/manifest.json")
    host = tree.host()
    watched = ObservedFiles(host.files)
    list(SOURCE.collect(Host(host.info, watched, host.users)))
    beyond = undeclared(watched.touched, [one for one in SOURCE.reads if "**" not in one], host)
    assert beyond == [("content", f"{CHROME}/Default/Extensions/{ID}/30.1_0/manifest.json")]
    assert len(watched.touched) < 400


def test_secure_preferences_add_to_preferences(tree: Tree) -> None:
    in_profile(tree)
    tree.write(f"{CHROME}/Default/Preferences", preferences(**{ID: {"ack_prompt_count": 1}, OTHER: {"state": 2}}))
    tree.write(
        f"{CHROME}/Default/Secure Preferences", preferences(**{ID: setting(f"{ID}/30.1_0", disable_reasons=[1])})
    )
    result = run("chromium_extensions", tree.host())
    (item,) = result.items
    assert (item.state, item.details["enabled"], item.details["disabled"]) == ("installed", "no", "by the user")
    assert item.evidence[0].where.endswith("Secure Preferences")
    assert result.run.left_out == {"known but not installed": 1}


def test_parts_of_the_browser_are_counted(tree: Tree) -> None:
    tree.write(
        f"{CHROME}/Default/Preferences",
        preferences(a=setting("/opt/google/chrome/resources/pdf", 5), b=setting("b/1_0", 10)),
    )
    assert run("chromium_extensions", tree.host()).run.left_out == {"part of the browser": 2}


def test_leftovers(tree: Tree) -> None:
    folder = in_profile(tree)
    tree.write(f"{folder.replace('30.1_0', '29.0_0')}/manifest.json", dumps(MANIFEST | {"version": "29.0"}))
    tree.write(f"{CHROME}/Default/Extensions/{OTHER}/1_0/manifest.json", dumps({"name": "Forgotten", "version": "1"}))
    tree.folder(f"{CHROME}/Default/Extensions/Temp/x")
    gone = setting("c" * 32 + "/2.0_0", manifest={"name": "Gone", "author": "Lab"})
    unpacked = setting("/home/ada/gone", 4)
    tree.write(
        f"{CHROME}/Default/Preferences",
        preferences(**{ID: setting(f"{ID}/30.1_0"), "c" * 32: gone, "d" * 32: unpacked}),
    )
    found = {
        (item.name, item.version): (item.state, item.details.get("status", ""))
        for item in run("chromium_extensions", tree.host()).items
    }
    assert found == {
        ("Kaspersky Protection", "30.1"): ("installed", ""),
        ("Kaspersky Protection", "29.0"): ("leftover", "a version that the browser does not use"),
        ("Forgotten", "1"): ("leftover", "a version that the browser does not use"),
        ("Gone", "2.0"): ("leftover", "its files are gone"),
        ("d" * 32, ""): ("leftover", "its files are gone"),
    }


@pytest.mark.parametrize("content", [None, "{", '{"extensions": 5}'])
def test_without_settings_what_is_there_counts_as_installed(tree: Tree, content: str | None) -> None:
    folder = in_profile(tree)
    (tree.root / f"{CHROME}/Default/Preferences".lstrip("/")).unlink()
    if content is not None:
        tree.write(f"{CHROME}/Default/Preferences", content)
    result = run("chromium_extensions", tree.host())
    (item,) = result.items
    assert (item.state, item.path) == ("installed", folder)
    assert result.run.status == ("ok" if content is None else "partial")


def test_unpacked_extension_with_a_localised_name(tree: Tree) -> None:
    manifest = {"name": "__MSG_appName__", "version": "1", "author": "__MSG_who__", "default_locale": "de", "theme": {}}
    tree.write("/home/ada/dev/manifest.json", "// mine\n" + dumps(manifest))
    tree.write(
        "/home/ada/dev/_locales/de/messages.json", dumps({"appname": {"message": "Mein"}, "who": {"message": "Ich"}})
    )
    tree.write(f"{CHROME}/Default/Preferences", preferences(**{OTHER: setting("/home/ada/dev", 4)}))
    (item,) = run("chromium_extensions", tree.host()).items
    assert (item.name, item.vendor, item.details["location"]) == ("Mein", "Ich", "unpacked")
    assert item.details["type"] == "theme"


def test_damage_costs_one_problem_each(tree: Tree) -> None:
    folder = in_profile(tree)
    tree.write(f"{folder}/manifest.json", "{")
    tree.write(
        f"{CHROME}/Default/Preferences",
        preferences(**{ID: setting(f"{ID}/30.1_0"), OTHER: 5, "../../../x": setting("../../../../etc")}),
    )
    tree.fifo(f"{CHROME}/Default/Secure Preferences")
    result = run("chromium_extensions", tree.host())
    assert result.names() == ["../../../x", ID]
    assert result.items[0].path == f"{CHROME}/Default/Extensions/etc"
    assert {problem.where for problem in result.problems} == {
        f"{folder}/manifest.json",
        f"{CHROME}/Default/Preferences",
        f"{CHROME}/Default/Secure Preferences",
    }
    assert result.run.left_out == {"damaged": 1}


def test_policies_and_files_of_linux(tree: Tree) -> None:
    in_profile(tree)
    tree.write(
        "/etc/opt/chrome/policies/managed/a.json",
        "/* ours */" + dumps({"ExtensionInstallForcelist": [f"{ID};{STORE}"], "ExtensionSettings": {OTHER: {}}}),
    )
    tree.write("/etc/chromium/policies/recommended/b.json", "[")
    tree.write(f"/usr/share/google-chrome/extensions/{OTHER}.json", dumps({"external_update_url": STORE}))
    tree.write(
        "/opt/google/chrome/extensions/external_extensions.json",
        dumps({"x": {"external_crx": "/opt/x.crx", "external_version": "1.0"}}),
    )
    tree.write("/usr/share/chromium/extensions/ublock/manifest.json", dumps({"name": "uBlock", "version": "1"}))
    tree.folder("/usr/share/chromium/extensions/empty")
    result = run("chromium_extensions", tree.host())
    policy = "/etc/opt/chrome/policies/managed/a.json"
    forced, installed = (item for item in result.items if item.name == "Kaspersky Protection")
    assert (installed.state, installed.details["policy"]) == ("installed", policy)
    assert (forced.state, forced.details["location"], forced.details["store"]) == (
        "leftover",
        "forced by policy",
        "Chrome Web Store",
    )
    assert result.one(OTHER).details["location"] == "registered in a file"
    assert (result.one("x").path, result.one("x").version) == ("/opt/x.crx", "1.0")
    assert (result.one("uBlock").state, result.one("uBlock").user) == ("installed", "")
    assert result.run.left_out == {"a setting": 1, "not an extension": 1, "damaged": 1}
    assert [problem.where for problem in result.problems] == ["/etc/chromium/policies/recommended/b.json"]


def test_macos(mac_tree: MacTree) -> None:
    support = "/Users/ada/Library/Application Support/Google/Chrome"
    in_profile(mac_tree, top=support)
    mac_tree.write(
        "/Library/Managed Preferences/ada/com.google.Chrome.plist",
        plistlib.dumps({"ExtensionInstallForcelist": [f"{ID};{STORE}"]}, fmt=plistlib.FMT_BINARY),
    )
    mac_tree.write("/Library/Managed Preferences/com.brave.Browser.plist", b"bplist00")
    mac_tree.write(f"{support}/External Extensions/{OTHER}.json", dumps({"external_update_url": STORE}))
    result = run("chromium_extensions", mac_tree.host())
    assert [(item.name, item.state, item.user, item.details["browser"]) for item in result.items] == [
        ("Kaspersky Protection", "leftover", "ada", "Chrome"),
        ("Kaspersky Protection", "installed", "ada", "Chrome"),
        (OTHER, "leftover", "ada", "Chrome"),
    ]
    assert [problem.where for problem in result.problems] == ["/Library/Managed Preferences/com.brave.Browser.plist"]


def test_windows(windows_tree: WindowsTree) -> None:
    top = r"C:\Users\ada\AppData\Local\Microsoft\Edge\User Data"
    windows_tree.write(rf"{top}\Default\Extensions\{ID}\30.1_0\manifest.json", dumps(MANIFEST))
    windows_tree.write(
        rf"{top}\Default\Secure Preferences",
        preferences(**{ID: setting(rf"{ID}\30.1_0"), OTHER: setting(r"C:\Dev\mine", 4)}),
    )
    windows_tree.write(r"C:\Dev\mine\manifest.json", dumps({"name": "Mine", "version": "1"}))
    windows_tree.key(rf"HKLM\SOFTWARE\WOW6432Node\Google\Chrome\Extensions\{ID}", {"update_url": STORE, "version": "5"})
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Microsoft\Edge\ExtensionInstallForcelist", {"1": f"{ID};{STORE}"})
    user = rf"HKU\{WindowsTree.ADA}\Software\Policies\Google\Chrome"
    windows_tree.key(user, {"ExtensionSettings": dumps({OTHER: {"installation_mode": "normal_installed"}})})
    windows_tree.key(
        rf"HKLM\SOFTWARE\Policies\Chromium\ExtensionSettings\{OTHER}", {"installation_mode": "force_installed"}
    )
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Vivaldi", {"ExtensionSettings": "{"})
    result = run("chromium_extensions", windows_tree.host())
    found = {
        (item.name, item.state, item.user, item.details["browser"], item.details["location"]) for item in result.items
    }
    assert found == {
        ("Kaspersky Protection", "installed", "ada", "Edge", "installed by the user"),
        ("Mine", "installed", "ada", "Edge", "unpacked"),
        ("Kaspersky Protection", "leftover", "", "Chrome", "registered in the registry"),
        ("Kaspersky Protection", "leftover", "", "Edge", "forced by policy"),
        ("Mine", "leftover", "ada", "Chrome", "installed by policy"),
        ("Mine", "leftover", "", "Chromium", "forced by policy"),
    }
    assert [problem.where for problem in result.problems] == [r"HKLM\SOFTWARE\Policies\Vivaldi\ExtensionSettings"]


def test_real_manifests_and_a_real_profile(tree: Tree, corpora: Path) -> None:
    """The extensions of osv-scalibr's tests, and the settings of a Chrome of 2014 on Windows."""
    extensions = corpora / "packages/osv-scalibr/extractor/filesystem/misc/chrome/extensions/testdata"
    for path in extensions.rglob("*.json"):
        if len(path.relative_to(extensions).parts) > 2:
            tree.copy(f"{CHROME}/Default/Extensions/{path.relative_to(extensions)}", path)
    tree.copy(f"{CHROME}/Old/Preferences", corpora / "plaso/test_data/Preferences")
    result = run("chromium_extensions", tree.host())
    now = [item for item in result.items if item.details["profile"] == "Default"]
    assert [(item.name, item.version, item.state) for item in now] == [
        ("CryptoX Blockchain Wallet", "1.2.85", "installed"),
        ("Google Translate", "2.0.16", "installed"),
        ("ghbmnnjooekpmoecnnnilnnbdlolhkhi", "1.89.1", "installed"),
        ("nolocaleoekpmoecnnnilnnbdlolhkhi", "1.89.1", "installed"),
    ]
    old = [item for item in result.items if item.details["profile"] == "Old"]
    assert {item.name: item.version for item in old} == {
        "Gmail": "7",
        "Google Docs": "0.7",
        "Google Drive": "6.3",
        "Google Search": "0.0.0.20",
        "Google Sheets": "1.0",
        "Google Slides": "0.8",
        "YouTube": "4.2.6",
    }
    assert {item.state for item in old} == {"leftover"}
    assert result.run.left_out == {"part of the browser": 13}
    assert result.run.status == "ok"


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["path", "location", "name", "version", "message", "manifest", "x"]), inner, max_size=4
            )
        ),
        max_leaves=10,
    )
)
@settings(max_examples=40, deadline=None)
def test_any_json_is_survived(value: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        tree.write(
            f"{CHROME}/Default/Preferences", dumps({"extensions": {"settings": {ID: value, OTHER: setting("/x")}}})
        )
        tree.write(f"{CHROME}/Default/Extensions/{ID}/1_0/manifest.json", dumps(value))
        tree.write("/x/manifest.json", dumps({"name": "__MSG_x__", "default_locale": "en"}))
        tree.write("/x/_locales/en/messages.json", dumps({"x": value}))
        tree.write(
            "/etc/chromium/policies/managed/x.json",
            dumps({"ExtensionSettings": value, "ExtensionInstallForcelist": value}),
        )
        tree.write(f"/usr/share/chromium/extensions/{ID}.json", dumps(value))
        items: list[Item] = []
        outcome = run_source(SOURCE, tree.host(), items.append)
        assert outcome.status in ("ok", "partial"), outcome.reason
        assert OTHER in {item.ids["extension_id"] for item in items}


@pytest.mark.slow
def test_a_chromium_that_really_ran(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    own = tmp_path / "own"
    (own / "_locales/en").mkdir(parents=True)
    (own / "manifest.json").write_text(
        dumps({"manifest_version": 3, "name": "__MSG_n__", "version": "1.2.3", "default_locale": "en", "author": "Lab"})
    )
    (own / "_locales/en/messages.json").write_text(dumps({"N": {"message": "Own Extension"}}))
    home = tmp_path / "home"
    data = home / ".config/chromium"
    data.mkdir(parents=True)
    subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--load-extension={own}", f"--user-data-dir={data}", "--dump-dom", "about:blank"),
        ],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=600,
        check=True,
    )
    host = Host(HostInfo(name="live", platform="linux"), PosixFiles("/"), (User("ada", 1000, str(home)),))
    result = run("chromium_extensions", host)
    wrote = json.loads((data / "Default/Preferences").read_bytes())["extensions"]["settings"]
    found = {item.ids["extension_id"]: item for item in result.items if item.user}
    assert set(found) == {name for name, one in wrote.items() if one["location"] != 5}
    (item,) = found.values()
    assert (item.name, item.version, item.vendor, item.path) == ("Own Extension", "1.2.3", "Lab", str(own))
    assert (item.details["location"], item.details["enabled"]) == ("command line", "yes")
    assert result.run.left_out.get("part of the browser", 0) == len(wrote) - 1
    assert not [problem for problem in result.problems if str(home) in problem.where]


def test_more_extensions_than_anybody_has(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.sources.anywhere.chromium_extensions._MOST", 3)
    settings = {f"{'abcdefghijklmnop'[number] * 32}": {"path": f"/x/{number}"} for number in range(4)}
    content = json.dumps({"extensions": {"settings": settings}})
    tree.write("/home/ada/.config/google-chrome/Default/Preferences", content)
    result = run("chromium_extensions", tree.host())
    assert len(result.items) == 3
    assert [one.why for one in result.run.problems] == ["more than 3 extensions: the rest was not read"]
