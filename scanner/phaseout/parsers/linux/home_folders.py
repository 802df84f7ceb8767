"""Folders of homes that the settings of a directory service name: `override_homedir = /export/home/%d/%u`.

References:
    sssd.conf(5) (`override_homedir`, `fallback_homedir`, `homedir_substring`); smb.conf(5) (`template homedir`);
    nslcd.conf(5) (`map passwd homeDirectory`); useradd(8) and adduser.conf(5) (`HOME`, `DHOME`); auto.master(5) and
    autofs(5) (the format of a map).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.model.regex import regex

_SETTING = regex(
    r"^[ \t]*(?:(?:override_homedir|fallback_homedir|template homedir|HOME|DHOME)[ \t]*="
    r"|map[ \t]+passwd[ \t]+homeDirectory)[ \t]*[\"']?([^\"'\n]+)",
    re.MULTILINE,
)
_SUBSTRING = regex(r"^[ \t]*homedir_substring[ \t]*=[ \t]*(/[^\n]*)", re.MULTILINE)
_PLACEHOLDER = regex(r"[%$]")
_DEVICES = ("/dev/", "/proc/")


class HomeFolder(NamedTuple):
    """A folder below which homes lie, that many levels deep; without levels it is a home itself."""

    path: str
    levels: int


def home_folders(text: str) -> Iterator[HomeFolder]:
    """What the settings in a file name; a template that begins with what only the directory knows names nothing."""
    substring = _SUBSTRING.search(text)
    for found in _SETTING.finditer(text):
        names = found[1].strip().replace("%H", (substring[1] if substring else "/home").strip()).rstrip("/").split("/")
        fixed = next((at for at, name in enumerate(names) if _PLACEHOLDER.search(name)), len(names))
        path = "/".join(names[:fixed])
        if path.startswith("/"):
            is_parent = fixed == len(names) and found[0].lstrip().startswith(("HOME", "DHOME"))
            yield HomeFolder(path, 1 if is_parent else len(names) - fixed)


class AutomountPoint(NamedTuple):
    """A folder below which autofs mounts what a map names."""

    path: str
    map: str


def automount_points(text: str) -> Iterator[AutomountPoint]:
    """The lines of a master map that name a folder; a direct map names its folders itself."""
    for line in text.split("\n"):
        fields = line.split()
        if len(fields) >= 2 and fields[0].startswith("/") and not fields[1].startswith("-"):
            yield AutomountPoint(fields[0].rstrip("/"), fields[1].removeprefix("file:").partition(",")[0])


def mapped_folders(text: str) -> Iterator[HomeFolder]:
    """What a map mounts from this machine itself (`*  :/data/home/&`)."""
    for line in text.split("\n"):
        fields = line.split()
        if len(fields) < 2 or fields[0].startswith(("#", "+")) or not fields[-1].startswith(":/"):
            continue
        names = fields[-1][1:].rstrip("/").split("/")
        fixed = next((at for at, name in enumerate(names) if "&" in name), len(names))
        path = "/".join(names[:fixed])
        if path and not f"{path}/".startswith(_DEVICES):
            yield HomeFolder(path, len(names) - fixed)
