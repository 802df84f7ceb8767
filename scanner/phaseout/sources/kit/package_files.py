"""Which files no package has brought: what the package managers of a Linux list of the files of their packages.

Some list whole paths, and some only what a file is called, or that is enough: a file that is called like one of a
package is taken for it. Where no manager lists anything, no file is known to be of a package.

References:
    The package dpkg of Debian (`info/*.list`, `diversions`); https://wiki.alpinelinux.org/wiki/Apk_spec (`R:`);
    alpm-db-files(5); https://wiki.gentoo.org/wiki//var/db/pkg (CONTENTS); installpkg(8); lib/plist.c of
    https://github.com/void-linux/xbps; https://rpm-software-management.github.io/rpm/manual/tags.html (BASENAMES)
"""

import re
from collections.abc import Collection, Iterable, Iterator

from phaseout.host import Host
from phaseout.model.regex import regex
from phaseout.parsers.linux import berkeley_db, rpm_ndb
from phaseout.parsers.linux.rpm_header import file_names
from phaseout.sources.kit.places import places

# Whose lines are paths: folders, and how the files in them end.
_PATHS = (
    *((f"{folder}/info", ".list") for folder in ("/var/lib/dpkg", "/usr/lib/dpkg", "/usr/lib/sysimage/dpkg")),
    *((f"{folder}/info", ".list") for folder in ("/usr/lib/opkg", "/var/lib/opkg")),
)
_DIVERSIONS = "/var/lib/dpkg/diversions"
_WITHOUT_ROOT = (
    *("/var/lib/pkgtools/packages/*", "/var/log/packages/*"),
    *("/var/lib/pacman/local/*/files", "/usr/lib/sysimage/lib/pacman/local/*/files"),
)
# Of which only the names are read, and how.
_NAMES = (
    ("/lib/apk/db/installed", regex(rb"^R:([^\n]+)$", re.MULTILINE)),
    ("/usr/lib/apk/db/installed", regex(rb"^R:([^\n]+)$", re.MULTILINE)),
    ("/var/db/pkg/*/*/CONTENTS", regex(rb"/([^/\s]+) ")),
    ("/var/db/xbps/.*-files.plist", regex(rb"/([^/<]+)</string>")),
    ("/var/lib/eopkg/package/*/files.xml", regex(rb"([^/<>]+)</Path>")),
)
_RPM = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
_RPM_FILES = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages")
_LIST = 16 << 20  # bytes
_DATABASE = 512 << 20

OF_DPKG = tuple(f"{folder}/*{ending}" for folder, ending in _PATHS)
READS = (
    *OF_DPKG,
    *(_DIVERSIONS, *_WITHOUT_ROOT),
    *(pattern for pattern, _ in _NAMES),
    *(f"{folder}/{file}" for folder in _RPM for file in _RPM_FILES),
)


def of_dpkg(host: Host) -> frozenset[str]:
    """The names of the packages whose files dpkg or opkg lists: those that are installed."""
    names = (
        entry.name.removesuffix(ending)
        for folder, ending in _PATHS
        for entry in host.files.list(folder)
        if entry.name.endswith(ending)
    )
    return frozenset(name.partition(":")[0] for name in names)


def unlisted(host: Host, paths: Iterable[str]) -> set[str]:
    """Those of some paths of files that no package lists, whether `/bin` is a link to `/usr/bin` or not."""
    left = {path: _bytes(path) for path in paths}
    for found in _listed(host, left):
        for path in found:
            left.pop(path, None)
        if not left:
            break
    return set(left)


def _listed(host: Host, left: dict[str, bytes]) -> Iterator[list[str]]:
    """What one list after the other has of the paths."""
    short = {path: data.removeprefix(b"/usr") for path, data in left.items()}
    by_path = _Spelled((one, path) for path, data in left.items() for one in {data, short[path]})
    for folder, ending in _PATHS:
        names = [name for name, kind in host.files.list(folder) if kind == "file" and name.endswith(ending)]
        for data in host.files.small_files(folder, names, _LIST):
            yield by_path.among((data or b"").split(b"\n"))
    yield by_path.among((host.files.small(_DIVERSIONS, _LIST) or b"").split(b"\n"))
    by_path = _Spelled((one[1:], path) for path, data in left.items() for one in {data, short[path]})
    for place in places(host, _WITHOUT_ROOT):
        yield by_path.among((host.files.small(place.path, _LIST) or b"").split(b"\n"))
    by_name = _Spelled((data.rpartition(b"/")[2], path) for path, data in left.items())
    for found in _names(host):
        yield by_name.among(found)


class _Spelled:
    """Paths by what a list may have for them."""

    def __init__(self, spelled: Iterable[tuple[bytes, str]]) -> None:
        self._paths: dict[bytes, list[str]] = {}
        for written, path in spelled:
            self._paths.setdefault(written, []).append(path)
        self._written = frozenset(self._paths)  # twice as fast as the keys of the dictionary

    def among(self, listed: Collection[bytes]) -> list[str]:
        """Those that are listed."""
        return [path for written in self._written.intersection(listed) for path in self._paths[written]]


def _names(host: Host) -> Iterator[Collection[bytes]]:
    for pattern, names in _NAMES:
        for place in places(host, (pattern,)):
            yield names.findall(host.files.small(place.path, _DATABASE) or b"")
    for folder in dict.fromkeys(host.files.real(folder) for folder in _RPM):
        if folder is not None:
            yield from _of_rpm(host, folder)


def _of_rpm(host: Host, folder: str) -> Iterator[Collection[bytes]]:
    """The names in a database of rpm; what is wrong with it says the source that reads the packages."""
    known = len(host.files.problems)
    path = f"{folder}/rpmdb.sqlite"
    if host.files.exists(path):
        with host.files.database(path) as database:
            if database is not None:
                database.text_factory = bytes
                yield [name for (name,) in database.execute("SELECT DISTINCT key FROM Basenames")]
    else:
        for path, records in ((f"{folder}/Packages.db", rpm_ndb.records), (f"{folder}/Packages", berkeley_db.records)):
            data = host.files.read(path, _DATABASE)
            for _, blob in records(data) if data is not None else ():
                if isinstance(blob, bytes):
                    yield file_names(blob)
    del host.files.problems[known:]


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
