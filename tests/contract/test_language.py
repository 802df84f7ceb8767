"""Plain English: phrases that a reader has to read twice do not come back.

Each is an example of a habit that the project had. The remedy is another sentence, and rarely another phrase: put the
noun before its relative clause, and use the words of docs/glossary.md.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A blank is any white space, for a phrase may continue on the next line.
PHRASES = {
    r"\b[Ww]hoever\b": "say who: the caller, the reader, the person who …",
    r"\b[Ww]hatever has\b": "name it",
    r"(?<!\b[Tt]here) (?:is|are|was|were) none\b": '"is not one", "is not …"; "there is none" is fine',
    r"\b(?:is|are|was|were) told\b(?! apart)": "detected, reported, configured; or say who tells it",
    r"\b[Ll]eft alone\b": "skipped",
    r"\b(?:[Tt]he|[Aa]|whole) look\b(?!-)": "scan",
    r"\b[Ll]ooked at\b": "read, scanned, checked",
    r"\b[Bb]e it\b": "even if, whether",
    r"\b[Nn]obody (?:steps|looks)\b": "skipped, ignored",
    r"\bso that one (?:was|is)\b": "say what follows",
    r"\bto be had\b": "available, missing",
    r"\bheld against\b": "compared with, checked against",
    r"\bunless told\b": "by default",
    r"\b(?:[Hh]imself|his own)\b": "they, the user, the operator",
}
SUFFIXES = {
    *("", ".j2", ".html", ".md", ".ps1", ".py", ".rb", ".service"),
    *(".sls", ".spec", ".timer", ".toml", ".yaml", ".yml"),
}
FOLDERS = (".ci", ".github", "benchmarks", "docs", "rules/measures", "scanner", "scripts", "tests")
# Generated from names of other makers, or this file.
LEFT_OUT = ("docs/schemas/", "docs/sources.md", "tests/contract/test_language.py")
# Files that still have such phrases. Nothing may be added here; what has been rewritten goes.
NOT_YET: tuple[str, ...] = ()


def files(folder: str) -> list[Path]:
    """The text files in a folder of the checkout, or those at its top."""
    found = (ROOT / folder).rglob("*") if folder else ROOT.glob("*.*")
    texts = [path for path in found if path.is_file() and path.suffix in SUFFIXES and "__pycache__" not in path.parts]
    return sorted(path for path in texts if not path.relative_to(ROOT).as_posix().startswith(LEFT_OUT + NOT_YET))


def odd(text: str) -> list[str]:
    """Line, phrase and advice for each odd phrase."""
    plain = re.sub(r"\n[ \t]*(?:#|//)?", lambda found: "\n" + " " * (len(found[0]) - 1), text)  # without comment signs
    return [
        f"line {plain.count(chr(10), 0, match.start()) + 1}: {' '.join(match[0].split())!r}: {advice}"
        for phrase, advice in PHRASES.items()
        for match in re.finditer(phrase.replace(" ", r"\s+"), plain)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", *FOLDERS])
def test_no_odd_phrase(folder: str) -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8", "replace") for path in files(folder)}
    assert texts or folder == ".ci"
    found = {name: odd(text) for name, text in texts.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Closed by whoever\n    # has the last one.",
        "A value that is none.",
        "The encoding is told by its bytes.",
        "# mounts are left\n# alone",
        "The look begins.",
    ],
)
def test_an_odd_phrase_is_found(text: str) -> None:
    assert len(odd(text)) == 1


@pytest.mark.parametrize("text", ["if x is None:", "There is none.", "They are told apart by size.", "The look-alike"])
def test_plain_english_is_fine(text: str) -> None:
    assert odd(text) == []
