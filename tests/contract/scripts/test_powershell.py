"""The PowerShell scripts: their syntax, and each convention of the tools that run them.

PowerShell itself cannot be had from the package registries that the tests use. The syntax is held by an independent
grammar (tree-sitter-powershell), which is not PowerShell's own parser; what the scripts rely on of phaseout is held by
running phaseout as they do. Nothing here shows how Windows PowerShell runs them.

References:
    https://learn.microsoft.com/intune/intune-service/fundamentals/remediations (exit status, 2,048 characters, 200 KB);
    https://learn.microsoft.com/intune/intune-service/protect/compliance-custom-json; and, for what devices really do,
    https://github.com/fadwen/IntuneScriptLab (any status but 0 starts the remediation; only the last line is kept).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from phaseout import __version__

from tests.support.command import phaseout
from tests.support.trees import KESL, Tree

SCRIPTS = Path(__file__).parents[3] / "scripts"
ALL = sorted(path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.rglob("*.ps1"))
COMMANDS = {
    *("Write-Output", "Select-Object", "Where-Object", "Test-Path", "Out-Null", "New-Item", "ConvertTo-Json"),
}
NATIVE = r'& "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe"'


def text(name: str) -> str:
    return (SCRIPTS / name).read_text(encoding="ascii")


def code(name: str) -> str:
    """A script without its comments; no string of ours holds a `#`."""
    return re.sub(r"(?m)\s*#.*$", "", text(name)).strip()


def parsed(source: str) -> Any:
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_powershell")
    return tree_sitter.Parser(tree_sitter.Language(grammar.language())).parse(source.encode()).root_node


def nodes(node: Any, kind: str) -> Iterator[Any]:
    """All nodes of a kind below this one."""
    if node.type == kind:
        yield node
    for child in node.children:
        yield from nodes(child, kind)


def said(node: Any) -> str:
    return str(node.text.decode())


def statements(name: str) -> list[Any]:
    (top,) = (child for child in parsed(text(name)).children if child.type == "statement_list")
    return [child for child in top.children if child.is_named and child.type != "comment"]


def test_there_are_scripts() -> None:
    assert len(ALL) == 6


@pytest.mark.parametrize("broken", ["if (1 { }", "'open", "foo }", "if ($a -eq) { }", "& $x |"])
def test_the_grammar_finds_errors(broken: str) -> None:
    assert parsed(broken).has_error


@pytest.mark.parametrize("name", ALL)
def test_syntax(name: str) -> None:
    tree = parsed(text(name))
    assert not tree.has_error
    assert all(any(nodes(one, "catch_clause")) for one in nodes(tree, "try_statement"))


@pytest.mark.parametrize("name", ALL)
def test_small_and_ascii_without_byte_order_mark(name: str) -> None:
    """Windows PowerShell reads a file without a mark in the code page of the machine."""
    content = (SCRIPTS / name).read_bytes()
    assert content.isascii()
    assert len(content) < 200_000


@pytest.mark.parametrize("name", ALL)
def test_only_full_names_of_commands_and_none_that_writes_beside_the_output(name: str) -> None:
    """Write-Host and Write-Warning would displace the last line; Write-Error makes an app undetected."""
    assert {said(one) for one in nodes(parsed(text(name)), "command_name")} <= COMMANDS
    assert "ErrorActionPreference" not in text(name), "with Stop, a word of phaseout on stderr would end the script"


@pytest.mark.parametrize("name", ALL)
def test_the_32_bit_host_is_left_before_anything_is_looked_at(name: str) -> None:
    tree = parsed(text(name))
    relaunch = next(nodes(tree, "if_statement"))
    condition = "[Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess"
    assert said(relaunch).startswith(f"if ({condition}) {{\n    {NATIVE} -NoProfile -NonInteractive ")
    assert "-File $PSCommandPath" in said(relaunch)
    assert said(relaunch).endswith("    exit $LASTEXITCODE\n}")
    before = tree.text[: relaunch.start_byte].decode()
    assert "$env:" not in before, "in that host they name other folders"
    assert "&" not in before
    parameters = re.findall(r"\[string\]\$(\w+)", before)
    assert all(f"-{parameter} ${parameter}" in said(relaunch) for parameter in parameters)


@pytest.mark.parametrize("name", ALL)
def test_phaseout_is_named_by_its_whole_path_and_may_be_absent_or_say_things_on_stderr(name: str) -> None:
    """The working folder is arbitrary, and an absent program is an exception in PowerShell."""
    places = [one for one in nodes(parsed(text(name)), "string_literal") if "phaseout.exe" in said(one)]
    assert all(said(one).startswith('"$env:ProgramFiles\\phaseout\\') for one in places)
    assert len(places) == 2
    tree = parsed(text(name))
    calls = [one for one in nodes(tree, "command") if said(one).startswith("& $phaseout")]
    caught = [one for attempt in nodes(tree, "try_statement") for one in nodes(attempt, "command")]
    assert len(calls) == 1
    assert calls[0] in caught
    assert "2>$null" in said(calls[0])


@pytest.mark.parametrize("name", ALL)
def test_the_status_is_always_said(name: str) -> None:
    assert said(statements(name)[-1]) in {"exit 0", "exit 1"}


@pytest.mark.parametrize("name", ALL)
def test_what_is_said_fits(name: str) -> None:
    """What phaseout says is held by its own format; these are the script's own words."""
    assert all(len(said(one)) <= 2048 for one in nodes(parsed(text(name)), "string_literal"))


def test_remediation_starts_for_what_must_be_replaced_only() -> None:
    assert [said(one) for one in statements("intune/detect.ps1")[-3:]] == [
        "Write-Output $line",
        "if ($line -cmatch '^REPLACE \\(') {\n    exit 1\n}",
        "exit 0",
    ]
    assert code("intune/detect.ps1").count("exit 1") == 1


def test_an_app_is_there_by_status_0_and_output() -> None:
    """And it is not there by silence: in Configuration Manager another status is a failure."""
    assert set(re.findall(r"exit .+", code("intune/detect_app.ps1"))) == {"exit $LASTEXITCODE", "exit 0"}
    assert code("intune/detect_app.ps1").count("Write-Output") == 1
    pattern = re.search(r"-match '([^']+)'", code("intune/detect_app.ps1"))
    assert pattern
    version = re.match(pattern[1], phaseout("--version").stdout)
    assert version
    assert version[1] == __version__
    assert f"$wanted = [version]'{__version__}'" in code("intune/detect_app.ps1"), "it asks for this release"


def test_a_discovery_that_failed_is_no_value() -> None:
    last = [said(one) for one in statements("configmgr/discover.ps1")[-3:]]
    assert last == ["if (-not $line) {\n    exit 1\n}", "Write-Output $line", "exit 0"]


def test_the_name_of_a_report_has_host_and_time_in_every_culture() -> None:
    form = "\"yyyyMMdd'T'HHmmss'Z'\""
    now = f"$now = [DateTime]::UtcNow.ToString({form}, [Globalization.CultureInfo]::InvariantCulture)"
    assert now in code("configmgr/report_to_share.ps1")
    assert '$file = "$Share\\$env:COMPUTERNAME-$now.csv"' in code("configmgr/report_to_share.ps1")


def test_nothing_is_written_where_users_may_lay_links() -> None:
    assert '$reports = "$env:ProgramFiles\\phaseout\\reports"' in code("intune/remediate.ps1")
    assert not any(word in code("intune/remediate.ps1") for word in ("ProgramData", "TEMP", "PUBLIC"))


def arguments(name: str) -> list[str]:
    """Those that a script gives to phaseout, without files and redirections."""
    (call,) = re.findall(r"& \$phaseout (.+?) 2>\$null", code(name))
    return re.sub(r" -o \S+", "", call).split()


@pytest.mark.parametrize("name", [name for name in ALL if "detect_app" not in name])
def test_phaseout_understands_what_it_is_asked_and_answers_in_kind(name: str, tree: Tree, tmp_path: Path) -> None:
    tree.write("/var/lib/dpkg/status", KESL)
    found = phaseout(*arguments(name), "--root", str(tree.root))
    assert found.returncode == (1 if "replace" in arguments(name) else 0)
    nothing = phaseout(*arguments(name), "--root", str(tmp_path / "root"), "--source", "rpm")
    assert nothing.returncode == 3
    if "line" in arguments(name):
        assert re.match(r"^REPLACE \(", found.stdout)
        assert re.match(r"^[A-Z]+ \(", nothing.stdout)
        assert not re.match(r"^[A-Z]+ \(all sources complete\)", nothing.stdout)


def test_compliance_rules_judge_what_the_script_says() -> None:
    rules = json.loads(text("intune/compliance_rules.json"))["Rules"]
    assert 0 < len(rules) <= 100
    said_by_script = re.findall(r"(?m)^    (\w+) += ", code("intune/discover_compliance.ps1").split("@{")[1])
    assert sorted(rule["SettingName"] for rule in rules) == sorted(said_by_script)
    for rule in rules:
        assert set(rule) == {"SettingName", "Operator", "DataType", "Operand", "MoreInfoUrl", "RemediationStrings"}
        assert (rule["Operator"], rule["DataType"], rule["Operand"]) == ("IsEquals", "Boolean", True)
        assert rule["MoreInfoUrl"].startswith("https://")
        for strings in rule["RemediationStrings"]:
            assert set(strings) == {"Language", "Title", "Description"}
    assert "ConvertTo-Json -Compress" in code("intune/discover_compliance.ps1")
    assert code("intune/discover_compliance.ps1").count("Write-Output") == 1
