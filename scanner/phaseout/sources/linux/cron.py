"""Jobs of cron, anacron and at, and the scripts that cron runs by the hour, day, week and month.

References:
    cron(8), crontab(5), anacrontab(5), run-parts(8) of Debian (the names that it takes).
"""

import re
from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.model.regex import regex
from phaseout.parsers.linux.at_job import at_job
from phaseout.parsers.linux.crontab import Form, Job, lines
from phaseout.parsers.windows.command_line import executable
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.source import Source, Trace

_SYSTEM = "/etc/crontab"
_ANACRON = "/etc/anacrontab"
_CRON_D = "/etc/cron.d"
# Debian and Alpine, SUSE, Red Hat, Alpine's own place; the file's name is the user's.
_USERS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/etc/crontabs")
_PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
_AT = ("/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs")
_PLACEHOLDER = ".placeholder"  # keeps the folder in Debian's packages
_DEBIAN = "/etc/debian_version"
_DEBIAN_NAME = regex(r"[A-Za-z0-9_-]+", re.ASCII)
_BACKUP = ("~", ",", ".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".cfsaved")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every line that starts something, every script in the folders of a period, and every job of at."""
    debian = host.files.exists(_DEBIAN)
    missing = MissingFiles(host)
    yield from _crontab(host, missing, _SYSTEM, "system")
    yield from _crontab(host, missing, _ANACRON, "anacron")
    for entry in host.files.list_files(_CRON_D):
        note = "ignored by cron: its name" if _is_ignored(entry.name, debian=debian) else ""
        yield from _crontab(host, missing, f"{_CRON_D}/{entry.name}", "system", name=entry.name, note=note)
    seen: set[str | None] = {None}
    for folder in _USERS:
        real = host.files.real(folder)
        if real not in seen:
            seen.add(real)
            for entry in host.files.list_files(folder):
                yield from _crontab(host, missing, f"{folder}/{entry.name}", "user", user=entry.name)
    for period in _PERIODS:
        yield from _scripts(host, missing, period, debian=debian)
    for folder in {host.files.real(folder): folder for folder in reversed(_AT)}.values():
        for entry in host.files.list_files(folder):
            if entry.name[0] != ".":
                yield from _at(host, missing, f"{folder}/{entry.name}", entry.name)


def _crontab(
    host: Host, missing: MissingFiles, path: str, form: Form, *, user: str = "", name: str = "", note: str = ""
) -> Iterator[Trace]:
    if name == _PLACEHOLDER:
        yield LeftOut("a placeholder")
        return
    text = host.files.text(path, 1 << 20)
    if text is None and name and host.files.gone(path):
        target = f"link to {host.files.link(path)}, which is gone"
        yield Item(
            kind="task", name=name, state="leftover", details={"note": target}, evidence=(Evidence(path, target),)
        )
    for number, job in lines(text or "", form):
        if isinstance(job, Job):
            yield _job(missing, job, job.user or user or "root", name, note, f"{path}:{number}")
        else:
            if job == "damaged":
                yield Problem(f"{path}:{number}", "not a line of a crontab", "damaged")
            yield LeftOut(job)


def _job(missing: MissingFiles, job: Job, user: str, name: str, note: str, where: str) -> Item:
    program = executable(job.command)
    state, notes = missing.state(program)
    return Item(
        kind="task",
        name=job.name or name or program.rpartition("/")[2] or job.command[:80],
        state=state,
        path=program,
        user=user,
        command=job.command,
        details={"schedule": job.schedule, "note": note},
        notes=notes,
        evidence=(Evidence(where, f"{job.schedule} {job.command}"),),
    )


def _at(host: Host, missing: MissingFiles, path: str, name: str) -> Iterator[Item]:
    text = host.files.text(path, 1 << 20)
    if text is None:  # the problem is kept by the host
        return
    job = at_job(text)
    users = {user.uid: user.name for user in reversed(host.users)}
    program = executable(job.command)
    state, notes = missing.state(program)
    yield Item(
        kind="task",
        name=program.rpartition("/")[2] or name,
        state=state,
        path=program,
        user=users.get(job.uid, str(job.uid) if job.uid >= 0 else ""),
        command=job.command,
        details={"schedule": "once"},
        notes=notes,
        evidence=(Evidence(path, job.command[:80]),),
    )


def _scripts(host: Host, missing: MissingFiles, period: str, *, debian: bool) -> Iterator[Trace]:
    folder = f"/etc/cron.{period}"
    for name, kind in host.files.list(folder):
        path = f"{folder}/{name}"
        if name == _PLACEHOLDER or kind == "dir":
            yield LeftOut("a folder" if kind == "dir" else "a placeholder")
            continue
        found = host.files.stat(path)
        note = "ignored by run-parts: its name" if _is_ignored(name, debian=debian) else ""
        if not note and found and not found.mode & 0o111:
            note = "ignored by run-parts: not executable"
        state, notes = missing.state(path)
        yield Item(
            kind="task",
            name=name,
            state=state,
            path=path,
            user="root",
            command=path,
            details={"schedule": period, "note": note},
            notes=notes,
            evidence=(Evidence(path, host.files.link(path) or ""),) if kind == "link" else (Evidence(path),),
        )


def _is_ignored(name: str, *, debian: bool) -> bool:
    return not _DEBIAN_NAME.fullmatch(name) if debian else name.startswith(".") or name.endswith(_BACKUP)


SOURCE = Source(
    name="cron",
    title="Jobs of cron and at",
    platforms=("linux",),
    kinds=("task",),
    needs=(),
    reads=(
        *(_SYSTEM, _ANACRON, f"{_CRON_D}/*", _DEBIAN, *VOLUME_LISTS),
        *(f"{folder}/*" for folder in (*_USERS, *_AT)),
        *(f"/etc/cron.{period}/*" for period in _PERIODS),
    ),
    limits="What the script of a job starts in turn is not followed.",
    collect=collect,
)
