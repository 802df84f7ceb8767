"""The PowerShell scripts: run by PowerShell for Linux, and each convention of the tools that run them.

`powershell.Tests.ps1` runs them with a stand-in for phaseout; here, phaseout itself is run as they do. Intune and
Configuration Manager start Windows PowerShell 5.1, which cannot be had: the tests keep newer syntax out.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/remediations (exit status, 2,048 characters, 200 KB);
    https://learn.microsoft.com/intune/intune-service/protect/compliance-custom-json; and, for what devices really do,
    https://github.com/fadwen/IntuneScriptLab (any status but 0 starts the remediation; only the last line is kept).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from phaseout import __version__

from tests.support.command import phaseout
from tests.support.namespaces import can_unshare
from tests.support.trees import KESL, Tree

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "scripts"
ALL = sorted(path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.rglob("*.ps1"))
JUDGES = ["configmgr/discover.ps1", "configmgr/run_script.ps1", "intune/detect.ps1", "intune/discover_compliance.ps1"]
RELAUNCH = (
    "if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {\n"
    r'    & "$(Split-Path -Path ([Environment]::SystemDirectory))\sysnative\WindowsPowerShell\v1.0\powershell.exe"'
    " -NoProfile -NonInteractive "
)


def text(name: str) -> str:
    return (SCRIPTS / name).read_text(encoding="ascii")


def code(name: str) -> str:
    """A script without its comments; no string of ours holds a `#`."""
    return re.sub(r"(?m)\s*#.*$", "", text(name)).strip()


@pytest.mark.slow
def test_pester_finds_nothing_wrong(powershell: Path) -> None:
    """All in one process: PowerShell takes most of a second to start."""
    run = (
        "$c = New-PesterConfiguration; $c.Run.Path = $env:TESTS; $c.Run.Exit = $true;"
        "$c.Output.RenderMode = 'Plaintext'; Invoke-Pester -Configuration $c"
    )
    result = subprocess.run(
        [powershell, "-NoProfile", "-NonInteractive", "-Command", run],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "TESTS": str(Path(__file__).with_name("powershell.Tests.ps1")), "NO_COLOR": "1"},
    )
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
    passed = re.search(r"Tests Passed: (\d+), Failed: 0, Skipped: 0", result.stdout)
    assert passed
    assert int(passed[1]) > 150


@pytest.mark.parametrize("name", ALL)
def test_small_and_ascii_without_byte_order_mark(name: str) -> None:
    """Windows PowerShell reads a file without a mark in the code page of the machine."""
    content = (SCRIPTS / name).read_bytes()
    assert content.isascii()
    assert len(content) < 200_000
    assert "ErrorActionPreference" not in text(name), "with Stop, a word of phaseout on stderr would end the script"


@pytest.mark.parametrize("name", ALL)
def test_the_32_bit_host_is_left_before_anything_is_looked_at(name: str) -> None:
    before, relaunch = code(name).split(RELAUNCH)
    assert re.match(r"-ExecutionPolicy Bypass -File \$PSCommandPath[^\n]*\n    exit \$LASTEXITCODE\n}", relaunch)
    assert "$env:" not in before, "in that host they name other folders"
    parameters = re.findall(r"\[string\]\$(\w+)", before)
    assert all(f"-{parameter} ${parameter}" in relaunch.splitlines()[0] for parameter in parameters)


def test_phaseout_is_looked_for_in_one_way() -> None:
    parts = {re.search(r"(?s)# The executable, or a Python.*?\n}\n", text(name)) for name in ALL}
    assert None not in parts
    assert len({part[0] for part in parts if part}) == 1


def test_what_phaseout_said_is_judged_in_one_way() -> None:
    """Each script is uploaded alone, so each has a copy."""
    assert [name for name in ALL if "# Begin of the judgement" in text(name)] == JUDGES
    parts = [text(name).split("# Begin of the judgement")[1].split("# End of the judgement")[0] for name in JUDGES]
    same = {re.sub(r"(--fail-on |whenReplace = )\w+", r"\1", part) for part in parts}
    assert len(same) == 1
    for part in parts:
        asked = re.search(r"--fail-on (\w+)", part)
        assert asked
        assert f"$whenReplace = {int(asked[1] == 'replace')} " in part


def test_the_version_that_is_wanted_is_this_release() -> None:
    assert f"$wanted = [version]'{__version__}'" in code("intune/detect_app.ps1")
    pattern = re.search(r"-cmatch '(\^phaseout [^']+)'", code("intune/detect_app.ps1"))
    assert pattern
    first, second = phaseout("--version").stdout.splitlines()
    version = re.match(pattern[1], first)
    assert version
    assert version[1] == __version__
    rest = re.search(r"-cmatch '(\^rules )'", code("intune/detect_app.ps1"))
    assert rest
    assert re.match(rest[1], second)


def test_nothing_is_written_where_users_may_lay_links() -> None:
    for name in ALL:
        assert not any(word in code(name) for word in ("ProgramData", "TEMP", "PUBLIC"))


def arguments(name: str) -> list[str]:
    """Those that a script gives to phaseout, without files and redirections."""
    (call,) = re.findall(r"& \$phaseout (.+?) 2>\$null", code(name))
    return re.sub(r" -o \S+", "", call).split()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALL if "detect_app" not in name])
def test_phaseout_understands_what_it_is_asked_and_answers_in_kind(name: str, tree: Tree, tmp_path: Path) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    found = phaseout(*arguments(name), "--root", str(tree.root))
    assert found.returncode == (1 if "replace" in arguments(name) else 0)
    nothing = phaseout(*arguments(name), "--root", str(tmp_path / "root"), "--source", "rpm")
    assert nothing.returncode == 3
    if "line" in arguments(name):
        form = re.search(r"\$form = '(.+)'", text(name))
        assert form
        verdicts = [re.match(form[1], result.stdout) for result in (found, nothing)]
        assert [one and one[1] for one in verdicts] == ["REPLACE", "INCOMPLETE"]
        assert [one and one[2] for one in verdicts] == ["all sources complete", "not everything seen"]


MACHINES = """
function Invoke-Command([string[]]$ComputerName, $FilePath, [scriptblock]$ScriptBlock, $ArgumentList) {
    foreach ($name in $ComputerName | Where-Object { $_ -ne 'AWAY' }) {
        $env:COMPUTERNAME = $name
        $work = if ($FilePath) { @{ FilePath = $FilePath } } else { @{ ScriptBlock = $ScriptBlock } }
        Start-Job @work -ArgumentList $ArgumentList | Receive-Job -Wait
    }
}
function show($what) { ">>> $what" }
"""


@pytest.mark.slow
def test_every_line_of_the_page_on_remoting(powershell: Path, tree: Tree, tmp_path: Path) -> None:
    """By jobs, which are processes of their own to which objects travel as to a remote machine."""
    page = (ROOT / "docs/windows.md").read_text().partition("## PowerShell remoting")[2]
    lines = "".join(re.findall(r"(?s)```powershell test_powershell.py\n(.*?)```", page)).splitlines()
    assert len(lines) == 9
    tree.write("/var/lib/dpkg/status", KESL)
    files = tmp_path / "pf"
    program = files / "phaseout/phaseout.exe"
    program.parent.mkdir(parents=True)
    look = f'--root "{tree.root}"'
    python = f'exec "{sys.executable}" -B -m phaseout'
    program.write_text(f'#!/bin/sh\ncd "{ROOT}/scanner" && {python} "$@" {look}\n')
    program.chmod(0o755)
    (tmp_path / "computers.txt").write_text("PC1\nPC2\nAWAY\n")
    (tmp_path / "scripts").symlink_to(SCRIPTS)
    lines = [line.replace(r"C:\Program Files\phaseout\now.json", str(tmp_path / "now.json")) for line in lines]
    script = tmp_path / "page.ps1"
    body = "\n".join(f"show {number}\n{line} | Out-String -Width 200" if "=" not in line[:12] else line
                     for number, line in enumerate(lines))  # fmt: skip
    script.write_text(MACHINES + body)
    result = subprocess.run(
        [powershell, "-NoProfile", "-NonInteractive", "-File", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        cwd=tmp_path,
        env={**os.environ, "ProgramFiles": str(files), "NO_COLOR": "1"},
    )
    assert result.stderr == ""
    parts = [part.split() for part in result.stdout.split(">>> ")[1:]]
    product = ["Kaspersky", "Endpoint", "Security", "for", "Linux"]
    assert " ".join(parts[0]).endswith("2 REPLACE (all sources complete); replace: " + " ".join(product))
    assert parts[1].count("replace") == 2
    assert parts[2][-len(product) - 1 :] == ["2", *product]
    assert parts[3][1:] == []
    assert parts[4][-1] == "AWAY"


SSHD = """\
ListenAddress 127.0.0.1
ListenAddress 127.0.0.2
Port 2222
HostKey {0}/host
PidFile none
UsePAM no
StrictModes no
AuthorizedKeysFile {0}/key.pub
PermitRootLogin prohibit-password
SetEnv ProgramFiles={0}/pf
Subsystem powershell {1} -sshs -NoLogo -NoProfile
"""
REMOTE = """
$options = @{ StrictHostKeyChecking = 'no'; UserKnownHostsFile = '/dev/null' }
$key = @{ UserName = 'root'; KeyFilePath = "$env:WORK/key"; Options = $options }
Invoke-Command -HostName 127.0.0.1:2222, 127.0.0.2:2222 @key -FilePath $env:SCRIPT |
    Group-Object | ForEach-Object { "$($_.Count) $($_.Name)" }
"""


@pytest.mark.slow
def test_machines_are_asked_over_ssh(powershell: Path, tmp_path: Path) -> None:
    """Real remoting: sshd with PowerShell as its subsystem, in a network of its own."""
    if not shutil.which("sshd", path="/usr/sbin:/sbin") or not can_unshare("--net", "--mount", "--pid", "--fork"):
        pytest.skip("not installed: sshd, or no namespaces")
    program = tmp_path / "pf/phaseout/phaseout.exe"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'REPLACE (all sources complete) replace: Kaspersky Agent 12.3, installed'\n")
    program.chmod(0o755)
    for key in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    (tmp_path / "sshd_config").write_text(SSHD.format(tmp_path, powershell))
    (tmp_path / "ask.ps1").write_text(REMOTE)
    server = f"mkdir /run/sshd && /usr/sbin/sshd -f {tmp_path}/sshd_config"
    ask = f"exec {powershell} -NoProfile -NonInteractive -File {tmp_path}/ask.ps1"
    start = f"ip link set lo up && mount -t tmpfs none /run && {server} && {ask}"
    result = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", start],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "WORK": str(tmp_path), "SCRIPT": str(SCRIPTS / "configmgr/run_script.ps1"), "NO_COLOR": "1"},
    )
    answers = [line for line in result.stdout.splitlines() if "Permanently added" not in line]
    assert answers == ["2 REPLACE (all sources complete); replace: Kaspersky Agent"], result.stderr


def test_compliance_rules_judge_what_the_script_says() -> None:
    rules = json.loads(text("intune/compliance_rules.json"))["Rules"]
    assert 0 < len(rules) <= 100
    said_by_script = re.findall(r'"(\w+)":', code("intune/discover_compliance.ps1"))
    assert [rule["SettingName"] for rule in rules] == said_by_script
    for rule in rules:
        assert set(rule) == {"SettingName", "Operator", "DataType", "Operand", "MoreInfoUrl", "RemediationStrings"}
        assert (rule["Operator"], rule["DataType"], rule["Operand"]) == ("IsEquals", "Boolean", True)
        assert rule["MoreInfoUrl"].startswith("https://")
        for strings in rule["RemediationStrings"]:
            assert set(strings) == {"Language", "Title", "Description"}
