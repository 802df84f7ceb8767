"""Layers one upon the other: what an upper one hides, deletes and adds; links; and the kernel's own overlayfs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host import Host
from phaseout.host.filesystem.disk import Disk
from phaseout.host.filesystem.files import Marks
from phaseout.host.filesystem.layers import LayeredFiles, layered_host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import HostInfo


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    for layer in (upper, lower):
        (layer / "etc").mkdir(parents=True)
    return upper, lower


def files(layers: tuple[Path, ...], marks: Marks = "overlay") -> LayeredFiles:
    return LayeredFiles(tuple(Disk(str(layer)).root() for layer in layers), marks)


def whiteout(path: Path) -> None:
    assert sys.platform != "win32"
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(0, 0))
    except PermissionError:
        pytest.skip("only root may make the marks of overlayfs")


def test_the_upper_layer_hides_the_lower(layers: tuple[Path, Path]) -> None:
    upper, lower = layers
    (lower / "etc/a").write_text("lower")
    (lower / "etc/b").write_text("lower")
    (upper / "etc/a").write_text("upper")
    seen = files(layers)
    assert seen.text("/etc/a") == "upper"
    assert seen.text("/etc/b") == "lower"
    assert [entry.name for entry in seen.list("/etc")] == ["a", "b"]
    assert seen.real("/etc/../etc/./b") == "/etc/b"
    assert seen.is_dir("/")
    assert seen.gone("/etc/c")
    assert seen.problems == []


def test_deleted_names_are_gone(layers: tuple[Path, Path]) -> None:
    upper, lower = layers
    (lower / "etc/a").write_text("x")
    (lower / "var/lib").mkdir(parents=True)
    (lower / "var/lib/status").write_text("x")
    whiteout(upper / "etc/a")
    whiteout(upper / "var")
    seen = files(layers)
    assert seen.text("/etc/a") is None
    assert seen.list("/etc") == ()
    assert seen.text("/var/lib/status") is None
    assert [entry.name for entry in seen.list("/")] == ["etc"]


def test_marks_of_fuse_overlayfs(layers: tuple[Path, Path]) -> None:
    upper, lower = layers
    for name in ("a", "b"):
        (lower / "etc" / name).write_text("x")
    (lower / "opt").mkdir()
    (lower / "opt/old").write_text("x")
    (upper / "etc/.wh.a").touch()
    (upper / "opt").mkdir()
    (upper / "opt/.wh..wh..opq").touch()
    (upper / "opt/new").write_text("x")
    seen = files(layers, "fuse-overlayfs")
    assert [entry.name for entry in seen.list("/etc")] == ["b"]
    assert seen.gone("/etc/a")
    assert seen.text("/opt/old") is None
    assert seen.text("/opt/new") == "x"


ATTRIBUTES = ("trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque")


@pytest.mark.parametrize(
    ("marks", "hidden"),
    [
        ("", set()),
        ("overlay", {"trusted.overlay.opaque"}),
        ("overlay userxattr", {"user.overlay.opaque"}),
        ("fuse-overlayfs", {"file", "opaque file", *ATTRIBUTES}),
        ("aufs", {"file", "opaque file"}),
    ],
)
def test_only_marks_of_the_driver_count(layers: tuple[Path, Path], marks: Marks, hidden: set[str]) -> None:
    """A container may make any of these files itself; what is no mark to its driver hides nothing from it."""
    upper, lower = layers
    for name in ("file", "opaque file", *ATTRIBUTES):
        (lower / "opt" / name).mkdir(parents=True)
        (lower / "opt" / name / "program").write_text("x")
    (upper / "opt" / "opaque file").mkdir(parents=True)
    (upper / "opt" / "opaque file" / ".wh..wh..opq").touch()
    (upper / "opt" / ".wh.file").touch()
    for attribute in ATTRIBUTES:
        (upper / "opt" / attribute).mkdir()
        try:
            os.setxattr(upper / "opt" / attribute, attribute, b"y")
        except OSError:
            pytest.skip("only root may set the attributes of overlayfs, and not in every file system")
    seen = files(layers, marks)
    names = {"file", "opaque file", *ATTRIBUTES}
    assert {name for name in names if seen.gone(f"/opt/{name}/program")} == hidden
    assert {name for name in names if not seen.list(f"/opt/{name}")} - hidden == set()


@pytest.mark.parametrize(("marks", "names"), [("", ["a"]), ("aufs", ["a"]), ("overlay", []), ("fuse-overlayfs", [])])
def test_a_device_is_a_mark_of_overlayfs_only(layers: tuple[Path, Path], marks: Marks, names: list[str]) -> None:
    whiteout(layers[0] / "etc/a")
    assert [entry.name for entry in files(layers, marks).list("/etc")] == names


def test_a_folder_that_overlayfs_moved_is_a_problem(layers: tuple[Path, Path]) -> None:
    upper, lower = layers
    (lower / "old").mkdir()
    (lower / "old" / "program").write_text("x")
    (upper / "new").mkdir()
    try:
        os.setxattr(upper / "new", "trusted.overlay.redirect", b"old")
    except OSError:
        pytest.skip("only root may set the attributes of overlayfs")
    seen = files(layers)
    assert not seen.exists("/new/program")
    (problem,) = seen.problems
    assert (problem.where, problem.cause, problem.hides) == ("/new", "unsupported", True)


def test_a_file_upon_a_folder_and_the_other_way_round(layers: tuple[Path, Path]) -> None:
    upper, lower = layers
    (lower / "etc/x").mkdir()
    (lower / "etc/x/below").write_text("x")
    (upper / "etc/x").write_text("file")
    (lower / "etc/y").write_text("file")
    (upper / "etc/y").mkdir()
    seen = files(layers)
    assert seen.text("/etc/x") == "file"
    assert seen.text("/etc/x/below") is None
    assert seen.is_dir("/etc/y")
    assert seen.list("/etc/y") == ()


def test_links_stay_inside(layers: tuple[Path, Path]) -> None:
    upper, lower = layers
    (lower / "usr/lib").mkdir(parents=True)
    (lower / "usr/lib/a").write_text("a")
    (upper / "lib").symlink_to("usr/lib")
    (upper / "etc/absolute").symlink_to("/usr/lib/a")
    (upper / "etc/out").symlink_to("../../../../../../etc/passwd")
    (lower / "etc/loop").symlink_to("loop")
    seen = files(layers)
    assert seen.text("/lib/a") == "a"
    assert seen.real("/lib/a") == "/usr/lib/a"
    assert seen.text("/etc/absolute") == "a"
    assert seen.link("/etc/absolute") == "/usr/lib/a"
    assert seen.text("/etc/out") is None
    assert seen.problems == []
    assert seen.text("/etc/loop") is None
    assert [problem.why for problem in seen.problems] == ["too many symbolic links"]


def test_only_regular_files_are_read(layers: tuple[Path, Path]) -> None:
    assert sys.platform != "win32"
    os.mkfifo(layers[0] / "etc/pipe")
    seen = files(layers)
    assert seen.read("/etc/pipe") is None
    assert [problem.where for problem in seen.problems] == ["/etc/pipe"]
    assert seen.read("/etc/\0") is None
    assert seen.read("/" + "x/" * 600 + "y") is None


def test_a_host_of_layers(layers: tuple[Path, Path], tmp_path: Path) -> None:
    (layers[1] / "etc/passwd").write_text("eve:x:5:5::/srv/eve:/bin/sh\n")
    outer = Host(HostInfo(name="outer", platform="linux", root=str(tmp_path)), PosixFiles(str(tmp_path)))
    inner = layered_host(outer, ["/upper", "/not-there", "/lower"], "web")
    assert inner is not None
    assert (inner.info.name, inner.live, [user.name for user in inner.users]) == ("web", False, ["eve"])
    assert layered_host(outer, ["/nowhere"], "web") is None


def test_a_mount_inside_a_layer_is_skipped(layers: tuple[Path, Path], tmp_path: Path) -> None:
    (layers[1] / "mnt/nas").mkdir(parents=True)
    files = PosixFiles(str(tmp_path), {"/lower/mnt/nas": "nfs4"})
    inner = layered_host(Host(HostInfo(name="outer", platform="linux"), files), ["/upper", "/lower"], "web")
    assert inner is not None
    assert not inner.files.exists("/mnt/nas/app")
    assert [problem.why for problem in inner.files.problems] == ["nfs4 mount, skipped"]


OVERLAY = """
set -e
mount -t tmpfs none "$1"; cd "$1"
mkdir -p lower/a lower/b lower/c upper work merged
echo 1 > lower/a/x; echo 2 > lower/a/y; echo 3 > lower/b/z; echo 4 > lower/c/w; ln -s a lower/link
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
cd merged
rm a/x; rm -r b; mkdir b; echo 5 > b/new; rm -r c; echo 6 > c; mv a/y a/moved; echo 7 > link/through
cd ..
find merged | sort > found
cp -a --preserve=all upper lower "$2"
sed 's/^merged//' found > "$2/found"
"""


def test_as_the_kernel_merges(tmp_path: Path) -> None:
    """The same folders as a real overlayfs made them, marks and all."""
    unshare = shutil.which("unshare")
    if sys.platform == "win32" or unshare is None or os.geteuid():
        pytest.skip("only root may mount")
    (tmp_path / "mount").mkdir()
    (tmp_path / "kept").mkdir()
    answer = subprocess.run(
        [unshare, "-m", "sh", "-c", OVERLAY, "sh", str(tmp_path / "mount"), str(tmp_path / "kept")],
        capture_output=True,
        check=False,
    )
    if answer.returncode:
        pytest.skip("no overlayfs here")
    seen = files((tmp_path / "kept" / "upper", tmp_path / "kept" / "lower"))
    found = sorted(f"{folder.rstrip('/')}/{entry.name}" for folder, entries in seen.walk("/", 9) for entry in entries)
    assert found == (tmp_path / "kept/found").read_text().split()
    assert seen.text("/b/new") == "5\n"
    assert seen.text("/b/z") is None


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_any_path(path: str) -> None:
    seen = LayeredFiles((Disk("/proc/self/fdinfo").root(), Disk("/etc").root()))
    seen.read(path)
    seen.list(path)
    seen.link(path)
    seen.real(path)
