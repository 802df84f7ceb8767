"""What a user changes while the scan reads: never a wrong file, and never without a problem."""

import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from phaseout.host.filesystem.disk import Disk, DiskNode
from phaseout.host.filesystem.files import MIB, Files
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.model.nouns import Problem

USER = 54321
TICK = 0.02  # seconds; times of files are not finer than the clock of the kernel


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A home with the profile of a browser, made before the scan begins."""
    folder = tmp_path / "home" / "ada" / ".config" / "chrome"
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text("{}")
    return folder


def begin() -> float:
    """The time at which a scan begins, later than all that was done before, and earlier than what follows."""
    time.sleep(TICK)
    now = time.time()
    time.sleep(TICK)
    return now


def changes(files: Files, since: float) -> list[str]:
    """The paths of what changed since then while it was read; other problems are an error."""
    assert files.problems == []
    files.report_changes(since)
    found, files.problems[:] = list(files.problems), []
    assert {(problem.cause, problem.hides) for problem in found} <= {("vanished", True)}
    return [problem.where for problem in found]


def test_a_quiet_host_has_no_problems(tmp_path: Path, profile: Path) -> None:
    (profile / "link").symlink_to("Default")
    since = begin()
    files = PosixFiles(str(tmp_path))
    assert files.read("/home/ada/.config/chrome/link/Preferences") == b"{}"
    assert files.read("/home/ada/.config/chromium/Local State") is None
    assert len(files.list("/home/ada/.config")) == 1
    assert changes(files, since) == []


def test_a_profile_that_is_away_while_it_is_looked_for(tmp_path: Path, profile: Path) -> None:
    since = begin()
    profile.rename(profile.with_name("quiet"))
    files = PosixFiles(str(tmp_path))
    assert files.read("/home/ada/.config/chrome/Default/Preferences") is None
    assert changes(files, since) == ["/home/ada/.config"]
    assert changes(files, since) == []  # of each source only what it has read itself


def test_a_profile_that_is_back_when_the_source_ends(tmp_path: Path, profile: Path) -> None:
    since = begin()
    files = PosixFiles(str(tmp_path))
    profile.rename(tmp_path / "quiet")
    assert files.gone("/home/ada/.config/chrome")
    (tmp_path / "quiet").rename(profile)
    assert changes(files, since) == ["/home/ada/.config"]


def test_a_folder_that_is_listed_without_what_was_moved_away(tmp_path: Path, profile: Path) -> None:
    since = begin()
    shutil.move(profile / "Default", tmp_path / "Default")
    files = PosixFiles(str(tmp_path))
    assert files.list("/home/ada/.config/chrome") == ()
    assert changes(files, since) == ["/home/ada/.config/chrome"]


def test_an_absent_folder_is_looked_up_once_and_again_once_it_was_listed(tmp_path: Path, profile: Path) -> None:
    since = begin()
    files = PosixFiles(str(tmp_path))
    path = "/home/ada/.config/brave/Default/Preferences"
    assert files.read(path) is None
    profile.rename(profile.with_name("brave"))
    for _ in range(2):  # once for each source
        assert files.read(path) is None
        assert changes(files, since) == ["/home/ada/.config"]
    assert [entry.name for entry in files.list("/home/ada/.config")] == ["brave"]
    assert files.read(path) == b"{}"


def test_a_decoy_in_the_place_of_a_profile(tmp_path: Path, profile: Path) -> None:
    decoy = tmp_path / "decoy"
    (decoy / "Default").mkdir(parents=True)
    (decoy / "Default" / "Preferences").write_text("{}")
    since = begin()
    files = PosixFiles(str(tmp_path))
    profile.rename(tmp_path / "away")
    decoy.rename(profile)
    os.utime(profile, (0, 0))  # a user can set back this time, and not that of the last status change
    os.utime(profile.parent, (0, 0))
    assert files.read("/home/ada/.config/chrome/Default/Preferences") == b"{}"
    assert changes(files, since) == ["/home/ada/.config"]


def test_a_link_that_is_turned(tmp_path: Path, profile: Path) -> None:
    (tmp_path / "empty").mkdir()
    link = profile.with_name("chromium")
    link.symlink_to("chrome")
    since = begin()
    files = PosixFiles(str(tmp_path))
    assert files.is_dir("/home/ada/.config/chromium")
    link.unlink()
    link.symlink_to("/empty")
    assert changes(files, since) == ["/home/ada/.config"]


def test_a_file_that_is_written_over(tmp_path: Path, profile: Path) -> None:
    since = begin()
    (profile / "Default" / "Preferences").write_text('{"extensions": {}}')
    files = PosixFiles(str(tmp_path))
    assert files.read("/home/ada/.config/chrome/Default/Preferences") is not None
    assert changes(files, since) == ["/home/ada/.config/chrome/Default/Preferences"]


def test_a_folder_that_becomes_a_file(tmp_path: Path, profile: Path) -> None:
    since = begin()
    shutil.rmtree(profile)
    profile.write_text("")
    files = PosixFiles(str(tmp_path))
    assert files.list("/home/ada/.config/chrome/Default") == ()
    assert changes(files, since) == ["/home/ada/.config/chrome"]


def test_a_change_elsewhere_is_no_problem(tmp_path: Path, profile: Path) -> None:
    since = begin()
    files = PosixFiles(str(tmp_path))
    assert files.read("/home/ada/.config/chrome/Default/Preferences") == b"{}"
    (profile / "Cache").mkdir()
    (profile / "Cache" / "entry").write_text("")
    (profile / "Default" / "Cookies-journal").write_text("")
    assert changes(files, since) == []


def test_names_of_windows(tmp_path: Path) -> None:
    (tmp_path / "Windows" / "System32").mkdir(parents=True)
    (tmp_path / "Users" / "ada" / "AppData").mkdir(parents=True)
    since = begin()
    files = WindowsFiles(str(tmp_path), {"C": ""})
    (tmp_path / "Users" / "ada" / "AppData").rename(tmp_path / "away")
    assert files.gone(r"C:\Users\Ada\AppData\Local")
    assert changes(files, since) == [r"C:\Users\ada"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_on_the_live_machine_only_what_a_user_can_write_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.host.filesystem.resolve._TEMPORARY", ())  # where these folders lie
    for name, uid, mode in (("theirs", USER, 0o755), ("ours", 0, 0o755), ("group", 0, 0o775), ("tmp", 0, 0o1777)):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, uid, -1)
        (tmp_path / name).chmod(mode)
    since = begin()
    files = PosixFiles("/")
    for name in ("theirs", "ours", "group", "tmp"):
        (tmp_path / name / "new").mkdir()
        assert len(files.list(str(tmp_path / name))) == 1
    assert len(files.list("/proc/self/fd")) > 0
    assert changes(files, since) == [str(tmp_path / "theirs"), str(tmp_path / "group")]


def test_a_folder_that_another_one_replaced_is_listed_anew(tmp_path: Path, profile: Path) -> None:
    files = PosixFiles(str(tmp_path))
    assert [entry.name for entry in files.list("/home/ada/.config/chrome")] == ["Default"]
    profile.rename(tmp_path / "away")
    profile.mkdir()
    (profile / "Profile 1").mkdir()
    assert [entry.name for entry in files.list("/home/ada/.config/chrome")] == ["Profile 1"]
    why = "another folder has taken its place since it was listed"
    assert files.problems == [Problem("/home/ada/.config/chrome", why, "vanished")]


def test_a_folder_that_changed_is_listed_anew(tmp_path: Path, profile: Path) -> None:
    files = PosixFiles(str(tmp_path))
    before = begin()
    assert len(files.list("/home/ada/.config/chrome")) == 1
    (profile / "Profile 1").mkdir()
    assert len(files.list("/home/ada/.config/chrome")) == 2
    assert changes(files, before) == ["/home/ada/.config/chrome"]


def test_a_name_that_was_listed_and_is_gone(tmp_path: Path, profile: Path) -> None:
    files = PosixFiles(str(tmp_path))
    for path in (profile / "Default", tmp_path / "home"):
        name = "/" + str(path.relative_to(tmp_path))
        assert path.name in [entry.name for entry in files.list(name.rpartition("/")[0] or "/")]
        path.rename(tmp_path / "away")
        assert files.list(name) == ()
        (problem,) = files.problems
        assert (problem.where, problem.cause, problem.hides) == (name, "vanished", True)
        assert files.list(name) == ()  # it has been said
        assert files.problems == [problem]
        files.problems.clear()
        (tmp_path / "away").rename(path)


def test_a_folder_on_the_way_that_is_replaced_is_read_as_it_is_now(tmp_path: Path) -> None:
    """Enough other folders are read in between that its descriptor is closed."""
    for number in range(150):
        (tmp_path / "other" / str(number) / "x").mkdir(parents=True)
    for name in ("home", "decoy"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "file").write_text(name)
    files = PosixFiles(str(tmp_path))
    assert files.read("/home/bin/file") == b"home"
    for number in range(150):
        files.list(f"/other/{number}/x")
    (tmp_path / "home").rename(tmp_path / "away")
    (tmp_path / "decoy").rename(tmp_path / "home")
    assert files.read("/home/bin/file") == b"decoy"
    (problem,) = files.problems
    assert (problem.where, problem.cause) == ("/home/bin/file", "vanished")


def swap(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_a_link_that_is_swapped_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    original = DiskNode.target

    def swapped(self: DiskNode) -> str:
        if (tmp_path / "link").is_symlink():
            swap(tmp_path / "link")
        return original(self)

    monkeypatch.setattr(DiskNode, "target", swapped)
    files = PosixFiles(str(tmp_path))
    assert files.is_dir("/link")  # what is there now is read
    assert files.problems == [Problem("/link", "it was a link, and is gone or replaced", "vanished")]


@pytest.mark.parametrize("other", ["fifo", "folder", "link", "nothing"])
def test_a_file_whose_name_is_swapped_before_it_is_opened(tmp_path: Path, other: str) -> None:
    path = tmp_path / "file"
    path.write_text("good")
    node = Disk(str(tmp_path)).root().find("file")
    path.unlink()
    if other == "fifo":
        os.mkfifo(path)
    elif other == "folder":
        path.mkdir()
    elif other == "link":
        path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=r"gone or replaced|No such file"):
        node.read(10)


def test_a_reused_inode_of_another_type_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "name").write_text("")
    (tmp_path / "folder").mkdir()
    root = Disk(str(tmp_path)).root()
    status = list(os.stat(tmp_path / "folder"))
    file = root.find("name")
    assert isinstance(file, DiskNode)
    status[1:3] = os.stat(tmp_path / "name")[1:3]  # inode and device
    assert not file.same(os.stat_result(status))


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("target", ["/proc/self/environ", "/proc/kmsg", "/sys/kernel/notes", "/dev/null", "/proc"])
def test_links_of_users_into_the_kernel_are_not_followed(tmp_path: Path, target: str) -> None:
    from phaseout.host.mounts import kernel_devices

    devices = kernel_devices(Path("/proc/self/mountinfo").read_bytes())
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "folder").symlink_to(os.path.dirname(target))
    files = PosixFiles("/", {}, devices)
    assert files.read(f"{tmp_path}/link") is None
    assert files.head(f"{tmp_path}/link", 1) is None
    assert files.open(f"{tmp_path}/link") is None
    assert files.list(f"{tmp_path}/link") == ()
    with files.database(f"{tmp_path}/folder/{os.path.basename(target)}") as database:
        assert database is None
    assert {problem.cause for problem in files.problems} <= {"not_regular"}
    assert files.problems or not os.path.exists(target)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of more than 64 MiB."""
    path = tmp_path / "home" / "large.sqlite"
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(?))", (65 * MIB,))
        connection.commit()
    return path


def test_a_large_database_is_read_where_nobody_can_swap_it(database: Path) -> None:
    files = PosixFiles(str(database.parents[1]))
    with files.database("/home/large.sqlite") as connection:
        assert connection is not None
        assert connection.execute("SELECT length(x) FROM t").fetchall() == [(65 * MIB,)]
    assert files.problems == []


def test_a_large_database_in_a_folder_that_users_can_write_is_not_opened(database: Path) -> None:
    """SQLite opens by path: a user could put a FIFO or a link there after the check."""
    database.parent.chmod(0o777)
    files = PosixFiles(str(database.parents[1]))
    with files.database("/home/large.sqlite") as connection:
        assert connection is None
    why = "larger than 64 MiB, in a place that users can change: not read"
    assert files.problems == [Problem("/home/large.sqlite", why, "limit")]


def test_what_comes_and_goes_among_temporary_files_hides_nothing(tmp_path: Path) -> None:
    """Every program on a live machine does that; a profile that lies there and is linked to is asked for elsewhere."""
    for name in ("tmp/build", "var/tmp/build", "tmp/chrome/Default", "home/ada/.config"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "home/ada/.config/chrome").symlink_to("/tmp/chrome")
    since = begin()
    files = PosixFiles(str(tmp_path))
    for top in ("/tmp", "/var/tmp"):
        assert "build" in [entry.name for entry in files.list(top)]
        (tmp_path / top[1:] / "build").rmdir()
        assert files.list(f"{top}/build") == ()
    assert [(problem.cause, problem.hides) for problem in files.problems] == [("vanished", False)] * 2
    files.problems.clear()
    assert changes(files, since) == []
    (tmp_path / "tmp/chrome/Default").rename(tmp_path / "away")
    assert files.gone("/home/ada/.config/chrome/Default/Preferences")
    assert files.problems or changes(files, since)


def test_temporary_files_of_windows(tmp_path: Path) -> None:
    for name in ("Windows/Temp/x", "Users/ada/AppData/Local/Temp/x"):
        (tmp_path / name).mkdir(parents=True)
    files = WindowsFiles(str(tmp_path), {"C": ""})
    for name in (r"C:\Windows\Temp", r"C:\Users\ada\AppData\Local\temp"):
        assert len(files.list(name)) == 1
        (tmp_path / name[3:].replace("\\", "/").replace("temp", "Temp") / "x").rmdir()
        assert files.list(rf"{name}\x") == ()
    assert [(problem.cause, problem.hides) for problem in files.problems] == [("vanished", False)] * 2
