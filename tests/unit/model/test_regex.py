"""Patterns that are compiled when they are first used."""

import re
from importlib import import_module
from pathlib import Path

import phaseout
import pytest
from phaseout.model.regex import regex

_ROOT = Path(phaseout.__file__).parent


def test_it_is_a_pattern_like_any_other() -> None:
    found = regex(r"(\w+)=(\w+)", re.IGNORECASE)
    assert found.sub(r"\2", "a=B c=d") == "B d"
    assert found.findall("a=B c=d") == [("a", "B"), ("c", "d")]
    assert found.flags & re.IGNORECASE
    assert regex(rb"\d").split(b"a1b") == [b"a", b"b"]


def test_it_is_compiled_when_it_is_first_used() -> None:
    wrong = regex("(")
    with pytest.raises(re.error, match="unterminated"):
        wrong.match("")


def test_all_patterns_of_modules_can_be_compiled() -> None:
    kind = type(regex(""))
    files = [path for path in _ROOT.rglob("*.py") if "import regex\n" in path.read_text()]
    patterns = [
        value
        for path in files
        for value in vars(import_module(f"phaseout.{'.'.join(path.relative_to(_ROOT).with_suffix('').parts)}")).values()
        if isinstance(value, kind)
    ]
    assert len(patterns) > len(files) > 40
    for pattern in patterns:
        assert pattern.pattern
