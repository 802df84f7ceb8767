"""A Windows machine from first day to last: scripts and executable under Wine, run by PowerShell for Windows.

What the consoles of Intune and Configuration Manager would show stands word for word in docs/windows.md.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "scripts"
PAGE = ROOT / "docs/windows.md"
EXE = Path(os.environ.get("PHASEOUT_EXE", "/none")) / "windows/folder/phaseout"
WINE = Path(os.environ.get("PHASEOUT_WINE", "/none"))
UNINSTALL = r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\Uninstall"
SEVEN_ZIP = f"""[{UNINSTALL}\\7-Zip]
"DisplayName"="7-Zip 24.08 (x64)"
"DisplayVersion"="24.08"
"Publisher"="Igor Pavlov"
"""
KASPERSKY = f"""[{UNINSTALL}\\{{C5B2BE5F-7DA9-4C61-9A25-D2B6A7E0A1F3}}]
"DisplayName"="Kaspersky Endpoint Security for Windows"
"DisplayVersion"="12.3.0.493"
"Publisher"="AO Kaspersky Lab"
"""


def settled(text: str) -> str:
    """A transcript without what differs from day to day: times, the rules, days that have passed, digests, counts."""
    text = re.sub(r"\d{8}T\d{6}Z(-[0-9a-f]{16})?", "TIME-DIGEST", text)
    text = re.sub(r"\d+ days past", "N days past", text)
    text = re.sub(r"nothing found in \d+ items", "nothing found in N items", text)
    text = re.sub(r"all \d+ sources", "all N sources", text)
    return re.sub(r"; rules .*", "", text)


@pytest.fixture
def machine(tmp_path: Path, powershell_windows: Path) -> Callable[..., str]:
    """Runs a command in a Windows of its own: "import TEXT", or a script with its arguments."""
    if not (WINE / "ready").is_file():
        pytest.skip("no Windows: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    if not EXE.is_dir():
        pytest.skip("no phaseout.exe: scripts/build_exe FOLDER makes it, and PHASEOUT_EXE names that folder")
    prefix = tmp_path / "prefix"
    shutil.copytree(WINE / "prefix", prefix, symlinks=True)
    for link in (prefix / "drive_c/users").glob("*/*"):
        if link.is_symlink():  # Wine's desktop is the home of the user who runs this
            link.unlink()
            link.mkdir()
    environment = {**os.environ, "WINEPREFIX": str(prefix), "WINEARCH": "win64", "WINEDEBUG": "-all"}

    def run(command: str, *arguments: str, registry: str = "") -> str:
        if registry:
            file = tmp_path / "change.reg"
            file.write_text(f"Windows Registry Editor Version 5.00\n\n{registry}\n")
            start = ["wine", "reg", "import", f"Z:{file}"]
        else:
            options = ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass"]
            script = "Z:" + str(SCRIPTS / command).replace("/", "\\")
            start = [str(powershell_windows), *options, "-File", script, *arguments]
        result = subprocess.run(
            start,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=600,
            env=environment,
            cwd="/",
        )
        assert registry or result.stderr == "", result.stderr
        said = result.stdout.replace("\r", "")
        shown = " ".join([command.rpartition("/")[2], *arguments])
        return f"PS> .\\{shown}\n{said}exit status {result.returncode}\n"

    return run


@pytest.mark.slow
def test_the_page_shows_what_the_consoles_show(tmp_path: Path, machine: Callable[..., str]) -> None:
    programs = tmp_path / "prefix/drive_c/Program Files"
    share = tmp_path / "prefix/dosdevices/unc/server/phaseout$"  # \\\\server\\phaseout$
    share.mkdir(parents=True)
    said: list[str] = []

    def say(title: str) -> None:
        said.append(f"# {title}\n")

    def run(*commands: str) -> None:
        said.extend(machine(*command.split()) for command in commands)

    machine("", registry=SEVEN_ZIP)
    say("A new machine, without phaseout.")
    run("intune/detect_app.ps1", "intune/detect.ps1", "intune/discover_compliance.ps1", "configmgr/run_script.ps1")
    say("phaseout is installed.")
    shutil.copytree(EXE, programs / "phaseout")
    everything = (
        *("intune/detect.ps1", "intune/discover_compliance.ps1"),
        *("configmgr/discover.ps1", "configmgr/run_script.ps1"),
    )
    run("intune/detect_app.ps1", *everything)
    say("Somebody installs Kaspersky Endpoint Security.")
    machine("", registry=KASPERSKY)
    run(
        "intune/detect.ps1",
        "intune/remediate.ps1",
        *everything,
        "configmgr/report_to_share.ps1 -Share \\\\server\\phaseout$",
    )
    say("It is removed.")
    machine("", registry=re.sub(r"(?s)\[(.*?)\].*", r"[-\1]", KASPERSKY))
    run("intune/detect.ps1", "configmgr/run_script.ps1")
    say("phaseout is removed.")
    shutil.rmtree(programs / "phaseout")
    run("intune/detect_app.ps1", "intune/detect.ps1")
    transcript = "".join(said)
    (tmp_path / "transcript").write_text(transcript)
    (page,) = re.findall(r"(?s)```console test_windows_machine.py\n(# A new machine.*?)```", PAGE.read_text())
    assert settled(transcript) == settled(page)
    (file,) = share.iterdir()
    assert ",replace," in file.read_text()
