"""What the documents say of the project is true: their links and paths lead somewhere, their examples pass."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import phaseout
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/**/*.md"), *ROOT.glob("benchmarks/*.md")]
)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
NEW = re.compile(r"crux|logfmt|example")  # files that the recipes of CONTRIBUTING make
PLACE = re.compile(r"`((?:scanner|tests|scripts|rules|docs|benchmarks|\.github)/[\w./-]+?)(?:::\w+)?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    wrong = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    wrong += [place for place in PLACE.findall(text) if not (ROOT / place).exists() and not NEW.search(place)]
    assert not wrong


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_rules_in_the_documents_pass_the_check(tmp_path: Path) -> None:
    for text in blocks("docs/rules.md", "toml"):
        about = tomllib.loads(text)
        if "id" in about:
            folder = tmp_path / ("measures" if "milestone" in about else "vendors")
            folder.mkdir(exist_ok=True)
            (folder / f"{about['id']}.toml").write_text(text, encoding="utf-8")
    assert len([*tmp_path.rglob("*.toml")]) == 2
    command = [sys.executable, "-m", "phaseout", "rules", "check", str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.slow
def test_the_policy_in_the_documents_is_valid(tmp_path: Path) -> None:
    (policy,) = (text for text in blocks("docs/rules.md", "toml") if "[[waiver]]" in text)
    file = tmp_path / "phaseout.toml"
    file.write_text(policy.replace('rules = ["/etc/phaseout/rules"]', ""), encoding="utf-8")
    command = [sys.executable, "-m", "phaseout", "match", "--policy", str(file), "-"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), input="{}")
    assert "phaseout.toml" not in result.stderr
    file.write_text(policy.replace("[[waiver]]", "[[waver]]"), encoding="utf-8")
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), input="{}")
    assert "phaseout.toml" in result.stderr, "the same command finds an error in it"


def environment() -> dict[str, str]:
    """That of this process, with the package that the tests import."""
    return {**os.environ, "PYTHONPATH": str(Path(phaseout.__file__).parents[1])}
