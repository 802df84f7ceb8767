"""What lies elsewhere than usual: folders that a file on the host names, and roots of systems in folders of any name.

A unit may run a service in a root of its own, an administrator may move the profiles of all browsers, a user may keep
an editor on another disk. Whatever names such a folder — a unit, a menu entry, a setting, a variable, a script that
wraps a program — the folder itself shows what it is (`phaseout.sources.kit.folder_shapes`), and is then read as if it
lay where such a folder usually does. An image, and a folder on a disk that is not mounted, are named.

Of a host where nothing points anywhere, little is read beyond what other sources read as well. Folders that nothing
names are looked into just below `/`, `/opt`, `/srv`, `/var/tmp`, the homes, and where builders of packages keep theirs.

References:
    systemd.exec(5) (RootDirectory=, RootImage=), systemd-nspawn(1), chroot(1), bwrap(1), debootstrap(8), pbuilder(8),
    mock(1); https://chromeenterprise.google/policies/#UserDataDir; https://docs.k3s.io/cli/server (data-dir);
    https://specifications.freedesktop.org/basedir-spec/; https://docs.flatpak.org/en/latest/sandbox-permissions.html,
    https://snapcraft.io/docs/data-locations (folders of sandboxes); for settings of other programs their own manuals.
"""

import re
from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple, get_args

from phaseout.host import Host
from phaseout.host.filesystem.layers import layered_host
from phaseout.host.users import posix_users
from phaseout.model.nouns import Evidence, HostInfo, Item, Kind, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.linux.named_paths import USER, named_paths
from phaseout.sources.kit.container_roots import docker_roots, podman_roots
from phaseout.sources.kit.folder_shapes import ROOT, Shape, shapes
from phaseout.sources.kit.limited import limited
from phaseout.sources.kit.naming_files import NAMING_FILES, naming_files, wrappers
from phaseout.sources.kit.places import Place, Seen, places
from phaseout.sources.kit.top_folders import own_folders
from phaseout.sources.source import Inside, Moved, Source, Trace

_MOST = 5_000  # folders that are named
_CHILDREN = 50_000  # folders in one: some seconds
_PROGRAMS = 1_000  # programs in one
_LIBRARY = regex(r"\.so(?:\.\d|$)")
# What stands before a folder that a program must have; before others may stand anything.
_KEYS = regex(
    r"""(?<![\w$-])(?:RootDirectory|RootImage|(?:--)?(?:root|chroot|directory|data-root|data-dir|user-data-dir|profile)"""
    r"""|UserDataDir|--extensions-dir|graphroot|graph|additionalimagestores|imagestore|%_dbpath|XDG_\w+_HOME"""
    r"""|lxc\.lxcpath|WINEPREFIX|envs_dirs|user-base|target|prefix|install\.root|GOBIN|GOPATH|\w+_(?:HOME|ROOT|DIR)"""
    r"""|"path"|Path)["']?[\s=:\["']+$"""
)
# What says of a folder that it is the root of a system, and of a file that it is the image of one.
_ROOT_KEYS = ("RootDirectory=", "ExtensionDirectories=", "chroot ", "systemd-nspawn ", "proot ", "bwrap ", "unshare ")
_IMAGE_KEYS = ("RootImage=", "ExtensionImages=", "MountImages=", "systemd-nspawn ")
_PATH = r"""["']?(/[^\s"':;,]+)"""
_IS_ROOT = regex(
    rf"""(?:(?:RootDirectory|ExtensionDirectories)=[-+]?|chroot[ ]+(?:-\S+[ ]+)*"""
    r"""|(?:systemd-nspawn|proot|bwrap|unshare)\b[^\n]{0,2000}?[ ]"""
    rf"""(?:-\w*[Dr]|--directory|--root(?:fs)?|--bind|--ro-bind)[ =]?){_PATH}"""
)
# Lines that say where a shell searches for programs and libraries, and what else it calls one.
_SEARCH = regex(r"(?im)^[^\n]*(?:path|alias|abbr)\b[^\n]*")
_IS_IMAGE = regex(rf"(?:\w+Images?=[-+]?|systemd-nspawn\b[^\n]{{0,2000}}?[ ](?:-\w*i|--image)[ =]?){_PATH}")
# Folders of programs whose content other sources list.
_LISTED = ("/usr/", "/bin/", "/sbin/", "/lib", "/etc/", "/opt/", "/snap/", "/var/lib/flatpak/", "/nix/", "/gnu/")
_IMAGES = (
    *(".raw", ".qcow2", ".qcow", ".vmdk", ".vdi", ".vhd", ".vhdx", ".vbox"),
    *(".squashfs", ".sqfs", ".erofs", ".sif", ".luks"),
)
_DISKS = (".qcow2", ".vmdk", ".vdi", ".vhdx", ".sif", ".squashfs", ".sqfs", ".erofs")  # which nothing else is called
_PACKED = regex(r"\.(?:tar|tgz|tbz2?|txz|tzst|tar\.(?:gz|xz|zst|bz2|lz4))$")
_OPEN_IT = "mount it read-only, and scan it with --root"
_MOUNT = "mount the disk that holds it there, then scan again"
# Folders that hold folders of all kinds, and are nothing by themselves.
_SHARED_TEXT = """
/ /data /export /home /media /mnt /opt /root /run /srv /tmp /usr /usr/games /usr/lib /usr/local /usr/local/bin
/usr/local/etc /usr/local/games /usr/local/lib /usr/local/sbin /usr/local/share /usr/share /usr/src /var /var/backups
/var/cache /var/lib /var/local /var/mail /var/opt /var/spool /var/tmp /var/www
"""
_SHARED = frozenset(_SHARED_TEXT.split())
# Folders of the system and of engines, whose own sources say what is in them, and those that only a start has.
_KNOWN = regex(
    r"/(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|snap|nix|gnu|sysroot|sysusr|system-update|initrd"
    r"|usr/(?:s?bin|lib\w*|share|include)|var/snap|var/log|usr/lib/machines"
    r"|var/lib/(?:docker|containers|containerd|lxc|lxd|incus|machines|snapd|flatpak|portables|kubelet|rancher))(?:/|$)"
)
_KEPT_STATES = (".snapshots", "timeshift", "timeshift-btrfs", "swap")  # which others read, and what is no root
# What folders are called that hold roots of systems.
_HINT = regex(
    r"chroot|jail|rootfs|sysroot|machine|contain|distro|debian|ubuntu|fedora|alpine|arch|centos|rocky|suse|kali|stage3"
    r"|stable|pbuilder|sbuild|mock|debootstrap|systems?$|roots?$|vms?$|proot|nix",
    re.IGNORECASE,
)
_TOPS = ("/opt", "/srv", "/var/tmp", "/var/local", "/usr/local")  # noqa: S108
_DEEP = ("/opt", "/srv", "/var/tmp")  # noqa: S108  (of which the folders in their folders are looked into, too)
_BUILDERS_TEXT = """
/var/cache/pbuilder/* /var/cache/pbuilder/build/* /var/lib/mock/* /var/cache/mock/*/root_cache/* /var/lib/sbuild/*
/var/lib/sbuild/build/* /var/lib/schroot/tarball/* /var/named/chroot /var/lib/jenkins/*root*
/data/data/com.termux/files/usr/var/lib/proot-distro/installed-rootfs/* ~/pbuilder/* ~/.cache/sbuild/* ~/.junest
~/.cache/mmdebstrap/* ~/.local/share/proot-distro/* ~/.local/share/proot-distro/*/* ~/.local/share/junest ~/.nix
~/.local/share/nix/root ~/.nix-portable ~/.nix-portable/* ~/.guix-extra-profiles/*/* ~/.local/share/*root*
"""
_BUILDERS = tuple(_BUILDERS_TEXT.split())


# A sandbox has folders of its own in place of those of a home; what it is called says nothing of the program in it.
_IN_SANDBOX = (
    *("chromium_extensions", "firefox_addons", "nss_certificates", "native_messaging", "editor_extensions"),
    *("jetbrains_plugins", "wine", "python_packages", "npm_packages"),
)
_SANDBOXES = (
    ("~/.var/app/*/config", Shape("~/.config", _IN_SANDBOX, ())),
    ("~/.var/app/*/data", Shape("~/.local/share", _IN_SANDBOX, ())),
    ("~/.var/app/*", Shape("~", _IN_SANDBOX, ())),
    ("~/snap/*/current", Shape("~", _IN_SANDBOX, ())),
    ("~/snap/*/common", Shape("~", _IN_SANDBOX, ())),
)
_OF_SANDBOXES = frozenset(shape for _, shape in _SANDBOXES)


# Snapshots of snapper and Timeshift, and deployments of OSTree.
_STATES = (
    *("/.snapshots/*/snapshot", "/timeshift/snapshots/*/localhost", "/timeshift-btrfs/snapshots/*/@"),
    *("/home/timeshift/snapshots/*/localhost", "/run/timeshift/backup/timeshift*/snapshots/*/*"),
    *("/run/timeshift/*/backup/timeshift*/snapshots/*/*", "/sysroot/ostree/deploy/*/deploy/*"),
)
_MOST_STATES = 50
_TELLING = (
    *(
        "/var/lib/dpkg/status",
        "/var/lib/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/lib/apk/db/installed",
    ),
    *(
        "/usr/share/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/Packages.db",
        "/var/lib/rpm/Packages",
        "/var/lib/pacman/local",
    ),
    *("/opt", "/usr/local", "/usr/local/bin", "/etc/systemd/system", "/usr/lib/systemd/system"),
)


# Sources that follow every folder in the settings that they read.
_FOLLOWING = frozenset(("containerd", "dpkg", "firefox_addons", "flatpak", "pacman", "rpm"))


class _Named(NamedTuple):
    """A folder or file, whose it is, and the file that names it; empty where none does."""

    path: str
    user: str
    where: str = ""


def collect(host: Host) -> Iterator[Trace]:
    """What is in every folder that is named, and in every root of a system that shows itself."""
    elsewhere = _Elsewhere(host)
    yield from elsewhere.named()
    yield from elsewhere.unnamed()
    yield from elsewhere.states()


class _Elsewhere:
    """The folders of a host, of which each is read once for each user."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._files = host.files
        self._people = [(user.name, user.home) for user in host.users if user.home]
        self._homes = {path for home in host.homes for path in (home, host.files.real(home) or home)}
        self._seen = Seen()
        self._met: set[tuple[str, str]] = set()  # paths, and whose file names them
        self._recognised: set[str] = set()  # folders that are known for what they are
        self._problems: set[str] = set()
        self._wrapped = Seen()  # programs and folders that wrappers lead to
        self._tops: dict[str, bool] = {}  # folder below the root → whether anything is in it
        self._stores: set[str] | None = None  # of containers, as settings of the engines name them

    def named(self) -> Iterator[Trace]:
        """What lies in the folders that files name, and the programs that scripts and links among programs start."""
        names = iter(range(_MOST))
        for file, text in naming_files(self._host):
            for path in _said(text, _ROOT_KEYS, _IS_ROOT):
                yield from self._root(_Named(path, file.user, file.path))
            for path in _said(text, _IMAGE_KEYS, _IS_IMAGE):
                yield from self._image(_Named(path, file.user, file.path))
            yield from self._names(file, text, names)
            if "PATH" in text or "path" in text or "alias" in text or "abbr" in text:
                yield from self._names(file, "\n".join(_SEARCH.findall(text)), names, programs=True)
        for file, text in wrappers(self._host):
            yield from self._names(file, text, names, programs=True)

    def _names(self, file: Place, text: str, names: Iterator[int], *, programs: bool = False) -> Iterator[Trace]:
        """What every path is that a text has, up to a number of them for all texts."""
        for written in dict.fromkeys(named_paths(text)):
            for path in self._expanded(written, file.user):
                number = next(names, None)
                if number is None or number == _MOST - 1:
                    if number is not None:
                        why = f"more than {_MOST} folders are named: the rest was not read"
                        yield Problem(file.path, why, "limit")
                    return
                named = _Named(path, file.user, file.path)
                yield from self._place(named, text)
                if programs and self._tops.get(_top(path), True):
                    yield from self._program(named)

    def _program(self, named: _Named) -> Iterator[Item]:
        """A program, or a folder that holds some, which only a script or link among the programs leads to."""
        real = self._files.real(named.path)
        if (
            real is None
            or real in self._homes
            or real in _SHARED
            or real in self._recognised
            or real.startswith(_LISTED)
            or not self._wrapped.first(real, named.user)
        ):
            return
        if self._is_program(real):
            yield self._item("program", real, named)
            return
        found = [path for folder in ("", "/bin", "/sbin") for path in self._programs_in(f"{real}{folder}")]
        if found:
            yield self._item("file", real, named)
        for path in limited(self._host, real, found, _PROGRAMS):
            yield self._item("program", path, named)

    def _programs_in(self, folder: str) -> Iterator[str]:
        for name, kind in self._files.list(folder):
            if kind == "file" and (_LIBRARY.search(name) or self._is_program(f"{folder}/{name}")):
                yield f"{folder}/{name}"

    def _item(self, kind: Kind, path: str, named: _Named) -> Item:
        name = path.rpartition("/")[2]
        return Item(kind=kind, name=name, path=path, user=named.user, evidence=(Evidence(named.where, path),))

    def _is_program(self, path: str) -> bool:
        found = self._files.stat(path)
        return found is not None and found.kind == "file" and bool(found.mode & 0o111)

    def unnamed(self) -> Iterator[Trace]:
        """What lies in folders just below others, as far as it shows itself."""
        own = own_folders(self._host, _KEPT_STATES)
        for top in (*own, *_TOPS):
            yield from self._below(top, "", deep=top in own or top in _DEEP)
        for user, home in self._people:
            yield from self._below(home, user, deep=False)
            # Below /home, a root of a system is taken for somebody's home, and a home may be made to look like a root.
            if next(shapes(self._host, home, ""), None) == ROOT:
                yield from self._shown(ROOT, _Named(home, user))
        seen = Seen()
        for pattern, shape in _SANDBOXES:
            for place in places(self._host, (pattern,)):
                real = self._files.real(place.path) or "/"
                if real not in self._homes | _SHARED and seen.first(real, place.user) and self._files.list(real):
                    yield from self._shown(shape, _Named(*place))
        for top in ("/var", "/var/lib"):
            for name, kind in self._files.list(top):
                if kind == "dir" and _HINT.search(name):
                    yield from self._below(f"{top}/{name}", "", deep=True)
        for place in places(self._host, _BUILDERS):
            if _PACKED.search(place.path) or place.path.endswith(_IMAGES):
                yield from self._image(_Named(*place))
            else:
                yield from self._folder(_Named(*place))

    def states(self) -> Iterator[Trace]:
        """What lies in snapshots and in deployments beside the running one: each state of the system once.

        Of a snapshot that has what another one has, or the system itself, nothing is read twice: many differ in
        nothing but logs.
        """
        met: set[tuple[object, ...]] = set()
        for place in places(self._host, _STATES):
            if not met:
                met.add(self._state(""))
            state = self._state(place.path)
            if state in met:
                yield LeftOut("listed as another item")
                continue
            met.add(state)
            if len(met) > _MOST_STATES:
                yield Problem(
                    place.path, f"more than {_MOST_STATES} states of the system: the rest was not read", "limit"
                )
                return
            inner = layered_host(self._host, (place.path,), place.path)
            if inner is not None:
                yield Inside(f"earlier or later state {place.path}", "", inner)

    def _state(self, top: str) -> tuple[object, ...]:
        """What tells one state of a system from another, as far as software is concerned."""
        found: list[object] = []
        for path in _TELLING:
            stat = self._files.stat(f"{top}{path}")
            if stat is not None and stat.kind == "dir":
                found.append(tuple(entry.name for entry in self._files.list(f"{top}{path}")))
            elif stat is not None:  # in OSTree, the times of all files are the same
                found.append((stat.size, stat.mtime, self._files.head(f"{top}{path}", 4096)))
            else:
                found.append(None)
        return tuple(found)

    def _below(self, top: str, user: str, *, deep: bool) -> Iterator[Trace]:
        """What a folder is, and those in it."""
        yield from self._folder(_Named(top, user))
        for name, kind in self._files.list(top) if top not in self._recognised else ():
            path = f"{top}/{name}"
            if kind == "file" and name.lower().endswith(_DISKS):
                yield from self._image(_Named(path, user))
            elif kind == "dir":
                yield from self._folder(_Named(path, user))
                if name[0] != "." and (deep or _HINT.search(name)) and path not in self._recognised:
                    entries = self._files.list(path)
                    folders = (below for below, its_kind in entries if its_kind == "dir")
                    for below in limited(self._host, path, folders, _CHILDREN):
                        yield from self._folder(_Named(f"{path}/{below}", user))
                    for below, its_kind in entries:
                        if its_kind == "file" and below.lower().endswith(_DISKS):
                            yield from self._image(_Named(f"{path}/{below}", user))

    def _expanded(self, path: str, user: str) -> Iterator[str]:
        """The path for the user whose file names it, or else for all users."""
        if path[0] != "~" and USER not in path:
            yield path
            return
        for name, home in self._people:
            if user in ("", name):
                yield (home + path[1:] if path[0] == "~" else path).replace(USER, name)

    def _place(self, named: _Named, text: str) -> Iterator[Trace]:
        """What a path is, or else a folder that holds it: a program within a root shows the root."""
        path = named.path
        if path.endswith(_IMAGES):
            yield from self._image(named)
            return
        top = _top(path)
        if top not in self._tops:
            self._tops[top] = bool(self._files.list(top))
        if not self._tops[top]:
            at = text.find(path)
            if at > 0 and _KEYS.search(text[max(0, at - 60) : at]):
                yield from self._promised(named)
            return
        while path and (path, named.user) not in self._met and path not in self._homes and path not in _SHARED:
            self._met.add((path, named.user))
            if _KNOWN.match(path):
                return
            yield from self._folder(named._replace(path=path), text, first=path == named.path)
            if path in self._recognised:
                return
            path = path.rpartition("/")[0]

    def _folder(self, named: _Named, text: str = "", *, first: bool = True) -> Iterator[Trace]:
        """What a folder is, and if it is nothing, what the folders in it are."""
        path = named.path
        real = self._files.real(path)
        if real is None or real in self._homes or real in _SHARED or _KNOWN.match(real):
            return
        if (not named.where and self._seen.met(real)) or not self._seen.first(real, named.user):
            return
        for shape in shapes(self._host, path, text):
            self._recognised.add(path)
            yield from self._shown(shape, named)
        if first and path not in self._recognised and named.where:
            folders = (name for name, kind in self._files.list(path) if kind == "dir")
            for name in limited(self._host, path, folders, _CHILDREN):
                yield from self._folder(named._replace(path=f"{path}/{name}"), text, first=False)

    def _root(self, named: _Named) -> Iterator[Trace]:
        """A folder that is said to be a root, whatever lies in it."""
        real = self._files.real(named.path)
        if real is None or not self._files.list(real):
            yield from self._promised(named)
        elif real != "/" and real not in _SHARED and self._seen.first(real, named.user):
            yield from self._shown(ROOT, named)

    def _shown(self, shape: Shape, named: _Named) -> Iterator[Inside]:
        """What such a folder holds, unless its source finds it anyway."""
        folder = f"{named.path}/{shape.inner}" if shape.inner else named.path
        if not shape.at:
            self._recognised.add(named.path)
            inner = layered_host(self._host, (folder,), folder)
            if inner is not None and not _is_usual(self._host, folder, "guests"):
                yield Inside(f"root in {folder}", named.user, inner)
            return
        usual = [home + shape.at[1:] for home in self._homes] if shape.at[0] == "~" else [shape.at]
        if folder in usual or self._is_followed(shape, named):
            return
        if shape in _OF_SANDBOXES:
            sources = tuple(one for one in shape.sources if not _is_usual(self._host, folder, one))
        else:
            sources = () if _is_usual(self._host, folder, shape.sources[0]) else shape.sources
        if not sources:
            return
        at = shape.at.replace("~", "/home/user", 1)
        files = self._files.placed(folder, at)
        if files is not None:
            inner = Host(HostInfo(name=folder, platform="linux", root=folder), files, posix_users(files))
            moved = Moved(folder, at, sources, named.where)
            yield Inside(folder, named.user or self._owner(folder), inner, moved)

    def _is_followed(self, shape: Shape, named: _Named) -> bool:
        """Whether the source that reads such a folder reads the settings that name it, too."""
        if shape.at in ("/var/lib/docker", "/var/lib/containers/storage"):
            if self._stores is None:
                found = (*_result(docker_roots(self._host)), *_result(podman_roots(self._host)))
                self._stores = {place.path for place, _ in found}
            return named.path in self._stores
        source = shape.sources[0]
        return bool(named.where) and source in _FOLLOWING and _is_read(self._host, named.where, source)

    def _owner(self, folder: str) -> str:
        for name, home in self._people:
            if folder.startswith(f"{home}/"):
                return name
        stat = self._files.stat(folder)
        return next((user.name for user in self._host.users if stat and stat.uid and user.uid == stat.uid), "")

    def _image(self, named: _Named) -> Iterator[Problem]:
        if self._files.is_file(named.path) or named.path.startswith("/dev/"):
            what = f"an image that {named.where} names" if named.where else "an image of a system"
            yield from self._problem(Problem(named.path, f"{what}, and not read", "unsupported", remedy=_OPEN_IT))
        else:
            yield from self._promised(named)

    def _promised(self, named: _Named) -> Iterator[Problem]:
        """A problem where a folder is not there, and what should hold it is not, either: a disk is not mounted."""
        if not _KNOWN.match(named.path) and self._files.gone(named.path) and not self._files.list(_top(named.path)):
            why = f"{named.where} names it, and nothing is there"
            yield from self._problem(Problem(named.path, why, "missing", remedy=_MOUNT))

    def _problem(self, problem: Problem) -> Iterator[Problem]:
        if problem.where not in self._problems:
            self._problems.add(problem.where)
            yield problem


def _said(text: str, keys: tuple[str, ...], pattern: re.Pattern[str]) -> Iterator[str]:
    """The paths that follow keys."""
    for key in keys:
        at = text.find(key)
        while at >= 0:
            found = pattern.match(text, at)
            if found:
                yield found[1].rstrip("/")
            at = text.find(key, at + 1)


def _top(path: str) -> str:
    """The folder below the root that holds a path, or the disk where disks are mounted."""
    names = path.split("/")
    return "/".join(names[: 3 if names[1] in ("mnt", "media") else 2])


def _result(roots: Generator[Problem | LeftOut, None, list[tuple[Place, str]]]) -> list[tuple[Place, str]]:
    """What a generator returns; what is wrong with the settings, the source of the containers says."""
    while True:
        try:
            next(roots)
        except StopIteration as stop:
            found: list[tuple[Place, str]] = stop.value
            return found


def _is_read(host: Host, file: str, name: str) -> bool:
    """Whether a source reads a file by its name."""
    homes = [user.home for user in host.users if user.home]
    for pattern in map("/".join, _patterns(name)):
        for place in [home + pattern[1:] for home in homes] if pattern[0] == "~" else [pattern]:
            if file == place or ("*" in place and fnmatchcase(file, place)):
                return True
    return False


def _is_usual(host: Host, folder: str, name: str) -> bool:
    """Whether a source reads a folder anyway, because it lies where such a folder usually does."""
    homes = [user.home.split("/") for user in host.users if user.home]
    parts = folder.split("/")
    for first, *rest in _patterns(name):
        for home in homes if first == "~" else [[first]]:
            wanted = [*home, *rest]
            if len(home) < len(parts) < len(wanted) and all(
                part == pattern or ("*" in pattern and fnmatchcase(part, pattern))
                for part, pattern in zip(parts, wanted, strict=False)
            ):
                return True
    return False


@cache
def _patterns(name: str) -> tuple[tuple[str, ...], ...]:
    """What a source reads, without what it finds anywhere."""
    from phaseout.sources import load_named

    reads = (pattern for source in load_named((name,)) for pattern in source.reads)
    return tuple(tuple(pattern.split("/")) for pattern in reads if "**" not in pattern and "\\" not in pattern)


SOURCE = Source(
    name="elsewhere",
    title="Folders that lie elsewhere than usual, and roots of further systems",
    platforms=("linux",),
    kinds=get_args(Kind),
    needs=(),
    reads=(*NAMING_FILES, "/[!e]*/**", *_TELLING, *(f"{state}{path}" for state in _STATES for path in _TELLING)),
    limits="What only the settings of a program name that is not known here is not found, and neither is the root of a "
    "system deep in other folders.",
    collect=collect,
)
