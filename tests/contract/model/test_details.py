"""Every key of `Item.details` that the code writes is declared with a sentence, and every declared key is written.

The keys are read from the code: what is passed as `details`, and everything that flows into it within its module.
What cannot be followed is an error of this test's, not a silent gap.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import phaseout
import pytest
from phaseout.model.details import DETAILS

PACKAGE = Path(phaseout.__file__).parent
MODULES = sorted(
    path
    for folder in ("sources", "inventories", "host", "scan")
    for path in (PACKAGE / folder).rglob("*.py")
    if "details" in path.read_text(encoding="utf-8")
)
KEPT = "kept"  # a function of inventories: its keywords are the keys


class Module:
    """What one module writes into details."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.constants: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.constants[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self.constants[node.target.id] = node.value
        self.functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        self.lost: set[str] = set()
        self.seen: set[int] = set()

    def written(self) -> Iterator[str]:
        for function in self.functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    for keyword in node.keywords:
                        if keyword.arg == "details":
                            yield from self.of(keyword.value, function)
                elif isinstance(node, ast.Dict):
                    for key, value in zip(node.keys, node.values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "details":
                            yield from self.of(value, function)
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "details":
                    yield from self.of(node.value, function)

    def of(self, value: ast.expr, function: ast.FunctionDef) -> Iterator[str]:
        """The keys of an expression that becomes details."""
        if id(value) in self.seen:
            return
        self.seen.add(id(value))
        if isinstance(value, ast.Dict):
            for key, inner in zip(value.keys, value.values, strict=True):
                if key is None:
                    yield from self.of(inner, function)
                else:
                    yield from self.key(key, function)
        elif isinstance(value, ast.DictComp):
            yield from self.comprehension(value, function)
        elif isinstance(value, ast.IfExp):
            yield from self.of(value.body, function)
            yield from self.of(value.orelse, function)
        elif isinstance(value, ast.BoolOp):
            for one in value.values:
                yield from self.of(one, function)
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
            yield from self.of(value.left, function)
            yield from self.of(value.right, function)
        elif isinstance(value, ast.Name):
            gone = set(self.popped(value.id, function))
            yield from (key for key in self.name(value.id, function) if key not in gone)
        elif isinstance(value, ast.Attribute) and value.attr == "details":
            return  # written where that object was made
        elif isinstance(value, ast.Call):
            yield from self.call(value, function)
        elif not (isinstance(value, ast.Constant) and value.value is None):
            self.lost.add(f"{self.path.name}:{value.lineno}: {ast.unparse(value)}")

    def call(self, value: ast.Call, function: ast.FunctionDef) -> Iterator[str]:
        called = value.func.id if isinstance(value.func, ast.Name) else ""
        if called == KEPT:
            yield from (keyword.arg for keyword in value.keywords if keyword.arg)
        elif called == "dict" and len(value.args) <= 1:
            for one in value.args:
                yield from self.of(one, function)
        elif any(inner.name == called for inner in self.functions):
            for inner in self.functions:
                for node in ast.walk(inner) if inner.name == called else ():
                    if isinstance(node, ast.Return) and node.value is not None:
                        yield from self.of(node.value, inner)
        elif isinstance(value.func, ast.Attribute) and value.func.attr == "get":  # of a table of details
            yield from self.of(value.func.value, function)
        else:
            self.lost.add(f"{self.path.name}:{value.lineno}: {ast.unparse(value)}")

    def name(self, name: str, function: ast.FunctionDef) -> Iterator[str]:
        """Everything that a name is given in a function; if it is a parameter, what callers pass."""
        if name == "details" and any(one.arg == name for one in function.args.kwonlyargs):
            return  # each caller writes `details=`, which is followed there
        found = False
        for node in ast.walk(function):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
                targets = [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == name and node.value is not None:  # type: ignore[attr-defined]
                    found = True
                    yield from self.of(node.value, function)  # type: ignore[attr-defined]
                elif isinstance(target, ast.Subscript) and getattr(target.value, "id", "") == name:
                    yield from self.key(target.slice, function)
        positions = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if name in positions:
            found = True
            for caller in self.functions:
                for node in ast.walk(caller):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.name:
                        at = positions.index(name)
                        given = [*node.args[at : at + 1], *(one.value for one in node.keywords if one.arg == name)]
                        for one in given:
                            yield from self.of(one, caller)
        if not found:
            self.lost.add(f"{self.path.name}: {name} in {function.name}")

    def popped(self, name: str, function: ast.FunctionDef) -> Iterator[str]:
        """What is taken out of it again before it becomes details."""
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{name}.pop":
                yield from (str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant))

    def comprehension(self, value: ast.DictComp, function: ast.FunctionDef) -> Iterator[str]:
        """`{detail: … for detail, … in _DETAILS}` over a constant; `{key: … for key, … in other.items()}`."""
        over = value.generators[0].iter
        if isinstance(value.value, ast.Dict):  # a table of details
            yield from self.of(value.value, function)
            return
        if isinstance(over, ast.Name) and over.id in self.constants:
            table = ast.literal_eval(self.constants[over.id])
            yield from (row if isinstance(row, str) else row[0] for row in table)
        elif isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and over.func.attr == "items":
            yield from self.of(over.func.value, function)
        else:
            self.lost.add(f"{self.path.name}:{value.lineno}: {ast.unparse(value)}")

    def key(self, key: ast.expr, function: ast.FunctionDef) -> Iterator[str]:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value
            return
        found = list(self.loop(key.id, function)) if isinstance(key, ast.Name) else []
        if not found:
            self.lost.add(f"{self.path.name}:{key.lineno}: key {ast.unparse(key)}")
        yield from (one for one in found if isinstance(one, str))

    def loop(self, name: str, function: ast.FunctionDef) -> Iterator[object]:
        """What a loop variable stands for, if the loop goes over a constant."""
        for node in ast.walk(function):
            if not isinstance(node, ast.For):
                continue
            names = [node.target] if isinstance(node.target, ast.Name) else getattr(node.target, "elts", [])
            for place, one in enumerate(names):
                if isinstance(one, ast.Name) and one.id == name:
                    for row in self.rows(node.iter, function):
                        yield row[place] if isinstance(row, tuple) else row

    def rows(self, over: ast.expr, function: ast.FunctionDef) -> list[object]:
        if isinstance(over, ast.Name) and over.id not in self.constants:
            return [row for rows in self.loop(over.id, function) for row in rows]  # type: ignore[attr-defined]
        try:
            return list(ast.literal_eval(self.constants[over.id] if isinstance(over, ast.Name) else over))
        except ValueError:
            return []


@cache
def written() -> tuple[dict[str, list[str]], list[str]]:
    """Key → modules that write it; and what could not be followed."""
    keys: dict[str, list[str]] = {}
    lost: list[str] = []
    for path in MODULES:
        module = Module(path)
        for key in module.written():
            keys.setdefault(key, []).append(path.name)
        lost += sorted(module.lost)
    return keys, lost


@pytest.mark.slow
def test_everything_that_becomes_details_was_followed() -> None:
    assert not written()[1]


@pytest.mark.slow
def test_every_written_key_is_declared() -> None:
    undeclared = {key: places for key, places in written()[0].items() if key not in DETAILS}
    assert not undeclared, "add a line to scanner/phaseout/model/details.py"


def test_every_declared_key_is_written() -> None:
    unused = sorted(DETAILS.keys() - written()[0].keys())
    assert not unused, "take their lines out of scanner/phaseout/model/details.py"


def test_each_key_has_one_sentence_and_the_keys_are_sorted() -> None:
    assert all(sentence.endswith(".") and sentence.count(". ") == 0 for sentence in DETAILS.values())
    assert list(DETAILS) == sorted(DETAILS)
