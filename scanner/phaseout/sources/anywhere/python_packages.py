r"""Python packages of the system, of its users, and of the tools that keep environments: pipx, uv, pyenv, conda.

A package is a folder or file that its installer left beside it, even if nothing in it can be read. conda's own
packages, Python itself among them, are known by the names of its records.

References:
    https://packaging.python.org/en/latest/specifications/recording-installed-packages/; PEP 370 (folders of users);
    https://docs.python.org/3/library/site.html; https://wiki.debian.org/Python (dist-packages);
    https://pipx.pypa.io/latest/reference/environment-variables/; https://docs.astral.sh/uv/reference/storage/;
    https://docs.conda.io/projects/conda/en/latest/dev-guide/specs/ (conda-meta).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.languages.python_metadata import Metadata, from_name, metadata
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_CONDA = (
    *("/opt/conda", "/opt/anaconda3", "/opt/miniconda3", "/opt/miniforge3", "/usr/local/miniconda3"),
    *(f"~/{name}" for name in ("anaconda3", "miniconda3", "miniforge3", "mambaforge", "micromamba", ".conda")),
    *("~/.local/share/mamba", "/opt/micromamba", "/opt/mambaforge"),
    *("~/opt/anaconda3", "~/opt/miniconda3", "/opt/homebrew/Caskroom/miniconda/base"),
)
_CONDA_WINDOWS = (
    *(
        rf"{place}\{name}"
        for place in ("~", r"~\AppData\Local", r"C:\ProgramData", "C:")
        for name in ("anaconda3", "miniconda3", "miniforge3", "mambaforge", "micromamba")
    ),
    *(r"~\.local\share\mamba", r"~\AppData\Roaming\mamba"),
)
_PIXI = ("~/.pixi/envs/*", r"~\.pixi\envs\*")
_ENVIRONMENTS = ("~/.conda/environments.txt", r"~\.conda\environments.txt")  # whatever conda ever made, a path a line
# Every environment below these has its own `lib/python3.x/site-packages`.
_PREFIXES = (
    *("/usr", "/usr/local", "/opt/*", "/opt/pipx/venvs/*", "/opt/homebrew", "/home/linuxbrew/.linuxbrew"),
    *("~/.local", "~/.local/pipx/venvs/*", "~/.local/share/pipx/venvs/*", "~/.local/share/uv/tools/*"),
    *("~/.local/share/uv/python/*", "~/.local/share/virtualenvs/*", "~/.local/share/mise/installs/python/*"),
    *(
        "~/.pyenv/versions/*",
        "~/.asdf/installs/python/*",
        "~/.virtualenvs/*",
        "~/Library/Application Support/pipx/venvs/*",
    ),
    # Environments of applications, and of other tools.
    *(f"{top}/{name}" for top in ("/opt/*", "/srv/*", "/usr/local/*", "/var/lib/*", "~") for name in ("venv", ".venv")),
    *("~/.cache/pypoetry/virtualenvs/*", "~/.rye/tools/*", "~/.local/share/pdm/venvs/*"),
    *(f"{prefix}{below}" for prefix in _CONDA for below in ("", "/envs/*")),
    _PIXI[0],
)
_PREFIXES_WINDOWS = (
    *(r"C:\Python3*", r"C:\Program Files\Python3*", r"C:\Program Files (x86)\Python3*"),
    *(r"~\AppData\Local\Programs\Python\Python3*", r"~\.pyenv\pyenv-win\versions\*", r"~\pipx\venvs\*"),
    *(r"~\.local\pipx\venvs\*", r"~\AppData\Local\pipx\pipx\venvs\*", r"~\AppData\Roaming\uv\tools\*"),
    *(r"~\AppData\Roaming\uv\python\*", r"~\AppData\Local\Python\pythoncore-*"),
    *(f"{prefix}{below}" for prefix in _CONDA_WINDOWS for below in ("", r"\envs\*")),
    _PIXI[1],
)
_SITES = (
    *("/usr/lib/python3/dist-packages", "/usr/local/lib/python3*/dist-packages", "/usr/lib/python2*/dist-packages"),
    *(f"{prefix}/lib/python*/site-packages" for prefix in _PREFIXES),
    *("/usr/lib64/python*/site-packages", "/usr/local/lib64/python*/site-packages"),
    "/Library/Frameworks/Python.framework/Versions/*/lib/python*/site-packages",
    *("/Library/Python/*/site-packages", "~/Library/Python/*/lib/python/site-packages"),
    *(rf"{prefix}\Lib\site-packages" for prefix in _PREFIXES_WINDOWS),
    r"~\AppData\Roaming\Python\Python*\site-packages",
    r"~\AppData\Local\Packages\PythonSoftwareFoundation.Python.*\LocalCache\local-packages\Python*\site-packages",
)
_RECORDS = (
    *(f"{prefix}{below}/conda-meta" for prefix in _CONDA for below in ("", "/envs/*")),
    *(rf"{prefix}{below}\conda-meta" for prefix in _CONDA_WINDOWS for below in ("", r"\envs\*")),
    *(f"{_PIXI[0]}/conda-meta", rf"{_PIXI[1]}\conda-meta"),
)
_HEAD = 16 << 10
_LINK = ".egg-link"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every package of every place."""
    separator = "\\" if host.info.platform == "windows" else "/"
    own = _own_environments(host)
    below = r"Lib\site-packages" if separator == "\\" else "lib/python*/site-packages"
    for place in places(host, (*_SITES, *(f"{prefix}{separator}{below}" for prefix in own))):
        for entry in host.files.list(place.path):
            path = f"{place.path}{separator}{entry.name}"
            if entry.name.endswith(_LINK):
                yield _linked(host, place, path, separator, entry)
                continue
            inside = _inside(entry)
            if inside is not None:
                yield _package(host, place, path, separator.join((path, *inside)), entry)
    for place in places(host, (*_RECORDS, *(f"{prefix}{separator}conda-meta" for prefix in own))):
        for entry in host.files.list(place.path):
            yield from _conda(place, f"{place.path}{separator}{entry.name}", entry.name)


def _own_environments(host: Host) -> list[str]:
    """The environments of conda that users made in folders of their own choice."""
    found: dict[str, None] = {}
    for place in places(host, _ENVIRONMENTS):
        for line in (host.files.text(place.path, 1 << 20) or "").splitlines():
            path = line.strip()
            absolute = path[1:3] == ":\\" if host.info.platform == "windows" else path.startswith("/")
            if absolute and "*" not in path:
                found[path.rstrip("\\/")] = None
    return list(found)


def _inside(entry: Entry) -> tuple[str, ...] | None:
    """Where below an entry the metadata is; `None` if the entry does not belong to a package."""
    name, kind = entry
    if name.endswith(".dist-info"):
        return ("METADATA",)
    if name.endswith(".egg-info"):
        return () if kind == "file" else ("PKG-INFO",)
    if name.endswith(".egg"):
        return () if kind == "file" else ("EGG-INFO", "PKG-INFO")
    return None


def _package(host: Host, place: Place, path: str, where: str, entry: Entry) -> Item:
    zipped = entry.kind == "file" and entry.name.endswith(".egg")
    data = None if zipped else host.files.head(where, _HEAD)
    found = metadata(data) if data else Metadata("", "", "", "")
    name, version = found.name, found.version
    if not name or not version:
        told = from_name(entry.name)
        name, version = name or told[0] or entry.name, version or told[1]
    left = entry.name.startswith("~")  # by a pip that was interrupted: it ignores these itself
    return Item(
        kind="library",
        name=name,
        state="leftover" if left else "installed",
        vendor=found.vendor,
        version=version,
        path=path,
        user=place.user,
        ids={"purl": purl("pypi", name.lower().replace("_", "-"), version)},
        details={"homepage": found.homepage, "language": "Python"},
        notes=("left by an installation or removal that did not finish",) if left else (),
        evidence=(Evidence(where if data else path, f"Name: {name}, Version: {version}"),),
    )


def _linked(host: Host, place: Place, link: str, separator: str, entry: Entry) -> Item:
    """A package that is used from the folder of its project (`setup.py develop`): the link's first line names it."""
    folder = (host.files.text(link, _HEAD) or "").partition("\n")[0].strip().rstrip(separator)
    name = entry.name.removesuffix(_LINK)
    for below in host.files.list(folder) if folder else ():
        if below.name.lower().replace("_", "-") == f"{name}.egg-info".lower().replace("_", "-"):
            path = f"{folder}{separator}{below.name}"
            where = path if below.kind == "file" else f"{path}{separator}PKG-INFO"
            return _package(host, place, path, where, below)
    return _package(host, place, link, link, entry)


def _conda(place: Place, path: str, file: str) -> Iterator[Trace]:
    """The records are named `NAME-VERSION-BUILD.json`, and long: each lists all files of its package."""
    if not file.endswith(".json"):
        return
    name, version, build = [*file[:-5].rsplit("-", 2), "", ""][:3]
    yield Item(
        kind="package",
        name=name,
        version=version,
        path=path,
        user=place.user,
        ids={"purl": purl("conda", name, version)},
        details={"build": build, "language": "conda"},
        evidence=(Evidence(path, file),),
    )


_FILES = ("*.dist-info/METADATA", "*.egg-info/PKG-INFO", "*.egg/EGG-INFO/PKG-INFO")
_ON_WINDOWS = tuple(file.replace("/", "\\") for file in _FILES)
SOURCE = Source(
    name="python_packages",
    title="Python packages",
    platforms=("linux", "macos", "windows"),
    kinds=("library", "package"),
    needs=(),
    reads=(
        *(f"{site}/{file}" for site in _SITES if "/" in site for file in _FILES),
        *(rf"{site}\{file}" for site in _SITES if "\\" in site for file in _ON_WINDOWS),
        *(*_RECORDS, *_ENVIRONMENTS),
        *("/**/conda-meta", r"C:\**\conda-meta"),  # of the environments that those files name
        *(rf"{site}\*{_LINK}" if "\\" in site else f"{site}/*{_LINK}" for site in _SITES),
        *("/**/*.egg-info", "/**/*.egg-info/PKG-INFO", r"C:\**\*.egg-info", r"C:\**\*.egg-info\PKG-INFO"),
        *(f"/**/site-packages/{file}" for file in _FILES),
        *(rf"C:\**\site-packages\{file}" for file in _ON_WINDOWS),
    ),
    limits="Virtual environments of projects, and what is inside a program that carries its own Python, are not seen.",
    collect=collect,
)
