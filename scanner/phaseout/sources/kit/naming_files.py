"""Files that tell programs where to keep what they have: units, menu entries, variables, settings, scripts.

What they say is read without regard to their syntax; see `phaseout.parsers.linux.named_paths`.

References:
    systemd.unit(5) (search paths), environment.d(5), pam_env.conf(5), bash(1), zsh(1), crontab(5), the Desktop Entry
    and Autostart Specifications; for settings of a program its own manual.
"""

from collections.abc import Iterator
from itertools import groupby

from phaseout.host import Host
from phaseout.model.nouns import Problem
from phaseout.sources.kit.places import Place

_LONGEST = 256 << 10  # bytes of a file; a script that wraps a program is short
_SCRIPT = 16 << 10
# Folder, and the files in it. `~` stands for the home of every user.
_TABLE = """
/etc/systemd/system *.service *.mount *.automount
/etc/systemd/system/*.d *.conf
/etc/systemd/system.control *.service
/etc/systemd/system.attached *.service
/run/systemd/system *.service
/run/systemd/system/*.d *.conf
/run/systemd/transient *.service
/usr/local/lib/systemd/system *.service
/usr/lib/systemd/system *.service
/usr/lib/systemd/system/*.service.d *.conf
/lib/systemd/system *.service
/etc/xdg/systemd/user *.service
/etc/systemd/user *.service
/etc/systemd/user/*.d *.conf
/usr/local/share/systemd/user *.service
/usr/share/systemd/user *.service
/usr/local/lib/systemd/user *.service
/usr/lib/systemd/user *.service
~/.config/systemd/user *.service
~/.config/systemd/user/*.d *.conf
~/.config/systemd/user.control *.service
~/.local/share/systemd/user *.service
/etc/systemd system.conf user.conf
/etc/systemd/system.conf.d *.conf
/etc/systemd/user.conf.d *.conf
/etc/systemd/nspawn *.nspawn
/run/systemd/nspawn *.nspawn
/var/lib/machines *.nspawn
/etc/init.d *
/etc/rc.d/init.d *
/etc rc.local inittab crontab supervisord.conf environment profile bash.bashrc bashrc zshenv zshrc rsyncd.conf
/etc pacman.conf csh.login pbuilderrc opkg.conf yum.conf make.conf pip.conf npmrc gemrc
/etc/rc.d rc.local
/etc/init *.conf
/etc/sv/* run
/etc/runit/sv/* run
/etc/s6/sv/* run
/etc/s6-rc/source/* run
/etc/dinit.d *
/etc/supervisor/conf.d *
/etc/supervisord.d *
/etc/monit/conf.d *
/etc/default *
/etc/sysconfig *
/etc/conf.d *
/etc/cron.d *
/etc/cron.hourly *
/etc/cron.daily *
/etc/cron.weekly *
/etc/cron.monthly *
/var/spool/cron *
/var/spool/cron/crontabs *
/var/spool/cron/tabs *
/etc/crontabs *
/usr/share/applications *.desktop
/usr/local/share/applications *.desktop
~/.local/share/applications *.desktop
~/.local/share/applications/* *.desktop
~/Desktop *.desktop
/etc/xdg/autostart *.desktop
~/.config/autostart *.desktop
~/.config/autostart-scripts *
~/.config/plasma-workspace/env *
~ .profile .bash_profile .bash_login .bashrc .bash_aliases .zshenv .zprofile .zshrc .zlogin .kshrc .mkshrc
~ .xprofile .xsession .xsessionrc .xinitrc .pam_environment
~ .pbuilderrc .sbuildrc .mmdebstraprc .rpmmacros .dpkg.cfg .pacman.conf .pydistutils.cfg .npmrc .yarnrc .yarnrc.yml
~ .condarc .mambarc .gemrc
/etc/environment.d *
/usr/lib/environment.d *
~/.config/environment.d *
/etc/security pam_env.conf
/etc/profile.d *.sh *.csh
/usr/etc/profile.d *.sh
/usr/etc environment profile
/etc/X11/xinit/xinitrc.d *
~ .cshrc .tcshrc .login
~/.config/nushell *.nu
~/.var/app/*/config *-flags.conf
~/.local/share/lutris/runners *.yml
~/.steam/steam/config config.vdf
~/.local/share/Steam/config config.vdf
/etc/zsh *
/etc/fish config.fish
/etc/fish/conf.d *
/etc/X11/Xsession.d *
~/.config/fish config.fish
~/.config/fish/conf.d *
~/.config user-dirs.dirs *-flags.conf mock.cfg
/etc/opt/chrome/policies/* *.json
/etc/chromium/policies/* *.json
/etc/chromium-browser/policies/* *.json
/etc/opt/edge/policies/* *.json
/etc/brave/policies/* *.json
/etc/vivaldi/policies/* *.json
/etc/opt/vivaldi/policies/* *.json
/etc/opt/yandex/browser/policies/* *.json
/etc/chromium.d *
/etc/chromium *.conf
/etc/chromium-browser *
/etc/firefox/policies policies.json
~/.mozilla/firefox profiles.ini
~/.config/mozilla/firefox profiles.ini
~/.thunderbird profiles.ini
~/.librewolf profiles.ini
~/snap/firefox/common/.mozilla/firefox profiles.ini
~/.var/app/org.mozilla.firefox/.mozilla/firefox profiles.ini
~/.local/share/flatpak/overrides *
/var/lib/flatpak/overrides *
~/.vscode argv.json
~/.vscode-oss argv.json
~/.cursor argv.json
~/.config/code-server config.yaml
~/.config/Code/User settings.json
~/.config/VSCodium/User settings.json
~/.config/JetBrains/* idea.properties *.vmoptions
~/.config/JetBrains/*/options *.xml
~/.local/share/JetBrains/Toolbox .settings.json
~/.local/share/Steam/steamapps libraryfolders.vdf
~/.local/share/Steam/config libraryfolders.vdf
~/.steam/steam/steamapps libraryfolders.vdf
~/.steam/steam/config libraryfolders.vdf
~/.var/app/com.valvesoftware.Steam/data/Steam/steamapps libraryfolders.vdf
~/.var/app/com.valvesoftware.Steam/.local/share/Steam/steamapps libraryfolders.vdf
~/snap/steam/common/.local/share/Steam/steamapps libraryfolders.vdf
~/.config/lutris *.yml lutris.conf
~/.config/lutris/games *.yml
~/.local/share/lutris *.yml
~/.local/share/lutris/games *.yml
~/.var/app/net.lutris.Lutris/data/lutris/games *.yml
~/.var/app/net.lutris.Lutris/config/lutris/games *.yml
~/.local/share/bottles data.yml library.yml
~/.var/app/com.usebottles.bottles/data/bottles data.yml library.yml
~/.config/heroic config.json
~/.config/heroic/store config.json
~/.config/heroic/GamesConfig *.json
~/.config/heroic/sideload_apps library.json
~/.var/app/com.heroicgameslauncher.hgl/config/heroic config.json
~/.var/app/com.heroicgameslauncher.hgl/config/heroic/store config.json
~/.var/app/com.heroicgameslauncher.hgl/config/heroic/GamesConfig *.json
~/.PlayOnLinux/configurations/installed *
~/.PlayOnLinux/shortcuts *
~/.config/q4wine *
/etc/docker daemon.json
~/.config/docker daemon.json
/etc/containers *.conf
/etc/containers/containers.conf.d *
/etc/containers/storage.conf.d *
/etc/containers/systemd *
~/.config/containers *.conf
~/.config/containers/containers.conf.d *
~/.config/containers/systemd *
/etc/crio *.conf
/etc/crio/crio.conf.d *
/etc/rancher/* config.yaml
/etc/rancher/*/config.yaml.d *
/etc/k0s *.yaml
/etc/containerd *.toml
/etc/nerdctl *.toml
~/.config/containerd *.toml
~/.config/nerdctl *.toml
/var/snap/*/current/args *
/etc/lxc *.conf
~/.config/lxc *.conf
/etc/schroot *.conf
/etc/schroot/chroot.d *
/etc/sbuild *.conf
~/.config/sbuild *
/etc/mock *.cfg
~/.config/mock *.cfg
/etc/apptainer *.conf
/etc/singularity *.conf
/etc/distrobox *.conf
~/.config/distrobox *.conf
/etc/libvirt/qemu *.xml
/etc/libvirt/lxc *.xml
/etc/libvirt/storage *.xml
~/.config/libvirt/qemu *.xml
~/.config/libvirt/storage *.xml
~/.config/VirtualBox VirtualBox.xml
/etc/rpm macros*
/usr/lib/rpm macros
/usr/lib/rpm/macros.d *
~/.config/rpm macros
/etc/opkg *.conf
/opt/etc opkg.conf
/etc/apk config
/etc/apt apt.conf
/etc/apt/apt.conf.d *
/etc/dnf dnf.conf
/etc/zypp zypp.conf
/etc/portage make.conf
/etc/portage/env *
~/.config/pacman *.conf
/etc/nix *.conf
~/.config/nix nix.conf
/etc/flatpak/installations.d *
/etc/xdg/pip pip.conf
~/.pip pip.conf
~/.config/pip pip.conf
/usr/etc npmrc
~/.config/yarn config
/usr/local/etc npmrc
~/.config/pnpm rc
/etc/conda .condarc condarc
~/.conda .condarc environments.txt
~/.config/conda .condarc
~/.cargo config config.toml
/etc/cargo config.toml
~/.bundle config
~/.config/go env
~/.config/uv uv.toml
~/.config/pypoetry *.toml
~/.config/powershell *.ps1 powershell.config.json
~/.nuget/NuGet NuGet.Config
"""
# Where a script may wrap a program: its first two bytes show it. A link may lead to one.
_WRAPPERS = """
/bin *
/sbin *
/usr/bin *
/usr/sbin *
/usr/local/bin *
/usr/local/sbin *
~/bin *
~/.local/bin *
"""


class _Folder:
    """What is wanted of a folder: files, and folders in it; those that are named, and those that fit a pattern."""

    __slots__ = ("files", "fitting", "folders", "folders_fitting")

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.fitting: tuple[str, ...] = ()
        self.folders: dict[str, _Folder] = {}
        self.folders_fitting: dict[str, _Folder] = {}

    def below(self, name: str) -> "_Folder":
        return (self.folders_fitting if "*" in name else self.folders).setdefault(name, _Folder())


def _parsed(table: str) -> tuple[dict[str, _Folder], tuple[str, ...]]:
    """The table as a tree for the root of the host and one for a home, and the patterns of its files."""
    tops = {"": _Folder(), "~": _Folder()}
    patterns: list[str] = []
    for line in filter(None, table.split("\n")):
        folder, *files = line.split()
        top, *names = folder.split("/")
        here = tops[top]
        for name in names:
            here = here.below(name)
        here.files.update(file for file in files if "*" not in file)
        here.fitting += tuple(file for file in files if "*" in file)
        patterns += (f"{folder}/{file}" for file in files)
    return tops, tuple(patterns)


_NAMING, _SETTINGS = _parsed(_TABLE)
_SCRIPTS, _PROGRAMS = _parsed(_WRAPPERS)
NAMING_FILES = (*_SETTINGS, *_PROGRAMS)


def naming_files(host: Host) -> Iterator[tuple[Place, str]]:
    """The files that may name a folder, each with whose it is and what it says."""
    met: set[str] = set()
    for place, _ in _present(host, _NAMING, met):
        data = host.files.head(place.path, _LONGEST)
        if data and b"/" in data:
            if len(data) == _LONGEST:
                why = f"larger than {_LONGEST >> 10} KiB: its end was not read"
                host.files.problems.append(Problem(place.path, why, "limit"))
            yield place, data.decode("utf-8", "replace")


def wrappers(host: Host) -> Iterator[tuple[Place, str]]:
    """The scripts among the programs, each with what it says, and the links among them, with where they lead."""
    for folder, present in groupby(_present(host, _SCRIPTS, set()), lambda found: found[0].path.rpartition("/")[0]):
        found = list(present)
        contents = host.files.small_files(folder, [_name(place.path) for place, target in found if not target], _SCRIPT)
        for place, target in found:
            if target:
                yield place, target
            data = host.files.small(target, _SCRIPT) if target else next(contents)
            if data and data.startswith(b"#!"):
                yield place, data.decode("utf-8", "replace")


def _present(host: Host, tops: dict[str, _Folder], met: set[str]) -> Iterator[tuple[Place, str]]:
    """The regular files that are there, each once, and where a link leads to it; those of the homes come last."""
    yield from _below(host, "", "", tops[""], "", met)
    for home, user in host.homes.items():
        yield from _below(host, home, host.files.real(home) or home, tops["~"], user, met)


def _below(
    host: Host, folder: str, real: str, wanted: _Folder, user: str, met: set[str]
) -> Iterator[tuple[Place, str]]:
    """Those below a folder, which is asked for nothing but its list."""
    if wanted.fitting == ("*",) and not (wanted.folders or wanted.folders_fitting):
        if f"{real}/" in met:  # as `/bin` and `/usr/bin`, which are one folder on most systems, with a thousand links
            return
        met.add(f"{real}/")
    entries = host.files.list(folder or "/")
    everything = wanted.fitting == ("*",)
    names = {name for name, _ in entries} if everything else set()
    if not wanted.fitting and not wanted.folders_fitting:
        entries = tuple(one for one in entries if one.name in wanted.files or one.name in wanted.folders)
    for name, kind in entries:
        if kind != "dir" and (everything or name in wanted.files or any(_fits(name, one) for one in wanted.fitting)):
            path = f"{folder}/{name}"
            if kind == "link" and names and host.files.link(path) in names:  # it comes by its own name
                continue
            where = f"{real}/{name}" if kind == "file" else _file_behind(host, path) if kind == "link" else ""
            if kind == "link" and f"{where.rpartition('/')[0]}/" in met:  # as above
                continue
            if where and where not in met:
                met.add(where)
                yield Place(path, user), where if kind == "link" else ""
        elif kind in ("dir", "link"):
            inner = [wanted.folders[name]] if name in wanted.folders else []
            inner += (one for pattern, one in wanted.folders_fitting.items() if _fits(name, pattern))
            top = (f"{real}/{name}" if kind == "dir" else host.files.real(f"{folder}/{name}")) if inner else None
            for one in inner if top is not None else ():
                yield from _below(host, f"{folder}/{name}", top or "", one, user, met)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern with one `*`."""
    head, _, tail = pattern.partition("*")
    return name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _file_behind(host: Host, path: str) -> str:
    """The file that a link leads to; empty where it leads to anything else, as the mask of a unit does."""
    real = host.files.real(path)
    return real if real and host.files.is_file(real) else ""
