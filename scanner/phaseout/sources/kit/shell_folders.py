r"""Where the folders of a user lie that Windows lets one move: the desktop, downloads, documents, the start menu.

References:
    Microsoft, "KNOWNFOLDERID"; "Folder Redirection" (`User Shell Folders`).
"""

from phaseout.host import Host
from phaseout.host.users import User
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.windows_programs import variables_of

SHELL_FOLDERS = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
DOWNLOADS = "{374DE290-123F-4565-9164-39C4925E467B}"
# Folders in which users keep programs: how they are called in the registry, and where they usually are.
KEPT = (("Desktop", "Desktop"), (DOWNLOADS, "Downloads"), ("Personal", "Documents"))


def moved(host: Host, user: User, name: str, usual: str) -> str:
    """Where a folder was moved to; empty where it is in its usual place below the home, or nothing says otherwise.

    Args:
        host: the host.
        user: whose folder it is.
        name: how the registry calls it.
        usual: where it usually is, below the home.
    """
    key = host.registry.key(rf"HKU\{user.sid}\{SHELL_FOLDERS}") if host.registry is not None and user.sid else None
    path = absolute(key.text(name), variables_of(host, user)) if key is not None else ""
    return "" if path.lower() == rf"{user.home}\{usual}".lower() else path
