r"""Packages for Node.js that are installed for a whole system or user: by npm, pnpm, yarn, bun, and by Debian.

Each version of Node.js that a manager of versions keeps has its own. What such a package needs itself lies below it
and is not listed.

References:
    https://docs.npmjs.com/cli/configuring-npm/folders; https://pnpm.io/settings#global-dir;
    https://classic.yarnpkg.com/en/docs/cli/global; https://bun.sh/docs/cli/install;
    https://www.debian.org/doc/packaging-manuals/nodejs-policy/ (/usr/share/nodejs).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.languages.npm_package import Package, npm_purl, package
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_PREFIXES = (
    *(
        "/usr",
        "/usr/local",
        "/opt/homebrew",
        "/home/linuxbrew/.linuxbrew",
        "/opt/local",
        "/usr/local/n/versions/node/*",
    ),
    *("/opt/node*", "/usr/local/nvm/versions/node/*", "~/.nvm/versions/node/*", "~/.config/nvm/versions/node/*"),
    *("~/.npm-global", "~/.npm-packages", "~/.local", "~/n", "~/.nodenv/versions/*", "~/.asdf/installs/nodejs/*"),
    *("~/.local/share/mise/installs/node/*", "~/.volta/tools/image/node/*", "~/.volta/tools/image/packages/*"),
    *("~/.volta/tools/image/packages/@*/*", "~/.fnm/node-versions/*/installation"),
    "~/.local/share/fnm/node-versions/*/installation",
    "~/Library/Application Support/fnm/node-versions/*/installation",
)
_ROOTS = (
    *(f"{prefix}/lib/node_modules" for prefix in _PREFIXES),
    *("/usr/share/nodejs", "/usr/lib/nodejs"),
    *("~/.local/share/pnpm/global/5/node_modules", "~/Library/pnpm/global/5/node_modules"),
    *("~/.local/share/pnpm/global/4/node_modules", "~/Library/pnpm/global/4/node_modules"),
    *("~/.config/yarn/global/node_modules", "~/.bun/install/global/node_modules"),
    *(r"C:\Program Files\nodejs\node_modules", r"C:\Program Files (x86)\nodejs\node_modules"),
    *(r"~\AppData\Roaming\npm\node_modules", r"~\AppData\Roaming\nvm\*\node_modules"),
    *(r"~\AppData\Local\nvm\*\node_modules", r"~\AppData\Local\pnpm\global\5\node_modules"),
    *(r"~\AppData\Local\Yarn\Data\global\node_modules", r"~\.bun\install\global\node_modules"),
    *(r"~\AppData\Local\Volta\tools\image\packages\*\node_modules",),
    *(r"~\AppData\Local\Volta\tools\image\packages\@*\*\node_modules",),
    *(r"~\AppData\Roaming\fnm\node-versions\*\installation\node_modules",),
)
# Since pnpm 11 each package has a folder here, and is installed only where a link leads to that folder.
_LINKED = ("~/.local/share/pnpm/global/v*", "~/Library/pnpm/global/v*", r"~\AppData\Local\pnpm\global\v*")
_FILE = "package.json"
_LIMIT = 4 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder that is a package, even if nothing in it can be read."""
    separator = "\\" if host.info.platform == "windows" else "/"
    linked = list(places(host, _LINKED))
    installed = {
        real: Place(f"{place.path}{separator}{entry.name}{separator}node_modules", place.user)
        for place in linked
        for entry in host.files.list(place.path)
        if entry.kind == "link" and (real := host.files.real(f"{place.path}{separator}{entry.name}"))
    }
    kept = sum(
        entry.kind == "dir" and host.files.real(f"{place.path}{separator}{entry.name}") not in installed
        for place in linked
        for entry in host.files.list(place.path)
    )
    if kept:
        yield LeftOut("known but not installed", kept)
    for place in (*places(host, _ROOTS), *installed.values()):
        for name in _folders(host, place.path):
            path = f"{place.path}{separator}{name}"
            if not name.startswith("@"):
                yield from _package(host, place, path, separator, name)
                continue
            for scoped in _folders(host, path):
                yield from _package(host, place, f"{path}{separator}{scoped}", separator, f"{name}/{scoped}")


def _folders(host: Host, path: str) -> Iterator[str]:
    for entry in host.files.list(path):
        if entry.kind in ("dir", "link") and entry.name[0] != ".":  # a link: `npm link`, pnpm
            yield entry.name


def _package(host: Host, place: Place, path: str, separator: str, name: str) -> Iterator[Trace]:
    where = f"{path}{separator}{_FILE}"
    data = host.files.read(where, _LIMIT)
    found = Package("", "", "", "")
    if data is None:
        if host.files.gone(where):
            return  # a folder of files that no package.json describes, as Debian has them
    else:
        try:
            found = package(data)
        except ValueError as error:
            yield Problem(where, f"is damaged: {error}", "damaged")
    name = found.name or name
    yield Item(
        kind="library",
        name=name,
        vendor=found.vendor,
        version=found.version,
        path=path,
        user=place.user,
        ids={"purl": npm_purl(name, found.version)},
        details={"homepage": found.homepage, "language": "JavaScript"},
        evidence=(Evidence(where, f"name: {name}, version: {found.version}"),),
    )


SOURCE = Source(
    name="npm_packages",
    title="Packages for Node.js",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(
        f"{root}{separator}{package}{separator}{_FILE}"
        for root in (
            *_ROOTS,
            *(rf"{top}\*\node_modules" if "\\" in top else f"{top}/*/node_modules" for top in _LINKED),
        )
        for separator in ("\\" if "\\" in root else "/",)
        for package in ("*", f"@*{separator}*")
    ),
    limits="Packages inside projects, and those that a package brings along for itself, are not listed.",
    collect=collect,
)
