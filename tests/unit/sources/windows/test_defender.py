"""Microsoft Defender Antivirus."""

from pathlib import Path

from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.trees import WindowsTree

SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\WinDefend"
LOCAL = r"HKLM\SOFTWARE\Microsoft\Windows Defender"
POLICIES = r"HKLM\SOFTWARE\Policies\Microsoft"
PROGRAM = r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18\MsMpEng.exe"
TICKS = 133_485_408_000_000_000  # 2024-01-01


def _installed(tree: WindowsTree, start: int = 2) -> None:
    tree.write(PROGRAM)
    tree.key(SERVICE, {"Start": start, "ImagePath": f'"{PROGRAM}"'})


def test_on_and_its_signatures(windows_tree: WindowsTree) -> None:
    _installed(windows_tree)
    older, newer = (ticks.to_bytes(8, "little") for ticks in (TICKS - 10**12, TICKS))
    dates: dict[str, Value] = {
        "SignaturesLastUpdated": older,
        "AVSignatureApplied": newer,
        "AVSignatureVersion": "1.2.3",
    }
    windows_tree.key(rf"{LOCAL}\Signature Updates", dates)
    (item,) = run("defender", windows_tree.host()).items
    assert (item.state, item.path, item.details["enabled"]) == ("installed", PROGRAM, "yes")
    assert "mode" not in item.details
    assert (item.details["updated"], item.details["signatures"]) == ("2024-01-01T00:00:00Z", "1.2.3")


def test_passive_by_a_policy_that_stayed(windows_tree: WindowsTree) -> None:
    _installed(windows_tree)
    windows_tree.key(rf"{POLICIES}\Windows Advanced Threat Protection", {"ForceDefenderPassiveMode": 1})
    (item,) = run("defender", windows_tree.host()).items
    assert (item.details["enabled"], item.details["mode"]) == ("yes", "passive")
    assert "ForceDefenderPassiveMode = 1" in item.details["note"]


def test_off_by_policy_or_because_windows_does_not_start_it(windows_tree: WindowsTree) -> None:
    _installed(windows_tree, start=4)
    (item,) = run("defender", windows_tree.host()).items
    assert (item.details["enabled"], item.details["note"]) == ("no", "Windows starts its service: disabled")
    windows_tree.key(SERVICE, {"Start": 2})
    windows_tree.key(rf"{POLICIES}\Windows Defender", {"DisableAntiSpyware": "1", "DisableAntiVirus": 0})
    (item,) = run("defender", windows_tree.host()).items
    assert (item.details["enabled"], item.details["note"].count("=")) == ("no", 1)


def test_a_server_without_it(windows_tree: WindowsTree) -> None:
    windows_tree.key(LOCAL, {"PassiveMode": 1})
    assert run("defender", windows_tree.host()).items == ()


def test_a_machine_after_a_migration(windows_tree: WindowsTree, corpora: Path) -> None:
    windows_tree.export((corpora / "residues" / "windows" / "protection.reg").read_bytes())
    (item,) = run("defender", windows_tree.host()).items
    assert (item.details["enabled"], item.details["mode"], item.details["updated"][:7]) == ("no", "passive", "2026-09")
