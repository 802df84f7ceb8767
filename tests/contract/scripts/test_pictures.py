"""scripts/pictures.py: the pictures of README."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.chromium import PROGRAM

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/pictures.py"


def test_a_terminal_keeps_its_columns_and_colours() -> None:
    spec = importlib.util.spec_from_file_location("pictures", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    drawn = ET.fromstring(pictures.terminal(["a <b>", "\x1b[1;31mREPLACE\x1b[0m  kesl"]))
    plain, red, rest = drawn.iter("{http://www.w3.org/2000/svg}text")
    assert (plain.text, red.text, rest.text) == ("a <b>", "REPLACE", "  kesl")
    assert red.attrib["fill"] == "#ff9492"
    assert "fill" not in rest.attrib
    assert float(rest.attrib["x"]) - float(red.attrib["x"]) == pytest.approx(7 * 8.43, abs=0.1)


@pytest.mark.parametrize("name", ["page.png", "terminal.svg"])
def test_a_picture_of_readme_is_small_and_loads_nothing(name: str) -> None:
    picture = (ROOT / "docs/pictures" / name).read_bytes()
    assert len(picture) < 150_000
    assert re.findall(rb"https?://[\w./-]+", picture) in ([], [b"http://www.w3.org/2000/svg"])
    assert f"docs/pictures/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
def test_they_are_drawn(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SCRIPT, tmp_path], check=True)
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    assert "REPLACE" in (tmp_path / "terminal.svg").read_text(encoding="utf-8")
