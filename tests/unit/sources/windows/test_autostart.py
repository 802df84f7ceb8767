"""What starts at log-on: Run keys, switches, startup folders."""

import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Evidence, Problem
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.regf_writer import FILETIME, hive
from tests.support.trees import WindowsTree
from tests.unit.parsers.windows.test_shell_link import environment, header, info, string

VERSION = r"Microsoft\Windows\CurrentVersion"
MACHINE = rf"HKLM\SOFTWARE\{VERSION}"
ADA = rf"HKU\{WindowsTree.ADA}\Software\{VERSION}"
STARTUP = r"Microsoft\Windows\Start Menu\Programs\Startup"


def test_who_made_what_starts_is_read(windows_tree: WindowsTree) -> None:
    """A program that lies elsewhere, under a name that no rule knows, says itself who made it."""
    texts = {ENGLISH: {"CompanyName": "Kaspersky", "ProductVersion": "1.2"}}
    windows_tree.write(r"C:\Else\a.exe", executable(texts, [("AO Kaspersky Lab", "AO Kaspersky Lab")]))
    windows_tree.key(rf"{MACHINE}\Run", {"A": r"C:\Else\a.exe"})
    windows_tree.key(rf"{ADA}\Explorer\User Shell Folders", {"Startup": r"C:\Else"})
    items = run("autostart", windows_tree.host()).items
    assert [(one.vendor, one.version, one.signer) for one in items] == [("Kaspersky", "1.2", "AO Kaspersky Lab")] * 2


def test_keys_of_machine_and_users(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Program Files (x86)\Kaspersky Lab\avpui.exe")
    command = r'"C:\Program Files (x86)\Kaspersky Lab\avpui.exe" -tray'
    for path in ("Run", "RunOnce", r"Policies\Explorer\Run"):
        windows_tree.key(rf"{MACHINE}\{path}", {"AVP": command})
        windows_tree.key(rf"HKLM\SOFTWARE\WOW6432Node\{VERSION}\{path}", {"AVP": command})
        windows_tree.key(rf"{ADA}\{path}", {"AVP": command, "Own": r"%LocalAppData%\gone.exe"})
    result = run("autostart", windows_tree.host())
    machine = [item for item in result.items if not item.user]
    assert len(machine) == 6
    assert {(item.kind, item.name, item.path, item.command, item.state) for item in machine} == {
        ("task", "AVP", r"C:\Program Files (x86)\Kaspersky Lab\avpui.exe", command, "installed")
    }
    assert Evidence(rf"HKLM\SOFTWARE\WOW6432Node\{VERSION}\RunOnce\AVP", command) in {
        item.evidence[0] for item in machine
    }
    own = [item for item in result.items if item.name == "Own"]
    assert [(item.user, item.path, item.state) for item in own] == [
        ("ada", r"C:\Users\ada\AppData\Local\gone.exe", "leftover")
    ] * 3
    assert result.run.status == "ok"


def test_switches_of_the_task_manager(windows_tree: WindowsTree) -> None:
    off = struct.pack("<IQ", 3, FILETIME)
    on = b"\x02" + bytes(11)
    windows_tree.key(rf"{MACHINE}\Run", {"A": "a.exe", "B": "b.exe"})
    windows_tree.key(rf"HKLM\SOFTWARE\WOW6432Node\{VERSION}\Run", {"A": "a.exe"})
    windows_tree.key(rf"{MACHINE}\Explorer\StartupApproved\Run", {"a": off, "B": on, "C": off})
    windows_tree.key(rf"{MACHINE}\Explorer\StartupApproved\Run32", {"A": "no bytes"})
    result = run("autostart", windows_tree.host())
    assert [item.details for item in result.items] == [
        {"place": "Run", "enabled": "no", "switched_off": "2020-01-01T00:00:00Z"},
        {"place": "Run"},
        {"place": "Run"},
    ]


def test_values_that_are_no_commands(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{MACHINE}\Run", {"": "", "number": 5, "bytes": b"\x01", "none": b"", "list": ("a.exe", "-b")})
    windows_tree.key(rf"{ADA}\Run", {"": r"C:\x\y.exe -z"})
    result = run("autostart", windows_tree.host())
    assert [(item.name, item.command) for item in result.items] == [("list", "a.exe -b"), ("y.exe", r"C:\x\y.exe -z")]
    assert result.run.left_out == {"an empty entry": 3, "damaged": 1}
    assert set(result.problems) == {Problem(rf"{MACHINE}\Run\bytes", "no command line", "damaged")}


def test_startup_folders(windows_tree: WindowsTree) -> None:
    common, own = rf"C:\ProgramData\{STARTUP}", rf"C:\Users\ada\AppData\Roaming\{STARTUP}"
    windows_tree.write(rf"{common}\desktop.ini")
    windows_tree.folder(rf"{common}\Sub")
    windows_tree.write(rf"{common}\Kaspersky.lnk", header(2 | 32 | 0x80) + info(r"C:\gone\avp.exe") + string("-r"))
    windows_tree.write(rf"{common}\tool.bat")
    windows_tree.write(r"C:\Users\ada\tool.exe")
    windows_tree.write(rf"{own}\Tool.lnk", header(0x200) + environment(r"%UserProfile%\tool.exe"))
    windows_tree.write(rf"{own}\broken.lnk", "no shortcut")
    windows_tree.write(r"C:\Users\ada\Start Menu\Programs\Startup\old.vbs")
    windows_tree.key(rf"{ADA}\Explorer\StartupApproved\StartupFolder", {"Tool.lnk": b"\x03" + bytes(11)})
    result = run("autostart", windows_tree.host())
    assert {item.name: (item.user, item.path, item.command, item.state) for item in result.items} == {
        "Kaspersky": ("", r"C:\gone\avp.exe", r"C:\gone\avp.exe -r", "leftover"),
        "tool": ("", rf"{common}\tool.bat", rf"{common}\tool.bat", "installed"),
        "Tool": ("ada", r"C:\Users\ada\tool.exe", r"%UserProfile%\tool.exe", "installed"),
        "broken": ("ada", "", "", "installed"),
        "old": (
            "ada",
            r"C:\Users\ada\Start Menu\Programs\Startup\old.vbs",
            r"C:\Users\ada\Start Menu\Programs\Startup\old.vbs",
            "installed",
        ),
    }
    assert result.one("Tool").details == {"place": "Startup", "enabled": "no"}
    assert result.run.left_out == {"a setting": 1, "a folder": 1}
    assert result.problems == (Problem(rf"{own}\broken.lnk", "is damaged: no shortcut", "damaged"),)


@pytest.mark.slow
def test_real_users(corpora: Path, tmp_path: Path) -> None:
    """What starts for the users of all captures."""
    hives = [
        *(corpora / "plaso" / "test_data").glob("NTUSER*"),
        *(corpora / "plaso" / "test_data" / "regf").glob("NTUSER*"),
        *(corpora / "hives" / "notatin" / "test_data").glob("*[rR].[dD][aA][tT]"),
        *(corpora / "hives" / "regipy" / "regipy_tests" / "data").glob("*NTUSER*.DAT.xz"),
        *(corpora / "hives" / "eric-registry").rglob("NTUSER*"),
    ]
    counts = {}
    for number, file in enumerate(sorted(hives)):
        tree = WindowsTree(tmp_path / str(number))
        content = file.read_bytes()
        tree.write(r"C:\Users\ada\NTUSER.DAT", lzma.decompress(content) if file.suffix == ".xz" else content)
        tree.write(
            r"C:\Windows\System32\config\SOFTWARE", hive({path[14:]: values for path, values in tree.keys.items()})
        )
        result = run("autostart", offline_host(str(tree.root)))
        assert all(item.user == "ada" for item in result.items)
        if result.items:
            counts[str(file.relative_to(corpora))] = len(result.items)
    base = "hives/regipy/regipy_tests/data"
    assert counts == {
        f"{base}/NTUSER-WSL.DAT.xz": 2,
        f"{base}/NTUSER.DAT.xz": 1,
        f"{base}/NTUSER_BAGMRU.DAT.xz": 6,
        f"{base}/NTUSER_modified.DAT.xz": 2,
        f"{base}/NTUSER_with_winscp.DAT.xz": 4,
        f"{base}/transactions_NTUSER.DAT.xz": 1,
        "hives/notatin/test_data/NTUSER.DAT": 1,
        "hives/notatin/test_data/win7_ntuser.dat": 4,
        "plaso/test_data/NTUSER-RunTests.DAT": 2,
        "plaso/test_data/NTUSER-WIN7.DAT": 2,
        "plaso/test_data/NTUSER.DAT": 1,
        "plaso/test_data/regf/NTUSER.DAT": 2,
    }


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=16), st.just(("a", "b")))
KEY = st.sampled_from([rf"{MACHINE}\Run", rf"{MACHINE}\RunOnce", rf"{MACHINE}\Explorer\StartupApproved\Run"])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEY, st.dictionaries(st.text(max_size=3), VALUE)))
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    run("autostart", windows_host(registry_in_memory(keys, files), files, r"C:\Windows", root="/nonexistent"))


def test_other_places_that_are_read_at_log_on(windows_tree: WindowsTree) -> None:
    def program(name: str) -> str:
        return rf"C:\Program Files (x86)\Kaspersky Lab\{name}\avp.exe"

    nt = r"Microsoft\Windows NT\CurrentVersion"
    windows_tree.key(rf"{MACHINE}\RunOnceEx\0001", {"": "Title", "1": f"||{program('ex')} -x", "2": "a.dll|f|x"})
    windows_tree.key(rf"{MACHINE}\RunOnceEx\0001\Depend", {"1": program("depend")})
    windows_tree.key(
        rf"HKLM\SOFTWARE\{nt}\Winlogon",
        {"Userinit": rf"C:\Windows\system32\userinit.exe,{program('userinit')}", "Shell": "explorer.exe"},
    )
    windows_tree.key(rf"HKLM\SOFTWARE\{nt}\Windows", {"AppInit_DLLs": r"C:\a.dll C:\b.dll", "Load": ""})
    setup = r"HKLM\SOFTWARE\Microsoft\Active Setup\Installed Components"
    windows_tree.key(rf"{setup}\{{1}}", {"": "Acme", "StubPath": f'"{program("setup")}" -x'})
    windows_tree.key(rf"{setup}\{{2}}", {"Version": "1,0"})
    shadow = rf"HKLM\SOFTWARE\{nt}\Terminal Server\Install\Software\{VERSION}"
    windows_tree.key(rf"{shadow}\Run", {"X": program("shadow")})
    ada = rf"HKU\{WindowsTree.ADA}"
    windows_tree.key(rf"{ada}\Software\{nt}\Windows", {"Load": r"C:\PROGRA~2\KASPER~1\avp.exe"})
    windows_tree.key(rf"{ada}\Environment", {"UserInitMprLogonScript": r"%TOOLS%\logon.cmd", "TOOLS": r"C:\Tools"})
    windows_tree.key(rf"{ada}\Software\{VERSION}\Group Policy\Scripts\Logon\0\0", {"Script": r"C:\gp.cmd"})
    found = {(item.details["place"], item.path, item.user) for item in run("autostart", windows_tree.host()).items}
    assert found == {
        ("RunOnceEx", program("ex"), ""),
        ("RunOnceEx", "", ""),
        ("RunOnceEx", program("depend"), ""),
        ("Userinit", program("userinit"), ""),
        ("AppInit_DLLs", r"C:\a.dll", ""),
        ("AppInit_DLLs", r"C:\b.dll", ""),
        ("Active Setup", program("setup"), ""),
        ("Run", program("shadow"), ""),
        ("Load", r"C:\PROGRA~2\KASPER~1\avp.exe", "ada"),
        ("Logon script", r"C:\Tools\logon.cmd", "ada"),
        ("Logon script", r"C:\gp.cmd", "ada"),
    }


def test_a_startup_folder_that_was_moved(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Users\ada\Elsewhere\tool.bat")
    windows_tree.key(rf"{ADA}\Explorer\User Shell Folders", {"Startup": r"%USERPROFILE%\Elsewhere"})
    (item,) = run("autostart", windows_tree.host()).items
    assert item.path == r"C:\Users\ada\Elsewhere\tool.bat"


def test_what_a_launcher_runs(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{MACHINE}\Run", {"x": r"C:\Windows\System32\rundll32.exe C:\KL\kl.dll,Start"})
    windows_tree.key(rf"{MACHINE}\RunOnce", {"y": r'"C:\KL\run me" -x'.encode("utf-16-le") + b"\0\0"})
    windows_tree.write(r"C:\KL\run me.cmd")
    assert {item.name: item.path for item in run("autostart", windows_tree.host()).items} == {
        "x": r"C:\KL\kl.dll",
        "y": r"C:\KL\run me.cmd",
    }
