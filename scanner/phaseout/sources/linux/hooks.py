"""Programs that parts of the system call on an occasion: a log-in, a network, a device, a package, a request.

Every such part has files of its own that name programs. Scripts among them belong to packages by far the most, and
what these name lies where packages put their files: of a line, only a path elsewhere counts.

References:
    http://supervisord.org/configuration.html (command=); xinetd.conf(5) (server), inetd.conf(5); ld.so(8)
    (/etc/ld.so.preload); pam.conf(5); udev(7) (RUN, PROGRAM, IMPORT); NetworkManager-dispatcher(8); modprobe.d(5)
    (install, remove); interfaces(5); systemd-sleep(8); Xsession(5); apt.conf(5) (Pre-Invoke, Post-Invoke);
    logrotate(8); https://mmonit.com/monit/documentation/ (start program); sudoers(5); acpid(8); auditd.conf(5),
    rsyslog's omprog; https://linuxcontainers.org/lxc/manpages/ (lxc.hook); keepalived.conf(5); incrontab(5).
"""

from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.model.regex import regex
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.kit.places import Place, places
from phaseout.sources.source import Source, Trace

_ANY = regex(r"[^\n]+")
_LIMIT = 1 << 20
_MOST = 1_000  # programs that one file names
_RUN = "run"  # what starts a service that has a folder of its own
# At least two names, and no variable or pattern among them.
_PATH = regex(r"(?<![\w./$}~*%^-])((?:/[\w.+~-]+){2,})(?![\w./$*?%^:@={\[-])")
_OF_VENDORS = ("/opt/", "/usr/local/", "/var/opt/")  # where a path that leads nowhere is what a removal has left
# Where packages put what they bring, and where no program lies. `/usr/local` and `/opt` are others.
_OF_PACKAGES = regex(
    r"/(?:bin|sbin|lib\w*|boot|dev|proc|sys|run|etc|tmp|nix/store|gnu/store|snap/bin|"
    r"usr/(?!local/)[^/]+|var/(?:lib/(?:dpkg|apt|NetworkManager|misc|dbus|systemd|private)|log|run|cache|spool|tmp|lock|mail|www))"
    r"(?:/|$)|/(?:usr|var|var/lib|home|root|opt|usr/local)/?$|/usr/local/(?:share|lib|include|man|etc)(?:/|$)"
)


class _Hooks(NamedTuple):
    """Files that name programs: in which of their lines, and what the one that calls them is."""

    occasion: str
    patterns: tuple[str, ...]
    line: object = _ANY  # a pattern; its first group, or all of it, is the command


_ALL = (
    _Hooks(
        "supervisord",
        ("/etc/supervisord.conf", "/etc/supervisor/*.conf", "/etc/supervisor/conf.d/*", "/etc/supervisord.d/*"),
        regex(r"(?m)^[ \t]*command[ \t]*=[ \t]*([^\n]+)"),
    ),
    _Hooks(
        "xinetd", ("/etc/xinetd.conf", "/etc/xinetd.d/*"), regex(r"(?m)^[ \t]*server(?:_args)?[ \t]*=[ \t]*([^\n]+)")
    ),
    _Hooks("inetd", ("/etc/inetd.conf", "/etc/inetd.d/*")),
    _Hooks("the start of any program", ("/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d/*")),
    _Hooks("a log-in", ("/etc/pam.d/*", "/etc/pam.conf", "/etc/profile", "/etc/profile.d/*", "/etc/bash.bashrc")),
    _Hooks(
        "a log-in", ("/etc/X11/Xsession.d/*", "/etc/X11/xinit/xinitrc.d/*", "/etc/update-motd.d/*", "/etc/ssh/sshrc")
    ),
    _Hooks("a log-in", ("~/.profile", "~/.bash_profile", "~/.bash_login", "~/.bashrc", "~/.zprofile", "~/.zshrc")),
    _Hooks("a log-in", ("~/.xsession", "~/.xsessionrc", "~/.xprofile", "~/.xinitrc", "~/.bash_logout")),
    _Hooks(
        "a device",
        ("/etc/udev/rules.d/*", "/usr/lib/udev/rules.d/*"),
        regex(r"(?:RUN|PROGRAM|IMPORT)(?:\{\w+\})?[+:]?=\"([^\"\n]+)\""),
    ),
    _Hooks(
        "a network",
        (
            *("/etc/NetworkManager/dispatcher.d/*", "/etc/NetworkManager/dispatcher.d/*/*", "/etc/network/if-*.d/*"),
            *("/etc/ppp/ip-*.d/*", "/etc/dhcp/dhclient-*-hooks.d/*", "/etc/networkd-dispatcher/*/*"),
            *("/etc/network/interfaces", "/etc/network/interfaces.d/*", "/etc/wpa_supplicant/action_wpa.sh"),
            *("/etc/openvpn/*.conf", "/etc/openvpn/*/*.conf", "/etc/wireguard/*.conf"),
        ),
    ),
    _Hooks("sleep", ("/etc/pm/sleep.d/*", "/usr/lib/systemd/system-sleep/*", "/usr/lib/systemd/system-shutdown/*")),
    _Hooks("a kernel", ("/etc/kernel/*.d/*", "/etc/initramfs-tools/hooks/*", "/etc/initramfs-tools/scripts/*/*")),
    _Hooks(
        "a module of the kernel", ("/etc/modprobe.d/*",), regex(r"(?m)^[ \t]*(?:install|remove)[ \t]+\S+[ \t]+([^\n]+)")
    ),
    _Hooks(
        "a package", ("/etc/apt/apt.conf", "/etc/apt/apt.conf.d/*", "/etc/dpkg/dpkg.cfg.d/*", "/etc/pacman.d/hooks/*")
    ),
    _Hooks("logs", ("/etc/logrotate.d/*", "/etc/logrotate.conf", "/etc/audit/plugins.d/*", "/etc/rsyslog.d/*")),
    _Hooks("monit", ("/etc/monitrc", "/etc/monit/monitrc", "/etc/monit/conf*/*", "/etc/monit.d/*")),
    _Hooks("a power key", ("/etc/acpi/events/*", "/etc/acpi/*.sh")),
    _Hooks("sudo", ("/etc/sudoers", "/etc/sudoers.d/*")),
    _Hooks("keepalived", ("/etc/keepalived/*.conf",)),
    _Hooks("a change of a file", ("/var/spool/incron/*", "/etc/incron.d/*")),
    _Hooks("the environment", ("/etc/environment", "/etc/environment.d/*", "~/.config/environment.d/*")),
    _Hooks("SNMP", ("/etc/snmp/*.conf",)),
    _Hooks("a container", ("/etc/containers/oci/hooks.d/*", "/usr/share/containers/oci/hooks.d/*")),
    _Hooks("a rule of access", ("/etc/fapolicyd/trust.d/*", "/etc/fapolicyd/rules.d/*", "/etc/fapolicyd/fapolicyd.*")),
    _Hooks("a rule of access", ("/etc/selinux/*/contexts/files/file_contexts.local", "/etc/audit/rules.d/*")),
    _Hooks("the share of a folder", ("/etc/exports", "/etc/exports.d/*")),
    _Hooks("a supervisor", ("/etc/service/*/run", "/service/*/run", "/var/service/*/run", "/etc/services.d/*/run")),
    _Hooks("a supervisor", ("/etc/s6-overlay/s6-rc.d/*/run", "/etc/cont-init.d/*", "/etc/my_init.d/*")),
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every program and file that names it."""
    missing = MissingFiles(host)
    for hooks in _ALL:
        for place in places(host, hooks.patterns):
            yield from _file(host, missing, hooks, place)


def _file(host: Host, missing: MissingFiles, hooks: _Hooks, place: Place) -> Iterator[Trace]:
    data = host.files.small(place.path, _LIMIT)
    if data is None or b"/" not in data or b"\0" in data[:512]:
        return
    folder, _, file = place.path.rpartition("/")
    is_service = file == _RUN
    met: set[str] = set()
    for command in hooks.line.findall(data.decode("utf-8", "backslashreplace")):  # type: ignore[attr-defined]
        plain = command.strip()
        if plain.startswith("#"):
            continue
        for path in _PATH.findall(plain):
            program = path.rstrip(".")
            if program in met or _OF_PACKAGES.match(program):
                continue
            found = host.files.stat(program)
            if found.kind != "file" if found is not None else not (is_service or program.startswith(_OF_VENDORS)):
                continue
            if len(met) == _MOST:
                yield Problem(place.path, f"more than {_MOST:,} programs are named: the rest was not read", "limit")
                return
            met.add(program)
            state, notes = missing.state(program)
            yield Item(
                kind="service" if is_service else "task",
                name=(folder if is_service else program).rpartition("/")[2],
                state=state,
                path=program,
                user=place.user,
                command=plain[:4096],
                details={"start": hooks.occasion},
                notes=notes,
                evidence=(Evidence(place.path, plain[:200]),),
            )


SOURCE = Source(
    name="hooks",
    title="Programs that parts of the system call on an occasion",
    platforms=("linux",),
    kinds=("service", "task"),
    needs=(),
    reads=(*(pattern for hooks in _ALL for pattern in hooks.patterns), "/[!e]*/**", *VOLUME_LISTS),
    limits="A program is seen where its path is written out, and lies where packages put none. Of those that are gone, "
    "services and what was below /opt and /usr/local are seen.",
    collect=collect,
)
