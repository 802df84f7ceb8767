"""How the command line meets a person: typing errors, completion, quiet and verbose, colour, defaults."""

from pathlib import Path

import pytest
from phaseout.report.columns import cell_width

from tests.support.command import phaseout
from tests.support.trees import KESL, Tree

SCAN = ("scan", "--as-of", "2026-11-21", "--root")


@pytest.fixture
def root(tree: Tree) -> str:
    tree.write("/var/lib/dpkg/status", KESL)
    return str(tree.root)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("scna",), 'no command "scna", did you mean scan?'),
        (("scan", "-f", "jsno"), 'no format "jsno", did you mean json?'),
        (("scan", "--source", "dpgk"), 'no source "dpgk", did you mean dpkg?'),
        (("scan", "--os", "linx"), 'no system "linx", did you mean linux?'),
        (("scan", "--fail-on", "replcae"), 'no verdict "replcae", did you mean replace?'),
        (("explain", "kesl", "--kind", "pakage"), 'no kind "pakage", did you mean package?'),
        (("rules", "show", "kasperski"), "did you mean kaspersky"),
        (("fleet", "hosts", "f.db", "--state", "slient"), 'no state "slient", did you mean silent?'),
    ],
)
def test_a_typing_error_is_answered_with_what_was_meant(arguments: tuple[str, ...], meant: str) -> None:
    result = phaseout(*arguments)
    assert result.returncode == 2
    assert meant in result.stderr


def test_letter_case_does_not_matter(root: str) -> None:
    result = phaseout(*SCAN, root, "-f", "CSV", "--fail-on", "Never", "--source", "DPKG", "--os", "Linux")
    assert (result.returncode, result.stdout[:5]) == (0, "host,"), result.stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("scan -f js", "json"),
        ("scan --source dpk", "dpkg"),
        ("rules show us-commerce", "us-commerce-icts-2021-002"),
        ("fleet hosts --product kaspersky-endpoint-security-l", "kaspersky-endpoint-security-linux"),
        ("fleet hosts --measure us-commerce", "us-commerce-icts-2021-002"),
        ("scan --color al", "always"),
    ],
)
def test_values_are_completed(words: str, completed: str) -> None:
    number = str(len(words.split()))
    result = phaseout(COMP_WORDS=f"phaseout {words}", COMP_CWORD=number, _PHASEOUT_COMPLETE="bash_complete")
    assert f"plain,{completed}" in result.stdout.split()


@pytest.mark.slow
def test_quiet_and_verbose(root: str) -> None:
    quiet, usual, verbose = (phaseout(*SCAN, root, *more, COLUMNS="200") for more in (("-q",), (), ("-v",)))
    assert quiet.stdout.count("\n") == 1
    assert usual.stdout.startswith(quiet.stdout)
    assert "and 21 more" in usual.stdout
    assert "more." not in verbose.stdout
    assert len(verbose.stdout.splitlines()) > len(usual.stdout.splitlines()) + 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "environment", "colour"),
    [
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(root: str, option: str, environment: dict[str, str], colour: bool) -> None:
    assert ("\x1b[" in phaseout(*SCAN, root, "--color", option, **environment).stdout) == colour


@pytest.mark.slow
def test_the_operator_sets_defaults_and_the_command_line_counts_more(root: str, tmp_path: Path) -> None:
    policy, report = tmp_path / "phaseout.toml", tmp_path / "report.json"
    policy.write_text(f"[defaults]\nformat = 'csv'\noutput = ['-', '{report}']\nfail_on = 'never'\n")
    scan = (*SCAN, root, "--policy", str(policy), "--source", "dpkg")
    result = phaseout(*scan)
    assert (result.returncode, result.stdout[:5], report.exists()) == (0, "host,", True), result.stderr
    report.unlink()
    result = phaseout(*scan, "-f", "json", "--fail-on", "review")
    assert (result.returncode, result.stdout[:1], report.exists()) == (1, "{", False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("format = 'cvs'", 'defaults.format: no format "cvs", did you mean csv?'),
        ("output = ['report.json']", 'defaults.output: "report.json" must be a whole path'),
        ("output = ['/x/report.pdf']", 'defaults.output: the ending of "/x/report.pdf" names no format'),
        ("fail_on = 'nver'", "defaults.fail_on: must be one of"),
        ("failon = 'never'", 'defaults.failon: unknown field, did you mean "fail_on"?'),
    ],
)
def test_an_error_in_the_defaults_names_file_and_line(line: str, why: str, root: str, tmp_path: Path) -> None:
    policy = tmp_path / "phaseout.toml"
    policy.write_text(f"roles = []\n\n[defaults]\n{line}\n")
    result = phaseout(*SCAN, root, "--policy", str(policy))
    assert result.returncode == 2
    assert f"Error: {policy}: line 4: {why}" in result.stderr


def test_a_list_of_programs_with_other_headings(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Titel;Maker;Nr\na;b;c\n")
    result = phaseout("match", str(tmp_path / "list.csv"))
    assert result.returncode == 2
    assert "needs headings such as ApplicationName" in result.stderr
    assert "found: Titel, Maker, Nr" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize(
    "words", ["rules list", "rules show kaspersky", "rules show us-ndaa-2018-1634", "sources", "explain kasp"]
)
def test_lines_fit_the_terminal(words: str, width: int) -> None:
    lines = phaseout(*words.split(), COLUMNS=str(width)).stdout.splitlines()
    assert lines
    assert [line for line in lines if cell_width(line) > width] == []


def test_a_pipe_gets_each_product_on_one_line() -> None:
    """For those who search it with grep."""
    assert any(
        "kaspersky-vpn" in line and "Kaspersky VPN Secure Connection" in line and "windows macos" in line
        for line in phaseout("rules", "list").stdout.splitlines()
    )
