"""A file that is read and parsed, or damaged, or not there."""

from collections.abc import Generator

from phaseout.model.nouns import LeftOut, Problem
from phaseout.sources.kit.parsed import damaged, parsed

from tests.support.trees import Tree


def test_a_good_file_gives_its_value_and_nothing_else(tree: Tree) -> None:
    tree.write("/number", "42")
    traces = parsed(tree.host(), "/number", int)
    assert _run(traces) == ([], 42)


def test_a_file_that_is_not_there_gives_nothing(tree: Tree) -> None:
    assert _run(parsed(tree.host(), "/number", int)) == ([], None)


def test_a_damaged_file_is_a_problem_and_a_counted_row(tree: Tree) -> None:
    tree.write("/number", "forty")
    traces, value = _run(parsed(tree.host(), "/number", int))
    assert value is None
    assert traces == [
        Problem("/number", "is damaged: invalid literal for int() with base 10: b'forty'", "damaged"),
        LeftOut("damaged"),
    ]
    assert list(damaged("/number:1", "no name")) == [Problem("/number:1", "no name", "damaged"), LeftOut("damaged")]


def test_a_file_beyond_the_limit_is_a_problem_of_the_host(tree: Tree) -> None:
    tree.write("/number", "1" * 100)
    host = tree.host()
    assert _run(parsed(host, "/number", int, limit=10)) == ([], None)
    assert [problem.where for problem in host.files.problems] == ["/number"]


def _run(traces: Generator[Problem | LeftOut, None, int | None]) -> tuple[list[Problem | LeftOut], int | None]:
    found: list[Problem | LeftOut] = []
    while True:
        try:
            found.append(next(traces))
        except StopIteration as stop:
            value: int | None = stop.value
            return found, value
