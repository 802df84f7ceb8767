r"""Profiles of browsers and editors that lie elsewhere than usual on Windows and macOS: portable ones, and named ones.

A shortcut, a job or a script may start a browser with `--user-data-dir=D:\web`, and a portable browser keeps its
profile beside itself. The folder shows what it is (`phaseout.sources.kit.folder_shapes`), and is then read as if it
lay where such a folder usually does. On Linux, `elsewhere` does that for folders of all kinds.

References:
    https://chromium.googlesource.com/chromium/src/+/main/docs/user_data_dir.md;
    https://support.mozilla.org/kb/command-line-options-firefox (`-profile`);
    https://portableapps.com/manuals/PortableApps.comLauncher/ (`Data\profile`);
    https://code.visualstudio.com/docs/editor/portable (`data`, `code-portable-data`)
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.users import posix_users
from phaseout.model.nouns import HostInfo, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.folder_shapes import shapes
from phaseout.sources.kit.named_programs import READS as SHORTCUTS
from phaseout.sources.kit.named_programs import shortcuts
from phaseout.sources.kit.places import Seen, places
from phaseout.sources.kit.user_data import CHROMIUM, MOZILLA, reads
from phaseout.sources.kit.windows_programs import variables_of
from phaseout.sources.kit.windows_registry import subkeys
from phaseout.sources.source import Inside, Moved, Source, Trace

_SHAPES = frozenset(("~/.config/chromium", "~/.config/chromium/Default", "~/.mozilla/firefox/elsewhere"))
_SHAPES |= frozenset(("~/.mozilla/firefox", "~/.vscode/extensions"))
_OPTION = re.compile(
    r"""(?:--user-data-dir|--profile|-profile|--extensions-dir)(?:[ =]|</string>\s*<string>)"""
    r"""(?:"([^"\n]{1,500})"|'([^'\n]{1,500})'|((?:\\ |[^\s"'<])(?:\\ |[^\s"'<]){0,500}))""",
    re.IGNORECASE,
)
_RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
_CLIENTS = r"Software\Clients\StartMenuInternet"
_OPENERS = ("ChromeHTML", "ChromiumHTM", "MSEdgeHTM", "FirefoxHTML", "FirefoxURL", "BraveHTML", "http", "https", "ftp")
_DRIVES = tuple(f"{letter}:" for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ")
_BESIDE = (r"Data\profile", "User Data", r"Data\User Data", r"Browser\TorBrowser\Data\Browser", r"data\extensions")
_PORTABLE = tuple(
    rf"{top}\{below}"
    for top in (
        *(rf"{drive}\{depth}" for drive in _DRIVES for depth in ("*", r"*\*")),
        *(rf"~\{folder}" for folder in ("*", r"*\*")),
    )
    for below in _BESIDE
)
_OF_MACS = ("/Applications/*-portable-data", "~/Applications/*-portable-data", "~/*/*-portable-data")
_NAMING = (
    *("/Library/LaunchDaemons/*.plist", "/Library/LaunchAgents/*.plist", "~/Library/LaunchAgents/*.plist"),
    *("~/bin/*", "~/.local/bin/*", "/usr/local/bin/*", "~/Desktop/*.command", "~/Applications/*.app/Contents/MacOS/*"),
    *("~/.profile", "~/.bash_profile", "~/.bashrc", "~/.zshrc", "~/.zprofile", "~/.zshenv", "~/.bash_aliases"),
)
_LONGEST = 256 << 10
_SERVER = "scan the server that holds it"


class _Folder(NamedTuple):
    """A folder that may be a profile, whose it is, and what names it; empty where nothing does."""

    path: str
    user: str
    where: str = ""


def collect(host: Host) -> Iterator[Trace]:
    """What is in every such folder, unless a source finds it anyway."""
    windows = host.info.platform == "windows"
    patterns: tuple[str, ...] = _OF_MACS
    if windows:
        here = [drive for drive in _DRIVES if not host.files.gone(f"{drive}\\")]
        patterns = tuple(one for one in _PORTABLE if one[0] == "~" or one[:2] in here)
    found = [_Folder(*place) for place in places(host, patterns, tried=True)]
    usual, seen = _usual(host), Seen()
    for folder in (*(_named_on_windows(host) if windows else _named_on_macs(host)), *found):
        if folder.path.startswith("\\\\"):
            yield Problem(folder.path, f"{folder.where} names this profile on a server", "mount", remedy=_SERVER)
            continue
        real = host.files.real(folder.path)
        if real is None or real.lower().startswith(usual) or not seen.first(real, folder.user):
            continue
        yield from _shown(host, folder)


def _shown(host: Host, folder: _Folder) -> Iterator[Inside]:
    separator = host.files.separator
    for shape in shapes(host, folder.path, folder.where):
        if shape.at not in _SHAPES:
            continue
        path = f"{folder.path}{separator}{shape.inner.replace('/', separator)}" if shape.inner else folder.path
        at = shape.at.replace("~", "/home/user", 1)
        files = host.files.placed(path, at)
        if files is not None:
            inner = Host(HostInfo(name=path, platform="linux", root=path), files, posix_users(files))
            yield Inside(path, folder.user, inner, Moved(path, at, shape.sources, folder.where))


def _usual(host: Host) -> tuple[str, ...]:
    """Where profiles usually lie, in lower case: their sources read them there."""
    separator = host.files.separator
    found = []
    for table in (CHROMIUM, MOZILLA):
        for base, below in table[host.info.platform].items():
            for path in below:
                inner = "/".join(filter(None, (base, path))).replace("/", separator)
                found += [f"{user.home}{separator}{inner}".lower() for user in host.users if user.home]
    return tuple(found)


def _said(host: Host, text: str, user: str, where: str) -> Iterator[_Folder]:
    """The folders that the options of a command line name."""
    for found in _OPTION.findall(text):
        path = next(filter(None, found)).replace("\\ ", " ")
        if host.info.platform == "windows":
            one = next((one for one in host.users if one.name == user and one.home), None)
            path = absolute(path, variables_of(host, one) if one else host.variables)
        elif path.startswith(("~/", "$HOME/")):
            home = next((home for home, name in host.homes.items() if name == user), "")
            path = home + path[path.index("/") :] if home else ""
        if path.startswith(("/", "\\\\")) or path[1:2] == ":":
            yield _Folder(path, user, where)


def _named_on_windows(host: Host) -> Iterator[_Folder]:
    for shortcut in shortcuts(host):
        yield from _said(host, shortcut.link.arguments, shortcut.user, shortcut.path)
    if host.registry is None:
        return
    for user, top in (("", "HKLM"), *((user.name, rf"HKU\{user.sid}") for user in host.users if user.sid)):
        for path in (_RUN, _RUN.replace("Software", r"Software\WOW6432Node")):
            key = host.registry.key(rf"{top}\{path}")
            for name, value in key.values().items() if key is not None else ():
                if isinstance(value, str):
                    yield from _said(host, value, user, rf"{top}\{path}\{name}")
        openers = [rf"{top}\Software\Classes\{name}" for name in _OPENERS]
        openers += [rf"{top}_Classes\{name}" for name in _OPENERS if user]
        openers += [client.path for client in subkeys(host.registry.key(rf"{top}\{_CLIENTS}"))]
        for opener in openers:
            key = host.registry.key(rf"{opener}\shell\open\command")
            if key is not None:
                yield from _said(host, key.text(""), user, key.path)


def _named_on_macs(host: Host) -> Iterator[_Folder]:
    for place in places(host, _NAMING):
        data = host.files.head(place.path, _LONGEST) or b""
        if b"--" in data or b"-profile" in data:
            yield from _said(host, data.decode("utf-8", "replace"), place.user, place.path)


SOURCE = Source(
    name="portable_profiles",
    title="Profiles of browsers and editors that lie elsewhere than usual",
    platforms=("macos", "windows"),
    kinds=("extension", "certificate", "file", "setting"),
    needs=(),
    reads=(
        *SHORTCUTS,
        *(
            rf"{top}\{path}"
            for top in ("HKLM", r"HKU\*")
            for path in (_RUN, _RUN.replace("Software", r"Software\WOW6432Node"), _CLIENTS)
        ),
        *(
            rf"{top}\{name}\shell\open\command"
            for top in (r"HKLM\Software\Classes", r"HKU\*\Software\Classes", r"HKU\*_Classes")
            for name in _OPENERS
        ),
        r"HKU\*\Environment",
        *(*reads(CHROMIUM, ""), *reads(MOZILLA, "")),
        *_PORTABLE,
        *(*_OF_MACS, *_NAMING),
    ),
    limits="A profile is found where a shortcut, a command or a job names it, or it lies in a folder near the top of a "
    "drive or home: of each folder, the first 10,000 folders in it.",
    collect=collect,
)
