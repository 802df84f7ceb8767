"""Packages in dpkg's database, with those that were removed but left their configuration.

dpkg writes what it changes into numbered files in `updates` first, and `status` from time to time; both together are
the database. Where `status` is gone, empty or cut off, the copy `status-old` and the lists of files in `info` still
name packages: they are read then, and the report says so. The settings may put the database elsewhere.

References:
    dpkg(1) "Package states" and `--admindir`, dpkg.cfg(5); https://wiki.debian.org/DpkgTriggers; deb-control(5);
    lib/dpkg/dbmodify.c of https://git.dpkg.org/ (`updates`, `status-old`); the package dpkg of Debian
    (`/var/backups`). `status.d` is what distroless images have instead of `status`.
"""

import io
from collections.abc import Generator, Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.counting import counted
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.model.quoting import quoted
from phaseout.model.regex import regex
from phaseout.parsers.linux.deb822 import maintainer_name, stanzas
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.places import places
from phaseout.sources.kit.system_purl import system_purl
from phaseout.sources.source import Source, Trace

_FOLDERS = ("/var/lib/dpkg", "/usr/lib/dpkg", "/usr/lib/sysimage/dpkg")  # the last of images that are updated whole
_STATUS = tuple(f"{folder}/status" for folder in _FOLDERS)
_SETTINGS = ("/etc/dpkg/dpkg.cfg", "/etc/dpkg/dpkg.cfg.d/*")
_CHISEL = "/var/lib/chisel"  # what chiselled images have instead
_DEBIAN = frozenset(("debian", "ubuntu", "raspbian", "linuxmint", "devuan", "kali", "astra", "deepin", "uos"))
_OLD = "status-old"
_UPDATES = "updates"
_INFO = "info"
_STATUS_D = ("/var/lib/dpkg/status.d", "/usr/lib/dpkg/status.d")
_ADMIN_FOLDER = regex(r"admindir\s*[=\s]\s*\"?(/[^\"]+)\"?")
_REMEDY = f"put {_OLD} or a copy out of /var/backups in its place, then scan again"
_LIMIT = 256 << 20
_BLANK = 64 << 10  # bytes by which a file without packages is called empty
_COMPARED = 20_000  # packages of a `status` that is compared with `info` although it looks whole
_FIELDS = ("package", "status", "maintainer", "architecture", "version", "origin", "homepage", "bugs")
# The third status word says what is on disk; the first two only what somebody wants. All but two are an installation,
# even if a broken one: the files are there.
_STATES: dict[str, State | None] = {
    "not-installed": None,
    "config-files": "leftover",
    "half-installed": "installed",
    "unpacked": "installed",
    "half-configured": "installed",
    "triggers-awaited": "installed",
    "triggers-pending": "installed",
    "installed": "installed",
}


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package, architecture by architecture."""
    found = False
    own = yield from _named_folders(host)
    for folder in {host.files.real(folder): folder for folder in reversed((*own, *_FOLDERS))}.values():
        for trace in _database(host, folder):
            found = found or not isinstance(trace, Problem)
            yield trace
    for folder in _STATUS_D:
        for entry in host.files.list(folder):
            if entry.kind == "dir" or entry.name.endswith(".md5sums"):
                continue
            path = f"{folder}/{entry.name}"
            for line, fields in stanzas((host.files.text(path) or "").split("\n"), _FIELDS):
                found = True
                yield from _package(host, path, line, fields, "install ok installed")
    if not found and host.families & _DEBIAN and not any(map(host.files.exists, (*_STATUS, _CHISEL))):
        yield Problem(_STATUS[0], "is missing, though this is a system of dpkg", "missing", remedy=_REMEDY)


def _named_folders(host: Host) -> Generator[Problem, None, list[str]]:
    """The folders that the settings name; one that is not there may be on a disk that is not mounted."""
    found: list[str] = []
    for place in places(host, _SETTINGS):
        for line in (host.files.text(place.path, 1 << 20) or "").split("\n"):
            option = _ADMIN_FOLDER.fullmatch(line.strip())
            if option and host.files.gone(option[1]):
                yield Problem(option[1], f"{place.path} puts the packages there, and it is not there", "missing")
            elif option:
                found.append(option[1].rstrip("/"))
    return found


class _Database:
    """A file of stanzas, which may be long: it is read once, line by line.

    Attributes:
        there: whether there is one that can be read.
        whole: whether it ends as dpkg ends it; known after the last stanza.
        blank: whether nothing stands at its beginning; known after the last stanza.
    """

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path
        self._file = host.files.open(path, _LIMIT)
        self.there = self._file is not None
        self.whole = False
        self.blank = True

    def stanzas(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each stanza with the number of its first line."""
        if self._file is None:
            return
        with io.TextIOWrapper(self._file, encoding="utf-8", errors="backslashreplace", newline="\n") as lines:
            try:
                yield from stanzas(lines, _FIELDS)
                size = self._file.seek(0, io.SEEK_END)
                self._file.seek(max(size - 2, 0))
                self.whole = self._file.read(2) == b"\n\n"
                self._file.seek(0)
                self.blank = not self._file.read(_BLANK).strip(b"\0 \n")
            except OSError as error:
                self._host.files.problems.append(Problem(self._path, error.strerror or str(error), "error"))


def _database(host: Host, folder: str) -> Iterator[Trace]:
    """What `status` and the changes that are not in it yet say; and where that is not whole, what else there is."""
    path = f"{folder}/status"
    changed = {_key(fields): (where, line, fields) for where, line, fields in _changes(host, folder)}
    seen: set[str] = set()
    status = _Database(host, path)
    damage, count = False, 0
    for line, fields in status.stanzas():
        seen.add(fields.get("package", ""))
        count += 1
        if changed and _key(fields) in changed:
            continue
        damage = damage or "" in fields
        yield from _package(host, path, line, fields)
    for where, line, fields in changed.values():
        seen.add(fields.get("package", ""))
        yield from _package(host, where, line, fields)
    status.whole = status.whole and not damage
    if (not status.whole or count <= _COMPARED) and (status.there or host.files.is_dir(folder)):
        yield from _salvaged(host, folder, path, status, seen)


def _changes(host: Host, folder: str) -> Iterator[tuple[str, int, dict[str, str]]]:
    """The stanzas of the numbered files, in the order in which dpkg applies them."""
    for entry in host.files.list(f"{folder}/{_UPDATES}"):
        if entry.name.isdecimal():
            where = f"{folder}/{_UPDATES}/{entry.name}"
            for line, fields in stanzas((host.files.text(where) or "").split("\n"), _FIELDS):
                yield where, line, fields


def _key(fields: dict[str, str]) -> tuple[str, str]:
    return fields.get("package", ""), fields.get("architecture", "")


def _salvaged(host: Host, folder: str, path: str, status: _Database, seen: set[str]) -> Iterator[Trace]:
    """The packages that only `status-old` or a list of files names, beside a `status` that is not whole."""
    listed = {
        name.removesuffix(".list").partition(":")[0]
        for name, kind in host.files.list(f"{folder}/{_INFO}")
        if name.endswith(".list") and kind != "dir"
    }
    old = f"{folder}/{_OLD}"
    missing = listed - seen
    if not missing and (seen or not status.there):
        return
    wrong = (
        "is missing"
        if not status.there
        else "holds no package"
        if not seen
        else "is not complete"
        if status.whole
        else "is cut off"
    )
    if status.there and status.blank:
        wrong = "is empty"
    before = list(_Database(host, old).stanzas())
    if not missing and not before and not host.families & _DEBIAN:
        return  # a folder of dpkg on a system of another package manager
    lacks = f": no entry for {counted(len(missing), 'package')} with a list of files" if missing else ""
    yield Problem(path, wrong + lacks, "missing" if not status.there else "damaged", remedy=_REMEDY)
    for line, fields in before:
        name = fields.get("package", "")
        if name and name not in seen and (name in missing or not listed):
            missing.discard(name)
            yield from _package(host, old, line, fields, note=f"from {_OLD}: {path} {wrong}")
    for name in sorted(missing):
        where = f"{folder}/{_INFO}/{name}.list"
        yield Item(
            kind="package",
            name=name,
            notes=(f"known by its list of files only: {path} {wrong}",),
            evidence=(Evidence(where, wrong),),
        )


def _package(
    host: Host, path: str, line: int, fields: dict[str, str], status: str = "", note: str = ""
) -> Iterator[Trace]:
    name = fields.get("package", "")
    if not name:
        yield from damaged(f"{path}:{line}", "a stanza without a package name")
        return
    words = fields.get("status", status).split()
    if len(words) != 3 or words[2] not in _STATES:
        note = note or f"unknown status {quoted(' '.join(words))}, taken for installed"
    state = _STATES.get(words[2], "installed") if len(words) == 3 else "installed"
    if state is None:
        yield LeftOut("known but not installed")
        return
    if "" in fields:
        yield Problem(f"{path}:{line}", f"{name}: an unexpected line: {quoted(fields[''])}", "damaged")
    yield _item(host, path, name, state, " ".join(words), fields, note)


def _item(host: Host, path: str, name: str, state: State, status: str, fields: dict[str, str], note: str) -> Item:
    arch = fields.get("architecture", "")
    version = fields.get("version", "")
    maintainer = fields.get("maintainer", "")
    details = {"arch": arch, "status": status, "maintainer": maintainer}
    for key in ("origin", "homepage", "bugs"):
        if key in fields:
            details[key] = fields[key]
    return Item(
        kind="package",
        name=name,
        state=state,
        vendor=maintainer_name(maintainer),
        version=version,
        ids={"purl": system_purl(host, "deb", name, version, arch=arch)},
        details=details,
        notes=(note,) if note else (),
        evidence=(Evidence(path, f"Package: {name}, Status: {status}"),),
    )


SOURCE = Source(
    name="dpkg",
    title="Debian packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(
        *(f"{folder}/{file}" for folder in _FOLDERS for file in ("status", _OLD, f"{_UPDATES}/*", f"{_INFO}/*.list")),
        *(f"{folder}/*" for folder in _STATUS_D),
        *(_CHISEL, *OS_RELEASE, *_SETTINGS),
        *(f"/**/{file}" for file in ("status", _OLD, f"{_UPDATES}/*", f"{_INFO}/*.list")),  # where the settings put it
    ),
    limits="Software unpacked by hand is not in dpkg's database.",
    collect=collect,
)
