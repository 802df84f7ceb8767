r"""Plugins that users have added to JetBrains' editors and to Android Studio.

A plugin is a folder with archives in `lib`, one of which holds its description, or a single archive. The plugins that
come with an editor are part of it and lie elsewhere.

References:
    https://www.jetbrains.com/help/idea/directories-used-by-the-ide-to-store-settings-caches-plugins-and-logs.html;
    https://plugins.jetbrains.com/docs/intellij/plugin-content.html; disabled_plugins.txt: com.intellij.ide.plugins of
    https://github.com/JetBrains/intellij-community
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.sources.kit.places import places
from phaseout.sources.kit.user_data import Table, UserData, join, present
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.parsers.languages.jetbrains_plugin import Plugin

_PLACES: Table = {
    "linux": {
        ".local/share": {"JetBrains": "JetBrains", "Google": "Google"},
        ".var/app": {
            "com.jetbrains.IntelliJ-IDEA-Community/data/JetBrains": "JetBrains",
            "com.jetbrains.PyCharm-Community/data/JetBrains": "JetBrains",
            "com.google.AndroidStudio/data/Google": "Google",
        },
    },
    "macos": {"Library/Application Support": {"JetBrains": "JetBrains", "Google": "Google"}},
    "windows": {"AppData/Roaming": {"JetBrains": "JetBrains", "Google": "Google"}},
}
_REMOTE = "RemoteDev-"  # and the code of a product
_PRODUCT = regex(rf"[A-Z][A-Za-z]+(?:Preview)?\d{{4}}\.\d+(?:\.\d+)?|{_REMOTE}[A-Z]{{2}}")
_BESIDE = (
    "~/.local/share/JetBrains/Toolbox/apps/*/ch-*/*.plugins",
    "~/Library/Application Support/JetBrains/Toolbox/apps/*/ch-*/*.plugins",
    r"~\AppData\Local\JetBrains\Toolbox\apps\*\ch-*\*.plugins",
)
_DESCRIPTION = "META-INF/plugin.xml"
_DISABLED = "disabled_plugins.txt"
_JARS = 300  # of one plugin
_ARCHIVE = 512 << 20
_NAMES = 1000  # entries of a folder


def collect(host: Host) -> Iterator[Trace]:
    """An item for every plugin of every version of every editor and user."""
    for place in present(host, _PLACES):
        for entry in host.files.list(place.folder):
            if entry.kind in ("dir", "link") and _PRODUCT.fullmatch(entry.name):
                yield from _product(host, place, entry.name)
    # Of an editor that the first Toolbox has installed, they lie beside its folder.
    for folder, user in places(host, _BESIDE):
        product = folder.replace("\\", "/").rpartition("/apps/")[2].partition("/")[0]
        yield from _plugins(host, UserData("", user, folder), product, folder, folder)


def _product(host: Host, place: UserData, product: str) -> Iterator[Trace]:
    """On Linux the plugins lie in the folder itself, and the settings in another one."""
    folder = join(host, place.folder, product)
    settings = folder
    if host.info.platform == "linux":
        settings = folder.replace("/.local/share/", "/.config/").replace("/data/", "/config/")
        if product.startswith(_REMOTE):  # has a folder for each project
            for entry in host.files.list(folder):
                if entry.kind == "dir":
                    inner, its = join(host, folder, entry.name), join(host, settings, entry.name)
                    yield from _plugins(host, place, product, inner, its)
            return
    else:
        folder = join(host, folder, "plugins")
    yield from _plugins(host, place, product, folder, settings)


def _plugins(host: Host, place: UserData, product: str, folder: str, settings: str) -> Iterator[Trace]:
    entries = [one for one in host.files.list(folder) if one.name[0] != "."]
    if not entries:
        return
    if len(entries) > _NAMES:
        yield Problem(folder, f"more than {_NAMES} entries: the rest was not read", "limit")
    disabled = frozenset(line.strip() for line in (host.files.text(join(host, settings, _DISABLED)) or "").splitlines())
    for entry in entries[:_NAMES]:
        path = join(host, folder, entry.name)
        if entry.name.endswith((".jar", ".zip")) and entry.kind != "dir":
            found, where, problem = _in_archives(host, [path])
        elif entry.kind in ("dir", "link"):
            found, where, problem = _in_folder(host, path, entry.name)
        else:
            continue
        if problem is not None:
            yield problem
        if found is None and problem is None and not host.files.is_dir(join(host, path, "lib")):
            yield LeftOut("not an extension")
        else:
            yield _item(place, product, path, entry.name, found, where, disabled)


def _in_folder(host: Host, folder: str, name: str) -> tuple["Plugin | None", str, Problem | None]:
    from phaseout.parsers.languages.jetbrains_plugin import plugin

    where = join(host, folder, _DESCRIPTION)
    data = host.files.read(where)
    if data is not None:
        try:
            return plugin(data), where, None
        except ValueError as error:
            return None, where, Problem(where, f"is damaged: {error}", "damaged")
    lib = join(host, folder, "lib")
    jars = [one.name for one in host.files.list(lib) if one.name.endswith(".jar")]
    key = name.lower().replace(" ", "-")
    jars.sort(key=lambda jar: (not jar.lower().startswith(key), len(jar)))  # usually named like the plugin
    found = _in_archives(host, [join(host, lib, jar) for jar in jars[:_JARS]])
    if found[0] is None and found[2] is None and len(jars) > _JARS:
        return None, lib, Problem(lib, f"more than {_JARS} archives: the rest was not read", "limit")
    return found


def _in_archives(host: Host, paths: list[str]) -> tuple["Plugin | None", str, Problem | None]:
    """The first description found; a damaged archive is reported only if no archive has one."""
    from phaseout.parsers.encodings.zip_archive import Archive
    from phaseout.parsers.languages.jetbrains_plugin import plugin

    problem: Problem | None = None
    for path in paths:
        file = host.files.open(path, _ARCHIVE)
        if file is None:
            continue
        with file:
            try:
                data = Archive(file).read(_DESCRIPTION)
                if data is not None:
                    return plugin(data), path, None
            except (ValueError, OSError) as error:
                problem = problem or Problem(path, f"is damaged: {error}", "damaged")
    return None, problem.where if problem is not None else paths[0] if paths else "", problem


def _item(
    place: UserData, product: str, path: str, name: str, found: "Plugin | None", where: str, disabled: frozenset[str]
) -> Item:
    name = name.removesuffix(".jar").removesuffix(".zip")
    id_ = found.id if found is not None else ""
    version = found.version if found is not None else ""
    return Item(
        kind="extension",
        name=(found.name if found is not None else "") or name,
        vendor=found.vendor if found is not None else "",
        version=version,
        path=path,
        user=place.user,
        ids={"extension_id": id_},
        details={
            "editor": product,
            "enabled": "" if not id_ else "no" if id_ in disabled else "yes",
        },
        evidence=(Evidence(where or path, f"{id_ or name} {version}".strip()),),
    )


def _reads() -> Iterator[str]:
    for platform, bases in _PLACES.items():
        plugins = "*" if platform == "linux" else "*/plugins"
        for base, paths in bases.items():
            for path in paths:
                top = f"~/{base}/{path}"
                files = [f"{top}/{plugins}/*/{inside}" for inside in (_DESCRIPTION, "lib/*.jar")]
                settings = top.replace("/.local/share/", "/.config/").replace("/data/", "/config/")
                files.append(f"{settings if platform == 'linux' else top}/*/{_DISABLED}")
                if platform == "linux":
                    files += [f"{top}/{_REMOTE}*/*/*/{inside}" for inside in (_DESCRIPTION, "lib/*.jar")]
                    files.append(f"{settings}/{_REMOTE}*/*/{_DISABLED}")
                yield from (file.replace("/", "\\") if platform == "windows" else file for file in files)
    for beside in _BESIDE:
        separator = "\\" if "\\" in beside else "/"
        for file in (f"*/{_DESCRIPTION}", "*/lib/*.jar", "*.jar", _DISABLED):
            yield beside + separator + file.replace("/", separator)


SOURCE = Source(
    name="jetbrains_plugins",
    title="Plugins of JetBrains' editors",
    platforms=("linux", "macos", "windows"),
    kinds=("extension",),
    needs=(),
    reads=tuple(_reads()),
    limits="Folders that an editor is configured to use instead of the usual ones, or from before 2020, are not found.",
    collect=collect,
)
