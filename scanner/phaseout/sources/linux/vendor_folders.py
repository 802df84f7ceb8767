"""Folders of add-on software, where vendors put what no package manager knows, and what removals leave behind.

References:
    https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ (3.13 /opt, 3.7.4 /etc/opt, 4.9 /usr/local, 5.12 /var/opt).
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, Reason
from phaseout.sources.kit.data_files import is_data
from phaseout.sources.source import Source, Trace

_TOPS = ("/opt", "/var/opt", "/etc/opt", "/usr/local")
_HOME = ("/opt", "/.local/opt")
_STANDARD = frozenset(
    (
        *("bin", "doc", "etc", "games", "include", "info", "lib", "lib32", "lib64", "libexec", "libx32", "lost+found"),
        *("man", "sbin", "share", "src"),
    )
)
# Folders of programs come first: one program is enough.
_ORDER = {"bin": 0, "sbin": 1, "libexec": 2, "lib64": 3, "lib": 4}
_MODULES = (".ko", ".ko.xz", ".ko.zst", ".ko.gz")
_FILE: Reason = "a file, not a folder"
_TOO_MANY = "too many files to check each"
_TOP = "listed under its own name"
_UNREAD = "not all of it was readable"
_CHILDREN = 10_000
# What a search costs, in entries (some microseconds each): it ends before anybody has to wait for it.
_LIST, _STAT = 10, 4
_EACH = 2_500  # folder
_ALL = 4_000


class _Found(NamedTuple):
    """A program below a folder; without one, `why` says why there may be one all the same."""

    program: str = ""
    why: str = ""


class _Folder(NamedTuple):
    """A folder of a vendor. `link` is where a symbolic link points, `real` where that leads: nowhere, if empty."""

    path: str
    real: str
    link: str


class _Search:
    """Searches for programs, at a bounded cost for each folder and for all."""

    def __init__(self, host: Host) -> None:
        self.modules: list[str] = []
        self.known = {"": _Found()}  # by real path; a link that leads nowhere holds nothing
        self.listed = {""}  # real paths whose folders are items, or will be
        self._files = host.files
        self._left = _ALL

    def below(self, *tops: str) -> _Found:
        """The first program found in some folders and those below."""
        end = max(0, self._left - _EACH)
        unread = False
        pending = deque(sorted(tops, key=_order))
        while pending:
            if self._left <= end:
                return _Found(why=_TOO_MANY)
            folder = pending.popleft()
            entries, found = self.among(folder)
            if found.program or found.why == _TOO_MANY:
                return found
            unread = unread or bool(found.why)
            folders = [f"{folder}/{name}" for name, kind in entries if kind == "dir"]
            pending.extend(sorted(folders, key=_order))
        return _Found(why=_UNREAD if unread else "")

    def among(self, folder: str) -> tuple[tuple[Entry, ...], _Found]:
        """The entries of a folder, and the first program among them. Notes the modules of the kernel up to it."""
        problems = len(self._files.problems)
        entries = self._files.list(folder)
        if len(self._files.problems) > problems:
            return entries, _Found(why=_UNREAD)
        self._left -= _LIST + len(entries)
        asked = 0
        for name, kind in entries:
            if kind != "file":
                continue
            if name.endswith(_MODULES):
                self.modules.append(f"{folder}/{name}")
            elif not is_data(name):
                asked += _STAT
                if asked > _EACH:
                    return entries, _Found(why=_TOO_MANY)
                self._left -= _STAT
                stat = self._files.stat(f"{folder}/{name}")
                if stat and stat.mode & 0o111:
                    return entries, _Found(f"{folder}/{name}")
        return entries, _Found()


def _order(path: str) -> int:
    return _ORDER.get(path.rpartition("/")[2], len(_ORDER))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder of a vendor, every folder in it, and every kernel module found on the way."""
    search = _Search(host)
    for top in _TOPS:
        yield from _top(host, search, top, "")
    known, listed = search.known, search.listed
    tops: dict[str, list[str]] = {}
    for home, user in host.homes.items():
        tops.setdefault(user, []).extend(home + folder for folder in _HOME)
    for user, folders in tops.items():
        # What a user's links lead to is listed all the same where another user has it.
        search.known, search.listed = dict(known), set(listed)
        for top in folders:
            yield from _top(host, search, top, user)


def _top(host: Host, search: _Search, top: str, user: str) -> Iterator[Trace]:
    real = host.files.real(top) or ""
    if real in search.listed:
        return
    search.listed.add(real)
    search.known[real] = _Found(why=_TOP)
    for folder in _folders(host, top, host.files.list(top)):
        if isinstance(folder, LeftOut):
            yield folder
        elif folder.real in search.listed:
            yield _item(folder, user, search.known[folder.real])
        else:
            search.listed.add(folder.real)
            yield from _vendor(host, search, folder, user)
            yield from _modules(search, user)


def _vendor(host: Host, search: _Search, folder: _Folder, user: str) -> Iterator[Trace]:
    """The items of a folder and of those in it. A program of its own shows that all of it is one product."""
    entries, own = search.among(folder.path)
    if not own.program:
        standard = [f"{folder.path}/{name}" for name, kind in entries if kind == "dir" and name in _STANDARD]
        below = search.below(*standard)
        own = below if below.program or not own.why else own
    best = own
    children = 0
    for child in _folders(host, folder.path, entries):
        if isinstance(child, LeftOut):
            if child.reason != _FILE:
                yield child
            continue
        children += 1
        if children > _CHILDREN:
            yield Problem(folder.path, f"more than {_CHILDREN:,} folders: the rest was not searched", "limit")
            return
        found = own if own.program else search.known.get(child.real)
        if found is None:
            found = search.below(child.path)
        if child.real:
            search.known[child.real] = found
        if not best.program and (found.program or found.why):
            best = found
        yield _item(child, user, found)
    search.known[folder.real] = best
    yield _item(folder, user, best)


def _folders(host: Host, top: str, entries: tuple[Entry, ...]) -> Iterator[_Folder | LeftOut]:
    """The folders of vendors in a folder. Links come last: what they lead to may be known by then."""
    real = host.files.real(top) or top
    links: list[str] = []
    for name, kind in entries:
        if name in _STANDARD:
            yield LeftOut("a standard folder")
        elif kind == "dir":
            yield _Folder(f"{top}/{name}", f"{real}/{name}", "")
        elif kind == "link":
            links.append(f"{top}/{name}")
        else:
            yield LeftOut(_FILE)
    for path in links:
        if host.files.is_dir(path) or host.files.gone(path):
            yield _Folder(path, host.files.real(path) or "", host.files.link(path) or "")
        else:
            yield LeftOut(_FILE)


def _item(folder: _Folder, user: str, found: _Found) -> Item:
    details = {"program": found.program, "note": found.why, "link": folder.link}
    return Item(
        kind="file",
        name=folder.path.rpartition("/")[2],
        state="installed" if found.program or found.why else "leftover",
        path=folder.path,
        user=user,
        details=details,
        evidence=(Evidence(folder.path, found.program or found.why or "no program in it"),),
    )


def _modules(search: _Search, user: str) -> Iterator[Trace]:
    for path in search.modules:
        yield Item(
            kind="driver",
            name=path.rpartition("/")[2].partition(".ko")[0].replace("-", "_"),
            path=path,
            user=user,
            evidence=(Evidence(path),),
        )
    search.modules.clear()


SOURCE = Source(
    name="vendor_folders",
    title="Folders of vendors",
    platforms=("linux",),
    kinds=("file", "driver"),
    needs=(),
    reads=(*(f"{top}/**" for top in _TOPS), *(f"~{folder}/**" for folder in _HOME)),
    limits="A folder is searched until a program is found: kernel modules behind that are not seen.",
    collect=collect,
)
