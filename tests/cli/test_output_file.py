"""A file appears whole or not at all, and what others put in its place neither redirects nor outlives it."""

import os
import stat
import sys
from pathlib import Path

import pytest
from phaseout.cli.output_file import SHARED, names_stream, writing

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and modes of POSIX")
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")


def write(path: Path, content: bytes = b"new") -> None:
    with writing(str(path)) as add:
        add(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@posix
@pytest.mark.parametrize("before", [None, 0o644, 0o666, 0o400])
def test_new_and_old_files_are_private_and_have_no_tail(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "report.csv"
    if before is not None:
        path.write_bytes(b"old" * 10_000)
        path.chmod(before)
    write(path)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    assert os.listdir(tmp_path) == ["report.csv"]


@posix
def test_what_holds_nothing_of_a_machine_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with writing(str(tmp_path / "rules.yml"), SHARED) as add:
            add(b"x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "rules.yml") == 0o640


@posix
def test_a_link_is_replaced_and_what_it_leads_to_is_kept(tmp_path: Path) -> None:
    theirs, path = tmp_path / "theirs", tmp_path / "report.csv"
    theirs.write_text("kept")
    path.symlink_to(theirs)
    write(path)
    assert (theirs.read_text(), path.is_symlink(), path.read_bytes()) == ("kept", False, b"new")


@posix
def test_a_second_name_of_another_file_is_replaced_too(tmp_path: Path) -> None:
    theirs, path = tmp_path / "theirs", tmp_path / "report.csv"
    theirs.write_text("kept")
    os.link(theirs, path)
    write(path)
    assert (theirs.read_text(), path.read_bytes()) == ("kept", b"new")


@posix
@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no /dev/shm here")
def test_memory_is_no_device() -> None:
    path = Path(f"/dev/shm/phaseout-test-{os.getpid()}")
    try:
        write(path, b"longer")
        write(path)
        assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    finally:
        path.unlink()


@as_root
def test_a_pipe_of_somebody_else_is_replaced(tmp_path: Path) -> None:
    """Written to, it would hold the scan or hand the report to its owner."""
    path = tmp_path / "report.csv"
    os.mkfifo(path)
    os.chown(path, 65534, 65534)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write(path)
    assert path.read_bytes() == b"new"
    assert os.read(reader, 10) == b""
    os.close(reader)


@posix
def test_a_pipe_of_our_own_is_written_to_unless_nobody_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert names_stream(str(path))
    with pytest.raises(OSError, match="No such device or address"):
        write(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write(path)
    assert os.read(reader, 10) == b"new"
    os.close(reader)


@posix
def test_open_files_of_the_process_are_written_to_where_they_are(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        log.write(b"first ")
        log.flush()
        for name in (f"/dev/fd/{log.fileno()}", f"/proc/self/fd/{log.fileno()}"):
            assert names_stream(name)
            write(Path(name))
    assert (tmp_path / "log").read_bytes() == b"first newnew"
    with pytest.raises(OSError, match="Bad file descriptor"):
        write(Path("/dev/fd/4000"))


@pytest.mark.parametrize("place", ["folder", "none/report.csv"])
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write(tmp_path / place)
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(tmp_path / "folder") == []


def test_an_error_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("old")

    def fail(error: type[BaseException]) -> None:
        with writing(str(path)) as add:
            add(b"half")
            raise error

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            fail(error)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.csv"]


def test_the_longest_name_of_a_file_system_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".csv")
    write(path)
    assert path.read_bytes() == b"new"


@posix
@as_root
@pytest.mark.parametrize("target", ["{}", "here"])
def test_a_link_of_another_user_leads_no_report_away(tmp_path: Path, target: str) -> None:
    aim = tmp_path / "here"
    aim.mkdir()
    link = tmp_path / "reports"
    link.symlink_to(target.format(aim))
    write(link / "own.csv")
    os.lchown(link, 54321, 54321)
    with pytest.raises(OSError, match="reports is a link of another user"):
        write(link / "x.csv")
    assert os.listdir(aim) == ["own.csv"]


@posix
def test_a_folder_that_is_exchanged_while_a_report_is_written_does_not_lead_it_away(tmp_path: Path) -> None:
    folder, aim = tmp_path / "reports", tmp_path / "aim"
    folder.mkdir()
    aim.mkdir()
    with writing(str(folder / "x.csv")) as add:
        add(b"new")
        folder.rename(tmp_path / "moved")
        folder.symlink_to(aim)
    assert os.listdir(aim) == []
    assert (tmp_path / "moved" / "x.csv").read_bytes() == b"new"


@posix
def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels"):
        write(tmp_path / "a" / "x.csv")
