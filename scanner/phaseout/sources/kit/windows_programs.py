r"""The program that a command line of Windows runs, found on disk as Windows would find it."""

from collections.abc import Mapping

from phaseout.host import Host
from phaseout.host.users import User
from phaseout.host.windows.environment import environment
from phaseout.parsers.windows.image_path import ENDINGS, candidates, for_user, launched, program

READS = r"HKU\*\Environment"  # for `variables_of`
_ADDED = (".exe", ".com", ".bat", ".cmd")


class Programs:
    """Finds the programs of command lines on one host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def path(self, command: str, variables: Mapping[str, str]) -> str:
        r"""The program that a command line runs, as `C:\…`; empty where it is not named by a path.

        Of a launcher such as `rundll32` or `cmd`, it is what the launcher is asked to run. An ending that the command
        line leaves out is added if the file is there.
        """
        found = launched(command, variables) or program(command, variables)
        if found:
            return found if found.lower().endswith(ENDINGS) else self._on_disk(found) or found
        if not command.strip().startswith('"'):
            for path in candidates(command, variables):
                if whole := self._on_disk(path):
                    return whole
        return ""

    def _on_disk(self, path: str) -> str:
        """The path, or the path with an ending, if a file is there."""
        if path.startswith("\\\\"):
            return ""
        if path.lower().endswith(ENDINGS):
            return "" if self._host.files.gone(path) else path
        return next((path + ending for ending in _ADDED if not self._host.files.gone(path + ending)), "")


def variables_of(host: Host, user: User) -> Mapping[str, str]:
    r"""What `%NAMES%` stand for when a user asks: the machine's, the profile folder's, and those in `HKU\<SID>`."""
    if not user.home:
        return host.variables
    found = for_user(host.variables, user.home)
    key = host.registry.key(rf"HKU\{user.sid}\Environment") if host.registry is not None and user.sid else None
    return environment(key, found)
