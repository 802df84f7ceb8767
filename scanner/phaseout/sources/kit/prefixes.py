"""Prefixes of package managers on macOS that were put into a folder of the administrator's or the user's choice.

References:
    https://docs.brew.sh/Installation (untar anywhere), https://guide.macports.org/ (`--prefix`); path_helper(8)
    (`/etc/paths.d`), bash(1), zsh(1) (start files).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.parsers.linux.named_paths import named_paths
from phaseout.sources.kit.places import Place, places

_COMMON = ("/opt/*", "/usr/local/*", "/Users/Shared/*", "~/*", "~/.*", "~/Applications/*", "/Volumes/*", "/Volumes/*/*")
_NAMING = (
    *("/etc/paths", "/etc/paths.d/*", "/etc/profile", "/etc/zprofile", "/etc/zshenv", "/etc/zshrc", "/etc/bashrc"),
    *("/Library/LaunchDaemons/*.plist", "/Library/LaunchAgents/*.plist", "~/Library/LaunchAgents/*.plist"),
    *(f"~/{name}" for name in (".profile", ".bash_profile", ".bash_login", ".bashrc", ".bash_aliases")),
    *(f"~/{name}" for name in (".zshenv", ".zprofile", ".zshrc", ".zlogin", ".config/fish/config.fish", ".tcshrc")),
)
_LONGEST = 256 << 10
_LEVELS = 4  # from a program up to its prefix: prefix/opt/name/bin/program
READS = (*_NAMING, *(f"{folder}/" for folder in _COMMON))


def prefixes(host: Host, marks: tuple[str, ...]) -> Iterator[Place]:
    """The prefixes that have one of these paths below them, each once."""
    met: set[str] = set()
    for place in (*places(host, _COMMON), *_hidden(host), *_named(host)):
        if place.path not in met:
            met.add(place.path)
            if any(host.files.exists(f"{place.path}/{mark}") for mark in marks):
                yield place


def _hidden(host: Host) -> Iterator[Place]:
    """Folders of homes that begin with a dot."""
    for home, user in host.homes.items():
        for entry in host.files.list(home):
            if entry.kind != "file" and entry.name.startswith("."):
                yield Place(f"{home}/{entry.name}", user)


def _named(host: Host) -> Iterator[Place]:
    """Folders that hold what search paths, start files of shells and jobs name."""
    for file in places(host, _NAMING):
        data = host.files.head(file.path, _LONGEST)
        for path in named_paths(data.decode("utf-8", "replace")) if data else ():
            homes = [user.home for user in host.users if user.home and file.user in ("", user.name)]
            for whole in [home + path[1:] for home in homes] if path[0] == "~" else [path]:
                names = whole.split("/")
                for end in range(len(names) - 1, max(1, len(names) - 1 - _LEVELS), -1):
                    yield Place("/".join(names[:end]), file.user)
                yield Place(whole, file.user)
