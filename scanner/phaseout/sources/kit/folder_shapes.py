"""What a folder is, recognised by what lies in it, and which source reads such a folder where it usually lies.

Programs that keep their files elsewhere have there just what they have in their usual place: a Docker has
`overlay2`, a browser its profiles, a database of packages its tables. So one table says of each kind by what it is
known, where it would be usual, and who reads it there. The name of a folder alone says nothing.

References:
    file-hierarchy(7), os-release(5); for what each kind has, see the source that reads it.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase, translate
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.regex import regex
from phaseout.sources.kit.user_data import CHROMIUM, MOZILLA

Mark = tuple[str, ...]  # paths below the folder that must all be there; `*` and `[…]` in their names
_MOST = 50  # names that one pattern may fit

_BROWSERS = ("chromium_extensions", "firefox_addons", "nss_certificates", "native_messaging")
_PREFIXED = ("python_packages", "npm_packages", "ruby_gems", "homebrew", "powershell_modules")
_OF_HOME = (
    *(*_BROWSERS, *_PREFIXED, "editor_extensions", "jetbrains_plugins", "appimage", "flatpak", "systemd", "wine"),
    *("cargo_binaries", "go_binaries", "deno_programs", "dotnet_packages", "nix", "guix", "desktop_entries"),
    *("containers", "containerd", "guests", "vendor_folders"),
)


class Shape(NamedTuple):
    """One kind of folder.

    Attributes:
        at: where it usually is, `~` being the home of its user; empty for the root of a system.
        sources: the sources that read it there.
        marks: each is enough to recognise it.
        inner: what of the folder it is, if not the folder itself.
        name: what the folder is called, if that matters as well.
        word: what the file that names the folder must have in it.
        everywhere: whether it is worth reading where no file names the folder: not so what any project has.
    """

    at: str
    sources: tuple[str, ...]
    marks: tuple[Mark, ...]
    inner: str = ""
    name: str = "*"
    word: str = ""
    everywhere: bool = True


def _any(*marks: str) -> tuple[Mark, ...]:
    return tuple((mark,) for mark in marks)


_ROOT = (
    *_any("usr/bin", "usr/lib/os-release", "etc/os-release", "var/lib/dpkg", "var/lib/rpm", "var/lib/pacman"),
    *_any("lib/apk/db", "usr/lib/apk/db", "usr/lib/opkg", "var/lib/opkg", "var/db/pkg", "var/db/xbps", "nix/store"),
    *_any("usr/lib/sysimage", "var/lib/pkgtools", "var/log/packages", "var/lib/eopkg", "var/guix", "bin/busybox"),
    *(("bin", "etc", "usr"), ("bin", "etc", "lib", "var"), ("etc", "opt", "usr"), ("etc", "usr", "var")),
)
_EXTENSION = "*.*-[0-9]*.[0-9]*/package.json"  # publisher.name-1.2.3, and perhaps the platform
_CONTAINERD = "io.containerd.*"
SHAPES = (
    Shape("", (), _ROOT),
    *(
        Shape("", (), tuple(tuple(f"{inner}/{one}" for one in mark) for mark in _ROOT), inner)
        for inner in ("rootfs", "root")
    ),
    Shape(
        "~",
        _OF_HOME,
        _any(".config", ".local", ".mozilla", ".bashrc", ".profile", ".vscode", ".wine", ".dotnet", ".cargo", ".nuget"),
    ),
    # Folders of settings and data: XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_DATA_DIRS
    Shape(
        "~/.config",
        _OF_HOME,
        (
            *_any(
                *(
                    f"{top}/{mark}"
                    for top in CHROMIUM["linux"][".config"]
                    for mark in ("Local State", "Default", "Profile *")
                )
            ),
            *_any(*(f"{top}/profiles.ini" for top in MOZILLA["linux"][".config"])),
            *_any("autostart", "systemd/user", "user-dirs.dirs", "JetBrains", "containers/storage.conf", "nvm"),
        ),
    ),
    Shape(
        "~/.local/share",
        _OF_HOME,
        (
            *_any(
                "applications", "flatpak/repo", "Steam/steamapps", "JetBrains", "containers/storage", "docker/overlay2"
            ),
            *_any("bottles/bottles", "wineprefixes", "pipx/venvs", "uv/tools", "powershell/Modules", "code-server"),
            *_any(
                "AppImages", "gem/ruby", "lxc", "mamba/envs", "torbrowser", "containerd", "mise/installs", "virtualenvs"
            ),
        ),
    ),
    # Programs with additions
    Shape(
        "~/.config/chromium",
        ("chromium_extensions", "native_messaging"),
        (
            *_any("Local State", "Default/Preferences", "Default/Secure Preferences", "Default/Extensions"),
            *_any("Profile */Preferences", "Profile */Extensions"),
        ),
    ),
    Shape(
        "~/.config/chromium/Default",
        ("chromium_extensions",),
        (("Preferences", "Extensions"), ("Secure Preferences",), ("Preferences", "History")),
    ),
    Shape(
        "~/.mozilla/firefox", ("firefox_addons", "nss_certificates"), _any("profiles.ini", "*.default*/extensions.json")
    ),
    Shape(
        "~/.mozilla/firefox/elsewhere",
        ("firefox_addons", "nss_certificates"),
        (
            *_any("prefs.js", "addons.json", "cert9.db"),
            ("extensions.json", "extensions"),
            ("extensions.json", "times.json"),
        ),
    ),
    *(
        Shape("~/.vscode/extensions", ("editor_extensions",), ((f"{below}{_EXTENSION}",),), inner)
        for inner, below in (("", ""), ("extensions", "extensions/"), ("data/extensions", "data/extensions/"))
    ),
    Shape(
        "~/.local/share/JetBrains/elsewhere",
        ("jetbrains_plugins",),
        _any("*/META-INF/plugin.xml", "*/lib/*.jar"),
        name="*plugin*",
    ),
    Shape("~/.local/share/JetBrains/elsewhere", ("jetbrains_plugins",), _any("plugins/*/lib/*.jar"), "plugins"),
    Shape("~/Applications", ("appimage",), _any("*.[Aa][Pp][Pp][Ii][Mm][Aa][Gg][Ee]")),
    Shape("~/.wine", ("wine",), _any("drive_c")),
    Shape("~/.wine", ("wine",), _any("pfx/drive_c"), "pfx"),
    Shape("~/.local/share/Steam", ("wine",), _any("steamapps")),
    # Containers
    Shape(
        "/var/lib/docker",
        ("containers", "containerd"),
        (
            *_any("overlay2", "[0-9]*.[0-9]*/overlay2", "image/*/imagedb"),
            ("containers", "image"),
            ("buildkit", "volumes"),
        ),
    ),
    Shape(
        "/var/lib/containers/storage",
        ("containers",),
        (
            *_any(
                "overlay-images", "overlay-containers", "overlay-layers", "vfs-images", "vfs-containers", "vfs-layers"
            ),
            *(("overlay", "storage.lock"), ("vfs", "storage.lock"), ("overlay", "libpod"), ("vfs", "libpod")),
        ),
    ),
    *(
        Shape("/var/lib/containerd", ("containerd",), ((f"{inner}/{_CONTAINERD}".lstrip("/"),),), inner)
        for inner in ("", "containerd", "agent/containerd", "var/lib/containerd", "containerd/daemon")
    ),
    Shape("/var/lib/lxd", ("guests",), _any("storage-pools")),
    Shape("/var/lib/lxd/storage-pools/elsewhere", ("guests",), (("containers", "containers-snapshots"),)),
    Shape("/var/lib/flatpak", ("flatpak",), (("app", "repo"), ("app", "exports"), ("app", "runtime"))),
    # Databases of packages
    Shape("/var/lib/dpkg", ("dpkg",), (("info", "status"), ("available", "status"), ("status.d",))),
    Shape("/usr/lib/opkg", ("opkg",), (("info/*.control", "status"),)),
    Shape("/var/lib/rpm", ("rpm",), _any("rpmdb.sqlite", "Packages.db", "Packages")),
    Shape("/var/lib/pacman", ("pacman",), (("local/ALPM_DB_VERSION",), ("local", "sync"))),
    Shape("/nix", ("nix",), (("store", "var/nix"),)),
    Shape("~/.nix-profile", ("nix",), (("manifest.nix",), ("bin", "manifest.json"), ("manifest.json", "share"))),
    Shape("~/.guix-profile", ("guix",), (("etc", "manifest"), ("bin", "manifest"))),
    Shape("/home/linuxbrew/.linuxbrew", ("homebrew",), _any("Cellar", "Caskroom")),
    # Packages of programming languages
    Shape("~/miniconda3", ("python_packages",), _any("conda-meta", "envs/*/conda-meta"), everywhere=False),
    Shape(
        "/usr/local",
        _PREFIXED,
        _any(
            *("lib/python*/site-packages", "lib/python*/dist-packages", "lib64/python*/site-packages"),
            *("lib/node_modules", "lib/ruby/gems", "share/powershell/Modules"),
        ),
        everywhere=False,
    ),
    Shape(
        "/usr/lib/python3/dist-packages",
        ("python_packages",),
        _any("*.dist-info", "*.egg-info", "*.egg"),
        everywhere=False,
    ),
    Shape("~/.local/share/pipx", ("python_packages",), _any("venvs"), everywhere=False),
    Shape("~/.pyenv", ("python_packages",), _any("versions/*/lib/python*"), everywhere=False),
    Shape("~/.rbenv", ("ruby_gems",), _any("versions/*/lib/ruby"), everywhere=False),
    Shape("~/.nodenv", ("npm_packages",), _any("versions/*/lib/node_modules"), everywhere=False),
    Shape("~/.nvm", ("npm_packages",), _any("versions/node"), everywhere=False),
    Shape("~/.volta", ("npm_packages",), _any("tools/image"), everywhere=False),
    Shape("/usr/lib", ("npm_packages",), _any("node_modules"), everywhere=False),
    Shape("/var/lib/gems/elsewhere", ("ruby_gems",), _any("specifications"), everywhere=False),
    Shape("~/.gem", ("ruby_gems",), _any("ruby/*/specifications"), everywhere=False),
    Shape("~/.cargo", ("cargo_binaries",), _any(".crates.toml", ".crates2.json")),
    Shape("~/go", ("go_binaries",), (("bin", "pkg/mod"), ("bin", "src")), word="GOPATH", everywhere=False),
    Shape("~/go/bin", ("go_binaries",), (("*",),), word="GOBIN", everywhere=False),
    Shape("~/.deno", ("deno_programs",), _any("bin"), word="DENO_INSTALL", everywhere=False),
    Shape("~/.dotnet/tools", ("dotnet_packages",), _any(".store")),
    Shape("~/.nuget/packages", ("dotnet_packages",), _any("*/*/*.nuspec"), name="*nuget*", everywhere=False),
    Shape("~/.nuget/packages", ("dotnet_packages",), _any("*/*/*.nuspec"), name="packages", everywhere=False),
    Shape(
        "/usr/local/share/powershell/Modules", ("powershell_modules",), _any("*/*.psd1", "*/*/*.psd1"), name="*odules"
    ),
)
ROOT = SHAPES[0]
_PLAIN: dict[str, set[int]] = {}  # first name of a path of a mark → the shapes that it may show
_FITTING: dict[str, set[int]] = {}  # the same of patterns
for _number, _shape in enumerate(SHAPES):
    for _path in {path.partition("/")[0] for mark in _shape.marks for path in mark}:
        (_FITTING if "*" in _path else _PLAIN).setdefault(_path, set()).add(_number)
_PATTERNS = tuple((regex(translate(pattern)), numbers) for pattern, numbers in _FITTING.items() if pattern != "*")
_ANY_PATTERN = regex("|".join(translate(pattern) for pattern in _FITTING if pattern != "*"))
_BY_WORD = tuple((shape.word, number) for number, shape in enumerate(SHAPES) if shape.word)


def shapes(host: Host, folder: str, named_in: str) -> Iterator[Shape]:
    """What a folder is: nothing else where it is the root of a system or a home, else all that it looks like.

    Args:
        host: where the folder lies.
        folder: its path.
        named_in: the text of the file that names it; empty where none does.
    """
    names = frozenset(entry.name for entry in host.files.list(folder))
    called = folder.rpartition("/")[2]
    # Nearly every folder is something else: that is found out first.
    numbers: set[int] = set()
    for name in names & _PLAIN.keys():
        numbers |= _PLAIN[name]
    fitting = list(filter(_ANY_PATTERN.match, names))
    for pattern, some in _PATTERNS if fitting else ():
        if any(map(pattern.match, fitting)):
            numbers |= some
    numbers.update(number for word, number in _BY_WORD if names and word in named_in)
    for shape in (SHAPES[number] for number in sorted(numbers)):
        wanted = shape.everywhere or (named_in and shape.word in named_in)
        if (
            wanted
            and fnmatchcase(called, shape.name)
            and any(all(_has(host, folder, names, path) for path in mark) for mark in shape.marks)
        ):
            yield shape
            if not shape.at or shape.at == "~":
                return


def _has(host: Host, folder: str, names: frozenset[str], path: str) -> bool:
    first, _, rest = path.partition("/")
    if "*" not in first:
        found = [first] if first in names else []
    else:
        found = [name for name in names if fnmatchcase(name, first)][:_MOST]
    if not rest or not found:
        return bool(found)
    if "*" not in rest:
        return any(host.files.exists(f"{folder}/{name}/{rest}") for name in found)
    return any(
        _has(host, f"{folder}/{name}", frozenset(entry.name for entry in host.files.list(f"{folder}/{name}")), rest)
        for name in found
    )
