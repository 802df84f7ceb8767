"""The fuzzing driver reaches every parser, and its targets take what they are given."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
NOT_FOREIGN = {"sha256"}  # it counts, and does not read what a machine says


def _driver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "scripts" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FUZZ = _driver()


def test_every_parser_is_a_target() -> None:
    parsers = {path.stem for path in (ROOT / "scanner" / "phaseout" / "parsers").rglob("*.py")} - {"__init__"}
    assert parsers - set(FUZZ.targets()) == NOT_FOREIGN


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FUZZ.targets()))
def test_targets_take_anything(name: str, corpora: Path) -> None:
    calls = FUZZ.targets()[name]
    rng = random.Random(name)
    files = [path for path in sorted(corpora.rglob("*")) if path.is_file() and path.stat().st_size < 20_000]
    for data in (b"", b"\0", rng.randbytes(2000), *(path.read_bytes() for path in rng.sample(files, 20))):
        FUZZ.run(calls, data)


def test_a_target_that_is_none_is_an_error() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "fuzz.py", "nope"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, "no target nope" in run.stderr) == (2, True)


def test_a_finding_is_kept_and_named(tmp_path: Path) -> None:
    """With libFuzzer, where it is installed: a parser that breaks on purpose."""
    pytest.importorskip("atheris")
    script = tmp_path / "scripts" / "fuzz.py"
    script.parent.mkdir()
    text = (ROOT / "scripts" / "fuzz.py").read_text()
    script.write_text(
        text.replace("    macho.slices(_at(data))", "    assert b'K' not in data[:1]").replace(
            'sys.path.insert(0, str(ROOT / "scanner"))', f"sys.path.insert(0, {str(ROOT / 'scanner')!r})"
        )
    )
    run = subprocess.run(
        [sys.executable, script, "--seconds", "3", "macho"], capture_output=True, text=True, check=False, timeout=600
    )
    assert run.returncode == 1, run.stderr
    assert "FINDING macho: AssertionError" in run.stdout
    assert (tmp_path / "fuzz-findings" / "macho-1").read_bytes()[:1] == b"K"
