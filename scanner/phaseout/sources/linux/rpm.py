"""Packages in rpm's database, in each of its three formats.

rpm leaves an empty write-ahead log beside `rpmdb.sqlite`. One that is not empty was left by an rpm that was killed, is
still running, or could not finish because another program was reading; what only the log holds is reported as not seen.
Macros may put the database elsewhere.

References:
    rpm(8); https://rpm-software-management.github.io/rpm/manual/ (dbpath, db_backend);
    https://fedoraproject.org/wiki/Changes/RelocateRPMToUsr; https://www.sqlite.org/fileformat2.html#walformat;
    /usr/lib/rpm/macros of Debian (`~/.rpmdb`); https://rpm-software-management.github.io/rpm/manual/macros.html.
"""

import re
from collections.abc import Generator, Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.linux import berkeley_db, rpm_ndb
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.parsers.linux.rpm_header import Header, header
from phaseout.sources.kit.places import places
from phaseout.sources.kit.system_purl import system_purl
from phaseout.sources.source import Source, Trace

Record = tuple[int | None, bytes | str]

_FOLDERS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")  # classic, since 2022, rpm-ostree
_PROGRAM = "/usr/bin/rpm"
_HOME = ".rpmdb"  # Debian's rpm gives each user a database of their own, so that it does not compete with dpkg
_MANIFEST = "/var/lib/rpmmanifest"  # what images without a database have
_SYSTEMS = frozenset(
    (
        *("almalinux", "altlinux", "amzn", "azurelinux", "centos", "fedora", "mageia", "mariner", "ol"),
        *("openeuler", "openmandriva", "opensuse", "photon", "redos", "rhel", "rocky", "rosa", "sles", "suse"),
    )
)
_MACROS = ("/etc/rpm/macros", "/etc/rpm/macros.*")
_DB_PATH = regex(r"^%_dbpath[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_EXPANDED = {"%{_var}": "/var", "%{_localstatedir}": "/var", "%{_usr}": "/usr", "%{_prefix}": "/usr"}
_EXPANDED_MACRO = regex("|".join(map(re.escape, _EXPANDED)))
_LIMIT = 512 << 20
_MOST = 100_000  # packages of one database; a large host has some thousands
_MOST_RETRIES = 200


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package, version by version and architecture by architecture."""
    packages = False
    seen: set[str] = set()
    found = False
    own = yield from _named_folders(host)
    for folder in (*_FOLDERS, *own):
        real = host.files.real(folder)
        if real is not None and real not in seen:  # the old places are often links to the new one
            seen.add(real)
            for trace in _folder(host, folder, ""):
                found = True
                packages = packages or isinstance(trace, Item)
                yield trace
    if not found and host.files.exists(_PROGRAM):
        for home, name in host.homes.items():
            yield from _folder(host, f"{home}/{_HOME}", name)
    if not packages and host.families & _SYSTEMS and not host.files.list(_MANIFEST):
        what = "holds no package" if found else "has no database"
        yield Problem(_FOLDERS[0], f"{what}, though this is a system of rpm", "missing")


def _named_folders(host: Host) -> Generator[Problem, None, list[str]]:
    """The folders that macros of the administrator name; one that is not there may be on a disk that is not mounted."""
    found: list[str] = []
    for place in places(host, _MACROS):
        for written in _DB_PATH.findall(host.files.text(place.path, 1 << 20) or ""):
            folder = _EXPANDED_MACRO.sub(lambda macro: _EXPANDED[macro[0]], written)
            if not folder.startswith("/") or "%" in folder:
                yield Problem(place.path, f"puts the packages in {folder}, a place that is not known", "unsupported")
            elif host.files.gone(folder):
                yield Problem(folder, f"{place.path} puts the packages there, and it is not there", "missing")
            else:
                found.append(folder.rstrip("/"))
    return found


def _folder(host: Host, folder: str, user: str) -> Iterator[Trace]:
    """Everything in the database of one folder.

    The newest format that holds packages is the one in use: rpm leaves the older one behind when it migrates.

    The other way round, a newer rpm that only looked leaves an empty database of its own beside the one in use.
    """
    in_use = ""
    for name, records in _FORMATS.items():
        path = f"{folder}/{name}"
        if not host.files.exists(path):
            continue
        if in_use:
            yield LeftOut("a record of the past")
            continue
        for trace in _packages(host, path, user, records(host, path)):
            if isinstance(trace, Item):
                in_use = name
            yield trace


def _packages(host: Host, path: str, user: str, records: Iterator[Record]) -> Iterator[Trace]:
    for count, (number, blob) in enumerate(records):
        if count >= _MOST:
            yield Problem(path, f"more than {_MOST} records: the rest was not read", "limit")
            return
        where = f"{path}:{number}" if number else path
        if isinstance(blob, str):
            yield Problem(where, blob, "damaged")
            if number is not None:
                yield LeftOut("damaged")
            continue
        found = header(blob)
        if found.damage or not found.name:
            yield Problem(where, found.damage or "a package without a name", "damaged")
        if not found.name:
            yield LeftOut("damaged")
        elif found.name == "gpg-pubkey":
            yield LeftOut("a public key")
        else:
            yield _item(host, where, user, found)


def _item(host: Host, where: str, user: str, found: Header) -> Item:
    edition = f"{found.version}-{found.release}" if found.release else found.version
    details = {"arch": found.arch, "release": found.release, "packager": found.packager}
    if found.epoch is None:
        version = edition
    else:
        version = f"{found.epoch}:{edition}"  # also of epoch 0 where it is given, like %{EVR}
        details["epoch"] = str(found.epoch)
    if found.installed is not None:
        details["installed"] = rfc3339(found.installed)
    return Item(
        kind="package",
        name=found.name,
        vendor=maintainer_name(found.vendor or found.packager),
        version=version,
        user=user,
        ids={"purl": system_purl(host, "rpm", found.name, edition, arch=found.arch, epoch=details.get("epoch", ""))},
        details=details,
        evidence=(Evidence(where, f"Name: {found.name}, Vendor: {found.vendor}"),),
    )


def _sqlite(host: Host, path: str) -> Iterator[Record]:
    """The rows of an SQLite database, each read on its own: a damaged one ends the query that meets it."""
    numbers: list[int] = []
    with host.files.database(path) as database:
        if database is not None:
            for (number,) in database.execute("SELECT rowid FROM Packages LIMIT ?", (_MOST + 1,)):
                if number is None:
                    yield None, "Packages is a view, not a table"
                    return
                numbers.append(number)
    unread = iter(numbers)
    for _ in range(_MOST_RETRIES):
        number = 0
        with host.files.database(path) as database:
            if database is None:
                return
            database.text_factory = bytes
            for number in unread:
                row = database.execute("SELECT blob FROM Packages WHERE rowid = ?", (number,)).fetchone()
                yield number, row[0] if row and isinstance(row[0], bytes) else "a row without a header"
            return
        yield number, "the row cannot be read"
    yield None, f"{_MOST_RETRIES} rows cannot be read: those behind them were not tried"


def _ndb(host: Host, path: str) -> Iterator[Record]:
    data = host.files.read(path, _LIMIT)
    return iter(()) if data is None else rpm_ndb.records(data)


def _berkeley_db(host: Host, path: str) -> Iterator[Record]:
    data = host.files.read(path, _LIMIT)
    return iter(()) if data is None else berkeley_db.records(data)


_FORMATS = {"rpmdb.sqlite": _sqlite, "Packages.db": _ndb, "Packages": _berkeley_db}  # newest first
_FILES = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages")

SOURCE = Source(
    name="rpm",
    title="RPM packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(
        _PROGRAM,
        _MANIFEST,
        *OS_RELEASE,
        *(f"{folder}/{file}" for folder in (*_FOLDERS, f"~/{_HOME}", "/**") for file in _FILES),
        *_MACROS,
    ),
    limits="Software unpacked by hand, and what a package's own scripts fetched, is not in rpm's database.",
    collect=collect,
)
