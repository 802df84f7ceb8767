"""Kernel modules: those that are loaded, those on disk that did not come with the kernel, and DKMS's sources.

References:
    proc(5) `/proc/modules`; https://docs.kernel.org/kbuild/modules.html (`updates`, `extra`), weak-modules(8), dkms(8).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.linux.deb822 import maintainer_name
from phaseout.parsers.linux.modinfo import loaded, modinfo
from phaseout.parsers.linux.shell_script import literals
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.walk import walk
from phaseout.sources.source import Source, Trace

_LOADED = "/proc/modules"
_SYS = "/sys/module"
_TREES = ("/lib/modules", "/usr/lib/modules")
_ADDED = ("dkms", "extra", "misc", "updates", "weak-updates")  # not `kernel`, which is the distribution's own
_DKMS = "/var/lib/dkms"
_SOURCES = "/usr/src"
_SUFFIXES = (".ko", ".ko.xz", ".ko.zst", ".ko.gz")
_HEAD = 4 << 20


def collect(host: Host) -> Iterator[Trace]:
    """An item for every trace: a module that is loaded and on disk has two."""
    if host.live:
        yield from _loaded(host)
    seen: set[str | None] = {None}
    for tree in _TREES:
        real = host.files.real(tree)
        if real in seen:
            continue
        seen.add(real)
        for kernel in host.files.list(tree):
            for added in _ADDED if kernel.kind == "dir" else ():
                yield from _on_disk(host, f"{tree}/{kernel.name}/{added}", kernel.name)
    yield from _dkms(host)
    yield from _sources(host)


def _loaded(host: Host) -> Iterator[Trace]:
    for number, module in enumerate(loaded(host.files.text(_LOADED) or ""), 1):
        if module is None:
            yield from damaged(f"{_LOADED}:{number}", "not a line of this file")
            continue
        # Only out-of-tree modules have a version of their own.
        version = (host.files.text(f"{_SYS}/{module.name}/version", 4096) or "") if module.taint else ""
        yield Item(
            kind="driver",
            name=module.name,
            state="running",
            version=version.strip(),
            details={"size": module.size, "used_by": module.used_by, "taint": module.taint},
            evidence=(Evidence(f"{_LOADED}:{number}", module.name),),
        )


def _on_disk(host: Host, top: str, kernel: str) -> Iterator[Trace]:
    for folder, entries in walk(host, top):
        for name, kind in entries:
            if kind == "dir":
                continue
            if name.endswith(_SUFFIXES):
                yield _file(host, f"{folder}/{name}", kernel)
            else:
                yield LeftOut("not a kernel module")


def _file(host: Host, path: str, kernel: str) -> Item:
    file = path.rpartition("/")[2]
    details = {"kernel": kernel}
    link = host.files.link(path)
    if link is not None:
        details["link"] = link
    said = modinfo(host.files.head(path, _HEAD) or b"") if file.endswith(".ko") else {}
    for key in ("description", "license", "vermagic"):
        details[key] = " ".join(said.get(key, ()))
    authors = said.get("author", ())
    return Item(
        kind="driver",
        # The kernel knows no dash in a name, a file may have one.
        name=file.partition(".ko")[0].replace("-", "_"),
        state="leftover" if link is not None and host.files.gone(path) else "installed",
        vendor=", ".join(maintainer_name(author) for author in authors[:5]),
        version=" ".join(said.get("version", ())),
        path=path,
        details=details,
        evidence=(Evidence(path, f"author={authors[0]}" if authors else link or ""),),
    )


def _dkms(host: Host) -> Iterator[Trace]:
    """Modules that DKMS builds: a folder for each, in it one for each version, in it one for each kernel."""
    for module in host.files.list(_DKMS):
        if module.kind != "dir":
            continue
        folder = f"{_DKMS}/{module.name}"
        versions = [entry.name for entry in host.files.list(folder) if entry.kind == "dir" and entry.name[0] != "."]
        for version in versions or [""]:
            path = f"{folder}/{version}".rstrip("/")
            source = host.files.link(f"{path}/source") if version else None
            kernels = [entry.name for entry in host.files.list(path) if entry.kind == "dir" and entry.name != "build"]
            yield Item(
                kind="driver",
                name=module.name,
                state="leftover" if not version or host.files.gone(f"{path}/source") else "installed",
                version=version,
                path=path,
                details={"dkms": "registered", "kernels": " ".join(kernels), "sources": source or ""},
                evidence=(Evidence(path, source or ""),),
            )


def _sources(host: Host) -> Iterator[Trace]:
    for entry in host.files.list(_SOURCES):
        path = f"{_SOURCES}/{entry.name}"
        text = host.files.text(f"{path}/dkms.conf", 1 << 20) if entry.kind != "file" else None
        if text is None:
            continue
        said = literals(text)
        name, _, version = entry.name.partition("-")
        yield Item(
            kind="driver",
            name=said.get("PACKAGE_NAME") or name,
            version=said.get("PACKAGE_VERSION") or version,
            path=path,
            details={"dkms": "sources", "modules": said.get("BUILT_MODULE_NAME[0]", "")},
            evidence=(Evidence(f"{path}/dkms.conf", f"PACKAGE_NAME={said.get('PACKAGE_NAME', '')}"),),
        )


SOURCE = Source(
    name="kernel_modules",
    title="Kernel modules",
    platforms=("linux",),
    kinds=("driver",),
    needs=(),
    reads=(
        *(_LOADED, f"{_SYS}/*/version"),
        *(f"{tree}/*/{added}/**/*.ko*" for tree in _TREES for added in _ADDED),
        *(f"{_DKMS}/*/*/*", f"{_SOURCES}/*/dkms.conf"),
    ),
    limits="Parts built into the kernel are not modules; compressed and very large modules show no vendor and version.",
    collect=collect,
)
