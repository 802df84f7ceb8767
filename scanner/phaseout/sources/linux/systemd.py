"""Units of systemd that start a program: services, and the timers, sockets and paths that start services.

References:
    systemd.unit(5) (search path, drop-ins, templates, `.wants/`), systemctl(1) (`is-enabled`),
    systemd.generator(7); https://docs.kernel.org/admin-guide/cgroup-v2.html (`cgroup.events`).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, State
from phaseout.parsers.linux.systemd_unit import Settings, command, executable, settings
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.source import Source, Trace

# In order of precedence: a unit hides those of its name further down.
_SYSTEM = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
_EVERY_USER = (
    "/etc/xdg/systemd/user",
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
)
_HOME = ("/.config/systemd/user.control", "/.config/systemd/user", "/.local/share/systemd/user")
_PACKAGED = ("/usr/", "/lib/")
_CGROUPS = (
    ("/sys/fs/cgroup/system.slice", "cgroup.events"),
    ("/sys/fs/cgroup/unified/system.slice", "cgroup.events"),
    ("/sys/fs/cgroup/systemd/system.slice", "cgroup.procs"),
)
_LIMIT = 1 << 20
_UNREAD = "could not be read"
_STARTING = frozenset(("service", "timer", "socket", "path"))
_DEPENDENCIES = frozenset(("wants", "requires", "upholds"))
_READ = (*(f"**/*.{suffix}" for suffix in sorted(_STARTING)), "**/*.conf")
_INSTALL = tuple(("Install", key) for key in ("WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also"))
_OTHER_ROOT = (("Service", "RootDirectory"), ("Service", "RootImage"))


class _Unit(NamedTuple):
    """What is known of one unit name."""

    path: str  # of the file that counts
    settings: Settings
    masked: bool
    note: str  # why there are no settings
    alias_of: str
    drop_ins: tuple[str, ...]
    others: tuple[str, ...]  # its other files, which do not count


class _Units:
    """What the folders of one manager hold, by unit name."""

    def __init__(self, host: Host, folders: tuple[str, ...]) -> None:
        self.files: dict[str, list[str]] = {}
        self.wanted: dict[str, dict[str, str]] = {}  # unit → what wants it → the link
        self.drop_ins: dict[str, list[str]] = {}
        self.aliases: dict[str, list[str]] = {}  # unit → the links to it that an administrator made
        self.not_units = 0
        self._host = host
        self._links: dict[str, tuple[str, str]] = {}  # path → where it leads, and the unit it is another name of
        self._units: dict[str, _Unit] = {}
        self._texts: dict[str, str | None] = {}
        self._reals: dict[str, str] = {}  # path of a link → of the file: what has several names is read once
        links: list[str] = []
        real_folders: set[str] = set()
        for folder in folders:
            real = host.files.real(folder)
            if real is None or real in real_folders:
                continue
            real_folders.add(real)
            links += self._list(folder)
        for path in links:
            self._follow(path, real_folders)
        for name in [name for name in self.wanted if name not in self.files]:
            template = _template(name)
            if template in self.files:
                self.wanted.setdefault(template, {}).update(self.wanted[name])

    def _list(self, folder: str) -> Iterator[str]:
        """Sorts the entries of a folder, and gives the unit files that are links."""
        for name, kind in self._host.files.list(folder):
            stem, _, suffix = name.rpartition(".")
            path = f"{folder}/{name}"
            if suffix in _STARTING and kind != "dir":
                self.files.setdefault(name, []).append(path)
                if kind == "link":
                    yield path
            elif suffix in _DEPENDENCIES and kind != "file":
                for unit in self._host.files.list(path):
                    if unit.name.rpartition(".")[2] in _STARTING:
                        self.wanted.setdefault(unit.name, {}).setdefault(stem, f"{path}/{unit.name}")
            elif suffix == "d" and kind != "file":
                self.drop_ins.setdefault(stem, []).append(path)
            elif kind != "dir":
                self.not_units += 1

    def _follow(self, path: str, real_folders: set[str]) -> None:
        target = self._host.files.link(path) or ""
        alias_of = ""
        if target != "/dev/null":
            real = self._host.files.real(path) or ""
            folder, _, name = real.rpartition("/")
            if folder in real_folders:
                self._reals[path] = real
                if name in self.files and name != path.rpartition("/")[2]:
                    alias_of = name
                    if not path.startswith(_PACKAGED):
                        self.aliases.setdefault(name, []).append(path)
        self._links[path] = (target, alias_of)

    def find(self, name: str) -> _Unit | None:
        """The unit of that name, by its template if need be."""
        paths = self.files.get(name) or self.files.get(_template(name))
        if paths and name not in self._units:
            self._units[name] = self._read(name, paths)
        return self._units.get(name)

    def _read(self, name: str, paths: list[str]) -> _Unit:
        masked = False
        for path in paths:
            _, alias_of = self._links.get(path, ("", ""))
            if self.is_mask(path):
                masked = True
                continue
            if self.is_dead(path):
                continue
            text = self.text(path)
            drop_ins = tuple(self._drop_ins(name, alias_of))
            return _Unit(
                path,
                settings("\n\n".join((text or "", *(self.text(drop_in) or "" for drop_in in drop_ins)))),
                masked=masked,
                note="" if text is not None else _UNREAD,
                alias_of=alias_of,
                drop_ins=drop_ins,
                others=tuple(other for other in paths if other != path),
            )
        first = paths[0]
        note = "" if masked else f"link to {self._links[first][0]}, which is gone"
        return _Unit(first, {}, masked, note, "", (), tuple(paths[1:]))

    def is_mask(self, path: str) -> bool:
        """Whether a file says that there is to be no unit of its name."""
        target, _ = self._links.get(path, ("", ""))
        return target == "/dev/null" or (not self.is_dead(path) and self.text(path) == "")

    def is_dead(self, path: str) -> bool:
        """Whether a file is a link that leads nowhere."""
        target, _ = self._links.get(path, ("", ""))
        return target not in ("", "/dev/null") and self._host.files.gone(path)

    def _drop_ins(self, *names: str) -> Iterator[str]:
        """The files of a unit's drop-in folders: by name, and of one name the one that counts."""
        if not self.drop_ins:
            return
        found: dict[str, str] = {}
        for folder in dict.fromkeys(folder for name in names if name for folder in self._drop_in_folders(name)):
            for entry in self._host.files.list(folder):
                if entry.name.endswith(".conf"):
                    found.setdefault(entry.name, f"{folder}/{entry.name}")
        yield from (path for _, path in sorted(found.items()))

    def _drop_in_folders(self, name: str) -> Iterator[str]:
        """Those of the unit, of its template, of its name cut off after each dash, and of its type."""
        stem, _, suffix = name.rpartition(".")
        yield from self.drop_ins.get(name, ())
        yield from self.drop_ins.get(_template(name), ())
        for at in range(len(stem) - 1, 0, -1):
            if stem[at - 1] == "-":
                yield from self.drop_ins.get(f"{stem[:at]}.{suffix}", ())
        yield from self.drop_ins.get(suffix, ())

    def text(self, path: str) -> str | None:
        """The content of a unit file, read once."""
        path = self._reals.get(path, path)
        if path not in self._texts:
            self._texts[path] = self._host.files.text(path, _LIMIT)
        return self._texts[path]

    def names(self) -> Iterator[str]:
        """Every name that leaves a trace; drop-ins for a whole family of names do not count."""
        yield from self.files
        yield from self.wanted
        for name in self.drop_ins:
            stem, _, suffix = name.rpartition(".")
            if suffix in _STARTING and stem and stem[-1] != "-" and _template(name) not in self.files:
                yield name


def collect(host: Host) -> Iterator[Trace]:
    """An item for every unit file, alias and wanted instance, and for what is left of a unit that is gone."""
    missing = MissingFiles(host)
    yield from _traces(missing, _Units(host, _SYSTEM), {"manager": "system"}, running=_running(host))
    for_every_user = _Units(host, _EVERY_USER)
    yield from _traces(missing, for_every_user, {"manager": "user"})
    for home, user in host.homes.items():
        units = _Units(host, tuple(home + folder for folder in _HOME))
        yield from _traces(missing, units, {"manager": "user"}, user=user, home=home, outer=for_every_user)


def _traces(
    missing: MissingFiles,
    units: _Units,
    manager: dict[str, str],
    *,
    user: str = "",
    home: str = "",
    running: frozenset[str] = frozenset(),
    outer: _Units | None = None,
) -> Iterator[Trace]:
    if units.not_units:
        yield LeftOut("not a program", units.not_units)
    for name in dict.fromkeys((*units.names(), *sorted(running))):
        if outer and name not in units.files and outer.find(name):
            continue  # additions of a user to a unit of the system are not a unit of their own
        unit = units.find(name)
        if name in units.files and unit:
            for path in unit.others:
                yield _other(missing, units, name, path, unit, manager, user, home)
        details = dict(manager)
        if unit is None:
            yield _remains(name, user, units, details, "running" if name in running else "leftover")
            continue
        if unit.settings.get(("Unit", "Description")):
            details["description"] = unit.settings["Unit", "Description"][-1]
        details["enabled"] = _enabled(name, unit, units)
        if wanted := units.wanted.get(name):
            details["wanted_by"] = " ".join(sorted(wanted))
        if unit.alias_of:
            details["alias_of"] = unit.alias_of
        if name not in units.files:
            details["instance_of"] = _template(name)
        if unit.drop_ins:
            details["drop_ins"] = " ".join(unit.drop_ins)
        if unit.note:
            details["note"] = unit.note
        kind = name.rpartition(".")[2]
        service, starts = unit, unit.alias_of or name
        if kind != "service":
            starts = _starts(name, unit, (units, outer))
            details["starts"] = starts
            service = units.find(starts) or (outer and outer.find(starts)) or _NONE
        commands = [command(value) for value in service.settings.get(("Service", "ExecStart"), ())]
        path = _program(service.settings, starts, home)
        is_running = kind == "service" and bool({name, unit.alias_of} & running)
        state, notes = _state(missing, service, path, is_running=is_running)
        yield Item(
            kind="task" if kind == "timer" else "service",
            name=name,
            state=state,
            path=path,
            user=user,
            command="; ".join(commands),
            details=details,
            notes=notes,
            evidence=(Evidence(unit.path, _shown(unit, name)),),
        )


_NONE = _Unit("", {}, masked=False, note="what it starts is gone", alias_of="", drop_ins=(), others=())


def _other(
    missing: MissingFiles,
    units: _Units,
    name: str,
    path: str,
    used: _Unit,
    manager: dict[str, str],
    user: str,
    home: str,
) -> Item | LeftOut:
    """A unit file that does not count, since another folder has one of the same name."""
    if units.is_mask(path):
        return LeftOut("a mask of a unit")
    if units.is_dead(path):
        return LeftOut("a dead link")
    text = units.text(path)
    if text is not None and text == units.text(used.path):
        return LeftOut("listed as another item")
    found = settings(text or "")
    unit = _Unit(path, found, masked=False, note="", alias_of="", drop_ins=(), others=())
    program = _program(found, name, home)
    state, notes = _state(missing, unit, program, is_running=False) if found else ("installed", ())
    return Item(
        kind="task" if name.endswith(".timer") else "service",
        name=name,
        state=state,
        path=program,
        user=user,
        command="; ".join(command(value) for value in found.get(("Service", "ExecStart"), ())),
        details={**manager, "enabled": "no", "note": f"not in use: {used.path} counts"},
        notes=notes,
        evidence=(Evidence(path, _shown(unit, name)),),
    )


def _remains(name: str, user: str, units: _Units, details: dict[str, str], state: State) -> Item:
    """A unit without a unit file: it still runs, or links and drop-ins were left behind."""
    links = list(units.wanted.get(name, {}).values())
    details["note"] = "its unit file is gone"
    if links:
        details["enabled"] = "yes" if any(not link.startswith(_PACKAGED) for link in links) else "static"
        details["wanted_by"] = " ".join(sorted(units.wanted[name]))
    where = links or units.drop_ins.get(name) or [f"{_CGROUPS[0][0]}/{name}"]
    return Item(
        kind="task" if name.endswith(".timer") else "service",
        name=name,
        state=state,
        user=user,
        details=details,
        evidence=tuple(Evidence(path) for path in where),
    )


def _enabled(name: str, unit: _Unit, units: _Units) -> str:
    """The words of `systemctl is-enabled`, without its finer differences."""
    if unit.masked:
        return "masked"
    if unit.alias_of:
        return "alias"
    if unit.path.startswith("/run/systemd/generator"):
        return "generated"
    if unit.path.startswith("/run/systemd/transient"):
        return "transient"
    links = (*units.wanted.get(name, {}).values(), *units.aliases.get(name, ()))
    if any(not link.startswith(_PACKAGED) for link in links):
        return "yes"
    return "no" if not links and any(unit.settings.get(key) for key in _INSTALL) else "static"


def _starts(name: str, unit: _Unit, managers: tuple[_Units | None, ...]) -> str:
    """The unit that a timer, socket or path starts."""
    stem, _, suffix = name.rpartition(".")
    section, key = ("Socket", "Service") if suffix == "socket" else (suffix.capitalize(), "Unit")
    if named := unit.settings.get((section, key)):
        return named[-1].replace("%p", stem.partition("@")[0]).replace("%i", stem.partition("@")[2])
    template = f"{stem}@.service"  # of a socket with `Accept=yes`
    if any(units and template in units.files and f"{stem}.service" not in units.files for units in managers):
        return template
    return f"{stem}.service"


def _program(found: Mapping[tuple[str, str], list[str]], name: str, home: str) -> str:
    commands = found.get(("Service", "ExecStart"))
    if not commands:
        return ""
    stem = name.rpartition(".")[0]
    prefix, at, instance = stem.partition("@")
    specifiers = {"%": "%", "n": name, "N": stem, "p": prefix}
    if instance or not at:
        specifiers["i"] = instance
    if home:
        specifiers["h"] = home
    return executable(commands[0], specifiers)


def _state(missing: MissingFiles, service: _Unit, path: str, *, is_running: bool) -> tuple[State, tuple[str, ...]]:
    if is_running:
        return "running", ()
    if not service.settings and service.note != _UNREAD:
        return "leftover", ()
    if path and "%" not in path and not any(key in service.settings for key in _OTHER_ROOT):
        return missing.state(path)
    return "installed", ()


def _shown(unit: _Unit, name: str) -> str:
    for key in (("Service", "ExecStart"), ("Unit", "Description")):
        if values := unit.settings.get(key):
            return f"{key[1]}={values[0]}"
    return unit.note or name


def _template(name: str) -> str:
    """`x@.service` of `x@y.service`; the name itself of any other."""
    prefix, at, rest = name.partition("@")
    return f"{prefix}@.{rest.rpartition('.')[2]}" if at else name


def _running(host: Host) -> frozenset[str]:
    """The services of the system that have a process now."""
    found: set[str] = set()
    if not host.live:
        return frozenset()
    for top, file in _CGROUPS:
        folders = [(top, entry.name) for entry in host.files.list(top) if entry.kind == "dir"]
        folders += [  # of templates: system-getty.slice/getty@tty1.service
            (f"{top}/{name}", entry.name)
            for _, name in folders
            if name.startswith("system-") and name.endswith(".slice")
            for entry in host.files.list(f"{top}/{name}")
            if entry.kind == "dir"
        ]
        for folder, name in folders:
            if name.endswith(".service"):
                events = host.files.head(f"{folder}/{name}/{file}", 4096) or b""
                if b"populated 1" in events or (events and file == "cgroup.procs"):
                    found.add(name)
    return frozenset(found)


SOURCE = Source(
    name="systemd",
    title="systemd units",
    platforms=("linux",),
    kinds=("service", "task"),
    needs=(),
    reads=(
        *(f"{folder}/{file}" for folder in (*_SYSTEM, *_EVERY_USER, *(f"~{one}" for one in _HOME)) for file in _READ),
        *(f"{top}/**/{file}" for top, file in _CGROUPS),
        *VOLUME_LISTS,
    ),
    limits="Whether a service of a user or in a slice of its own runs is not seen here, but among the processes.",
    collect=collect,
)
