"""What a removal leaves in folders of other programs: files of settings, repositories, and commands that lead nowhere.

A package manager keeps the settings of a removed package, and installers of vendors forget what they put elsewhere.
Such files have the name of their program. Whose a file is, is judged by that name alone: its content is not read.

References:
    dpkg(1) (--purge), logrotate(8), dbus-daemon(1), modules-load.d(5), modprobe.d(5), tmpfiles.d(5), sysctl.d(5),
    polkit(8), ld.so(8), rsyslog.conf(5); sources.list(5), dnf.conf(5) (baseurl), zypper(8), apk-repositories(5)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.model.regex import regex
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.kit.places import places
from phaseout.sources.source import Source, Trace

_SETTINGS = (
    *("/etc/apparmor.d/*", "/etc/audit/rules.d/*", "/etc/bash_completion.d/*", "/etc/cron.d/*", "/etc/default/*"),
    *("/etc/dbus-1/system.d/*", "/etc/firewalld/services/*", "/etc/ld.so.conf.d/*", "/etc/logrotate.d/*"),
    *("/etc/modprobe.d/*", "/etc/modules-load.d/*", "/etc/NetworkManager/dispatcher.d/*", "/etc/pam.d/*"),
    *("/etc/polkit-1/rules.d/*", "/etc/profile.d/*", "/etc/rsyslog.d/*", "/etc/security/limits.d/*"),
    *("/etc/sudoers.d/*", "/etc/sysconfig/*", "/etc/sysctl.d/*", "/etc/sysusers.d/*", "/etc/tmpfiles.d/*"),
    *("/etc/udev/rules.d/*", "/etc/ufw/applications.d/*", "/etc/apt/apt.conf.d/*", "/etc/apt/preferences.d/*"),
    *("/etc/apt/keyrings/*", "/etc/apt/trusted.gpg.d/*", "/usr/share/keyrings/*", "/etc/pki/rpm-gpg/*"),
    *("/usr/lib/tmpfiles.d/*", "/usr/lib/sysusers.d/*", "/usr/share/dbus-1/system.d/*"),
    *("/usr/share/polkit-1/actions/*", "/usr/lib/modules-load.d/*"),
)
_REPOSITORIES = (
    *("/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources"),
    *("/etc/yum.repos.d/*.repo", "/etc/zypp/repos.d/*.repo", "/etc/apk/repositories"),
)
_COMMANDS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin", "/etc/alternatives")
_OF_VENDORS = ("/opt/", "/usr/local/", "/var/opt/")
_URL = regex(r"(?m)^(?![ \t]*#)[^\n]*?\b(?:https?|ftp)://(?:[^\s/@\"']*@)?([\w.-]+)")
_MOST = 1_000  # repositories that one file names
_EFFECT_SETTING = "it is read as long as it stays: delete it with the program that it belongs to"
_EFFECT_REPOSITORY = "packages can be installed again from it: remove the repository"
_EFFECT_COMMAND = "the command leads nowhere: delete the link"


def collect(host: Host) -> Iterator[Trace]:
    """An item for each file of settings, each host of a repository, and each command of a vendor that is gone."""
    for place in places(host, _SETTINGS):
        if host.files.is_file(place.path):
            yield _setting(place.path.rpartition("/")[2], place.path, "file of settings", _EFFECT_SETTING)
    for place in places(host, _REPOSITORIES):
        hosts = dict.fromkeys(_URL.findall(host.files.text(place.path) or ""))
        if len(hosts) > _MOST:
            yield Problem(place.path, f"more than {_MOST:,} repositories: the rest was not read", "limit")
        for name in [*hosts][:_MOST]:
            yield _setting(name, place.path, "repository of packages", _EFFECT_REPOSITORY)
    yield from _commands(host)


def _setting(name: str, path: str, what: str, effect: str) -> Item:
    details = {"type": what, "effect": effect}
    return Item(kind="setting", name=name, path=path, details=details, evidence=(Evidence(path),))


def _commands(host: Host) -> Iterator[Trace]:
    missing = MissingFiles(host)
    listed: set[str] = set()
    for folder in _COMMANDS:
        real = host.files.real(folder)
        if real is None or real in listed:
            continue
        listed.add(real)
        for name, kind in host.files.list(folder):
            target = host.files.link(f"{folder}/{name}") if kind == "link" else None
            if target is None or not target.startswith(_OF_VENDORS) or not host.files.gone(target):
                continue
            state, notes = missing.state(target)
            yield Item(
                kind="file",
                name=name,
                state=state,
                path=target,
                details={"effect": _EFFECT_COMMAND},
                notes=notes,
                evidence=(Evidence(f"{folder}/{name}", target),),
            )


SOURCE = Source(
    name="remains",
    title="Settings, repositories and commands that removals leave",
    platforms=("linux",),
    kinds=("setting", "file"),
    needs=(),
    reads=(*_SETTINGS, *_REPOSITORIES, *(f"{folder}/*" for folder in _COMMANDS), "/[!e]*/**", *VOLUME_LISTS),
    limits="A file of settings is known by its name only.",
    collect=collect,
)
