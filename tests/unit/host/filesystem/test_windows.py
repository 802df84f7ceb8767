"""Paths of Windows in a folder on another machine: spelled as nobody spelled them, and never out of the root."""

import os
import sys
from pathlib import Path

import pytest
from phaseout.host import NotAHostError
from phaseout.host.filesystem.files import Entry
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.windows import WindowsFiles, drives_in
from phaseout.host.opening import offline_host

from tests.support.trees import WindowsTree


def files_of(tree: WindowsTree) -> WindowsFiles:
    files = tree.host().files
    assert isinstance(files, WindowsFiles)
    return files


def test_names_are_found_in_any_case(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Program Files\Käse\Read Me.TXT", "x")
    files = files_of(windows_tree)
    for path in (
        r"c:\PROGRAM files\KÄSE\read me.txt",
        "C:/program files/käse/READ ME.TXT",
        r"\\?\C:\Program Files\Käse\Read Me.TXT",
        r"\??\C:\Program Files\Käse\Read Me.TXT",
        r"C:\Program Files\nowhere\..\Käse\.\Read Me.TXT",
        "C:\\Program Files \\Käse.\\Read Me.TXT. ",
        r"C:\..\..\Program Files\Käse\Read Me.TXT",
    ):
        assert files.read(path) == b"x"
        assert files.real(path) == r"C:\Program Files\Käse\Read Me.TXT"
    assert files.list(r"C:\PROGRAM FILES\käse\\") == (Entry("Read Me.TXT", "file"),)
    assert [top for top, _ in files.walk("c:\\program files\\", 2)] == [r"c:\program files", r"c:\program files\Käse"]
    assert files.problems == []


def test_exact_spelling_wins(windows_tree: WindowsTree) -> None:
    for name in ("readme", "README", "Readme"):
        windows_tree.write(f"C:\\{name}", name)
    files = files_of(windows_tree)
    assert [files.read(f"C:\\{name}") for name in ("readme", "README", "Readme", "rEADME")] == [
        b"readme",
        b"README",
        b"Readme",
        b"README",
    ]
    assert {(problem.cause, problem.hides) for problem in files.problems} == {("unsupported", True)}


def test_what_no_windows_path_can_be_is_absent(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\file", "x")
    files = files_of(windows_tree)
    for path in (
        "",
        "file",
        "/file",
        r"\file",
        "C:file",
        r"1:\file",
        r"C:\file:stream",
        r"C:\fi*e",
        "C:\\a\0b",
        r"C:\a|b",
        "C:\\" + "a\\" * 5000,
        "C:\\" + "a" * 5000,
        "C:\\\udc80",
    ):
        assert files.read(path) is None
        assert not files.exists(path)
        assert files.list(path) == () or path == ""
        assert files.link(path) is None
    assert [problem.why for problem in files.problems] == []


def test_network_paths_are_skipped(windows_tree: WindowsTree) -> None:
    files = files_of(windows_tree)
    for path in (r"\\server\share\x", r"\\?\UNC\server\share\x", "//server/share"):
        assert files.read(path) is None
        assert not files.gone(path)
    assert {problem.why for problem in files.problems} == {"a network path, skipped"}


def test_links_stay_inside(windows_tree: WindowsTree, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    windows_tree.write(r"C:\secret", "ours")
    windows_tree.write(r"C:\Users\ada\file", "ada's")
    root = windows_tree.root
    for name, target in (
        ("posix", "/secret"),
        ("up", "../../../../secret"),
        ("junction", "/??/C:/Users"),
        ("long", r"\\?\C:\users"),
        ("mounted", f"{root}/Users"),
        ("network", r"\\server\share"),
        ("round", r"C:\round"),
        ("other drive", r"D:\secret"),
    ):
        os.symlink(target, root / name)
    files = files_of(windows_tree)
    assert files.read(r"C:\posix") == files.read(r"C:\up") == b"ours"
    for name in ("junction", "long", "mounted"):
        assert files.read(rf"C:\{name}\ADA\file") == b"ada's"
        assert files.real(rf"C:\{name}\ADA") == r"C:\Users\ada"
    assert files.link(r"C:\LONG") == r"\\?\C:\users"
    assert files.problems == []
    assert files.read(r"C:\other drive") is None
    assert [(problem.where, problem.cause) for problem in files.problems] == [("D:\\", "missing")]
    files.problems.clear()
    for name, why in (("network", "a link into the network, skipped"), ("round", "too many symbolic links")):
        assert files.read(rf"C:\{name}") is None
        assert [problem.why for problem in files.problems] == [why]
        files.problems.clear()


def test_only_regular_files_are_read(windows_tree: WindowsTree) -> None:
    if sys.platform != "win32":
        os.mkfifo(windows_tree.root / "pipe")
    files = files_of(windows_tree)
    assert files.read(r"C:\PIPE") is None
    assert files.open(r"C:\Pipe") is None
    assert files.read(r"C:\Windows") is None
    assert [problem.why.rpartition(" a ")[2] for problem in files.problems] == ["FIFO", "FIFO", "folder"]


def test_several_drives(tmp_path: Path) -> None:
    for drive in ("C", "d:", "E%3A", "Recovery"):
        (tmp_path / drive / "Windows").mkdir(parents=True)
    (tmp_path / "C" / "Windows" / "System32" / "config").mkdir(parents=True)
    (tmp_path / "d:" / "x").write_text("on d")
    assert drives_in(Folder("root", str(tmp_path))) == {"C": "/C", "D": "/d:", "E": "/E%3A"}
    host = offline_host(str(tmp_path))
    assert host.info.platform == "windows"
    assert host.files.read(r"D:\X") == b"on d"
    assert host.files.is_dir("e:\\windows")
    assert not host.files.exists("F:\\")


def test_recognised_by_content(tmp_path: Path) -> None:
    (tmp_path / "WINNT" / "system32").mkdir(parents=True)
    with pytest.raises(NotAHostError):
        offline_host(str(tmp_path))
    (tmp_path / "WINNT" / "system32" / "NTDLL.DLL").touch()
    host = offline_host(str(tmp_path))
    assert (host.info.platform, host.variables["systemroot"]) == ("windows", r"C:\WINNT")
    assert host.registry is not None
    assert host.registry.key(r"HKLM\SOFTWARE") is None
    assert [user.name for user in host.users] == ["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE"]


def test_a_drive_that_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "Users").mkdir()
    files = WindowsFiles(str(tmp_path), {"C": ""}, {"/Users": "nfs"})
    assert files.list(r"C:\users") == ()
    assert [(problem.where, problem.why) for problem in files.problems] == [(r"C:\Users", "nfs mount, skipped")]


def test_what_ntfs_3g_cannot_follow_is_there_and_not_readable(windows_tree: WindowsTree) -> None:
    folder = windows_tree.folder(r"C:\Program Files\Acme")
    whys = {
        "unsupported reparse tag 0x80000017": "not readable through this mount: unsupported reparse tag 0x80000017",
        "unsupported reparse tag 0x0080000013": "not readable through this mount: unsupported reparse tag 0x80000013",
        "unsupported reparse point": "not readable through this mount: unsupported reparse point",
        "unsupported reparse tag 0x9000601a": "kept in the cloud: skipped",
    }
    for target, why in whys.items():
        os.symlink(target, folder / "a.exe")
        files = files_of(windows_tree)
        assert files.read(r"C:\Program Files\Acme\a.exe") is None
        assert files.list(r"C:\Program Files\Acme\a.exe") == ()
        assert not files.gone(r"C:\Program Files\Acme\a.exe")
        assert not files.gone(r"C:\Program Files\Acme\a.exe\below")
        assert {problem.why for problem in files.problems} == {why}
        (folder / "a.exe").unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="plain paths of Windows cannot make such names")
def test_names_that_end_with_dots_and_blanks(windows_tree: WindowsTree) -> None:
    for name in ("Acme Corp.", "Lab ", "...", "Plain", "Both", "Both."):
        folder = windows_tree.root / "Program Files" / name
        folder.mkdir()
        (folder / "x").write_text(name)
    files = files_of(windows_tree)
    found = {
        path: files.read(rf"C:\Program Files\{path}\x")
        for path in ("Acme Corp.", "ACME corp.", "Acme Corp", "Lab ", "...", "Plain. .", "Both", "Both.")
    }
    assert found == {
        "Acme Corp.": b"Acme Corp.",
        "ACME corp.": b"Acme Corp.",
        "Acme Corp": None,
        "Lab ": b"Lab ",
        "...": b"...",
        "Plain. .": b"Plain",
        "Both": b"Both",
        "Both.": b"Both.",
    }
    os.symlink("Plain", windows_tree.root / "Program Files" / "link.")
    assert files_of(windows_tree).link(r"C:\Program Files\LINK.") == "Plain"
    os.symlink("Plain", windows_tree.root / "Program Files" / "short")
    assert files_of(windows_tree).link("C:\\Program Files\\short. ") == "Plain"
