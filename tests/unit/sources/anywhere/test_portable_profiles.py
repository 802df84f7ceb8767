"""Profiles of browsers and editors that something names, or that lie beside a portable program."""

import json

import pytest

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree
from tests.unit.sources.kit.test_named_programs import ADA, shortcut

IDENTIFIER = "amkpcclbbgegoafihnpgomddadjhcadd"
CHROME = r"C:\Program Files\Google\Chrome\Application\chrome.exe"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"


def chromium(tree: Tree | WindowsTree, folder: str) -> None:
    separator = "\\" if ":" in folder else "/"
    manifest = json.dumps({"name": "Kit", "version": "1", "manifest_version": 3})
    for path, content in (
        ("Local State", "{}"),
        ("Default/Preferences", "{}"),
        (f"Default/Extensions/{IDENTIFIER}/1_0/manifest.json", manifest),
    ):
        tree.write(f"{folder}/{path}".replace("/", separator), content)


def firefox(tree: WindowsTree, profile: str) -> None:
    add_on = {"id": "kit@example.com", "version": "1", "type": "extension", "location": "app-profile", "active": True}
    tree.write(rf"{profile}\extensions.json", json.dumps({"schemaVersion": 36, "addons": [add_on]}))
    tree.write(rf"{profile}\prefs.js")


def windows_link(tree: WindowsTree, folder: str) -> str:
    path = r"C:\Users\ada\Desktop\Web.lnk"
    tree.write(path, shortcut(CHROME, f'--user-data-dir="{folder}"'))
    return path


def windows_run(tree: WindowsTree, folder: str) -> str:
    tree.key(rf"HKU\{ADA}\{RUN}", {"web": f'"{CHROME}" --user-data-dir={folder}'})
    return rf"HKU\{ADA}\{RUN}\web"


def windows_opener(tree: WindowsTree, folder: str) -> str:
    key = r"HKLM\Software\Classes\ChromeHTML\shell\open\command"
    tree.key(key.replace("Software", "SOFTWARE"), {"": f'"{CHROME}" --user-data-dir="{folder}" -- "%1"'})
    return key


@pytest.mark.parametrize("name", [windows_link, windows_run, windows_opener])
def test_a_profile_that_is_named_on_windows(name: object, windows_tree: WindowsTree) -> None:
    folder = r"C:\web\deep\er\profile"
    chromium(windows_tree, folder)
    where = name(windows_tree, folder)  # type: ignore[operator]
    (item,) = run("portable_profiles", windows_tree.host()).items
    assert item.ids["extension_id"] == IDENTIFIER
    assert item.path == rf"{folder}\Default\Extensions\{IDENTIFIER}\1_0"
    assert item.details["named_by"].lower() == where.lower()


@pytest.mark.parametrize(
    ("folder", "user"),
    [
        (r"C:\PortableApps\GoogleChromePortable\Data\profile", ""),
        (r"C:\Web\User Data", ""),
        (r"C:\Users\ada\Desktop\cr\User Data", "ada"),
    ],
)
def test_a_profile_beside_a_portable_browser(folder: str, user: str, windows_tree: WindowsTree) -> None:
    chromium(windows_tree, folder)
    (item,) = run("portable_profiles", windows_tree.host()).items
    assert (item.ids["extension_id"], item.user) == (IDENTIFIER, user)


def test_profiles_of_firefox(windows_tree: WindowsTree) -> None:
    firefox(windows_tree, r"C:\PortableApps\FirefoxPortable\Data\profile")
    firefox(windows_tree, r"C:\a\b\c\d")
    windows_tree.write(r"C:\Users\ada\Desktop\F.lnk", shortcut(r"C:\F\firefox.exe", r'-profile "C:\a\b\c\d"'))
    found = {item.ids["extension_id"] for item in run("portable_profiles", windows_tree.host()).items}
    assert found == {"kit@example.com"}


def test_the_usual_place_is_left_to_its_source(windows_tree: WindowsTree) -> None:
    folder = r"C:\Users\ada\AppData\Local\Google\Chrome\User Data"
    chromium(windows_tree, folder)
    windows_link(windows_tree, folder)
    assert run("portable_profiles", windows_tree.host()).items == ()


@pytest.mark.parametrize("folder", [r"E:\web", r"\\server\web"])
def test_a_place_that_is_not_here_is_a_problem(folder: str, windows_tree: WindowsTree) -> None:
    windows_link(windows_tree, folder)
    (problem,) = run("portable_profiles", windows_tree.host()).problems
    assert problem.hides


def test_a_profile_that_is_named_on_a_mac(mac_tree: MacTree) -> None:
    chromium(mac_tree, "/private/var/x/web")
    chromium(mac_tree, "/Users/ada/a/b/c/web")
    job = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "--user-data-dir=/private/var/x/web"]
    mac_tree.plist("/Users/ada/Library/LaunchAgents/web.plist", {"Label": "web", "ProgramArguments": job})
    mac_tree.write("/Users/ada/bin/web", "#!/bin/sh\nopen -na Chromium --args --user-data-dir=~/a/b/c/web\n")
    found = {item.path.partition("/Default")[0] for item in run("portable_profiles", mac_tree.host()).items}
    assert found == {"/private/var/x/web", "/Users/ada/a/b/c/web"}


def test_a_portable_editor_of_a_mac(mac_tree: MacTree) -> None:
    package = {"publisher": "kit", "name": "ext", "version": "1.0.0"}
    mac_tree.write("/Applications/code-portable-data/extensions/kit.ext-1.0.0/package.json", json.dumps(package))
    (item,) = run("portable_profiles", mac_tree.host()).items
    assert item.ids["extension_id"] == "kit.ext"
