"""The files of archives, and of layers that are put one upon the other."""

import io
import tarfile

import pytest
from phaseout.host.filesystem.posix import PosixLayout
from phaseout.host.filesystem.stored_files import StoredFiles
from phaseout.host.images.stored import Stored
from phaseout.host.images.tree import MergedTree

from tests.support.image_writer import Layer, layer


class Memory(Stored):
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


def merged(*layers: Layer | bytes, marks: bool = True) -> MergedTree:
    tree = MergedTree()
    for one in layers:
        tree.add(Memory(one if isinstance(one, bytes) else layer(one)), marks=marks)
    return tree


def shown(*layers: Layer | bytes, marks: bool = True) -> dict[str, str]:
    """Path → content of every file."""
    tree = merged(*layers, marks=marks)
    assert tree.broken == []
    files = StoredFiles(PosixLayout(lambda: tree.root))
    found = {
        f"{folder.rstrip('/')}/{entry.name}": files.text(f"{folder}/{entry.name}") or ""
        for folder, entries in files.walk("/", 20)
        for entry in entries
        if entry.kind != "dir"
    }
    assert files.problems == []
    return found


def test_upper_layers_replace() -> None:
    assert shown({"etc/a": "1", "etc/b": "1"}, {"etc/b": "2"}) == {"/etc/a": "1", "/etc/b": "2"}
    assert shown({"x/y/z": "1"}, {"x/y": "2"}) == {"/x/y": "2"}
    assert shown({"x": "1"}, {"x": None, "x/y": "2"}) == {"/x/y": "2"}
    assert shown({"a/b": "1"}, {"a": None, "a/c": "2"}) == {"/a/b": "1", "/a/c": "2"}


def test_marks_of_deletion() -> None:
    assert shown({"etc/a": "1", "etc/b": "1"}, {"etc/.wh.a": ""}) == {"/etc/b": "1"}
    assert shown({"opt/x/y": "1"}, {"opt/.wh.x": ""}) == {}
    assert shown({"a": "1"}, {".wh.a": ""}, {"a": "3"}) == {"/a": "3"}
    assert shown({"a": "1"}, {".wh.b": ""}) == {"/a": "1"}
    assert shown({"a": "1"}, {".wh..wh.plnk": ""}) == {"/a": "1"}


def test_marks_hide_nothing_of_their_own_layer() -> None:
    """Whatever the order in which the archive has them."""
    assert shown({"opt/x/old": "1"}, {"opt/x/new": "2", "opt/.wh.x": ""}) == {"/opt/x/new": "2"}
    assert shown({"opt/x/old": "1"}, {"opt/.wh.x": "", "opt/x/new": "2"}) == {"/opt/x/new": "2"}
    assert shown({"d/old": "1", "d/e/old": "1"}, {"d/new": "2", "d/.wh..wh..opq": ""}) == {"/d/new": "2"}
    assert shown({"d/old": "1"}, {"d/.wh..wh..opq": "", "d/new": "2"}) == {"/d/new": "2"}
    assert shown({"d/e/old": "1"}, {"d/e/new": "2", "d/.wh..wh..opq": ""}) == {"/d/e/new": "2"}


def test_without_layers_such_names_are_files() -> None:
    assert shown({"etc/a": "1", "etc/.wh.a": "x"}, marks=False) == {"/etc/a": "1", "/etc/.wh.a": "x"}


def test_links() -> None:
    links: Layer = {"usr/bin/a": "1", "bin": "-> usr/bin", "b": "=> usr/bin/a", "c": "-> /bin/../bin/a"}
    tree = merged(links, {"bin/new": "2", "d": "=> bin/a"})
    files = StoredFiles(PosixLayout(lambda: tree.root))
    assert files.text("/usr/bin/new") == "2"
    assert files.text("/d") == files.text("/c") == "1"
    assert files.link("/bin") == "usr/bin"


def test_a_hard_link_keeps_what_its_name_is_later_given_to() -> None:
    assert shown({"a": "1", "b": "=> a"}, {"a": "2"}) == {"/a": "2", "/b": "1"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../etc/passwd", "leads out"),
        ("a/../../b", "leads out"),
        ("a/..", "no name"),
        ("x" * 256, "too long"),
        ("/".join("d" * 600), "levels"),
        ("loop/x", "symbolic links"),
        ("file/x", "no folder"),
    ],
)
def test_names_that_no_file_can_have(name: str, why: str) -> None:
    tree = merged({"loop": "-> loop", "file": "1", name: "evil", "good": "2"})
    assert len(tree.broken) == 1
    assert why in tree.broken[0]
    assert tree.root.find("good").read(9) == b"2"


def test_a_hard_link_to_nothing() -> None:
    tree = merged({"a": "=> b", "c": "=> ../../x", "d": None, "e": "=> d"})
    assert len(tree.broken) == 3
    assert [entry.name for entry in tree.root.entries()] == ["d"]


def test_a_name_with_nul() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("good"))
        member = tarfile.TarInfo("x")
        member.pax_headers = {"path": "a\0b"}
        archive.addfile(member)
    tree = merged(buffer.getvalue())
    assert [entry.name for entry in tree.root.entries()] == ["good"]
    assert len(tree.broken) == 1


def test_devices_and_pipes_are_not_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("dev", tarfile.CHRTYPE), ("pipe", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.devmajor, member.devminor = kind, 1, 3
            archive.addfile(member)
    tree = merged(buffer.getvalue())
    files = StoredFiles(PosixLayout(lambda: tree.root))
    assert files.read("/dev") is None
    assert files.read("/pipe") is None
    assert [problem.why for problem in files.problems] == [
        "not a regular file but a device",
        "not a regular file but a FIFO",
    ]


def test_an_archive_that_is_cut_off_keeps_what_came_before() -> None:
    tree = merged(layer({"a": "1", "b": "2" * 600})[:1600])
    assert len(tree.broken) == 1
    assert "cut off" in tree.broken[0]
    assert tree.root.find("a").read(9) == b"1"
