"""Settings of Windows that removals leave, and which of them are of Windows itself."""

from collections.abc import Mapping
from typing import Any

import pytest
from phaseout.sources.windows import left_settings

from tests.support.harness import run
from tests.support.trees import WindowsTree

SOFTWARE = r"HKLM\SOFTWARE\Microsoft"
SYSTEM = r"HKLM\SYSTEM\CurrentControlSet"
KAV = r"C:\Program Files\Kav\kav.exe"


@pytest.mark.parametrize(
    ("key", "values", "what", "name", "path"),
    [
        (
            rf"{SOFTWARE}\Windows\CurrentVersion\App Paths\kav.exe",
            {"": KAV},
            "name of a program for Explorer",
            "kav.exe",
            KAV,
        ),
        (
            rf"{SOFTWARE}\Windows NT\CurrentVersion\Image File Execution Options\kav.exe",
            {"MitigationOptions": 1},
            "options for a program",
            "kav.exe",
            "",
        ),
        (
            rf"{SOFTWARE}\Windows NT\CurrentVersion\AppCompatFlags\Layers",
            {KAV: "~ WIN8"},
            "compatibility of a program",
            "kav.exe",
            KAV,
        ),
        (
            rf"{SOFTWARE}\Windows\CurrentVersion\SharedDlls",
            {r"C:\Program Files\Kav\a.dll": 1, r"C:\Windows\System32\b.dll": 1},
            "library that programs share",
            "a.dll",
            r"C:\Program Files\Kav\a.dll",
        ),
        (
            rf"{SOFTWARE}\Windows Defender\Exclusions\Paths",
            {r"C:\Program Files\Kav": 0},
            "exclusion from scans",
            "Kav",
            r"C:\Program Files\Kav",
        ),
        (
            rf"{SOFTWARE}\Windows\CurrentVersion\Authentication\Credential Providers\{{AB}}",
            {"": "Kav Provider"},
            "provider of log-ins",
            "Kav Provider",
            "",
        ),
        (
            rf"{SYSTEM}\Services\EventLog\Application\Kav",
            {"EventMessageFile": KAV},
            "source of events",
            "Kav",
            KAV,
        ),
        (rf"{SOFTWARE}\Windows NT\CurrentVersion\Schedule\TaskCache\Tree\Kav", {}, "name of a task", "Kav", ""),
        (
            rf"{SYSTEM}\Control\Network\{{4D36E974-E325-11CE-BFC1-08002BE10318}}\{{1}}",
            {"ComponentId": "kav_filter"},
            "part of the network",
            "kav_filter",
            "",
        ),
        (
            rf"{SYSTEM}\Control\Session Manager\Environment",
            {"Path": r"C:\Windows;C:\Program Files\Kav", "OS": "Windows_NT"},
            "variable",
            "Path",
            r"C:\Program Files\Kav",
        ),
        (
            rf"{SYSTEM}\Services\LanmanServer\Shares",
            {"KAVSHARE": ["Type=0", r"Path=C:\Kav"]},
            "shared folder",
            "KAVSHARE",
            r"C:\Kav",
        ),
    ],
)
def test_each_setting(
    windows_tree: WindowsTree, key: str, values: Mapping[str, Any], what: str, name: str, path: str
) -> None:
    windows_tree.key(key, values)
    found = [item for item in run("left_settings", windows_tree.host()).items if item.details.get("type") == what]
    assert [(item.kind, item.name, item.path) for item in found] == [("setting", name, path)]


def test_keys_of_a_user(windows_tree: WindowsTree) -> None:
    user = next(user for user in windows_tree.host().users if user.name == "ada")
    windows_tree.key(rf"HKU\{user.sid}\Software\Kav", {"a": "b"})
    windows_tree.key(rf"HKU\{user.sid}\Software\Microsoft\Windows", {"a": "b"})
    (item,) = [item for item in run("left_settings", windows_tree.host()).items if item.user == "ada"]
    assert (item.name, item.details["type"]) == ("Kav", "settings of a user")


@pytest.mark.parametrize(
    "path",
    [
        r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs\Kav\x.lnk",
        r"C:\Users\ada\Downloads\kav.msi",
        r"C:\Windows\System32\winevt\Logs\Kav.evtx",
    ],
)
def test_files(windows_tree: WindowsTree, path: str) -> None:
    windows_tree.write(path)
    windows_tree.write(r"C:\Windows\System32\winevt\Logs\Microsoft-Windows-X%4Operational.evtx")
    result = run("left_settings", windows_tree.host())
    assert any("kav" in item.path.lower() and item.state == "leftover" for item in result.items)
    assert not any("Microsoft-" in item.name for item in result.items)
    assert result.run.left_out["part of the operating system"] == 1


def test_a_flood_is_said(windows_tree: WindowsTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_settings, "_MOST", 2)
    for number in range(4):
        windows_tree.key(rf"{SOFTWARE}\Windows\CurrentVersion\App Paths\{number}.exe", {})
    result = run("left_settings", windows_tree.host())
    assert [problem.cause for problem in result.run.problems] == ["limit"]
