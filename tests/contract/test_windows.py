r"""The installed wheel on Windows Python: live registry and processes, offline roots, and what supervision promises.

Windows is Wine here; the code that runs is that of Windows (`winreg`, psutil, a worker that is a new interpreter).
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_of_text
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Item

from tests.support.harness import run
from tests.support.places import ROOT, WINE
from tests.support.regf_writer import Raw, Value, hive, utf16
from tests.support.registry_contract import export, part

MODULE = """\
import sys
sys.path.insert(0, {site!r})
{before}
import runpy
runpy.run_module("phaseout", run_name="__main__", alter_sys=True)
"""
UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
HERE = "S-1-5-21-0-0-0-1000"  # whom Wine logs on
AWAY = "S-1-5-21-9-9-9-1010"
HOME = r"C:\users\phaseout away"
KEYS: dict[str, dict[str, Value]] = {
    rf"HKLM\SOFTWARE\{UNINSTALL}\{{E2C0D4D5-1F1A-4C68-9C1F-6A2B7B0F2C11}}": {
        "DisplayName": "Kaspersky Endpoint Security for Windows",
        "DisplayVersion": "12.1.0.506",
        "Publisher": "AO Kaspersky Lab",
        "InstallDate": "20230901",
        "WindowsInstaller": 1,
        "EstimatedSize": 412000,
        "UninstallString": "MsiExec.exe /X{E2C0D4D5-1F1A-4C68-9C1F-6A2B7B0F2C11}",
    },
    rf"HKLM\SOFTWARE\{UNINSTALL}\7-Zip": {
        "DisplayName": "7-Zip 24.08 (x64)",
        "DisplayVersion": "24.08",
        "Publisher": "Igor Pavlov",
        "InstallLocation": "C:\\Program Files\\7-Zip phaseout\\",
    },
    rf"HKLM\SOFTWARE\{UNINSTALL}\Bare": {"DisplayName": 'Пример "quoted" \\ ®'},
    rf"HKLM\SOFTWARE\{UNINSTALL}\Odd date": {"DisplayName": "Odd", "InstallDate": "soon", "SystemComponent": 1},
    rf"HKLM\SOFTWARE\{UNINSTALL}\Without a name": {"ParentKeyName": "Odd date", "ReleaseType": "Hotfix"},
    rf"HKLM\SOFTWARE\{UNINSTALL}\Nothing": {},
    rf"HKLM\SOFTWARE\WOW6432Node\{UNINSTALL}\InstallWIX_{{11223344-5566-7788-99AA-BBCCDDEEFF00}}": {
        "DisplayName": "Kaspersky Password Manager",
        "DisplayVersion": "10.3.0",
        "Publisher": "Kaspersky",
        "DisplayIcon": Raw(2, utf16("%ProgramFiles(x86)%\\Kaspersky Lab\\phaseout\\kpm.exe,0\0")),
    },
    rf"HKLM\SOFTWARE\WOW6432Node\{UNINSTALL}\VLC": {"DisplayName": "VLC media player", "Publisher": "VideoLAN"},
    rf"HKU\{HERE}\Software\{UNINSTALL}\KVPN": {
        "DisplayName": "Kaspersky VPN",
        "DisplayVersion": "21.18",
        "Publisher": "Kaspersky",
    },
    rf"HKU\{HERE}\Software\{UNINSTALL}\Zoom": {"DisplayName": "Zoom", "Publisher": "Zoom Video Communications, Inc."},
    r"HKLM\SYSTEM\CurrentControlSet\Services\klnagent": {
        "DisplayName": "Kaspersky Security Center Network Agent",
        "ImagePath": r'"C:\Program Files (x86)\Kaspersky Lab\NetworkAgent\klnagent.exe"',
        "Type": 16,
        "Start": 2,
    },
    rf"{PROFILES}\{AWAY}": {"ProfileImagePath": HOME},
}
OF_AWAY: dict[str, dict[str, Value]] = {
    rf"Software\{UNINSTALL}\Safe Kids": {
        "DisplayName": "Kaspersky Safe Kids",
        "DisplayVersion": "1.0.5",
        "Publisher": "Kaspersky",
    }
}
# What the live Windows has of itself.
WINDOWS: dict[str, dict[str, Value]] = {
    rf"{PROFILES}\{HERE}": {"ProfileImagePath": r"C:\users\root"},
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion": {"ProgramFilesDir (x86)": r"C:\Program Files (x86)"},
}
OURS = {path.rpartition("\\")[2] for path in (*KEYS, *OF_AWAY)}
PRODUCTS = {
    "Kaspersky Endpoint Security for Windows",
    "Kaspersky Password Manager",
    "Kaspersky VPN",
    "Kaspersky Safe Kids",
    "klnagent",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (WINE / "ready").is_file(),
        reason="no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it",
    ),
]
Phaseout = Callable[..., subprocess.CompletedProcess[str]]


def windows_path(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is installed as for Windows; the Windows Python has its dependencies already."""
    folder = tmp_path_factory.mktemp("windows")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("phaseout-*.whl")
    target = folder / "site"
    platform = ("--platform", "win_amd64", "--python-version", "3.13", "--only-binary=:all:")
    subprocess.run([*pip, "install", "--no-deps", "--target", target, *platform, wheel], check=True)
    return target


@pytest.fixture(scope="module")
def phaseout(site: Path) -> Phaseout:
    def call(*arguments: str, site: Path = site, before: str = "pass") -> subprocess.CompletedProcess[str]:
        code = MODULE.format(site=windows_path(site), before=before)
        command = [str(WINE / "run"), "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=300)

    return call


def import_keys(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "keys.reg").write_bytes(text)
    environment = {**os.environ, "WINEPREFIX": str(WINE / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"}
    command = ["wine", "reg", "import", str(tmp_path / "keys.reg")]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr


def without() -> bytes:
    r"""The text that takes the keys away: regedit's form is `[-HKEY…]`."""
    text = export({path: {} for path in reversed(KEYS)}).decode("utf-16")
    return b"\xff\xfe" + re.sub(r"(?m)^\[", "[-", text).encode("utf-16-le")


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[None]:
    """The live registry with our keys, and the hive of a user who is not logged on."""
    home = WINE / "prefix" / "drive_c" / "users" / HOME.rpartition("\\")[2]
    home.mkdir(exist_ok=True)
    (home / "NTUSER.DAT").write_bytes(hive(OF_AWAY))
    import_keys(tmp_path, export(KEYS))
    try:
        yield
    finally:
        import_keys(tmp_path, without())
        shutil.rmtree(home)


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    """The same machine as a disk: its hives, and the profiles of both users."""
    root = tmp_path / "disk"
    config = root / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    for programs in ("Program Files", "Program Files (x86)"):
        (root / programs).mkdir()
    software: dict[str, Mapping[str, Value]] = {
        **part(r"HKLM\SOFTWARE", KEYS),
        **part(r"HKLM\SOFTWARE", WINDOWS),
    }
    system: dict[str, Mapping[str, Value]] = {
        path.replace("CurrentControlSet", "ControlSet001"): values
        for path, values in part(r"HKLM\SYSTEM", KEYS).items()
    }
    (config / "SOFTWARE").write_bytes(hive(software))
    (config / "SYSTEM").write_bytes(hive({**system, "Select": {"Current": 1}}))
    for home, keys in (("root", part(rf"HKU\{HERE}", KEYS)), (HOME.rpartition("\\")[2], OF_AWAY)):
        folder = root / "users" / home
        folder.mkdir(parents=True)
        (folder / "NTUSER.DAT").write_bytes(hive(keys))
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_version(phaseout: Phaseout) -> None:
    first, second = phaseout("--version").stdout.splitlines()
    assert re.fullmatch(r"phaseout \d+\.\d+\.\d+\S*", first)
    assert second.startswith("rules ")


LIST_MODULES = """\
import atexit
atexit.register(lambda: print("@@", *sys.modules))
"""
# A worker that takes longer than two seconds is measured with psutil; the answer must not depend on the clock.
UNMEASURED = """\
import phaseout.scan.worker_process
phaseout.scan.worker_process.Spawned.used = lambda _: (0.0, 0)
"""


def test_start_up_loads_nothing_heavy(phaseout: Phaseout, offline: Path) -> None:
    """Under Wine as on Windows a library costs most by being opened, and OpenSSL more than all others."""
    told = phaseout("--version", before=LIST_MODULES).stdout
    assert not {"click", "msgspec", "psutil", "subprocess"} & set(told.split("@@")[1].split())
    scan = phaseout("scan", "--root", windows_path(offline), "-f", "csv", before=LIST_MODULES + UNMEASURED).stdout
    loaded = set(scan.split("@@")[1].split())
    assert "click" in loaded
    heavy = {"_hashlib", "ssl", "asyncio", "email", "json", "psutil", "sqlite3", "zipfile"} & loaded
    assert not heavy


@pytest.fixture
def one_program(tmp_path: Path) -> Iterator[None]:
    """The live registry with one ordinary program: a Windows without any is never clean."""
    key = rf"HKLM\SOFTWARE\{UNINSTALL}\7-Zip"
    import_keys(tmp_path, export({key: KEYS[key]}))
    try:
        yield
    finally:
        import_keys(tmp_path, without())


@pytest.mark.usefixtures("one_program")
def test_clean_registry(phaseout: Phaseout, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    result = phaseout("scan", "-o", windows_path(report), "-f", "csv")
    assert (result.returncode, result.stdout) == (0, "")
    (row,) = rows(report)
    assert (row["verdict"], row["host"]) == ("clean", os.uname().nodename.partition(".")[0].upper()[:15])


@pytest.mark.usefixtures("filled")
def test_live_scan_finds_the_vendor_in_both_views_and_of_all_users(phaseout: Phaseout, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    result = phaseout("scan", "-o", windows_path(report))
    assert (result.returncode, result.stdout) == (1, "")
    found = rows(report)
    assert {row["name"] for row in found} == PRODUCTS
    assert {row["verdict"] for row in found} == {"replace"}
    users = {row["name"]: row["user"] for row in found}
    assert (users["Kaspersky VPN"], users["Kaspersky Safe Kids"]) == ("root", "phaseout away")
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".report")]
    assert report.read_bytes().count(b"\n") == report.read_bytes().count(b"\r\n") == len(found) + 1


@pytest.mark.usefixtures("filled")
def test_same_tree_live_as_hives_and_as_text_gives_the_same_items(phaseout: Phaseout, offline: Path) -> None:
    text = export({**KEYS, **WINDOWS, **{rf"HKU\{AWAY}\{path}": values for path, values in OF_AWAY.items()}})
    files = WindowsFiles(str(offline), {"C": ""})
    from_text = run(
        "uninstall", windows_host(registry_of_text(text, files=files), files, "C:\\Windows", root=str(offline))
    )
    from_hives = run("uninstall", offline_host(str(offline)))
    live, problems = inventory(phaseout, "--source", "uninstall")
    under_wine, _ = inventory(phaseout, "--source", "uninstall", "--root", windows_path(offline))
    expected = comparable(from_hives.items)
    assert len(expected) == len(OURS) - 3  # an entry without content, the service and the profile are no programs
    assert comparable(from_text.items) == expected
    assert comparable(under_wine) == expected
    assert comparable(live) == expected
    assert not problems
    assert not from_hives.problems
    assert not from_text.problems
    assert from_hives.one("Odd").notes == ('InstallDate: not a date: "soon"',)


def inventory(phaseout: Phaseout, *arguments: str) -> tuple[list[Item], list[str]]:
    output = phaseout("inventory", "-f", "json", *arguments).stdout
    found: dict[str, Any] = json.loads(output)
    items = [msgspec.convert(item, Item) for item in found["items"]]
    return items, [problem["why"] for run in found["runs"] for problem in run.get("problems", [])]


def comparable(items: tuple[Item, ...] | list[Item]) -> list[Any]:
    """The items of our keys without what the runner adds and the time of the last write, which no text holds."""
    found = []
    for item in items:
        if item.ids["registry_key"] in OURS:
            details = {name: value for name, value in item.details.items() if name != "modified"}
            where = tuple((one.where.lower(), one.what) for one in item.evidence)
            found.append(
                (item.name, item.state, item.vendor, item.version, item.path, item.user, item.ids, details, where)
            )
    return sorted(found, key=str)


def test_offline_root(phaseout: Phaseout, offline: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    result = phaseout("scan", "--root", windows_path(offline), "-o", windows_path(report))
    assert (result.returncode, result.stdout) == (1, "")
    assert {row["name"] for row in rows(report)} == PRODUCTS


def test_unreadable_attributes_do_not_lose_processes(phaseout: Phaseout) -> None:
    """Under Wine psutil can tell neither name nor executable of any process (WinError 87)."""
    items, problems = inventory(phaseout, "--source", "processes", "--modules")
    assert problems == []
    services = next(item for item in items if item.name.lower() == "services.exe")
    assert services.path.lower() == r"c:\windows\system32\services.exe"
    assert services.details["pid"]
    ours = [item for item in items if item.name == "python.exe"]
    assert len(ours) >= 2  # the supervisor and its worker
    assert {item.signer for item in ours} == {"Python Software Foundation"}
    library = next(item for item in items if item.name == "python313.dll")
    assert (library.kind, library.vendor) == ("library", "Python Software Foundation")
    assert not any(item.name.lower() == "kernel32.dll" for item in items)


@pytest.fixture
def with_bad_source(site: Path, tmp_path: Path) -> Callable[[str], Path]:
    """The installed package with one more source, right before `uninstall`."""

    def make(collect: str) -> Path:
        changed = tmp_path / "site"
        shutil.copytree(site, changed)
        sources = changed / "phaseout" / "sources"
        text = (sources / "__init__.py").read_text()
        (sources / "__init__.py").write_text(
            text.replace('    "windows.uninstall",', '    "windows.bad",\n    "windows.uninstall",')
        )
        (sources / "windows" / "bad.py").write_text(
            "import ctypes, time\nfrom phaseout.model.nouns import Item\nfrom phaseout.sources.source import Source\n"
            f'def collect(host):\n    yield Item(kind="program", name="before")\n    {collect}\n'
            'SOURCE = Source("bad", "Bad", ("windows",), ("program",), (), (), "None.", collect)\n'
        )
        return changed

    return make


def test_a_source_that_hangs_costs_itself(
    phaseout: Phaseout, with_bad_source: Callable[[str], Path], offline: Path
) -> None:
    """Each source may take 30 s: here one takes 5 s at most, as nobody wants to wait."""
    shorter = (
        "import phaseout.scan.supervisor; phaseout.scan.supervisor.ScanSupervisor.__init__.__kwdefaults__['each'] = 5"
    )
    site = with_bad_source("time.sleep(600)")
    result = phaseout("inventory", "-f", "json", "--root", windows_path(offline), site=site, before=shorter)
    found = json.loads(result.stdout)
    runs = {one["source"]: one for one in found["runs"]}
    assert (runs["bad"]["status"], runs["bad"]["reason"]) == (
        "timeout",
        "ended after 5 s: the time limit of a source is 5 s",
    )
    assert runs["uninstall"]["items"] == len(OURS) - 3
    assert "before" in {item["name"] for item in found["items"]}
    assert result.returncode == 3


def test_a_source_that_crashes_costs_itself(
    phaseout: Phaseout, with_bad_source: Callable[[str], Path], offline: Path
) -> None:
    site = with_bad_source("ctypes.windll.kernel32.ExitProcess(7)")
    found = json.loads(phaseout("inventory", "-f", "json", "--root", windows_path(offline), site=site).stdout)
    runs = {one["source"]: one for one in found["runs"]}
    assert (runs["bad"]["status"], runs["bad"]["reason"]) == ("failed", "the worker ended with status 7")
    assert runs["uninstall"]["items"] == len(OURS) - 3


def test_no_time_left(phaseout: Phaseout, with_bad_source: Callable[[str], Path], offline: Path) -> None:
    site = with_bad_source("time.sleep(600)")
    result = phaseout("scan", "--root", windows_path(offline), "--timeout", "12", site=site)
    assert result.returncode == 3
    assert "the time limit of the whole scan (--timeout) was reached" in " ".join(result.stdout.split())


INTERRUPT = """\
import _thread
import threading
from phaseout.scan.supervisor import ScanSupervisor
take = ScanSupervisor._take
def taken(self, lane, message):
    take(self, lane, message)
    if type(message).__name__ == "Found" and message.item.name == "before":
        threading.Timer(1, _thread.interrupt_main).start()
ScanSupervisor._take = taken
"""


def test_interruption_keeps_what_was_seen(
    phaseout: Phaseout, with_bad_source: Callable[[str], Path], offline: Path
) -> None:
    r"""The interrupt comes as Ctrl-C brings it, while the supervisor waits for a worker that says nothing."""
    site = with_bad_source("time.sleep(600)")
    result = phaseout("inventory", "-f", "json", "--root", windows_path(offline), site=site, before=INTERRUPT)
    found = json.loads(result.stdout)
    reasons = {one["source"]: one.get("reason", "") for one in found["runs"]}
    assert reasons["bad"] == reasons["uninstall"] == "interrupted"
    assert "before" in {item["name"] for item in found["items"]}
    assert result.returncode == 130


def test_a_policy_that_others_can_write_is_refused(phaseout: Phaseout, offline: Path) -> None:
    """Every user may make this folder. Wine shows the owner and the modes of the files behind it as a descriptor."""
    folder = WINE / "prefix" / "drive_c" / "ProgramData" / "phaseout"
    policy = folder / "phaseout.toml"
    root = ("scan", "--root", windows_path(offline), "-f", "line")
    folder.mkdir()
    try:
        policy.write_text('roles = ["us_person"]\n')
        folder.chmod(0o755)
        policy.chmod(0o644)
        assert "Error" not in (sound := phaseout(*root)).stdout, sound
        policy.chmod(0o666)
        written = phaseout(*root)
        policy.chmod(0o644)
        folder.chmod(0o777)
        replaced = phaseout(*root)
        by_hand = phaseout(*root, "--policy", r"C:\ProgramData\phaseout\phaseout.toml")
    finally:
        shutil.rmtree(folder)
    shown = r"the policy was not used: C:\ProgramData\phaseout"
    assert rf"{shown}\phaseout.toml: S-1-1-0 can change it" in written.stdout, written
    assert f"{shown}: S-1-1-0 can change it" in replaced.stdout, replaced
    assert "Error" not in by_hand.stdout, by_hand
