"""What starts with the system beside systemd and SysV scripts: rc.local, inittab, runit, s6, dinit and upstart.

References:
    rc-local.service(8), inittab(5), runsv(8), dinit-service(5), upstart's init(5), s6-supervise
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.model.regex import regex
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.source import Source, Trace

_SCRIPTS = ("/etc/rc.local", "/etc/rc.d/rc.local", "/etc/init.d/boot.local", "/etc/rc.d/rc.sysinit.local")
_INITTAB = "/etc/inittab"
# Folder of services → the file in each that starts it. Links of enabled services lead into the same folders.
_SUPERVISED = {"/etc/sv": "run", "/etc/runit/sv": "run", "/etc/s6/sv": "run", "/etc/s6-rc/source": "run"}
_DINIT, _UPSTART = "/etc/dinit.d", "/etc/init"
_LIMIT = 1 << 20
_PATH = regex(r"(?<![\w./$}~-])/[^\s'\"`;|&<>()]+")
# Folders of the system's own tools, and what is no program: the first other path of a line is what it starts.
_PLAIN = regex(r"/(?:usr/)?s?bin/|/(?:dev|proc|sys|run|etc|tmp)(?:/|$)")
_SERVICE = regex(r"\s*(?:command\s*[=:]|exec\s|script\s)")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every line that starts a program by its path."""
    missing = MissingFiles(host)
    for path in _SCRIPTS:
        yield from _lines(host, missing, path, "task", "")
    for number, line in _text(host, _INITTAB):
        fields = line.split(":", 3)
        if len(fields) == 4 and fields[2] not in ("off", ""):
            yield from _line(missing, fields[3], "task", "", f"{_INITTAB}:{number}")
    seen: set[str | None] = set()
    for folder, file in _SUPERVISED.items():
        real = host.files.real(folder)
        if real in seen:
            continue
        seen.add(real)
        for name, kind in host.files.list(folder):
            if kind != "file":
                yield from _lines(host, missing, f"{folder}/{name}/{file}", "service", name)
    for folder in (_DINIT, _UPSTART):
        for name, _ in host.files.list_files(folder):
            path = f"{folder}/{name}"
            for number, line in _text(host, path):
                if _SERVICE.match(line):
                    service = name.removesuffix(".conf")
                    yield from _line(missing, line, "service", service, f"{path}:{number}")


def _lines(host: Host, missing: MissingFiles, path: str, kind: str, name: str) -> Iterator[Trace]:
    for number, line in _text(host, path):
        yield from _line(missing, line, kind, name, f"{path}:{number}")


def _text(host: Host, path: str) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that say something."""
    for number, line in enumerate((host.files.text(path, _LIMIT) or "").split("\n"), 1):
        plain = line.strip()
        if plain and plain[0] != "#":
            yield number, plain


def _line(missing: MissingFiles, line: str, kind: str, name: str, where: str) -> Iterator[Trace]:
    paths = _PATH.findall(line)
    program = next((one for one in paths if not _PLAIN.match(one)), paths[0] if paths else "")
    if not program:
        yield LeftOut("not a program")
        return
    state, notes = missing.state(program)
    yield Item(
        kind="service" if kind == "service" else "task",
        name=name or program.rpartition("/")[2],
        state=state,
        path=program,
        user="root",
        command=line[:4096],
        notes=notes,
        evidence=(Evidence(where, line[:200]),),
    )


SOURCE = Source(
    name="boot_scripts",
    title="Programs that rc.local, inittab, runit, s6, dinit or upstart start",
    platforms=("linux",),
    kinds=("service", "task"),
    needs=(),
    reads=(
        *_SCRIPTS,
        _INITTAB,
        *(f"{folder}/*/{file}" for folder, file in _SUPERVISED.items()),
        *(f"{folder}/*" for folder in (_DINIT, _UPSTART)),
        *VOLUME_LISTS,
    ),
    limits="What a script starts by a name alone, through a variable or in another script is not followed.",
    collect=collect,
)
