r"""App packages (AppX, MSIX): those of every user, those provisioned for new users, and those without a user.

The user's own classes and the store of all users say who has a package; its manifest says what it is called and who
makes it. A name that is a reference to a resource is looked up among the names that Windows has shown to a user before;
if it is not there, the package goes by its identity. A package is `leftover` if its folder is gone, or if no user has
it or will get it. What lies in a package may be another maker's: unless Microsoft published it, there is an item for
each product among its programs, too.

References:
    https://learn.microsoft.com/windows/msix/overview; the keys are undocumented, see `Repository\Packages` in
    https://github.com/osquery/osquery/blob/master/osquery/tables/system/windows/programs.cpp and `AppxAllUserStore` in
    https://learn.microsoft.com/windows/application-management/remove-provisioned-apps-during-update
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.appx import FullName, Manifest, common_name, full_name, manifest, publisher_id
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.packaged_programs import packaged_programs
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_OF_USER = r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
_SHOWN = r"Local Settings\MrtCache"
_STORE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore"
_PROVISIONED = ("Applications", "InboxApplications")
_STAGED = "Staged"
_MANIFEST = "AppxManifest.xml"
_BUNDLE = r"AppxMetadata\AppxBundleManifest.xml"
_SIZE = 4 << 20
_RESOURCES = "split."  # how the resource ids of mere languages and scales begin
_OF_MICROSOFT = frozenset(("8wekyb3d8bbwe", "cw5n1h2txyewy"))  # publishers: of the store, and of Windows itself
_REFERENCES = ("@{", "ms-resource:")


class _Package(NamedTuple):
    """What is known of a package of one user, or without a user."""

    name: FullName
    root: str = ""
    display: str = ""
    wanted: bool = False  # a user has it, or will get it
    provisioned: bool = False
    evidence: tuple[Evidence, ...] = ()

    def joined(self, other: "_Package") -> "_Package":
        """This package with what another place says about it."""
        return _Package(
            self.name,
            self.root or other.root,
            self.display or other.display,
            self.wanted or other.wanted,
            self.provisioned or other.provisioned,
            self.evidence + other.evidence,
        )


_Packages = dict[tuple[str, str], _Package]  # by full name in lower case, and user


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package of every user."""
    registry = registry_of(host)
    packages: _Packages = {}
    names = {user.sid: user.name for user in host.users if user.sid}
    for sid, user in names.items():
        yield from _listed(packages, registry.key(rf"HKU\{sid}_Classes\{_OF_USER}"), user, wanted=True)
    for key in subkeys(registry.key(_STORE)):
        if key.name in _PROVISIONED:
            yield from _listed(packages, key, "", wanted=True, provisioned=True)
        elif key.name == _STAGED:
            yield from _listed(packages, key, "", wanted=False)
        elif key.name.upper().startswith("S-1-"):
            yield from _listed(packages, key, names.get(key.name, key.name), wanted=True)
    manifests = _Manifests(host)
    yield from _unregistered(host, packages, manifests)
    titles = _Titles(host)
    missing = MissingFiles(host)
    wanted = {name for (name, _), package in packages.items() if package.wanted}
    met: set[str] = set()
    for (name, user), package in packages.items():
        if not package.wanted and name in wanted:
            yield LeftOut("listed as another item")
        else:
            yield _item(package, user, manifests.of(package.root), titles, missing)
        if package.name.publisher_id.lower() not in _OF_MICROSOFT and package.root.lower() not in met:
            met.add(package.root.lower())
            if package.root[1:3] == ":\\" and not host.files.gone(package.root):
                yield from packaged_programs(host, package.root, package.name.name)


def _listed(
    packages: _Packages, key: Key | None, user: str, *, wanted: bool, provisioned: bool = False
) -> Iterator[Trace]:
    """The packages that the subkeys of a key are named after."""
    for entry in subkeys(key):
        name = full_name(entry.name)
        if name is None:
            yield from damaged(entry.path, "not the name of a package")
        elif name.resource.startswith(_RESOURCES):
            yield LeftOut("part of another item")
        else:
            root = entry.text("PackageRootFolder") or _root(entry.text("Path"))
            display = entry.text("DisplayName")
            evidence = (Evidence(entry.path, display),)
            _add(packages, user, _Package(name, root, display, wanted, provisioned, evidence))


def _root(path: str) -> str:
    """The folder of a package, from the path of its manifest."""
    for manifest_file in (_BUNDLE, _MANIFEST):
        if path.lower().endswith("\\" + manifest_file.lower()):
            return path[: -len(manifest_file) - 1]
    return path


def _add(packages: _Packages, user: str, package: _Package) -> None:
    at = "_".join(package.name).lower(), user
    known = packages.get(at)
    packages[at] = package if known is None else known.joined(package)


def _unregistered(host: Host, packages: _Packages, manifests: "_Manifests") -> Iterator[Trace]:
    """The folders of packages that the registry does not name."""
    known = {name for name, _ in packages}
    roots = {package.root.lower() for package in packages.values()}
    for top in manifests.tops:
        if host.files.gone(top):
            continue
        for entry in host.files.list(top):
            root = rf"{top}\{entry.name}"
            if root.lower() in roots or entry.name.lower() in known:
                continue
            name = full_name(entry.name)
            if entry.kind == "dir" and name is None:
                found = manifests.of(root)
                if found is not None:
                    identity = f"{found.name}_{found.version}_{found.architecture or 'neutral'}"
                    name = full_name(f"{identity}__{publisher_id(found.publisher)}")
            if name is None:
                yield LeftOut("not a package")
                if entry.kind == "dir":
                    yield from packaged_programs(host, root, entry.name)
            elif name.resource.startswith(_RESOURCES):
                yield LeftOut("part of another item")
            else:
                _add(packages, "", _Package(name, root, evidence=(Evidence(root),)))


_OF_DRIVES = tuple(rf"{letter}:\WindowsApps" for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ")


class _Manifests:
    """Reads manifests, each once, and says where Windows keeps packages."""

    def __init__(self, host: Host) -> None:
        self._files = host.files
        self._found: dict[str, Manifest | None] = {}
        programs = host.variables.get("programfiles", "")
        self.tops = (
            rf"{programs}\WindowsApps",
            rf"{host.variables.get('systemroot', '')}\SystemApps",
            *_OF_DRIVES,
        )

    def of(self, root: str) -> Manifest | None:
        """The manifest in a folder; `None` where there is no readable one."""
        if root[1:3] != ":\\":
            return None
        if root not in self._found:
            self._found[root] = self._read(root)
        return self._found[root]

    def _read(self, root: str) -> Manifest | None:
        for name in (_MANIFEST, _BUNDLE):
            path = rf"{root}\{name}"
            data = self._files.read(path, _SIZE)
            if data is not None:
                try:
                    return manifest(data)
                except ValueError as error:
                    self._files.problems.append(Problem(path, f"is damaged: {error}", "damaged"))
                    return None
        return None


class _Titles:
    """Resolves names that are references: Windows remembers what it has shown to each user."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shown: dict[str, str] | None = None

    def of(self, name: str) -> str:
        """The name itself, or what it stands for; empty where that is not known."""
        if not name.startswith(_REFERENCES):
            return name
        if self._shown is None:
            self._shown = dict(self._read())
        return self._shown.get(name.lower(), "")

    def _read(self) -> Iterator[tuple[str, str]]:
        registry = registry_of(self._host)
        for user in self._host.users:
            cache = registry.key(rf"HKU\{user.sid}_Classes\{_SHOWN}") if user.sid else None
            for file in subkeys(cache):
                for state in file.subkeys():
                    for language in state.subkeys():
                        for name, value in language.values().items():
                            if name.startswith("@{") and isinstance(value, str):
                                yield name.lower(), value


def _item(package: _Package, user: str, found: Manifest | None, titles: _Titles, missing: MissingFiles) -> Item:
    name = package.name
    title = titles.of(package.display)
    vendor = publisher = ""
    if found is not None and publisher_id(found.publisher) == name.publisher_id.lower():
        publisher = found.publisher
        shown = "" if found.publisher_name.startswith(_REFERENCES) else found.publisher_name
        vendor = shown or common_name(publisher)
        title = title or titles.of(found.display_name)
    remarks = ("provisioned for new users" if package.provisioned else "", "" if package.wanted else "no user has it")
    state, unknown = missing.state(package.root)
    ids: dict[IdType, str] = {"package_family": name.family}
    return Item(
        kind="app",
        name=title or name.name,
        state=state if package.wanted else "leftover",
        vendor=vendor,
        version=name.version,
        path=package.root,
        user=user,
        ids=ids,
        details={
            "package": "_".join(name),
            "publisher": publisher,
            "arch": name.architecture,
            "note": ", ".join(filter(None, remarks)),
        },
        notes=unknown,
        evidence=package.evidence,
    )


SOURCE = Source(
    name="appx_packages",
    title="App packages of Windows (AppX, MSIX)",
    platforms=("windows",),
    kinds=("app", "program"),
    needs=("registry",),
    reads=(
        rf"HKU\*\{_OF_USER}",
        rf"HKU\*\{_SHOWN}",
        _STORE,
        *(
            rf"{top}\*\{name}"
            for top in (r"C:\Program Files\WindowsApps", r"C:\Windows\SystemApps", *_OF_DRIVES)
            for name in (_MANIFEST, _BUNDLE)
        ),
        *(rf"C:\**\{name}" for name in (_MANIFEST, _BUNDLE, "*.exe", "*.dll")),  # a package may be put anywhere
    ),
    limits="Names that only a package's resource file holds are not read: the package then goes by its own name.",
    collect=collect,
)
