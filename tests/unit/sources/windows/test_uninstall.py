"""The Uninstall keys: both views, all users, what is missing, and what is gone."""

import json
import lzma
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_in_memory, registry_of_text
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Evidence, Problem
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import Result, run
from tests.support.regf_writer import hive
from tests.support.trees import WindowsTree

KEYS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
KEYS_32 = r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
KEYS_ADA = rf"HKU\{WindowsTree.ADA}\Software\Microsoft\Windows\CurrentVersion\Uninstall"
CODE = "{90120000-0010-0409-0000-0000000FF1CE}"


def test_a_whole_entry(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        rf"{KEYS_32}\{CODE.lower()}",
        {
            "DisplayName": " Kaspersky Endpoint Security for Windows\0".rstrip("\0"),
            "DisplayVersion": "12.1.0.506",
            "Publisher": "AO Kaspersky Lab",
            "InstallDate": "20240131",
            "InstallLocation": '"C:\\Program Files (x86)\\Kaspersky Lab\\"',
            "UninstallString": f"MsiExec.exe /X{CODE}",
            "QuietUninstallString": f"MsiExec.exe /X{CODE} /qn",
            "Language": 1033,
            "EstimatedSize": 1024,
        },
    )
    packed = "00002109010090400000000000F01FEC"
    windows_tree.key(rf"HKLM\SOFTWARE\Classes\Installer\UpgradeCodes\{packed[::-1]}", {packed: "", "odd": ""})
    windows_tree.folder(r"C:\Program Files (x86)\Kaspersky Lab")
    result = run("uninstall", windows_tree.host())
    (item,) = result.items
    assert (item.name, item.vendor, item.version) == (
        "Kaspersky Endpoint Security for Windows",
        "AO Kaspersky Lab",
        "12.1.0.506",
    )
    assert item.path == r"C:\Program Files (x86)\Kaspersky Lab"
    assert item.state == "installed"
    assert item.ids["product_code"] == CODE
    assert item.ids["upgrade_code"].startswith("{")
    assert item.ids["registry_key"] == CODE.lower()
    assert item.details["installed"] == "2024-01-31"
    assert item.details["uninstall"] == f"MsiExec.exe /X{CODE}"
    assert (item.details["arch"], item.details["language"]) == ("32-bit", "1033")
    assert item.evidence == (
        Evidence(
            rf"{KEYS_32}\{CODE.lower()}",
            "DisplayName: Kaspersky Endpoint Security for Windows, Publisher: AO Kaspersky Lab, "
            "DisplayVersion: 12.1.0.506",
        ),
    )
    assert result.run.status == "ok"


def test_both_views_and_every_user_are_items_of_their_own(windows_tree: WindowsTree) -> None:
    for path in (KEYS, KEYS_32, KEYS_ADA, r"HKU\S-1-5-18" + KEYS_ADA[KEYS_ADA.index(r"\Software") :]):
        windows_tree.key(rf"{path}\Same", {"DisplayName": "Same"})
    found = [(item.user, item.details.get("arch", "")) for item in run("uninstall", windows_tree.host()).items]
    assert sorted(found) == [("", "32-bit"), ("", "64-bit"), ("SYSTEM", ""), ("ada", "")]


def test_what_is_missing_does_not_hide_an_entry(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{KEYS}\no name", {"UninstallString": r"C:\x\u.exe"})
    windows_tree.key(rf"{KEYS}\name of bytes", {"DisplayName": b"\x01", "Publisher": 5})
    windows_tree.key(rf"{KEYS}\empty")
    windows_tree.key(rf"{KEYS}\blank", {"": "", "DisplayName": ""})
    windows_tree.key(rf"{KEYS}\only a name", {"displayname": "Name"})
    result = run("uninstall", windows_tree.host())
    assert sorted(result.names()) == ["Name", "name of bytes", "no name"]
    assert result.run.left_out == {"an empty entry": 2}
    assert result.problems == (
        Problem(rf"{KEYS}\name of bytes", "the value DisplayName is no text but 1 bytes", "damaged"),
    )


def test_kinds_and_versions(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        rf"{KEYS}\KB1", {"DisplayName": "Update", "ParentKeyName": "OperatingSystem", "SystemComponent": 1}
    )
    windows_tree.key(rf"{KEYS}\part", {"DisplayName": "Part", "SystemComponent": 1, "Version": 0x0A010203})
    windows_tree.key(rf"{KEYS}\old", {"DisplayName": "Old", "VersionMajor": 3, "VersionMinor": 7})
    result = run("uninstall", windows_tree.host())
    assert {item.name: (item.details.get("kind"), item.version) for item in result.items} == {
        "Update": ("update", ""),
        "Part": ("system component", "10.1.515"),
        "Old": (None, "3.7"),
    }


def test_decoration_that_is_not_readable_is_a_note(windows_tree: WindowsTree) -> None:
    no_text = b"\1\2\3"
    windows_tree.key(
        rf"{KEYS}\x",
        {
            "DisplayName": "X",
            "InstallDate": "soon",
            "DisplayIcon": no_text,
            "DisplayVersion": no_text,
        },
    )
    windows_tree.key(rf"{KEYS}\y", {"DisplayName": "Y", "InstallDate": 1614816000})
    result = run("uninstall", windows_tree.host())
    assert result.problems == ()
    assert result.run.status == "ok"
    assert result.one("X").notes == (
        "DisplayVersion is not text but 3 bytes",
        "DisplayIcon is not text but 3 bytes",
        'InstallDate: not a date: "soon"',
    )
    assert "installed" not in result.one("X").details
    assert result.one("Y").details["installed"] == "2021-03-04T00:00:00Z"


def test_leftover_only_if_all_named_places_are_gone(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Program Files\Here\uninstall.exe")
    windows_tree.folder(r"C:\Program Files\Folder")
    entries = {
        "folder is there": {"InstallLocation": r"C:\program files\FOLDER"},
        "uninstaller is there": {
            "UninstallString": r'"C:\Program Files\Here\Uninstall.exe" /S',
            "DisplayIcon": r"C:\gone.ico",
        },
        "icon is there": {"DisplayIcon": r"%ProgramFiles%\Here\uninstall.exe,0", "InstallLocation": r"C:\gone"},
        "all gone": {"InstallLocation": r"C:\gone", "UninstallString": r"C:\Program Files\Gone Too\u.exe /S"},
        "folder gone": {"InstallLocation": r"C:\Program Files\Gone", "UninstallString": "MsiExec.exe /X{…}"},
        "says nothing": {"UninstallString": "MsiExec.exe /X{…}", "DisplayIcon": r"C:\Windows\Installer\x.ico"},
        "short name": {"UninstallString": r"C:\PROGRA~1\X\u.exe"},
        "other drive": {"InstallLocation": r"D:\Games"},
        "the drive": {"InstallLocation": "C:\\"},
        "network": {"InstallLocation": r"\\server\share"},
        "nonsense": {"InstallLocation": 'C:\\a"b', "UninstallString": "%X%\\y.exe", "DisplayIcon": ",,,"},
        "of ada": {"InstallLocation": r"%LocalAppData%\App"},
    }  # fmt: skip
    windows_tree.write(r"C:\Users\ada\AppData\Local\App\a.exe")
    for name, values in entries.items():
        windows_tree.key(rf"{KEYS_ADA if name == 'of ada' else KEYS}\{name}", {"DisplayName": name, **values})
    items = run("uninstall", windows_tree.host()).items
    assert {item.name for item in items if item.state == "leftover"} == {"all gone", "folder gone"}


def test_without_files_nothing_is_called_leftover(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{KEYS}\x", {"DisplayName": "X", "InstallLocation": r"C:\gone"})
    (windows_tree.root / "Program Files").rmdir()
    assert run("uninstall", windows_tree.host()).one("X").state == "installed"


def test_hives_of_an_offline_machine(tmp_path: Path) -> None:
    config = tmp_path / "WINDOWS" / "system32" / "config"
    config.mkdir(parents=True)
    profile = {r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-7": {"ProfileImagePath": r"C:\Users\eve"}}
    machine = {rf"{KEYS[14:]}\App": {"DisplayName": "Яндекс"}, **profile}
    (config / "software").write_bytes(hive(machine))
    (tmp_path / "Users" / "Eve").mkdir(parents=True)
    own = hive({rf"Software\{KEYS[14:]}\Mine": {"DisplayName": "Mine"}}, sequence=(2, 1))
    (tmp_path / "Users" / "Eve" / "ntuser.dat").write_bytes(own)
    result = run("uninstall", offline_host(str(tmp_path)))
    assert [(item.name, item.user) for item in result.items] == [("Mine", "eve"), ("Яндекс", "")]
    behind = "the last changes are still in its transaction log and were not read"
    assert result.problems == (Problem(r"C:\Users\eve\NTUSER.DAT", behind, "damaged"),)


def capture(corpora: Path, *names: str) -> Result:
    files = WindowsFiles(str(corpora / "no files"), {"C": ""})
    exports = [(corpora / "glpi-agent" / "registry" / name).read_bytes() for name in names]
    registry = registry_of_text(*exports)
    assert registry.problems == []
    return run("uninstall", windows_host(registry, files, r"C:\Windows", root=str(corpora)))


def expected(corpora: Path, name: str) -> Counter[str]:
    found = json.loads((corpora / "glpi-agent" / "registry" / "expected.json").read_bytes())
    return Counter(one["NAME"] for one in found["softwares_tests"][name])


def test_real_machine_with_453_programs(corpora: Path) -> None:
    """All 453, and 67 more: those have no DisplayName, which is what the other inventory asks for."""
    result = capture(corpora, "xp-Uninstall.reg")
    found = Counter(item.name for item in result.items)
    theirs = expected(corpora, "xp")
    assert theirs.total() == 453
    assert theirs - found == Counter()
    more = found - theirs
    assert more.total() == 67
    assert more.keys() <= {item.ids["registry_key"] for item in result.items}
    assert all("DisplayName" not in item.evidence[0].what for item in result.items if item.name in more)
    assert result.run.left_out == {"an empty entry": 14}
    assert result.run.status == "ok"


def test_real_sql_servers(corpora: Path) -> None:
    """The same, but the other inventory puts the edition, which other keys tell, into the name."""
    for name, ours, theirs in (
        ("mssql", "Microsoft SQL Server 2005", "Microsoft SQL Server 2005 Standard Edition"),
        ("mssql_engine", "SQL Server 2011 Database Engine Services",
         "SQL Server 2011 Express Edition Database Engine Services"),
    ):  # fmt: skip
        found = Counter(capture(corpora, f"{name}-Uninstall.reg").names())
        wanted = expected(corpora, name)
        assert (found - wanted, wanted - found) == (Counter({ours: 1}), Counter({theirs: 1}))


def test_real_users(corpora: Path, tmp_path: Path) -> None:
    """What the users' hives of the captures hold in these keys."""
    counts = {}
    for name in ("plaso/test_data/NTUSER-WIN7.DAT", "hives/notatin/test_data/NTUSER.DAT",
                 "hives/regipy/regipy_tests/data/NTUSER_with_winscp.DAT.xz"):  # fmt: skip
        tree = WindowsTree(tmp_path / name)
        data = (corpora / name).read_bytes()
        tree.write(r"C:\Users\ada\NTUSER.DAT", lzma.decompress(data) if name.endswith(".xz") else data)
        software = {path[14:]: values for path, values in tree.keys.items()}
        tree.write(r"C:\Windows\System32\config\SOFTWARE", hive(software))
        result = run("uninstall", offline_host(str(tree.root)))
        counts[name.rpartition("/")[2]] = sorted(item.name for item in result.items)
    assert counts == {
        "NTUSER-WIN7.DAT": ["Google Chrome"],
        "NTUSER.DAT": [],
        "NTUSER_with_winscp.DAT.xz": ["GitHub Desktop", "JetBrains dotPeek 2021.3.3", "Python 3.10.2 (64-bit)", "Zoom"],
    }


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
NAME = st.sampled_from(
    ["DisplayName", "InstallDate", "InstallLocation", "DisplayIcon", "UninstallString", "Version", ""]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(st.characters(blacklist_characters="\\"), min_size=1), st.dictionaries(NAME, VALUE)))
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    registry = registry_in_memory({rf"{KEYS}\{name}": values for name, values in keys.items()}, files)
    run("uninstall", windows_host(registry, files, r"C:\Windows", root="/nonexistent"))


def test_an_entry_may_lie_deeper(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{KEYS}\Kaspersky Lab\Password Manager_is1", {"DisplayName": "Kaspersky Password Manager"})
    windows_tree.key(rf"{KEYS}\Whole", {"DisplayName": "Whole"})
    windows_tree.key(rf"{KEYS}\Whole\Part", {"DisplayName": "Part"})
    windows_tree.key(rf"{KEYS}\Whole\Settings", {"Level": 5})
    windows_tree.key(rf"{KEYS}\Empty\Empty")
    windows_tree.key(rf"{KEYS}\A\B\C\D\E\F", {"DisplayName": "Too deep"})
    result = run("uninstall", windows_tree.host())
    assert {item.name: item.ids["registry_key"] for item in result.items} == {
        "Kaspersky Password Manager": r"Kaspersky Lab\Password Manager_is1",
        "Whole": "Whole",
        "Part": r"Whole\Part",
    }
    assert result.run.left_out["an empty entry"] >= 1
    assert [problem.cause for problem in result.problems] == ["limit"]


def test_views_that_windows_shows_some_programs(windows_tree: WindowsTree) -> None:
    below = r"Microsoft\Windows\CurrentVersion\Uninstall"
    store = rf"HKU\{WindowsTree.ADA}_Classes\VirtualStore\MACHINE\SOFTWARE"
    windows_tree.key(rf"HKLM\SOFTWARE\WowAA32Node\{below}\arm", {"DisplayName": "ARM"})
    windows_tree.key(rf"{store}\WOW6432Node\{below}\v", {"DisplayName": "Virtual"})
    assert {item.name: item.user for item in run("uninstall", windows_tree.host()).items} == {
        "ARM": "",
        "Virtual": "ada",
    }


def test_folders_of_many_programs_prove_nothing(windows_tree: WindowsTree) -> None:
    folders = ("C:\\", "C:\\Program Files (x86)\\", r"C:\ProgramData", r"C:\Users\ada", r"C:\Users\ada\AppData\Local")
    windows_tree.folder(r"C:\Users\ada\AppData\Local")
    for folder in folders:
        uninstaller = r'"C:\Program Files (x86)\Ghost\uninstall.exe"'
        windows_tree.key(rf"{KEYS}\{folder[3:7]}_", {"InstallLocation": folder, "UninstallString": uninstaller})
    items = run("uninstall", windows_tree.host()).items
    assert {(item.state, item.path) for item in items} == {("leftover", r"C:\Program Files (x86)\Ghost\uninstall.exe")}


@pytest.mark.parametrize(
    ("place", "note"),
    [
        (r"C:\ProgramData\Package Cache\{1}\setup.exe", "is a copy of the installer"),
        (r"C:\Users\ada\AppData\Local\Package Cache\{1}\setup.exe", "is a copy of the installer"),
        (r"C:\Program Files (x86)\InstallShield Installation Information\{1}\setup.exe", "is a copy of the installer"),
        (r"D:\Games\game.exe", "drive D: was not seen"),
        (r"C:\PROGRA~1\Acme\a.exe", "has short names"),
        (r"C:\Program Files\Moved\a.exe", "the volume of D:"),
        (r"C:\Program Files\Mounted\a.exe", "the volume of"),
    ],
)
def test_what_proves_nothing(windows_tree: WindowsTree, place: str, note: str) -> None:
    if sys.platform != "win32":
        (windows_tree.root / "Program Files" / "Moved").symlink_to("D:\\Acme")
        (windows_tree.root / "Program Files" / "Mounted").symlink_to("/??/Volume{1234}/Acme")
    windows_tree.key(rf"{KEYS}\x", {"DisplayName": "X", "UninstallString": f'"{place}" /uninstall'})
    item = run("uninstall", windows_tree.host()).one("X")
    assert item.state == "installed"
    assert any(note in one for one in item.notes), item.notes


def test_a_registry_without_software_is_not_whole(tmp_path: Path) -> None:
    files = WindowsFiles(str(tmp_path), {"C": ""})
    host = windows_host(
        registry_in_memory({r"HKLM\SOFTWARE\Acme": {}}, files), files, r"C:\Windows", root=str(tmp_path)
    )
    (problem,) = run("uninstall", host).problems
    assert (problem.where, problem.cause) == (r"HKLM\SOFTWARE\Microsoft", "missing")
