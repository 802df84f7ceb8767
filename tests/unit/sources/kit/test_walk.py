"""Every folder below one."""

from phaseout.sources.kit.walk import walk

from tests.support.trees import Tree


def test_any_depth_and_links_once(tree: Tree) -> None:
    deep = "/top" + "/d" * 60
    tree.write(f"{deep}/x.desktop")
    tree.write("/elsewhere/y.desktop")
    tree.link("/top/link", "/elsewhere")
    tree.link("/elsewhere/back", "/top")
    names = [entry.name for _, entries in walk(tree.host(), "/top") for entry in entries]
    assert {"x.desktop", "y.desktop"} <= set(names)
    assert names.count("link") == 1


def test_too_many_entries_are_a_problem(tree: Tree) -> None:
    for number in range(30):
        tree.write(f"/top/{number % 3}/{number}")
    host = tree.host()
    list(walk(host, "/top", most=10))
    (problem,) = host.files.problems
    assert (problem.where, problem.cause) == ("/top", "limit")


def test_no_folder_gives_nothing(tree: Tree) -> None:
    assert list(walk(tree.host(), "/none")) == []
