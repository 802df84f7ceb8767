"""What every source says of what it does not list: reasons and causes come out of the closed lists of the model."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from phaseout.model.nouns import Cause, Reason

from tests.support.places import CODE

SOURCES = CODE / "phaseout" / "sources"
FILES = sorted(SOURCES.rglob("*.py"))


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def literals(value: ast.expr) -> Iterator[str | None]:
    """The strings that an expression may be; `None` for one that the code does not spell out."""
    if isinstance(value, ast.IfExp):
        yield from literals(value.body)
        yield from literals(value.orelse)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.Name | ast.Attribute):
        return  # typed as Reason or Cause, which mypy checks
    else:
        yield None


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_rows_are_left_out_for_a_listed_reason(path: Path) -> None:
    for call in calls(path, "LeftOut"):
        reason = argument(call, 0, "reason")
        assert reason is not None, f"line {call.lineno}: no reason"
        unlisted = set(literals(reason)) - set(get_args(Reason))
        assert not unlisted, f"line {call.lineno}: {unlisted}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_problems_have_a_listed_cause(path: Path) -> None:
    for call in calls(path, "Problem"):
        cause = argument(call, 2, "cause")
        assert cause is not None, f"line {call.lineno}: no cause"
        unlisted = set(literals(cause)) - set(get_args(Cause))
        assert not unlisted, f"line {call.lineno}: {unlisted}"
