r"""Program paths as Windows keeps them in services, uninstall strings and autostarts → `C:\…`.

References:
    Microsoft, "CreateProcess" (lpApplicationName: how a command line with blanks and no quotes is read),
    "CreateService" (lpBinaryPathName), "rundll32", "cmd"; the kernel's forms `\SystemRoot\…`, `\??\C:\…` and
    `System32\…` are those of drivers in the Services keys.
"""

import re
from collections.abc import Iterator, Mapping

from phaseout.model.regex import regex

_VARIABLE = regex(r"%([^%\\/\"]+)%")
_ABSOLUTE = regex(r"[A-Za-z]:[\\/]")
_IMPOSSIBLE = regex(r'[\x00-\x1f<>"|?*]')
_SHORT_NAME = regex(r"~\d")
_ENDING = regex(
    r"\.(?:(?:exe|bat|cmd|dll|sys|scr|msi|cpl|ocx|vbs|ps1|ico)(?=[\s\",]|$)"
    r"|(?:com|js)(?=[\s\",]|$)(?!.*\\))",  # `Booking.com App\app.exe` is a folder first
    re.IGNORECASE | re.DOTALL,
)
ENDINGS = (
    ".exe",
    ".com",
    ".bat",
    ".cmd",
    ".dll",
    ".sys",
    ".scr",
    ".msi",
    ".cpl",
    ".ocx",
    ".vbs",
    ".js",
    ".ps1",
    ".ico",
)
# Programs of Windows and runtimes that only run what their arguments name.
_LAUNCHERS = frozenset(
    (
        *("cmd", "conhost", "cscript", "wscript", "mshta", "rundll32", "regsvr32", "powershell", "pwsh", "explorer"),
        *("java", "javaw", "python", "pythonw", "node", "hstart", "runhiddenconsole"),
    )
)
# A path within a command line: quoted, or up to its ending or the next blank.
_PATH_WITHIN = regex(r'"([A-Za-z]:[\\/][^"]+)"|([A-Za-z]:[\\/].*)', re.DOTALL)
_BLANKS = 32  # of a command line without quotes


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with its `%VARIABLES%` replaced; `variables` has their names in lower case. Unknown ones stay."""
    if "%" not in text:
        return text
    return _VARIABLE.sub(lambda found: variables.get(found[1].lower(), found[0]), text)


def for_user(variables: Mapping[str, str], home: str) -> dict[str, str]:
    """The variables as a user with that profile folder sees them."""
    return {
        **variables,
        "userprofile": home,
        "appdata": rf"{home}\AppData\Roaming",
        "localappdata": rf"{home}\AppData\Local",
        "temp": rf"{home}\AppData\Local\Temp",
        "tmp": rf"{home}\AppData\Local\Temp",
        "homedrive": home[:2],
        "homepath": home[2:],
    }


def absolute(path: str, variables: Mapping[str, str]) -> str:
    r"""A path as the kernel or a variable begins it → `C:\…`; empty for everything else (relative, a device, a GUID).

    Blanks and quotes around it and a backslash at its end are removed. Network paths (`\\server\…`) stay.
    """
    path = expand(path.strip().strip('"').strip(), variables).replace("/", "\\")
    folded = path.lower()
    windows = variables.get("systemroot", "")
    if folded.startswith(("\\??\\", "\\\\?\\", "\\\\.\\")):
        path = path[4:]
        if path.lower().startswith("unc\\"):
            path = "\\" + path[3:]
    elif folded.startswith("\\systemroot\\") and windows:
        path = windows + path[11:]
    elif folded.startswith("systemroot\\") and windows:
        path = windows + path[10:]
    elif folded.startswith(("system32\\", "syswow64\\")) and windows:
        path = f"{windows}\\{path}"
    elif folded.startswith("\\windows\\") and windows:
        path = windows[:2] + path
    if _IMPOSSIBLE.search(path, 2) or _VARIABLE.search(path):
        return ""
    if _ABSOLUTE.match(path):
        return path[0].upper() + (path.rstrip("\\") if len(path) > 3 else path)[1:]
    return path if path.startswith("\\\\") and len(path) > 2 else ""


def program(command: str, variables: Mapping[str, str]) -> str:
    r"""The file that a command line starts, as `C:\…`; empty where the path is not given (`msiexec /x …`).

    Without quotes a path ends at the first ending of a program (`.exe`, `.dll`, …) before a blank; one with blanks and
    no such ending is not guessed, see `candidates`.
    """
    command = expand(command.strip(), variables)
    if command.startswith('"'):
        return absolute(command[1:].partition('"')[0], variables)
    found = _ENDING.search(command)
    if found:
        return absolute(command[: found.end()], variables)
    return "" if " " in command else absolute(command, variables)


def candidates(command: str, variables: Mapping[str, str]) -> Iterator[str]:
    r"""What Windows tries in turn for a command line without quotes and endings (`C:\Program Files\A B\tool -x`)."""
    command = expand(command.strip(), variables)
    ends = [found.start() for found in re.finditer(r"[ \t]+", command)][:_BLANKS]
    for end in (*ends, len(command)):
        path = absolute(command[:end], variables)
        if path:
            yield path


def launched(command: str, variables: Mapping[str, str]) -> str:
    r"""The file that a launcher is asked to run (`rundll32 C:\x.dll,Start`, `cmd /c C:\x.bat`), as `C:\…`.

    Empty where the command line starts no launcher, or one that names no path.
    """
    command = expand(command.strip(), variables)
    head, rest = command[1:].partition('"')[::2] if command.startswith('"') else _first_word(command)
    name = head.replace("/", "\\").rpartition("\\")[2].lower().removesuffix(".exe")
    if name not in _LAUNCHERS:
        return ""
    found = _PATH_WITHIN.search(rest)
    if found is None:
        return ""
    if found[1]:
        return absolute(found[1], variables)
    word = found[2].partition(" ")[0]
    return (
        launched(found[2], variables)
        or program(found[2], variables)
        or absolute(word if "." in word else "", variables)
    )


def _first_word(command: str) -> tuple[str, str]:
    """The program of a command line without quotes, which may have blanks if it is a path, and the rest."""
    word, _, rest = command.partition(" ")
    found = _ENDING.search(command) if "\\" in word else None
    return (command[: found.end()], command[found.end() :]) if found else (word, rest)


def has_short_name(path: str) -> bool:
    """Whether a path has names of the 8.3 form (`PROGRA~1`), which only the file system itself can resolve."""
    return bool(_SHORT_NAME.search(path))
