"""The configuration of WinSW, which runs any program as a Windows service.

References:
    https://github.com/winsw/winsw/blob/v3/docs/xml-config-file.md
"""

import re
from typing import NamedTuple

from phaseout.parsers.encodings.xml_elements import elements

_BASE = re.compile("%base%", re.IGNORECASE)


class Wrapped(NamedTuple):
    """What a wrapper runs, as written; variables other than `%BASE%` are not expanded."""

    executable: str
    arguments: str


def winsw(data: bytes, folder: str) -> Wrapped | None:
    """What a configuration runs; `None` where the file is some other XML.

    Args:
        data: the file.
        folder: the folder that it lies in, which is `%BASE%` and where relative paths start.

    Raises:
        ValueError: it is no XML.
    """
    found: dict[str, str] = {}
    path = ""
    for path, _, text in elements(data, 2_000):
        found.setdefault(path.lower(), _BASE.sub(lambda _: folder, text))
    executable = found.get("service/executable", "")
    if path.lower() != "service" or not executable:
        return None
    if ":" not in executable and not executable.startswith(("\\", "%")) and "\\" in executable:
        executable = f"{folder}\\{executable}"
    return Wrapped(executable, found.get("service/arguments", "") or found.get("service/startarguments", ""))
