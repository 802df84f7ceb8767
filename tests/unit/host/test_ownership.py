"""Who can have written a file."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from phaseout.host import ownership
from phaseout.host.ownership import writable_by_others

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="tests/contract/test_windows.py has those of Windows"),
    pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root can give files away"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the root: everybody can write `/tmp` above it."""
    whole_way = ownership._way

    def below(path: str) -> Iterator[tuple[str, os.stat_result]]:
        return (one for one in whole_way(path) if one[0].startswith(str(tmp_path)))

    monkeypatch.setattr(ownership, "_way", below)
    tmp_path.chmod(0o755)
    return tmp_path


def test_the_folders_above_count() -> None:
    places = [place for place, _ in ownership._way("/usr/../etc/hostname")]
    assert places[0] == "/"
    assert {"/usr", "/etc"} <= set(places)


@pytest.fixture
def place(folder: Path) -> str:
    (folder / "phaseout").mkdir(mode=0o755)
    file = folder / "phaseout" / "phaseout.toml"
    file.write_text("")
    file.chmod(0o644)
    return str(file)


def test_what_only_root_can_write(place: str) -> None:
    assert writable_by_others(place) == ""


def test_the_owner_of_the_file_and_of_each_folder_above_counts(place: str, folder: Path) -> None:
    for path in (place, f"{folder}/phaseout", str(folder)):
        os.chown(path, 54321, -1)
        assert writable_by_others(place) == f"{path}: it belongs to user 54321, not to root"
        os.chown(path, 0, -1)


def test_modes_of_the_file_and_of_each_folder_above_count(place: str, folder: Path) -> None:
    for path in (place, f"{folder}/phaseout", str(folder)):
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.chmod(path, mode | 0o002)
        assert writable_by_others(place) == f"{path}: every user can write it"
        os.chmod(path, mode | 0o020)
        os.chown(path, -1, 54321)
        assert writable_by_others(place) == f"{path}: group 54321 can write it"
        os.chmod(path, mode)
    assert writable_by_others(place) == ""


def test_every_link_on_the_way_is_followed_and_asked_about(place: str, folder: Path) -> None:
    (folder / "theirs").mkdir(mode=0o755)
    os.symlink(place, folder / "theirs" / "second")
    os.symlink("../theirs/second", folder / "phaseout" / "first")
    link = str(folder / "phaseout" / "first")
    assert writable_by_others(link) == ""
    os.chown(folder / "theirs", 54321, -1)  # neither the name nor the file that it leads to lies in that folder
    assert writable_by_others(link) == f"{folder}/theirs: it belongs to user 54321, not to root"
    os.chown(folder / "theirs", 0, -1)
    os.lchown(folder / "theirs" / "second", 54321, -1)
    assert "second: it belongs to user 54321" in writable_by_others(link)


def test_a_loop_of_links_and_a_name_that_leads_nowhere(folder: Path) -> None:
    os.symlink("loop", folder / "loop")
    with pytest.raises(OSError, match="symbolic links"):
        writable_by_others(str(folder / "loop"))
    with pytest.raises(FileNotFoundError):
        writable_by_others(str(folder / "absent"))
