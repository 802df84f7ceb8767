"""Jobs of launchd: the daemons of the system, the agents of all users, and those of each user.

The signature of the program that a job starts is read as well, wherever the program is.

References:
    launchd.plist(5) (BundleProgram), launchctl(1), launchd(8); Apple, "SMAppService" (jobs of applications), "Daemons
    and Services Programming Guide" (StartupItems).
"""

from collections.abc import Generator, Iterator, Mapping
from functools import partial

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.encodings.property_list import mapping, text, texts
from phaseout.parsers.macos.code_signature import signature
from phaseout.parsers.windows.command_line import executable
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.places import places
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.source import Source, Trace

_FOLDERS = {
    "/Library/LaunchDaemons": "daemon",
    "/Library/LaunchAgents": "agent",
    "/System/Library/LaunchDaemons": "daemon",
    "/System/Library/LaunchAgents": "agent",
}
_HOME = "/Library/LaunchAgents"
# Of applications, which register them when they are started.
_IN_BUNDLES = tuple(
    f"{top}.app/Contents/Library/Launch{kind}/*.plist"
    for top in ("/Applications/*", "/Applications/*/*", "~/Applications/*", "/Library/Application Support/*/*")
    for kind in ("Daemons", "Agents")
)
_STARTUP = ("/Library/StartupItems", "/System/Library/StartupItems")
_DISABLED = "/var/db/com.apple.xpc.launchd"
_APPLE = "com.apple."
_LIMIT = 1 << 20
# Programs that run a script given as an argument; the script is the program that is meant.
_RUNNERS = frozenset(("bash", "dash", "env", "ksh", "osascript", "perl", "python", "python3", "ruby", "sh", "zsh"))


def collect(host: Host) -> Iterator[Trace]:
    """An item for every job that is not macOS's own."""
    switched = yield from _switched(host)
    missing = MissingFiles(host)
    for folder, domain in _FOLDERS.items():
        for entry in host.files.list(folder):
            if folder.startswith("/System/") and entry.name.startswith(_APPLE):
                yield LeftOut("part of the operating system")
            elif entry.name.endswith(".plist") and entry.kind != "dir":
                yield from _job(host, f"{folder}/{entry.name}", domain, "", switched, missing)
    for home, user in host.homes.items():
        for entry in host.files.list(home + _HOME):
            if entry.name.endswith(".plist") and entry.kind != "dir":
                yield from _job(host, f"{home}{_HOME}/{entry.name}", "agent", user, switched, missing)
    for place in places(host, _IN_BUNDLES):
        yield from _job(
            host, place.path, "agent" if "/LaunchAgents/" in place.path else "daemon", place.user, switched, missing
        )
    for folder in _STARTUP:
        for entry in host.files.list(folder):
            if entry.kind == "dir":
                yield from _startup_item(host, f"{folder}/{entry.name}", missing)


def _job(
    host: Host, path: str, domain: str, user: str, switched: Mapping[str, bool], missing: MissingFiles
) -> Iterator[Trace]:
    data = host.files.read(path, _LIMIT)
    if data is not None and not data.strip():
        yield LeftOut("an empty entry")
        return
    values = mapping(data) if data is not None else {}
    is_broken_link = data is None and host.files.gone(path)
    state, notes = missing.state(path) if is_broken_link else ("installed", ())
    note = "" if data is not None else "not readable"
    if state == "leftover":
        note = f"link to {host.files.link(path)}, which is gone"
    if values is None:
        yield Problem(path, "is damaged: no property list", "damaged")
        values, note = {}, "damaged"
    label = text(values.get("Label")) or path.rpartition("/")[2].removesuffix(".plist")
    arguments = texts(values.get("ProgramArguments"))
    bundled = text(values.get("BundleProgram"))
    program = _of_bundle(path, bundled) if bundled else _program(text(values.get("Program")), arguments)
    associated = values.get("AssociatedBundleIdentifiers")
    bundle = next(iter([associated] if isinstance(associated, str) else texts(associated)), "")
    signed = signature(partial(host.files.part, program)) if program else None
    if not is_broken_link and "RootDirectory" not in values:
        state, notes = missing.state(program)
        note = "its program is gone" if state == "leftover" else note
    disabled = switched.get(label, values.get("Disabled"))
    yield Item(
        kind="service",
        name=label,
        state=state,
        vendor=signed.organisation if signed else "",
        path=program,
        user=user,
        command=" ".join(arguments) or text(values.get("Program")) or bundled,
        signer=signed.authority if signed else "",
        ids={
            "bundle_id": (signed.identifier if signed and not signed.adhoc else "") or bundle,
            "team_id": signed.team_id if signed else "",
        },
        details={
            "domain": domain,
            "enabled": {True: "no", False: "yes"}.get(disabled, "") if isinstance(disabled, bool) else "",
            "at_load": "yes" if values.get("RunAtLoad") is True else "",
            "runs_as": text(values.get("UserName")),
            "note": note,
        },
        notes=notes,
        evidence=(Evidence(path, f"Label: {label}"),),
    )


def _program(program: str, arguments: list[str]) -> str:
    """The absolute path of the program that a job runs, or of its script; empty where it has none."""
    first = program or (arguments[0] if arguments else "")
    if first.rpartition("/")[2] not in _RUNNERS:
        return first if first.startswith("/") else ""
    for at, argument in enumerate(arguments[1:], 1):
        if argument == "-c" or (argument.startswith("-") and argument.endswith("c") and len(argument) <= 4):
            return executable(arguments[at + 1]) if at + 1 < len(arguments) else ""
        if argument.startswith("/"):
            return argument
    return first if first.startswith("/") else ""


def _of_bundle(path: str, program: str) -> str:
    """The program that a job of an application names, from the folder of the application; empty for one elsewhere."""
    application, inside, _ = path.partition("/Contents/Library/Launch")
    return f"{application}/{program}" if inside else ""


def _switched(host: Host) -> Generator[Trace, None, dict[str, bool]]:
    """Label → whether an administrator has switched it off."""
    values = (yield from dictionary(host, f"{_DISABLED}/disabled.plist", _LIMIT)) or {}
    return {label: value for label, value in values.items() if isinstance(value, bool)}


def _startup_item(host: Host, path: str, missing: MissingFiles) -> Iterator[Trace]:
    file = f"{path}/StartupParameters.plist"
    values = (yield from dictionary(host, file, _LIMIT)) or {}
    name = path.rpartition("/")[2]
    program = f"{path}/{name}"
    state, notes = missing.state(program)
    yield Item(
        kind="service",
        name=name,
        state=state,
        path=program,
        notes=notes,
        details={
            "domain": "startup item",
            "description": text(values.get("Description")),
            "provides": " ".join(texts(values.get("Provides"))),
            "note": "its program is gone" if state == "leftover" else "",
        },
        evidence=(Evidence(file if values else path, text(values.get("Description"))),),
    )


SOURCE = Source(
    name="launchd",
    title="Launch daemons and agents",
    platforms=("macos",),
    kinds=("service",),
    needs=(),
    reads=(
        *(f"{folder}/*" for folder in _FOLDERS),
        f"~{_HOME}/*",
        *_IN_BUNDLES,
        *(f"{folder}/*/StartupParameters.plist" for folder in _STARTUP),
        f"{_DISABLED}/disabled.plist",
    ),
    limits="Whether a job runs shows among the processes. Jobs within applications elsewhere are login items.",
    collect=collect,
)
