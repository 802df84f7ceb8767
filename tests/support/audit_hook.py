"""Run inside the interpreter that is watched: tells every deed that a scan must not do, as Python itself reports it.

References:
    https://docs.python.org/3/library/audit_events.html
"""

import os
import sys

NEVER = (
    "socket.",
    "subprocess.Popen",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.startfile",
    "_winapi.CreateProcess",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.lchown",
    "os.truncate",
    "os.utime",
    "os.setxattr",
    "os.removexattr",
    "shutil.",
    "tempfile.",
    "winreg.CreateKey",
    "winreg.DeleteKey",
    "winreg.DeleteValue",
    "winreg.SetValue",
    "winreg.LoadKey",
    "winreg.SaveKey",
    "winreg.ConnectRegistry",
    "winreg.DisableReflectionKey",
    "urllib.",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def broken(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether an event breaks a promise."""
    if event == "open":
        path, mode, flags = arguments
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & WRITING)
        return bool(writes) and str(path) not in (os.devnull, "NUL", "nul") and not isinstance(path, int)
    if event == "sqlite3.connect":
        return arguments[0] != ":memory:" and "mode=ro&immutable=1" not in str(arguments[0])
    return event.startswith(NEVER)


def watch(log: str) -> None:
    """From now on every such deed is written to a file, by this process and by those that it forks."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if broken(event, arguments):
            os.write(handle, f"{event} {arguments!r:.4000}\n".encode("utf-8", "backslashreplace"))

    sys.addaudithook(hook)
