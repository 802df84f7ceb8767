r"""Program paths as Windows keeps them in services, uninstall strings and autostarts → `C:\…`.

References:
    Microsoft, "CreateProcess" (lpApplicationName: how a command line with blanks and no quotes is read),
    "CreateService" (lpBinaryPathName); the kernel's forms `\SystemRoot\…`, `\??\C:\…` and `System32\…` are those of
    drivers in the Services keys.
"""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"%([^%\\/\"]+)%")
_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]")
_IMPOSSIBLE = re.compile(r'[\x00-\x1f<>"|?*]')
_ENDING = re.compile(
    r"\.(?:(?:exe|bat|cmd|dll|sys|scr|msi|cpl|ocx|vbs|ps1|ico)(?=[\s\",]|$)"
    r"|(?:com|js)(?=[\s\",]|$)(?!.*\\))",  # `Booking.com App\app.exe` is a folder first
    re.IGNORECASE | re.DOTALL,
)


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
    r"""A path as the kernel or a variable begins it → `C:\…`; empty for what is none (relative, a device, a GUID).

    Blanks and quotes around it and a backslash at its end are taken off. Network paths (`\\server\…`) stay.
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

    Without quotes a path ends at the first ending of a program (`.exe`, `.dll`, …) that stands before a blank; one with
    blanks and no such ending is not guessed.
    """
    command = expand(command.strip(), variables)
    if command.startswith('"'):
        return absolute(command[1:].partition('"')[0], variables)
    found = _ENDING.search(command)
    if found:
        return absolute(command[: found.end()], variables)
    return "" if " " in command else absolute(command, variables)
