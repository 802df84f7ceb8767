"""Changes the code that decides in small ways, and prints the changes that no test notices.

    python scripts/mutation.py                              everything
    python scripts/mutation.py --sample 40 judgement/verdict.py

Each mutant is one change of one place, in memory only. The tests of its module run in a fork, which ends with the first
failure; one that takes too long counts as noticed. A survivor is a missing test, or a change without a meaning.
mutmut and cosmic-ray do this for any project; both write mutants into a copy of the tree and start an interpreter for
each.

References:
    https://en.wikipedia.org/wiki/Mutation_testing; Jia and Harman, "An Analysis and Survey of the Development of
    Mutation Testing" (2011), for the operators
"""

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "scanner" / "phaseout"
# What decides whether a host is clean, and the tests that hold it.
TESTS: dict[str, tuple[str, ...]] = {
    "judgement/verdict.py": ("tests/unit/judgement/test_verdict.py", "tests/contract/rules/test_judgements.py"),
    "judgement/applied.py": (
        *("tests/unit/judgement/test_applied.py", "tests/unit/judgement/test_verdict.py"),
        "tests/contract/rules/test_judgements.py",
    ),
    "judgement/removal_proof.py": ("tests/unit/judgement/test_diff.py",),
    "rules/matcher.py": ("tests/unit/rules/test_matcher.py", "tests/unit/rules/test_patterns.py"),
    "sources/territory.py": ("tests/unit/sources/test_territory.py",),
    "model/recording.py": ("tests/unit/model/test_recording.py", "tests/unit/scan/test_supervisor.py"),
}
_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_SECONDS = 90.0  # for the tests of one mutant


class Mutant(NamedTuple):
    """A change: the line, what it was, what it became, and the code of the whole module with it."""

    line: int
    before: str
    after: str
    tree: ast.Module


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may become."""
    match node:
        case ast.Compare(left=left, ops=[op, *ops], comparators=others) if type(op) in _FLIPPED:
            yield ast.Compare(left, [_FLIPPED[type(op)](), *ops], others)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.Constant(False), body, orelse)
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.comprehension(target=target, iter=iterated, ifs=[_, *ifs], is_async=kind):
            yield ast.comprehension(target, iterated, ifs, kind)


def _decides(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node of the code within functions; annotations, docstrings and tables change nothing or break at once."""
    for top in ast.walk(tree):
        if isinstance(top, ast.FunctionDef):
            for statement in top.body:
                yield from ast.walk(statement)


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    original = ast.parse(source)
    count = len({id(node) for node in _decides(original)})
    found: list[Mutant] = []
    for number in range(count):
        node = list(dict.fromkeys(_decides(original)))[number]
        for choice, new in enumerate(changes(node)):
            tree = copy.deepcopy(original)
            target = list(dict.fromkeys(_decides(tree)))[number]
            _replace(tree, target, list(changes(target))[choice])
            line = getattr(node, "lineno", 0) or getattr(getattr(node, "target", None), "lineno", 0)
            found.append(Mutant(line, _short(node), _short(new), ast.fix_missing_locations(tree)))
    yield from sorted(found, key=lambda one: one.line)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list):
                value[:] = [new if one is old else one for one in value]


def _short(node: ast.AST) -> str:
    with contextlib.suppress(AttributeError, ValueError):
        return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())[:100]
    return type(node).__name__


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module as the mutant has it."""

    def __init__(self, name: str, file: Path, tree: ast.Module) -> None:
        self._name, self._file, self._tree = name, file, tree

    def find_spec(self, name: str, _path: object, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The module's place, for that name only."""
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the mutant."""
        exec(compile(self._tree, str(self._file), "exec"), module.__dict__)


def survives(file: str, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Whether the tests pass with this code."""
    child = os.fork()
    if child == 0:
        _test(file, tree, tests)
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def _test(file: str, tree: ast.Module, tests: Sequence[str]) -> None:
    import pytest

    code = 1
    try:
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        name = "phaseout." + file.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, Mutated(name, CODE / file, tree))
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))
    finally:
        os._exit(code)


def _run(file: str, most: int, seed: int, say: Callable[[str], object]) -> tuple[int, int]:
    source = (CODE / file).read_text()
    if not survives(file, ast.parse(source), TESTS[file]):
        raise SystemExit(f"{file}: its tests fail without any change")
    all_of_it = list(mutants(source))
    chosen = (
        sorted(random.Random(seed).sample(all_of_it, most), key=lambda one: one.line)
        if 0 < most < len(all_of_it)
        else all_of_it
    )
    survived = 0
    for one in chosen:
        if survives(file, one.tree, TESTS[file]):
            survived += 1
            say(f"{file}:{one.line}: {one.before}  →  {one.after}")
    say(f"{file}: {len(chosen)} of {len(all_of_it)} mutants, {len(chosen) - survived} killed, {survived} survived")
    return len(chosen), survived


def main() -> None:
    """Runs the mutants of the modules that are named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("modules", nargs="*", default=[*TESTS], metavar="MODULE", help=f"one of {', '.join(TESTS)}")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="no more than N mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="another sample")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(TESTS):
        parser.error(f"no tests are named for {', '.join(sorted(unknown))}")
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(CODE.parent)]
    import msgspec  # noqa: F401  (what every fork needs, once)
    import pytest  # noqa: F401

    for module in options.modules:
        _run(module, options.sample, options.seed, lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
