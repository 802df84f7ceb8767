"""`-f` and `-o` with every format, and colour."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from phaseout.report import FORMATS

from tests.support.terminal import on_terminal
from tests.support.trees import Tree

NAMES = ", ".join(one.name for one in FORMATS)
pty = pytest.importorskip("pty", reason="no terminals to make here")


@pytest.fixture
def root(tmp_path: Path) -> str:
    tree = Tree(tmp_path / "root")
    tree.write(
        "/var/lib/dpkg/status",
        "Package: kesl\nStatus: install ok installed\nMaintainer: AO Kaspersky Lab <support@kaspersky.com>\n"
        "Version: 12.1.0-1543\n\n",
    )
    return str(tree.root)


def phaseout(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "phaseout", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})


@pytest.mark.slow
def test_every_format_is_written_by_its_ending(root: str, tmp_path: Path) -> None:
    written = [one for one in FORMATS if one.endings]
    files = [str(tmp_path / f"report{one.endings[0]}") for one in written]
    result = phaseout(
        "scan", "--root", root, "--as-of", "2026-11-21", *(each for file in files for each in ("-o", file))
    )
    assert result.returncode == 1, result.stderr
    texts = [Path(file).read_text("utf-8") for file in files]
    assert all(texts)
    starts = dict(zip((one.name for one in written), texts, strict=True))
    assert starts["html"].startswith("<!doctype html>")
    assert starts["junit"].startswith("<?xml")
    assert starts["markdown"].startswith("# `")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("-f", "pdf"), ("-o", "report.pdf")])
def test_unknown_formats_and_endings_end_with_the_list(root: str, arguments: tuple[str, str]) -> None:
    for command in ("scan", "inventory"):
        result = phaseout(command, "--root", root, *arguments)
        assert result.returncode == 2
        assert NAMES in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", ["sarif", "junit"])
def test_what_has_no_place_for_an_inventory_says_so(root: str, name: str) -> None:
    result = phaseout("inventory", "--root", root, "-f", name)
    assert result.returncode == 2
    assert f"{name} has no place for an inventory; these have: table, csv, json" in result.stderr


@pytest.mark.slow
def test_colour_only_on_a_terminal_that_wants_it(root: str) -> None:
    scan = ("scan", "--root", root, "--as-of", "2026-11-21")
    assert "\x1b" not in phaseout(*scan).stdout
    assert "\x1b[1;31mREPLACE\x1b[0m" in on_terminal(*scan).stdout
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b[" not in on_terminal(*scan, environment=variables).stdout
    assert "\x1b[" not in on_terminal(*scan, "-f", "csv").stdout


@pytest.mark.slow
def test_formats_that_are_not_asked_for_are_not_loaded(root: str) -> None:
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
        "from phaseout.cli import run; run()"
    )
    command = [sys.executable, "-c", code, "scan", "--root", root]
    loaded = subprocess.run(command, capture_output=True, text=True, check=False).stderr.split()
    assert "phaseout.report.table_format" in loaded
    others = {f"phaseout.report.{one.name}_format" for one in FORMATS[1:]} | {"jinja2"}
    assert not others & set(loaded)
