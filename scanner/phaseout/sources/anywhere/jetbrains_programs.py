r"""Programs that JetBrains Toolbox has installed for a user, and what remote development has put into a home.

Toolbox keeps each program in a folder of its own, and says in `state.json` where, if that was moved. Up to its first
version there was a folder for each version of a program (`apps/IDEA-U/ch-0/233.15026.9`), since the second there is one
for each program. Each has a file that says what it is. Extensions are listed by `jetbrains_plugins`.

References:
    https://blog.jetbrains.com/toolbox-app/2023/08/toolbox-app-2-0-overhauls-installations-and-updates/;
    `product-info.json`: https://plugins.jetbrains.com/docs/intellij/plugin-compatibility.html and
    com.intellij.platform.buildData.productInfo of https://github.com/JetBrains/intellij-community;
    https://www.jetbrains.com/help/toolbox-app/general-settings.html (`.settings.json`, `install_location`)
"""

from collections.abc import Generator, Iterator
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.lenient_json import decode, member
from phaseout.sources.kit.parsed import parsed
from phaseout.sources.kit.places import Place, Seen, places
from phaseout.sources.kit.user_data import join
from phaseout.sources.source import Source, Trace

_TOPS = {
    "linux": "~/.local/share/JetBrains/Toolbox",
    "macos": "~/Library/Application Support/JetBrains/Toolbox",
    "windows": r"~\AppData\Local\JetBrains\Toolbox",
}
_REMOTE = {
    "linux": ("~/.cache/JetBrains/RemoteDev/dist/*", "~/.cache/JetBrains/JetBrainsClientDist/*"),
    "macos": ("~/Library/Caches/JetBrains/RemoteDev/dist/*", "~/Library/Caches/JetBrains/JetBrainsClientDist/*"),
    "windows": (r"~\AppData\Local\JetBrains\RemoteDev\dist\*", r"~\AppData\Local\JetBrains\JetBrainsClientDist\*"),
}
_BELOW = ("apps/*", "apps/*/ch-*/*")
_INFO = "product-info.json"
_IN_BUNDLE = f"Contents/Resources/{_INFO}"
_OWN = ("bin/jetbrains-toolbox", "bin/jetbrains-toolbox.exe")
_SIZE = 4 << 20
_MAKERS = {"AI": "Google"}  # Android Studio; all others are the vendor's own
_VENDOR = "JetBrains"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program of every user."""
    seen = Seen()
    for place in places(host, (_TOPS[host.info.platform],)):
        for own in _OWN:
            path = join(host, place.path, own)
            if host.files.is_file(path):
                yield Item(
                    kind="program",
                    name="JetBrains Toolbox",
                    vendor=_VENDOR,
                    path=path,
                    user=place.user,
                    evidence=(Evidence(path),),
                )
        for folder in (yield from _moved(host, place.path)):
            yield from _program(host, Place(folder, place.user), seen)
    for place in places(host, _folders(host.info.platform)):
        yield from _program(host, place, seen)


def _folders(platform: str) -> tuple[str, ...]:
    separator = "\\" if platform == "windows" else "/"
    return (*(f"{_TOPS[platform]}/{below}".replace("/", separator) for below in _BELOW), *_REMOTE[platform])


def _moved(host: Host, top: str) -> Generator[Problem | LeftOut, None, list[str]]:
    """The folders that Toolbox itself names, and those in the folder that its settings put programs into."""
    state: Any = yield from parsed(host, join(host, top, "state.json"), decode, _SIZE)
    tools = member(state, "tools")
    named = [member(tool, "installLocation") for tool in tools] if isinstance(tools, list) else []
    found = [folder for folder in named if isinstance(folder, str)]
    settings: Any = yield from parsed(host, join(host, top, ".settings.json"), decode, _SIZE)
    location = member(settings, "install_location")
    if isinstance(location, str) and location:
        apps = join(host, location, "apps")
        found += [join(host, apps, name) for name, kind in host.files.list(apps) if kind == "dir"]
    return found


def _program(host: Host, place: Place, seen: Seen) -> Iterator[Trace]:
    """The item of a folder; a folder that only holds the versions of a program has none."""
    folders = [place.path]
    if host.info.platform == "macos":
        folders += [join(host, place.path, name) for name, _ in host.files.list(place.path) if name.endswith(".app")]
    for folder in folders:
        for inner in (_INFO, _IN_BUNDLE):
            where = join(host, folder, inner)
            real = host.files.real(folder) if host.files.is_file(where) else None
            if real is None or not seen.first(real, place.user):
                continue
            value: Any = yield from parsed(host, where, decode, _SIZE, hides=False)  # the program is an item
            yield _item(folder, place.user, where, value if isinstance(value, dict) else {})


def _item(folder: str, user: str, where: str, info: dict[str, Any]) -> Item:
    def text(key: str) -> str:
        value = info.get(key)
        return value if isinstance(value, str) else ""

    name = text("name") or folder.replace("\\", "/").rpartition("/")[2].removesuffix(".app")
    version = text("version") or text("buildNumber")
    return Item(
        kind="program",
        name=name,
        vendor=text("productVendor") or _MAKERS.get(text("productCode"), _VENDOR),
        version=version,
        path=folder,
        user=user,
        evidence=(Evidence(where, f"{name} {version}".strip()),),
    )


SOURCE = Source(
    name="jetbrains_programs",
    title="Programs that JetBrains Toolbox has installed",
    platforms=("linux", "macos", "windows"),
    kinds=("program",),
    needs=(),
    reads=(
        *(
            one.replace("/", "\\") if platform == "windows" else one
            for platform, top in _TOPS.items()
            for one in (
                *(f"{top}/{file}" for file in ("state.json", ".settings.json", *_OWN)),
                *(f"{folder}/{inner}" for folder in _folders(platform) for inner in (_INFO, _IN_BUNDLE)),
                *(f"{folder}/*.app/{_IN_BUNDLE}" for folder in _folders(platform) if platform == "macos"),
            )
        ),
        *("/**/product-info.json", r"?:\**\product-info.json"),  # where Toolbox says that it has put a program
    ),
    limits="Editors that were unpacked elsewhere by hand are found as programs only.",
    collect=collect,
)
