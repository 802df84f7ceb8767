"""Lines of crontabs: those of users, of the system, and of anacron.

References:
    crontab(5) of cronie and of Debian's cron (the system's have a user column, `%` ends the command), anacrontab(5).
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from phaseout.model.regex import regex

Form = Literal["user", "system", "anacron"]
Other = Literal["a comment", "a setting", "damaged"]

_ENVIRONMENT = regex(r"""(?:"[^"]*"|'[^']*'|[^\s"'=]+)\s*=""")
_TIME = regex(r"[0-9A-Za-z*,/~?-]+", re.ASCII)
_STDIN = regex(r"(?<!\\)%")
_FIELDS = {"user": 5, "system": 6, "anacron": 3}  # before the command


class Job(NamedTuple):
    """One line that starts something. `user` is empty where the file has no such column."""

    schedule: str
    user: str
    command: str
    name: str = ""  # of anacron's jobs


def lines(text: str, form: Form) -> Iterator[tuple[int, Job | Other]]:
    """Every line that is not blank, with its number from 1: a job, or why it is not one."""
    for number, written in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = written.strip()
        if line:
            yield number, "a comment" if line[0] == "#" else _line(line, form)


def _line(line: str, form: Form) -> Job | Other:
    if _ENVIRONMENT.match(line):
        return "a setting"
    count = _FIELDS[form]
    if form != "anacron" and line[0] == "@":
        count -= 4  # @reboot, @daily … instead of five fields
    fields = line.split(None, count)
    if len(fields) <= count:
        return "damaged"
    *before, command = fields
    if form == "anacron":
        period, delay, name = before
        fits = delay.isdecimal() and (period[0] == "@" or period.isdecimal())
        return Job(period, "", command, name) if fits else "damaged"
    user = before.pop() if form == "system" else ""
    if line[0] != "@" and not all(_TIME.fullmatch(field) for field in before):
        return "damaged"
    return Job(" ".join(before), user, _STDIN.split(command, maxsplit=1)[0].replace("\\%", "%").rstrip())
