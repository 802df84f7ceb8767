"""What a removal leaves among other programs: files of settings, names in their settings, commands that lead nowhere.

A package manager keeps the settings of a removed package, and installers of vendors forget what they put elsewhere.
A file of settings has the name of its program. In settings that all programs share, each has its own line: a chain of
the firewall, an account, a repository.

References:
    dpkg(1) (--purge), logrotate(8), dbus-daemon(1), modules-load.d(5), modprobe.d(5), tmpfiles.d(5), sysctl.d(5),
    polkit(8), ld.so(8), rsyslog.conf(5), update-alternatives(1), semodule(8), initramfs-tools(7);
    sources.list(5), dnf.conf(5) (baseurl), zypper(8), apk-repositories(5); iptables-save(8), nft(8), firewalld.zone(5),
    ufw-framework(8); passwd(5), group(5), pam.d(5); dpkg-divert(1), dpkg-statoverride(1), systemd.preset(5);
    postconf(5), master(5) of Postfix, smb.conf(5); pf.conf(5), newsyslog.conf(5), path_helper(8), asl.conf(5) and
    Open Directory's local nodes of macOS
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.model.regex import regex
from phaseout.sources.kit.limited import limited
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.kit.package_files import OF_DPKG, of_dpkg
from phaseout.sources.kit.places import places
from phaseout.sources.source import Source, Trace

_LIBRARIES = (
    *("/lib", "/lib64", "/lib/*-linux-gnu", "/lib/*-linux-gnueabihf"),
    *("/usr/lib", "/usr/lib64", "/usr/lib/*-linux-gnu", "/usr/lib/*-linux-gnueabihf"),
)
# Of Linux, and of macOS. Folders of small files, each of one program: by custom their names end with ".d".
_SETTINGS = (
    *("/etc/*.d/*", "/etc/*/*.d/*", "/etc/*/*.d/*/*", "/etc/*/*/*.d/*"),
    *("/usr/lib/*.d/*", "/usr/lib/udev/*.d/*", "/usr/lib/dracut/modules.d/*", "/usr/lib/fapolicyd/*.d/*"),
    *("/lib/udev/rules.d/*", "/lib/modprobe.d/*", "/usr/share/dbus-1/*.d/*", "/usr/share/polkit-1/rules.d/*"),
    # Those of other names.
    *("/etc/default/*", "/etc/sysconfig/*", "/etc/firewalld/services/*", "/etc/apparmor.d/*/*"),
    *("/etc/apt/keyrings/*", "/usr/share/keyrings/*", "/etc/pki/rpm-gpg/*", "/etc/polkit-1/actions/*"),
    *("/etc/polkit-1/localauthority/*/*", "/usr/share/polkit-1/actions/*"),
    *("/usr/share/dbus-1/system-services/*", "/usr/share/dbus-1/services/*"),
    *("/etc/systemd/system-preset/*", "/etc/systemd/user-preset/*", "/usr/lib/systemd/system-preset/*"),
    *("/var/lib/systemd/deb-systemd-helper-*/*", "/var/lib/systemd/timers/*"),
    *("/etc/initramfs-tools/hooks/*", "/etc/initramfs-tools/scripts/*/*", "/etc/initcpio/*/*"),
    *("/usr/share/initramfs-tools/hooks/*", "/usr/share/initramfs-tools/scripts/*/*"),
    *("/etc/docker/plugins/*", "/etc/nginx/sites-*/*"),
    *("/etc/apache2/*-enabled/*", "/etc/xinetd.d/*", "/etc/monit/conf-*/*", "/etc/logwatch/conf/services/*"),
    *("/var/lib/dpkg/alternatives/*", "/var/lib/alternatives/*", "/usr/share/selinux/*/*"),
    *(f"{top}/*/active/modules/{n}/*" for top in ("/var/lib/selinux", "/etc/selinux") for n in (200, 300, 400)),
    # What the log-in and the look-up of names load, by what its file is called.
    *(f"{top}/security/pam_*" for top in _LIBRARIES),
    *(f"{top}/libnss_*" for top in _LIBRARIES),
)
# What a program has left of its runs and its commands: files that are called like it.
_TRACES = (
    *("/var/log/*", "/var/crash/*", "/var/lib/systemd/coredump/*"),
    *("/usr/local/share/man/*/*", "/etc/bash_completion.d/*", "/usr/share/lintian/overrides/*"),
    *("/usr/local/share/bash-completion/completions/*", "/usr/local/share/zsh/site-functions/*"),
    *("/usr/share/zsh/vendor-completions/*", "/usr/share/fish/vendor_completions.d/*"),
    *("~/.config/*", "~/.local/share/*", "~/.config/environment.d/*"),
)
_SETTINGS_OF_MAC = (
    *("/private/etc/sudoers.d/*", "/private/etc/newsyslog.d/*", "/private/etc/paths.d/*", "/private/etc/manpaths.d/*"),
    *("/private/etc/pf.anchors/*", "/private/etc/asl/*", "/private/etc/emond.d/rules/*", "/private/etc/resolver/*"),
    *("/private/etc/periodic/*/*", "/private/etc/ssh/sshd_config.d/*", "/private/etc/pam.d/*"),
    *("/Library/Managed Preferences/*.plist", "/Library/Managed Preferences/*/*.plist"),
    *("/Library/PrivilegedHelperTools/*", "~/Library/Preferences/ByHost/*.plist", "~/Library/Cookies/*"),
    *("~/Library/Application Scripts/*", "~/Library/Safari/Extensions/*"),
    *("/private/var/db/dslocal/nodes/Default/users/_*.plist", "/private/var/db/dslocal/nodes/Default/groups/*.plist"),
)
# Folders, and files that install a program again, as people and installers leave them on a Mac.
_LEFT_ON_MAC = (
    *("/usr/local/share/*", "/Users/Shared/*", "/private/var/opt/*", "/private/var/db/*"),
    *(
        f"{folder}/*{ending}"
        for folder in ("~", "~/Downloads", "~/Desktop", "~/Documents", "/Users/Shared")
        for ending in (".dmg", ".pkg", ".mpkg")
    ),
)
_OF_APPLE = regex(r"^(?:com\.apple\.|[a-z]+\.db|\.)")
_COMMANDS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin", "/etc/alternatives")
_OF_VENDORS = ("/opt/", "/usr/local/", "/var/opt/")
_DOCUMENTS = "/usr/share/doc"
_INFO = "/var/lib/dpkg/info"  # the scripts of packages
_MOST = 1_000  # names that one file has
_EFFECT_SETTING = "it is read as long as it stays: delete it with the program that it belongs to"
_EFFECT_COMMAND = "the command leads nowhere: delete the link"


class _Lines(NamedTuple):
    """Lines of settings that all programs share.

    Attributes:
        what: what such a line is.
        effect: what it does as long as it stays, and what helps.
        files: patterns of the files.
        names: a pattern whose groups are the names.
    """

    what: str
    effect: str
    files: tuple[str, ...]
    names: re.Pattern[str]


_OF_FIREWALL = ("rule of the firewall", "it stays in force: delete it from the rules of the firewall")
_LINES = (
    _Lines(
        "repository of packages",
        "packages can be installed again from it: remove the repository",
        (
            *("/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources"),
            *("/etc/yum.repos.d/*.repo", "/etc/zypp/repos.d/*.repo", "/etc/apk/repositories"),
        ),
        regex(r"(?m)^(?![ \t]*#)[^\n]*?\b(?:https?|ftp)://(?:[^\s/@\"']*@)?([\w.-]+)"),
    ),
    _Lines(
        *_OF_FIREWALL,
        (
            *("/etc/iptables/*", "/etc/iptables.rules", "/etc/sysconfig/ip*tables", "/var/lib/ip*tables/*"),
            *("/etc/iptables.up.rules", "/etc/network/iptables*"),
        ),
        regex(r"(?m)^:(?!(?:INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING) )(\S+)|--comment (?:\"([^\"\n]+)|(\S+))"),
    ),
    _Lines(
        *_OF_FIREWALL,
        ("/etc/nftables.conf", "/etc/nftables/*", "/etc/nftables.d/*", "/etc/sysconfig/nftables.conf"),
        regex(
            r"(?m)^[ \t]*(?:add[ \t]+)?(?:table(?:[ \t]+(?:ip6?|inet|arp|bridge|netdev)\b)?|chain|set|map)[ \t]+"
            r"([\w./-]+)[ \t]*(?:\{|;|$)|\bcomment[ \t]+\"([^\"\n]+)\"|"
            r"^[ \t]*add[ \t]+(?:chain|set|map)[ \t]+(?:(?:ip6?|inet|arp|bridge|netdev)[ \t]+)?\S+[ \t]+([\w./-]+)"
        ),
    ),
    _Lines(
        *_OF_FIREWALL,
        ("/etc/firewalld/zones/*.xml", "/etc/firewalld/policies/*.xml", "/etc/firewalld/direct.xml"),
        regex(r"<service[ \t]+name=\"([^\"\n]+)\"|\bchain=\"([^\"\n]+)\""),
    ),
    _Lines(
        *_OF_FIREWALL,
        ("/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/lib/ufw/user.rules", "/lib/ufw/user6.rules"),
        regex(r"(?m)^### tuple ### (?:\S+ ){6}(\S+) (\S+) (?:in|out)|comment=(\S+)"),
    ),
    _Lines(
        *_OF_FIREWALL,
        ("/private/etc/pf.conf",),
        regex(r"(?m)^[ \t]*(?:(?:nat-|rdr-|scrub-|load )?anchor|table)[ \t]+[\"<]([^\">\n]+)"),
    ),
    _Lines(
        "account",
        "nobody needs it without the program that it was made for: delete it",
        ("/etc/passwd",),  # of the system, and of others who cannot log in
        regex(
            r"(?m)^([^:\n#+-][^:\n]*):[^:\n]*:"
            r"(?:[1-9]\d{0,2}:\d*:([^:\n]*):|[1-9]\d+:\d*:([^:\n]*):[^:\n]*:[^:\n]*(?:nologin|false)$)"
        ),
    ),
    _Lines(
        "group",
        "nobody needs it without the program that it was made for: delete it",
        ("/etc/group",),
        regex(r"(?m)^([^:\n#+-][^:\n]*):"),
    ),
    _Lines(
        "module of log-ins",
        "log-ins may fail without it: delete the line",
        ("/etc/pam.d/*", "/etc/pam.conf", "/private/etc/pam.d/*"),
        regex(r"(?m)^(?![ \t]*#)[^\n]*?\b(pam_[\w-]+)\.so"),
    ),
    _Lines(
        "diversion of a file",
        "the file of another package stays in another place: remove it with dpkg-divert",
        ("/var/lib/dpkg/diversions",),
        regex(r"(?m)^([^/:\n][^\n]*)$"),
    ),
    _Lines(
        "owner of a file",
        "it stays in force: remove it with dpkg-statoverride",
        ("/var/lib/dpkg/statoverride",),
        regex(r"(?m)^(\S+) (\S+) \d+ \S*/(\S+)$"),
    ),
    _Lines(
        "preset of a service",
        "a service of that name is switched on or off when it is installed: delete the line",
        ("/etc/systemd/system-preset/*", "/etc/systemd/user-preset/*"),
        regex(r"(?m)^[ \t]*(?:enable|disable|ignore)[ \t]+(\S+)"),
    ),
    _Lines(
        "rule for a package",
        "it counts as soon as the package can be installed: delete it",
        ("/etc/apt/preferences", "/etc/apt/preferences.d/*"),
        regex(r"(?m)^Package:[ \t]*(\S[^\n]*)"),
    ),
    _Lines(
        "module of the kernel",
        "it is loaded or configured when the system starts: delete the line",
        ("/etc/modules", "/etc/modules-load.d/*", "/etc/initramfs-tools/modules"),
        regex(r"(?m)^[ \t]*([\w-]+)"),
    ),
    _Lines(
        "module of the kernel",
        "it is loaded or configured when the system starts: delete the line",
        ("/etc/modprobe.d/*", "/etc/modprobe.conf"),
        regex(r"(?m)^[ \t]*(?:options|blacklist|install|remove|softdep|alias[ \t]+\S+)[ \t]+([\w-]+)"),
    ),
    _Lines(
        "library that every program loads",
        "programs may fail without it: delete the line",
        ("/etc/ld.so.preload",),
        regex(r"\b(?:lib)?([^/\s:]+\.so[\w.]*)"),
    ),
    _Lines(
        "service that names are looked up with",
        "look-ups fail or wait without it: delete the name",
        ("/etc/nsswitch.conf",),
        regex(r"(?m)^[ \t]*\w+:[ \t]*([^\n#]+)"),
    ),
    _Lines(
        "limit or numbers of an account",
        "nobody needs it without the account: delete the line",
        ("/etc/security/limits.conf", "/etc/security/limits.d/*"),
        regex(r"(?m)^[ \t]*[@%]?([A-Za-z_][\w.-]*)[ \t]+(?:soft|hard|-)[ \t]"),
    ),
    _Lines(
        "account that is made",
        "the system makes it when it starts: delete the line",
        ("/etc/sysusers.d/*", "/usr/lib/sysusers.d/*"),
        regex(r"(?m)^[ \t]*[ugm]!?[ \t]+(\S+)"),
    ),
    _Lines(
        "file that is made",
        "the system makes it when it starts: delete the line",
        ("/etc/tmpfiles.d/*",),
        regex(r"(?m)^[a-zA-Z][\w+!=~^$-]*[ \t]+/(\S+)"),
    ),
    _Lines(
        "order of services",
        "it names a service that may be gone: delete the line",
        ("/etc/systemd/system/*.d/*.conf", "/etc/systemd/system/*.service"),
        regex(r"(?m)^[ \t]*(?:After|Before|Wants|Requires|Requisite|BindsTo|PartOf|Conflicts)=[ \t]*([^\n]+)"),
    ),
    _Lines(
        "program that logs and audits name",
        "it stays in force: delete the line",
        ("/etc/rsyslog.conf", "/etc/rsyslog.d/*", "/etc/audit/audit.rules", "/etc/audit/rules.d/*"),
        regex(r"(?m)^(?![ \t]*#)[^\n]*?(?:programname[^\n]*?[\"']([^\"'\n]+)[\"']|-k[ \t]+(\S+))"),
    ),
    _Lines(
        "access of an account",
        "it holds again for the next account of that name: delete it",
        ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*"),
        regex(r"(?mi)^[ \t]*(?:Allow|Deny)(?:Users|Groups)[ \t]+([^\n]+)"),
    ),
    _Lines(
        "filter of the web",
        "requests wait for it and may fail without it: delete the line",
        ("/etc/squid/squid.conf", "/etc/squid/conf.d/*"),
        regex(r"(?m)^[ \t]*(?:icap|ecap)_service[ \t]+(\S+)[^\n]*?(?:i|e)cap://([^/\s]+)"),
    ),
    _Lines(
        "filter of mail",
        "mail waits for it and may not be delivered without it: delete the line",
        ("/etc/mail/sendmail.mc",),
        regex(r"(?m)^INPUT_MAIL_FILTER\(`([^'\n]+)'"),
    ),
    _Lines(
        "plug-in of Docker",
        "Docker may not start without it: delete its name",
        ("/etc/docker/daemon.json",),
        regex(r"\"authorization-plugins\"\s*:\s*\[([^\]]*)\]"),
    ),
    _Lines(
        "variable of the environment",
        "programs read it: delete the line",
        ("/etc/environment", "/etc/environment.d/*", "~/.config/environment.d/*", "~/.pam_environment"),
        regex(r"(?m)^[ \t]*(?:export[ \t]+)?(?!PATH\b)(\w+)="),
    ),
    _Lines(
        "domain of names",
        "names are looked up in it: delete it",
        ("/etc/resolv.conf",),
        regex(r"(?m)^[ \t]*(?:search|domain)[ \t]+([^\n]+)"),
    ),
    _Lines(
        "setting of the start",
        "the kernel is started with it: delete it",
        ("/etc/default/grub", "/etc/default/grub.d/*"),
        regex(r"(?m)^[ \t]*GRUB_CMDLINE_LINUX\w*=[\"']?([^\"'\n]+)"),
    ),
    _Lines(
        "filter of mail",
        "mail waits for it and may not be delivered without it: delete the line",
        ("/etc/postfix/main.cf",),
        regex(r"(?m)^(?:content_filter|(?:non_)?smtpd_milters|smtpd_proxy_filter)[ \t]*=[ \t]*(\S[^\n]*)"),
    ),
    _Lines(
        "service of mail",
        "mail may be handed to it: delete the line",
        ("/etc/postfix/master.cf",),
        regex(r"(?m)^([\w.:-]+)[ \t]+(?:inet|unix|fifo|pass)[ \t]"),
    ),
    _Lines(
        "shared folder",
        "it is still shared, or its files still go through the module: delete the line",
        ("/etc/samba/smb.conf", "/etc/samba/*.conf"),
        regex(r"(?m)^[ \t]*(?:\[([^\]\n]+)\]|vfs objects[ \t]*=[ \t]*(\S[^\n]*))"),
    ),
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for each file of settings, each name in shared ones, and each command of a vendor that is gone."""
    is_mac = host.info.platform == "macos"
    for place in places(host, _SETTINGS_OF_MAC if is_mac else _SETTINGS):
        name = place.path.rpartition("/")[2]
        if is_mac and _OF_APPLE.match(name):
            yield LeftOut("part of the operating system")
        elif host.files.exists(place.path):
            yield _setting(name, place.path, "file of settings", _EFFECT_SETTING, place.user)
    for place in places(host, _LEFT_ON_MAC) if is_mac else ():
        name = place.path.rpartition("/")[2]
        if _OF_APPLE.match(name):
            yield LeftOut("part of the operating system")
        else:
            yield _left(name, place.path, place.user)
    for place in places(host, _TRACES, tried=True) if not is_mac else ():
        if host.files.is_file(place.path):
            yield _left(place.path.rpartition("/")[2], place.path, place.user)
    for lines in _LINES:
        for place in places(host, lines.files):
            yield from _named(host, lines, place.path)
    if not is_mac:
        yield from _commands(host)
        yield from _documents(host)


def _named(host: Host, lines: _Lines, path: str) -> Iterator[Trace]:
    found = lines.names.finditer(host.files.text(path) or "")
    names = dict.fromkeys(name for one in found for name in one.groups() if name and name != "-")
    for name in limited(host, path, names, _MOST):
        yield _setting(name, path, lines.what, lines.effect)


def _setting(name: str, path: str, what: str, effect: str, user: str = "") -> Item:
    details = {"type": what, "effect": effect}
    return Item(kind="setting", name=name, path=path, user=user, details=details, evidence=(Evidence(path),))


def _left(name: str, path: str, user: str = "") -> Item:
    return Item(kind="file", name=name, state="leftover", path=path, user=user, evidence=(Evidence(path),))


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


def _documents(host: Host) -> Iterator[Trace]:
    """An item for the folder of documents and the scripts of each package that dpkg does not have."""
    installed = of_dpkg(host)
    for name, kind in host.files.list(_DOCUMENTS) if installed else ():
        if kind == "dir" and name not in installed:
            yield _left(name, f"{_DOCUMENTS}/{name}")
    orphans = {name.rpartition(".")[0].partition(":")[0]: name for name, _ in host.files.list(_INFO)}
    for package in sorted(orphans.keys() - installed - {""}) if installed else ():
        yield _left(package, f"{_INFO}/{orphans[package]}")


SOURCE = Source(
    name="remains",
    title="Settings, accounts, rules and commands that removals leave",
    platforms=("linux", "macos"),
    kinds=("setting", "file"),
    needs=(),
    reads=(
        *(*_SETTINGS, *_TRACES, *_SETTINGS_OF_MAC, *_LEFT_ON_MAC),
        *(file for lines in _LINES for file in lines.files),
        *(f"{folder}/*" for folder in _COMMANDS),
        *(f"{top}**" for top in _OF_VENDORS),
        *(*VOLUME_LISTS, *OF_DPKG, f"{_DOCUMENTS}/*/"),
    ),
    limits="A file of settings is known by its name only, and of shared settings the names in them.",
    collect=collect,
)
