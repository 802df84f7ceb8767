"""Keys of vendors: four levels of them, and what is part of Windows."""

import lzma
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.registry.hives import open_hive
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.trees import WindowsTree

SOFTWARE = r"HKLM\SOFTWARE"
SOFTWARE_32 = rf"{SOFTWARE}\WOW6432Node"


def test_a_product_that_says_who_it_is(windows_tree: WindowsTree) -> None:
    root = r"C:\Program Files (x86)\Kaspersky Lab\Kaspersky 21.3"
    windows_tree.folder(root)
    environment = rf"{SOFTWARE_32}\KasperskyLab\AVP21.3\environment"
    windows_tree.key(
        environment, {"ProductName": "Kaspersky\nFree", "ProductVersion": "21.3.10.391", "ProductRoot": f"{root}\\"}
    )
    windows_tree.key(rf"{SOFTWARE_32}\KasperskyLab\protected\KES11", {"InstallDir": r"C:\gone", "Version": 5})
    result = run("vendor_keys", windows_tree.host())
    assert {item.ids["registry_key"]: (item.name, item.state) for item in result.items} == {
        rf"{SOFTWARE_32}\KasperskyLab": ("KasperskyLab", "leftover"),
        rf"{SOFTWARE_32}\KasperskyLab\AVP21.3": ("AVP21.3", "leftover"),
        environment: ("Kaspersky Free", "installed"),
        rf"{SOFTWARE_32}\KasperskyLab\protected": ("protected", "leftover"),
        rf"{SOFTWARE_32}\KasperskyLab\protected\KES11": ("KES11", "leftover"),
    }
    item = result.one("Kaspersky Free")
    assert (item.kind, item.version, item.path) == ("file", "21.3.10.391", root)


def test_levels_and_what_is_part_of_windows(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{SOFTWARE}\A\B\C\D\E\F")
    for name in ("Classes", "Clients", "Policies", "RegisteredApplications"):
        windows_tree.key(rf"{SOFTWARE}\{name}\X")
    result = run("vendor_keys", windows_tree.host())
    assert [item.ids["registry_key"] for item in result.items] == [
        rf"{SOFTWARE}\{path}" for path in ("A", r"A\B", r"A\B\C", r"A\B\C\D")
    ]
    assert result.run.left_out == {"part of the operating system": 6}  # with Microsoft and WOW6432Node themselves
    assert result.run.status == "ok"


@pytest.mark.slow
def test_a_vendor_with_very_many_keys(windows_tree: WindowsTree, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor_keys = import_module("phaseout.sources.windows.vendor_keys")
    monkeypatch.setattr(vendor_keys, "_OF_ONE", 1000)
    monkeypatch.setattr(vendor_keys, "_ALL", 10_000)
    for number in range(1500):
        windows_tree.key(rf"{SOFTWARE}\Large\Options\{number}\Deeper")
    windows_tree.key(rf"{SOFTWARE}\Large\Product")
    windows_tree.key(rf"{SOFTWARE}\Next\Product")
    result = run("vendor_keys", windows_tree.host())
    found = [item.ids["registry_key"] for item in result.items]
    assert len(found) == 1002
    assert {rf"{SOFTWARE}\Large\Product", rf"{SOFTWARE}\Next\Product"} <= set(found)
    (problem,) = result.problems
    assert (problem.cause, problem.why) == ("limit", "more than 1000 keys: the other 503 were not read")
    for number in range(10):
        for below in range(1100):
            windows_tree.key(rf"{SOFTWARE}\V{number}\{below}")
    result = run("vendor_keys", windows_tree.host())
    assert len(result.items) == 10_000
    assert [problem.why for problem in result.problems][-1:] == [
        "more than 10000 keys of vendors: the rest was not read"
    ]


def test_values_of_any_kind(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{SOFTWARE}\A", {"ProductName": b"\1", "DisplayName": ("x",), "Product": " ", "Version": 0})
    windows_tree.key(rf"{SOFTWARE}\B", {"InstallDir": "C:\\"})
    windows_tree.key(rf"{SOFTWARE}\C", {"InstallDir": r"\\server\share"})
    result = run("vendor_keys", windows_tree.host())
    assert [(item.name, item.version, item.state) for item in result.items] == [
        (name, "", "leftover") for name in ("A", "B", "C")
    ]
    assert result.run.status == "ok"


def test_real_vendors(corpora: Path, tmp_path: Path) -> None:
    """The keys that one user had of 37 vendors, and of one more in the other view; none has a folder here."""
    packed = corpora / "hives" / "regipy" / "regipy_tests" / "data" / "NTUSER_with_winscp.DAT.xz"
    (tmp_path / "Users").mkdir()
    (tmp_path / "Users" / "NTUSER.DAT").write_bytes(lzma.decompress(packed.read_bytes()))
    files = WindowsFiles(str(tmp_path), {"C": ""})
    registry = registry_in_memory({}, files)
    root = open_hive(files, r"C:\Users\NTUSER.DAT", "HKLM", registry.problems)
    assert root is not None
    root.name = "HKLM"
    registry.root(root)
    result = run("vendor_keys", windows_host(registry, files, r"C:\Windows", root=str(tmp_path)))
    vendors = {item.ids["registry_key"].split("\\")[2] for item in result.items}
    assert {"JetBrains", "VMware, Inc.", "Martin Prikryl"} <= vendors
    assert (len(vendors), result.run.left_out["part of the operating system"]) == (38, 6)
    assert all(item.state == "leftover" or item.notes for item in result.items)
    assert len(result.items) == 390


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
NAME = st.sampled_from(["ProductName", "ProductVersion", "ProductRoot", "InstallDir", "Publisher", ""])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_characters="\\"), min_size=1), st.dictionaries(NAME, VALUE)))
def test_nothing_raises(found: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    tree = {rf"{SOFTWARE}\V\{name}": values for name, values in found.items()}
    run("vendor_keys", windows_host(registry_in_memory(tree, files), files, r"C:\Windows", root="/nonexistent"))


def test_a_password_is_only_said_to_be_there(windows_tree: WindowsTree) -> None:
    lab = r"HKLM\SOFTWARE\WOW6432Node\KasperskyLab"
    windows_tree.key(rf"{lab}\AVP21.3\settings\PasswordProtectionSettings", {"OPEP": "0123ABCD", "PLogin": "KLAdmin"})
    windows_tree.key(rf"{lab}\protected\AVP20\settings", {"EnablePswrdProtect": 0})
    result = run("vendor_keys", windows_tree.host())
    assert result.one("PasswordProtectionSettings").details["uninstall_password"] == "set"
    assert [item.name for item in result.items if "uninstall_password" in item.details] == [
        "PasswordProtectionSettings"
    ]
    assert "0123ABCD" not in repr(result.items)


def test_the_server_that_manages_it(windows_tree: WindowsTree) -> None:
    agent = r"HKLM\SOFTWARE\KasperskyLab\Components\34\1103"
    state = {"Protection_AdmServer": "ksc.example.org", "Protection_LastConnected": "20-11-2026 10-11-12"}
    windows_tree.key(rf"{agent}\1.0.0.0\Statistics\AVState", state)
    found = run("vendor_keys", windows_tree.host()).one("1103")
    assert found.details["managed_by"] == "ksc.example.org, last reached on 2026-11-20"
