"""What the documents say of the project is true: their links and paths lead somewhere, their examples pass."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import phaseout
import pytest

from tests.support import transcripts

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md"), *ROOT.glob("benchmarks/*.md")]
)
# Blocks that nothing runs, by page; each needs what is not here. Another one is a decision, and belongs here.
NOWHERE = {
    "docs/formats.md": ["the folder of a running node_exporter"],
    "docs/howto/schedule.md": ["launchd"],
    "docs/install.md": ["a package index and pipx or uv", "Python for Windows that is installed for all users"],
    "docs/packaging.md": ["uv, and a package index"],
    "docs/packs.md": ["the keys of the first ceremony"],
    "docs/tutorial.md": ["a package index; scripts/fresh_debian runs the same line of README"],
}
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
    return re.findall(rf"^```{language}(?: \S+)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_rules_in_the_documents_pass_the_check(tmp_path: Path) -> None:
    for text in blocks("docs/howto/own_rules.md", "toml"):
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


def of(page: Path) -> list[transcripts.Block]:
    """The fenced blocks of a page."""
    return [*transcripts.blocks(page.read_text(encoding="utf-8"))]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the pages are written for a POSIX shell")
@pytest.mark.parametrize(
    "page", [*filter(transcripts.runs, transcripts.PAGES)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """`python -m tests.support.transcripts PAGE` writes the output of today into the page."""
    transcripts.files(tmp_path / "work")
    differences = [text for _, _, text in transcripts.run(page, tmp_path / "work") if text]
    assert not differences, "\n".join(differences)


def test_every_command_is_run_or_says_by_what() -> None:
    nowhere: dict[str, int] = {}
    for page in transcripts.PAGES:
        name = str(page.relative_to(ROOT))
        for block in of(page):
            if block.language not in transcripts.SHELLS:
                assert not re.search(r"^(\$|PS>) ", block.text, re.MULTILINE), f"{name}: a transcript is `console`"
            elif block.mark == "nowhere":
                nowhere[name] = nowhere.get(name, 0) + 1
            elif block.mark:
                assert [*ROOT.glob(f"tests/**/{block.mark}"), *ROOT.glob(f"scripts/{block.mark}")], (name, block.mark)
            else:
                assert block.language in ("console", "sh"), f"{name}: nothing here runs {block.language}"
    assert nowhere == {name: len(reasons) for name, reasons in NOWHERE.items()}


def test_no_command_hides_in_an_indented_block() -> None:
    """Only fenced blocks are run."""
    from markdown_it import MarkdownIt

    for page in transcripts.PAGES:
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
            if token.type == "code_block" or (token.type == "fence" and not token.info):
                assert not re.search(r"^(\$ |sudo |sh |pip |\S*phaseout )", token.content, re.MULTILINE), page


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("seen in 0.10 s\n", "seen in\n 9.87 s\n", True),
        ("", "more than is shown\n", False),
    ],
)
def test_an_output_that_the_page_does_not_show_is_noticed(shown: str, printed: str, fits: bool) -> None:
    assert transcripts.fits(shown, printed) is fits


@pytest.mark.slow
def test_a_page_that_shows_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\none\n$ echo two\nthree\n```\n\n```sh\nfalse\n```\n")
    (tmp_path / "work").mkdir()
    found = transcripts.run(page, tmp_path / "work")
    _, today, difference = next(found)
    assert today == "$ echo one\none\n$ echo two\ntwo\n"
    assert "three" in difference
    with pytest.raises(AssertionError, match="false"):
        next(found)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_makes_no_request(tmp_path: Path) -> None:
    for name in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(name)
    site = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        str(tmp_path / "doctrees"),
        "-c",
        "docs",
    ]
    result = subprocess.run([*command, ".", str(site)], check=False, capture_output=True, text=True, cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, "")
    texts = {file.name: file.read_text("utf-8") for kind in ("html", "css") for file in site.rglob(f"*.{kind}")}
    loaded = re.compile(
        r"<(?:script|img|iframe)\b[^>]*\bsrc=.?(?:https?:)?//|<link\b[^>]*https?://|url\(.?(?:https?:)?//"
    )
    assert {name: loaded.findall(text) for name, text in texts.items() if loaded.search(text)} == {}
    assert len(texts) > 40
    assert (site / "searchindex.js").read_text().startswith("Search.setIndex("), "found without a server"


def environment() -> dict[str, str]:
    """That of this process, with the package that the tests import."""
    return {**os.environ, "PYTHONPATH": str(Path(phaseout.__file__).parents[1])}
