"""Folders of homes that settings name, and mounts."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.fstab import FstabEntry, fstab_entries
from phaseout.parsers.linux.home_folders import (
    AutomountPoint,
    HomeFolder,
    automount_points,
    home_folders,
    mapped_folders,
)


def test_templates() -> None:
    text = "override_homedir = /home/%d/%u\n;fallback_homedir = /x/%u\nfallback_homedir=/guest\nDHOME='/data'\n"
    assert list(home_folders(text)) == [HomeFolder("/home", 2), HomeFolder("/guest", 0), HomeFolder("/data", 1)]


def test_maps() -> None:
    assert list(
        automount_points("# x\n/- /etc/auto.direct\n/net -hosts\n/home file:/etc/auto.home,sss ro\n+dir\n")
    ) == [
        AutomountPoint("/-", "/etc/auto.direct"),
        AutomountPoint("/home", "/etc/auto.home"),
    ]
    text = "* :/data/home/&\nada -rw server:/ada\n# x :/y\ncd -fstype=iso9660 :/dev/sr0\nbob :/srv/bob\n"
    assert list(mapped_folders(text)) == [HomeFolder("/data/home", 1), HomeFolder("/srv/bob", 0)]


def test_fstab() -> None:
    text = "# x\nUUID=1 / btrfs subvol=/@ 0 0\nUUID=1 /my\\040home btrfs ro,subvol=/@home,x 0 0\nsw none swap\n/x /y\n"
    assert list(fstab_entries(text)) == [
        FstabEntry("/my home", "btrfs", "@home", device="UUID=1"),
        FstabEntry("/y", "", "", device="/x"),
    ]


@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    for read in (home_folders, automount_points, mapped_folders, fstab_entries):
        list(read(text))
    list(home_folders(f"override_homedir = {text}"))
    list(fstab_entries(f"x {text}"))
