"""Init scripts of SysV init and OpenRC.

References:
    https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/sysinit.html; insserv(8),
    chkconfig(8); https://github.com/OpenRC/openrc/blob/master/service-script-guide.md (`command=`, run levels).
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, State
from phaseout.parsers.linux.shell_script import header, literals
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.source import Source, Trace

_SCRIPTS = ("/etc/init.d", "/etc/rc.d/init.d")
# Above the `rcN.d` folders: Debian, Red Hat, SUSE.
_LEVELS = tuple(f"{top}/rc{level}.d" for top in ("/etc", "/etc/rc.d", "/etc/init.d") for level in "0123456S")
_RUNLEVELS = "/etc/runlevels"
_HEAD = 16 << 10
_PROGRAM = ("DAEMON", "command", "exec", "EXEC", "prog", "PROG", "DAEMON_PATH", "BINARY", "BIN", "program", "binary")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every script, enabled or not, and for links that outlived their script."""
    scripts: dict[str, str] = {}
    hidden: list[tuple[str, str]] = []
    missing = MissingFiles(host)
    for folder in _distinct(host, _SCRIPTS):
        for name, kind in host.files.list(folder):
            if kind == "dir":
                continue
            if name in scripts:
                hidden.append((name, f"{folder}/{name}"))
            else:
                scripts[name] = f"{folder}/{name}"
    started, orphans = _levels(host, scripts)
    for name, path in (scripts | orphans).items():
        yield _script(host, missing, name, path, started.get(name, ()))
    for name, path in hidden:
        yield _script(host, missing, name, path, ())


def _distinct(host: Host, folders: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for folder in folders:
        real = host.files.real(folder)
        if real is not None:
            found.setdefault(real, folder)
    return tuple(found.values())


def _levels(host: Host, scripts: dict[str, str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Script → the levels that start it, and a link for each name that no script has."""
    started: dict[str, tuple[str, ...]] = {}
    orphans: dict[str, str] = {}

    def note(path: str, name: str, level: str) -> None:
        if name not in scripts:
            target = (host.files.link(path) or "").rpartition("/")[2]
            if target not in scripts:
                orphans.setdefault(name, path)
            else:
                name = target
        if level:
            started[name] = (*started.get(name, ()), level)

    for folder in _distinct(host, _LEVELS):
        for entry in host.files.list(folder):
            action, order, name = entry.name[0], entry.name[1:3], entry.name[3:]
            if action in "SK" and order.isdecimal() and name and entry.kind != "dir":
                note(f"{folder}/{entry.name}", name, folder[-3] if action == "S" else "")
    for level in host.files.list(_RUNLEVELS):
        for entry in host.files.list(f"{_RUNLEVELS}/{level.name}") if level.kind == "dir" else ():
            if entry.kind == "link":
                note(f"{_RUNLEVELS}/{level.name}/{entry.name}", entry.name, level.name)
    return started, orphans


def _script(host: Host, missing: MissingFiles, name: str, path: str, levels: tuple[str, ...]) -> Trace:
    details = {"enabled": "yes" if levels else "no", "levels": " ".join(levels)}
    if host.files.gone(path):
        details["note"] = f"link to {host.files.link(path)}, which is gone"
        return _item(name, "leftover", "", details, path)
    data = host.files.head(path, _HEAD)
    if data is None:
        details["note"] = "could not be read"
        return _item(name, "installed", "", details, path)
    if not data.startswith((b"#!", b"\x7fELF")):
        return LeftOut("not a program")
    program = ""
    if data.startswith(b"#!"):
        text = data.decode("utf-8", "backslashreplace")
        said = header(text)
        details["provides"] = said.get("provides", "")
        details["description"] = said.get("short-description") or said.get("description", "")
        values = literals(text)
        for key in _PROGRAM:
            if values.get(key, "").startswith("/"):
                program = values[key].split(None, 1)[0]
                break
    state, notes = missing.state(program)
    return _item(name, state, program, details, path, notes)


def _item(
    name: str, state: State, program: str, details: dict[str, str], script: str, notes: tuple[str, ...] = ()
) -> Item:
    return Item(
        kind="service",
        name=name,
        state=state,
        path=program or script,
        command=script,
        details=details,
        notes=notes,
        evidence=(Evidence(script, program),),
    )


SOURCE = Source(
    name="sysv",
    title="Init scripts",
    platforms=("linux",),
    kinds=("service",),
    needs=(),
    reads=(*(f"{folder}/*" for folder in (*_SCRIPTS, *_LEVELS)), f"{_RUNLEVELS}/*/*", *VOLUME_LISTS),
    limits="The program is seen where a script names it literally; whether it runs is seen among the processes.",
    collect=collect,
)
