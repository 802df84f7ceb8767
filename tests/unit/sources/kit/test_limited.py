"""What lies behind a limit is said."""

from phaseout.sources.kit.limited import limited

from tests.support.trees import Tree


def test_the_rest_is_said(tree: Tree) -> None:
    host = tree.host()
    assert list(limited(host, "/x", range(3), 3)) == [0, 1, 2]
    assert host.files.problems == []
    assert list(limited(host, "/x", range(4), 3)) == [0, 1, 2]
    (problem,) = host.files.problems
    assert (problem.where, problem.cause, problem.hides) == ("/x", "limit", True)
