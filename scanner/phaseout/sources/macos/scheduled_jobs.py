"""What starts programs of macOS besides launchd: cron, periodic, emond, hooks of log-in and log-out, old start scripts.

Of a script, the programs that it names by their paths are items, too: their signatures tell whose they are.

References:
    cron(8), crontab(5), periodic(8) and periodic.conf(5) of macOS; emond(8) (up to macOS 12); Apple, "Customizing Login
    and Logout" (LoginHook, LogoutHook); rc(8) of old versions.
"""

from collections.abc import Iterator
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, LeftOut, Problem
from phaseout.parsers.encodings.property_list import property_list, text, texts
from phaseout.parsers.linux.crontab import Job, lines
from phaseout.parsers.linux.named_paths import named_paths
from phaseout.parsers.windows.command_line import executable
from phaseout.sources.kit.limited import limited
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary
from phaseout.sources.kit.signed_programs import is_program, started
from phaseout.sources.source import Source, Trace

_TABS = "/var/at/tabs"
_CRONTAB = "/etc/crontab"
_PERIODIC = ("/etc/periodic", "/usr/local/etc/periodic")
_PERIODIC_CONF = ("/etc/periodic.conf", "/etc/periodic.conf.local")
_EMOND = "/etc/emond.d/emond.plist"
_RULES = "/etc/emond.d/rules"
_WINDOW = "/Library/Preferences/com.apple.loginwindow.plist"
_HOOKS = ("LoginHook", "LogoutHook")
_SCRIPTS = ("/etc/rc.common", "/etc/rc.local", "/etc/rc.shutdown.local", "/etc/rc.server", "/etc/launchd.conf")
_LIMIT = 1 << 20
_MOST = 500  # scripts or programs that one place names


def collect(host: Host) -> Iterator[Trace]:
    """An item for every job, and for every program that the script of a job names."""
    reader = _Reader(host)
    for entry in host.files.list(_TABS):
        yield from reader.crontab(f"{_TABS}/{entry.name}", entry.name)
    yield from reader.crontab(_CRONTAB, "")
    yield from reader.periodic()
    yield from reader.emond()
    for home, user in {"": "", **host.homes}.items():
        yield from reader.hooks(home + _WINDOW, user)
    for path in _SCRIPTS:
        yield from reader.script(path, "root", {"type": "start script"})


class _Reader:
    """Reads the jobs of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._missing = MissingFiles(host)

    def crontab(self, path: str, user: str) -> Iterator[Trace]:
        """The jobs of one table; without a user it is that of the system."""
        content = self._host.files.text(path, _LIMIT) or ""
        for number, job in lines(content, "user" if user else "system"):
            where = f"{path}:{number}"
            if isinstance(job, Job):
                details = {"type": "cron", "schedule": job.schedule}
                yield from self._command(job.command, job.user or user or "root", where, details)
            else:
                if job == "damaged":
                    yield Problem(where, "not a line of a crontab", "damaged")
                yield LeftOut(job)

    def periodic(self) -> Iterator[Trace]:
        """The scripts that run by the day, week and month."""
        folders = [*_PERIODIC]
        for path in _PERIODIC_CONF:
            content = self._host.files.text(path, _LIMIT) or ""
            for line in content.split("\n"):
                name, _, value = line.strip().partition("=")
                if name.strip() == "local_periodic":
                    folders += value.strip().strip("\"'").split()
        for folder in dict.fromkeys(folders):
            for period in self._host.files.list(folder):
                inner = f"{folder}/{period.name}"
                scripts = self._host.files.list(inner) if period.kind != "file" else ()
                for script in limited(self._host, inner, scripts, _MOST):
                    if script.kind != "dir":
                        yield from self.script(
                            f"{inner}/{script.name}", "root", {"type": "periodic", "schedule": period.name}
                        )

    def emond(self) -> Iterator[Trace]:
        """The commands of rules of the event monitor."""
        settings = (yield from dictionary(self._host, _EMOND, _LIMIT)) or {}
        config = settings.get("config")
        more = texts(config.get("additionalRulesPaths")) if isinstance(config, dict) else []
        for folder in dict.fromkeys((_RULES, *more)):
            for entry in limited(self._host, folder, self._host.files.list(folder), _MOST):
                if entry.kind != "dir" and entry.name.endswith(".plist"):
                    yield from self._rules(f"{folder}/{entry.name}")

    def _rules(self, path: str) -> Iterator[Trace]:
        data = self._host.files.read(path, _LIMIT)
        rules: Any = property_list(data) if data else []
        if rules is None:
            yield from damaged(path, "is damaged: no property list")
            return
        for rule in rules if isinstance(rules, list) else [rules]:
            actions = rule.get("actions") if isinstance(rule, dict) else None
            commands = [
                one
                for one in (actions if isinstance(actions, list) else ())
                if isinstance(one, dict) and text(one.get("command"))
            ]
            if not commands:
                yield LeftOut("a setting")
            for one in commands:
                command = " ".join((text(one.get("command")), *texts(one.get("arguments"))))
                details = {"type": "emond", "enabled": "no" if rule.get("enabled") is False else "yes"}
                yield from self._command(command, text(one.get("user")) or "root", path, details)

    def hooks(self, path: str, user: str) -> Iterator[Trace]:
        """What the log-in window starts at log-in and log-out."""
        values = (yield from dictionary(self._host, path, _LIMIT)) or {}
        for hook in _HOOKS:
            if command := text(values.get(hook)):
                yield from self._command(command, user, f"{path}: {hook}", {"type": hook})

    def script(self, path: str, user: str, details: dict[str, str]) -> Iterator[Trace]:
        """A script or program of a folder of such, and what the script starts."""
        if self._host.files.is_file(path):
            name = path.rpartition("/")[2]
            yield started(
                self._host, self._missing, name, path, Evidence(path), user=user, command=path, details=details
            )
            yield from self._named(path, user, details)

    def _command(self, command: str, user: str, where: str, details: dict[str, str]) -> Iterator[Trace]:
        path = executable(command)
        name = path.rpartition("/")[2] or command[:80]
        evidence = Evidence(where, command)
        yield started(self._host, self._missing, name, path, evidence, user=user, command=command, details=details)
        for other in dict.fromkeys(named_paths(command)):
            if other != path and self._host.files.is_file(other):
                yield from self._program(other, user, where, details)
                yield from self._named(other, user, details)
        if path:
            yield from self._named(path, user, details)

    def _named(self, script: str, user: str, details: dict[str, str]) -> Iterator[Trace]:
        """The programs that a script names."""
        data = self._host.files.head(script, _LIMIT) or b""
        if data.startswith(b"#!") or (data and b"\0" not in data[:512]):
            paths = dict.fromkeys(named_paths(data.decode("utf-8", "replace")))
            for path in limited(self._host, script, paths, _MOST):
                yield from self._program(path, user, script, details)

    def _program(self, path: str, user: str, where: str, details: dict[str, str]) -> Iterator[Trace]:
        if path.startswith("/") and (self._missing.verdict(path).why or is_program(self._host, path)):
            name = path.rpartition("/")[2]
            yield started(self._host, self._missing, name, path, Evidence(where, path), user=user, details=details)


SOURCE = Source(
    name="scheduled_jobs",
    title="Jobs of cron, periodic and emond, and hooks of log-in",
    platforms=("macos",),
    kinds=("task",),
    needs=(),
    reads=(
        f"{_TABS}/*",
        _CRONTAB,
        *(f"{folder}/*/*" for folder in _PERIODIC),
        *(*_PERIODIC_CONF, _EMOND, f"{_RULES}/*", _WINDOW, f"~{_WINDOW}", *_SCRIPTS),
        "/[!pe]*/**/*",
        "/private/[!e]*/**/*",  # the programs that these start, and rules elsewhere
    ),
    limits="What a script starts by a name without a path, or through another script, is not followed.",
    collect=collect,
)
