"""A folder at another path."""

from tests.support.trees import Tree


def test_what_lies_in_it_is_there_and_nothing_else(tree: Tree) -> None:
    tree.write("/data/web/a/b", "content")
    tree.write("/data/other", "")
    files = tree.host().files.placed("/data/web", "/home/user/.config/web")
    assert files is not None
    assert files.text("/home/user/.config/web/a/b") == "content"
    assert [entry.name for entry in files.list("/")] == ["home"]
    assert [entry.name for entry in files.list("/home/user/.config")] == ["web"]
    assert not files.exists("/data/other")
    assert not files.exists("/home/user/other")
    assert files.problems == []


def test_links_lead_where_they_lead_outside(tree: Tree) -> None:
    tree.write("/data/web/a", "inner")
    tree.write("/data/far/b", "outer")
    tree.link("/data/web/real", "/data/web/a")
    tree.link("/data/web/usual", "/home/user/web/a")
    tree.link("/data/web/out", "/data/far")
    tree.link("/data/web/beside", "a")
    files = tree.host().files.placed("/data/web", "/home/user/web")
    assert files is not None
    assert [files.text(f"/home/user/web/{name}") for name in ("real", "usual", "beside")] == ["inner"] * 3
    assert files.text("/home/user/web/out/b") == "outer"


def test_of_what_lies_outside_nothing_is_proven(tree: Tree) -> None:
    tree.folder("/data/web")
    files = tree.host().files.placed("/data/web", "/home/user/web")
    assert files is not None
    assert not files.gone("/usr/bin/program")
    assert files.gone("/home/user/web/x")


def test_only_a_folder_is_placed(tree: Tree) -> None:
    tree.write("/data/file")
    host = tree.host()
    assert host.files.placed("/data/file", "/x") is None
    assert host.files.placed("/data/none", "/x") is None
    assert host.files.problems == []
