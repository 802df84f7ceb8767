"""A job of at: a shell script that restores the environment and the folder first.

References:
    at.c of https://salsa.debian.org/debian/at (`# atrun uid=…`, "Execution directory inaccessible", and the
    here-document for another shell).
"""

import re
from typing import NamedTuple

from phaseout.model.regex import regex

_OWNER = regex(r"^# atrun uid=(\d{1,10}) ", re.MULTILINE)
_FOLDER = regex(r"^\s*exit 1\n\}\n", re.MULTILINE)
_HERE_DOCUMENT = regex(r"^\$\{SHELL:-/bin/sh\} << '(marcinDELIMITER\w+)'\n", re.MULTILINE)


class AtJob(NamedTuple):
    """Who runs what: `uid` is -1 and `command` the whole script where the file does not look like at's."""

    uid: int
    command: str


def at_job(text: str) -> AtJob:
    """The job of a file in at's spool folder; what at itself put before the commands is taken off."""
    owner = _OWNER.search(text)
    start = _FOLDER.search(text)
    command = text[start.end() :] if start else text
    document = _HERE_DOCUMENT.match(command)
    if document:
        command = command[document.end() :].rpartition(document[1])[0] or command[document.end() :]
    return AtJob(
        int(owner[1]) if owner else -1, "; ".join(line.strip() for line in command.split("\n") if line.strip())
    )
