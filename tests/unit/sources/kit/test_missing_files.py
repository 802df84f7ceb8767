"""What proves on Linux that a program is gone, and what does not."""

import pytest
from phaseout.sources.kit.missing_files import MissingFiles

from tests.support.trees import Tree


@pytest.fixture
def whole(tree: Tree) -> Tree:
    for folder in ("/usr/bin", "/opt", "/var", "/home/ada"):
        tree.folder(folder)
    return tree


@pytest.mark.parametrize("path", ["/opt/kaspersky/kesl", "/usr/bin/kesl", "/home/ada/bin/kesl", "/srv/kesl"])
def test_a_place_on_the_volume_that_was_seen_is_gone(whole: Tree, path: str) -> None:
    assert MissingFiles(whole.host()).state(path) == ("leftover", ())


@pytest.mark.parametrize(
    "path",
    [
        "/data/kesl/bin/kesl",  # a volume of fstab that is not mounted here
        "/my data/kesl",
        "/mnt/stick/kesl",
        "/run/kesl/kesl",  # what only a running system has
        "/snap/kesl/12/bin/kesl",
        "/home/carl/bin/kesl",  # a home that is elsewhere, or locked
        "/linked/kesl",  # a link that leads to such a volume
    ],
)
def test_a_place_that_was_not_seen_is_not_gone(whole: Tree, path: str) -> None:
    whole.write(
        "/etc/fstab", "# x\nUUID=1 / ext4\nUUID=2 /data xfs defaults 0 2\nUUID=3 /my\\040data xfs\nx none swap\n"
    )
    whole.folder("/data")
    whole.link("/linked", "/data/kesl")
    state, notes = MissingFiles(whole.host()).state(path)
    assert state == "installed"
    assert "was not seen" in notes[0]


def test_a_mounted_volume_proves_it(whole: Tree) -> None:
    whole.write("/etc/fstab", "UUID=2 /data xfs defaults 0 2\n")
    whole.write("/data/other")
    assert MissingFiles(whole.host()).state("/data/kesl") == ("leftover", ())


def test_all_places_must_be_gone(whole: Tree) -> None:
    whole.write("/opt/there")
    assert MissingFiles(whole.host()).state("/opt/gone", "/opt/there")[0] == "installed"
    assert MissingFiles(whole.host()).state("", "") == ("installed", ())


def test_a_copy_without_its_usr_proves_nothing(tree: Tree) -> None:
    (tree.root / "usr/bin").rmdir()
    assert MissingFiles(tree.host()).state("/usr/bin/kesl")[0] == "installed"
