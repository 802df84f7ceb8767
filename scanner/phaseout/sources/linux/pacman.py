"""Packages in the local database of pacman, as on Arch Linux and Manjaro.

References:
    https://man.archlinux.org/man/alpm-db.7 (folders are called NAME-VERSION-RELEASE), alpm-db-desc(5),
    pacman.conf(5) (`DBPath`, `RootDir`, `Include`); makepkg.conf(5) for the default of PACKAGER.
"""

from collections.abc import Iterator

from phaseout.host import OS_RELEASE, Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.linux.alpm_desc import fields as desc_fields
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.places import places
from phaseout.sources.kit.system_purl import system_purl
from phaseout.sources.source import Source, Trace

_FOLDERS = ("/var/lib/pacman", "/usr/lib/sysimage/lib/pacman")  # the second of images that are updated whole
_SETTINGS = "/etc/pacman.conf"
_INCLUDED = "/etc/pacman.d/"
_MOST_FILES = 100  # of settings: those that include the first again end somewhere
_SYSTEMS = frozenset(("arch", "archlinux", "manjaro", "artix", "endeavouros", "steamos", "msys2"))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every folder; where its `desc` is damaged, name and version are taken from the folder's name."""
    found = False
    own = _db_path(host)
    for folder in {host.files.real(folder): folder for folder in reversed((*own, *_FOLDERS))}.values():
        for entry in host.files.list(f"{folder}/local"):
            if entry.kind != "file":  # ALPM_DB_VERSION
                found = True
                yield from _package(host, f"{folder}/local", entry.name)
    if not found and (host.families & _SYSTEMS or (own and not host.families)):
        where = f"{(*own, *_FOLDERS)[0]}/local"
        yield Problem(where, "holds no package, though this is a system of pacman", "missing")


def _db_path(host: Host) -> tuple[str, ...]:
    """The folder that the settings name, in their own file or in one that it includes."""
    files = [_SETTINGS]
    options: dict[str, str] = {}
    for file in files:
        for line in (host.files.text(file, 1 << 20) or "").split("\n"):
            key, equals, value = (part.strip() for part in line.partition("="))
            if key == "Include" and value.startswith(_INCLUDED) and len(files) < _MOST_FILES:
                files += [place.path for place in places(host, (value,)) if place.path not in files]
            elif key == "Include" and value not in files:
                host.files.problems.append(Problem(value, f"{file} includes it, and it was not read", "unsupported"))
            elif equals:
                options.setdefault(key, value)  # as with pacman, the first counts
    path = options.get("DBPath", "").rstrip("/")
    if not path and options.get("RootDir", "").startswith("/"):
        path = f"{options['RootDir'].rstrip('/')}/var/lib/pacman"
    return (path,) if path.startswith("/") else ()


def _package(host: Host, local: str, folder: str) -> Iterator[Trace]:
    path = f"{local}/{folder}/desc"
    text = host.files.text(path, 1 << 20)
    desc = desc_fields(text or "")
    name, version = desc.get("NAME", ""), desc.get("VERSION", "")
    if not name or "" in desc:
        parts = folder.rsplit("-", 2)
        if not name and len(parts) < 3:
            yield from damaged(path, "names no package")
            return
        yield Problem(path, "is damaged" if text else "is missing or empty", "damaged" if text else "missing")
        name, version = name or parts[0], version or "-".join(parts[1:])
    packager = desc.get("PACKAGER", "")
    arch = desc.get("ARCH", "")
    yield Item(
        kind="package",
        name=name,
        vendor="" if packager == "Unknown Packager" else maintainer_name(packager),
        version=version,
        ids={"purl": system_purl(host, "alpm", name, version, arch=arch)},
        details={
            "arch": arch,
            "base": desc.get("BASE", ""),
            "homepage": desc.get("URL", ""),
            "installed": rfc3339(desc.get("INSTALLDATE", "")),
            "packager": packager,
        },
        evidence=(Evidence(path, f"%NAME% {name}, %VERSION% {version}"),),
    )


SOURCE = Source(
    name="pacman",
    title="Arch packages",
    platforms=("linux",),
    kinds=("package",),
    needs=(),
    reads=(
        *(f"{folder}/local/*/desc" for folder in _FOLDERS),
        "/**/local/*/desc",
        _SETTINGS,
        f"{_INCLUDED}**/*",
        *OS_RELEASE,
    ),
    limits="Software unpacked by hand is not in pacman's database.",
    collect=collect,
)
