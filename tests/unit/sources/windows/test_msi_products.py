"""Products of Windows Installer: the machine's, those of users, and those that are only advertised."""

import lzma
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.regf_writer import hive
from tests.support.trees import WindowsTree

INSTALLER = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer"
DATA = rf"{INSTALLER}\UserData\S-1-5-18\Products"
ADA = WindowsTree.ADA
CODE = "{E7012AFE-DB97-4B8B-9513-E98C0C3AACE3}"
PACKED = "EFA2107E79BDB8B459319EC8C0A3CA3E"
UPGRADE = "{11111111-2222-3333-4444-555555555555}"
PACKED_UPGRADE = "11111111222233334444555555555555"


def test_a_whole_product(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        rf"{DATA}\{PACKED}\InstallProperties",
        {
            "DisplayName": "Kaspersky Endpoint Security 11 for Windows",
            "Publisher": "Kaspersky",
            "DisplayVersion": "11.0.0.6499",
            "InstallDate": "20190102",
            "InstallLocation": "C:\\Program Files (x86)\\Kaspersky Lab\\KES\\",
            "LocalPackage": r"C:\Windows\Installer\1a2b3c.msi",
            "UninstallString": f"MsiExec.exe /X{CODE}",
        },
    )
    windows_tree.key(rf"HKLM\SOFTWARE\Classes\Installer\Products\{PACKED}", {"ProductName": "Kaspersky", "Version": 1})
    windows_tree.key(rf"HKLM\SOFTWARE\Classes\Installer\Products\{PACKED}\SourceList", {"PackageName": "kes_win.msi"})
    windows_tree.key(rf"{INSTALLER}\UpgradeCodes\{PACKED_UPGRADE}", {PACKED: ""})
    windows_tree.folder(r"C:\Program Files (x86)\Kaspersky Lab\KES")
    (item,) = run("msi_products", windows_tree.host()).items
    assert (item.name, item.vendor, item.version, item.user, item.state) == (
        "Kaspersky Endpoint Security 11 for Windows",
        "Kaspersky",
        "11.0.0.6499",
        "",
        "installed",
    )
    assert item.ids == {"product_code": CODE, "upgrade_code": UPGRADE}
    assert item.path == r"C:\Program Files (x86)\Kaspersky Lab\KES"
    assert item.details["local_package"] == r"C:\Windows\Installer\1a2b3c.msi"
    assert (item.details["package"], item.details["installed"]) == ("kes_win.msi", "2019-01-02")
    assert [one.where for one in item.evidence] == [
        rf"{DATA}\{PACKED}\InstallProperties",
        rf"HKLM\SOFTWARE\Classes\Installer\Products\{PACKED}",
    ]


def test_every_user_has_his_own(windows_tree: WindowsTree) -> None:
    for sid in (ADA, "S-1-5-21-9"):
        windows_tree.key(rf"{INSTALLER}\UserData\{sid}\Products\{PACKED}\InstallProperties", {"DisplayName": "Same"})
    windows_tree.key(rf"{DATA}\{PACKED}\InstallProperties", {"DisplayName": "Same"})
    windows_tree.key(rf"HKU\{ADA}\Software\Microsoft\Installer\Products\{PACKED}", {"ProductName": "Same"})
    windows_tree.key(rf"{INSTALLER}\Managed\{ADA}\Installer\Products\{PACKED}", {"ProductName": "Same"})
    found = {item.user: len(item.evidence) for item in run("msi_products", windows_tree.host()).items}
    assert found == {"": 1, "ada": 3, "S-1-5-21-9": 1}


def test_what_is_not_whole(windows_tree: WindowsTree) -> None:
    own = rf"HKU\{ADA}\Software\Microsoft\Installer\Products"
    codes = [f"{number:032x}" for number in range(4)]
    windows_tree.key(rf"{own}\{codes[0]}", {"ProductName": "Advertised", "Version": 0x0301000A})
    windows_tree.key(rf"{DATA}\{codes[1]}\Features", {"x": ""})
    windows_tree.key(rf"{DATA}\{codes[2]}\InstallProperties", {"InstallLocation": r"C:\gone", "InstallDate": "never"})
    windows_tree.key(rf"{DATA}\no code\InstallProperties", {"DisplayName": "X"})
    windows_tree.key(rf"{own}\none either", {"ProductName": "X"})
    result = run("msi_products", windows_tree.host())
    advertised = result.one("Advertised")
    assert (advertised.version, advertised.state, advertised.user) == ("3.1.10", "installed", "ada")
    assert {item.details.get("note", "") for item in result.items} == {"advertised", "only components are left", ""}
    assert sorted(item.state for item in result.items) == ["installed", "leftover", "leftover"]
    assert all(item.name == item.ids["product_code"] for item in result.items if item.state == "leftover")
    assert result.run.left_out == {"damaged": 2}
    assert set(result.problems) == {
        Problem(rf"{DATA}\no code", "the name is no packed product code", "damaged"),
        Problem(rf"{own}\none either", "the name is no packed product code", "damaged"),
    }
    assert {item.notes for item in result.items} == {(), ('InstallDate: not a date: "never"',)}


def test_real_users(corpora: Path, tmp_path: Path) -> None:
    """What users of three machines installed for themselves."""
    data = corpora / "hives" / "regipy" / "regipy_tests" / "data"
    counts = {}
    for file in (
        data / "NTUSER_BAGMRU.DAT.xz",
        data / "NTUSER_with_winscp.DAT.xz",
        corpora / "hives" / "notatin" / "test_data" / "win7_ntuser.dat",
    ):
        tree = WindowsTree(tmp_path / file.name)
        content = file.read_bytes()
        tree.write(r"C:\Users\ada\NTUSER.DAT", lzma.decompress(content) if file.suffix == ".xz" else content)
        tree.write(
            r"C:\Windows\System32\config\SOFTWARE", hive({path[14:]: values for path, values in tree.keys.items()})
        )
        items = run("msi_products", offline_host(str(tree.root))).items
        assert all(item.user == "ada" and item.version and item.ids["upgrade_code"] for item in items)
        counts[file.name] = (len(items), items[0].name, items[0].ids["product_code"])
    assert counts == {
        "NTUSER_BAGMRU.DAT.xz": (
            9, "Python 3.8.8 Core Interpreter (64-bit)", "{9F4C7FA1-6EBC-4148-AFA5-46732F23D8A3}",
        ),
        "NTUSER_with_winscp.DAT.xz": (
            1, "Microsoft Visual C++ Compiler Package for Python 2.7", "{692514A8-5484-45FC-B0AE-BE2DF7A75891}",
        ),
        "win7_ntuser.dat": (1, "MySQL Installer", "{88359D24-F64F-477E-B080-50FB024BA6F7}"),
    }  # fmt: skip


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
NAME = st.sampled_from(["DisplayName", "ProductName", "InstallDate", "InstallLocation", "Version", "VersionMajor", ""])
KEY = st.sampled_from(
    [rf"{DATA}\{PACKED}\InstallProperties", rf"HKLM\SOFTWARE\Classes\Installer\Products\{PACKED}", rf"{DATA}\x"]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEY, st.dictionaries(NAME, VALUE)))
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    run("msi_products", windows_host(registry_in_memory(keys, files), files, r"C:\Windows", root="/nonexistent"))


def test_programs_that_only_components_know(windows_tree: WindowsTree) -> None:
    data = executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductName": "Core"}})
    for path in (r"C:\Windows\Deep\er\agent.exe", r"C:\Known\known.exe", r"C:\Left\left.exe"):
        windows_tree.write(path, data)
    top = rf"{INSTALLER}\UserData\S-1-5-18\Components"
    other, permanent = "A" * 32, "0" * 32
    windows_tree.key(rf"{DATA}\{PACKED}\InstallProperties", {"DisplayName": "Known"})
    windows_tree.key(rf"{top}\{'1' * 32}", {other: r"C:\Windows\Deep\er\agent.exe", PACKED: r"C:\Known\known.exe"})
    windows_tree.key(rf"{top}\{'2' * 32}", {other: r"C:\gone.exe", permanent: r"C:\Left\left.exe"})
    windows_tree.key(rf"{top}\{'3' * 32}", {other: r"22:\SOFTWARE\Acme\Path", "no code": r"C:\Left\left.exe"})
    result = run("msi_products", windows_tree.host())
    found = {item.path: item for item in result.items}
    assert sorted(found) == ["", r"C:\Left\left.exe", r"C:\Windows\Deep\er\agent.exe"]
    agent = found[r"C:\Windows\Deep\er\agent.exe"]
    assert (agent.name, agent.vendor, agent.state) == ("Core", "AO Kaspersky Lab", "installed")
    assert agent.ids["product_code"].startswith("{AAAAAAAA-")
    assert found[r"C:\Left\left.exe"].ids == {}
    assert result.run.left_out == {"names nothing that is there": 1}
