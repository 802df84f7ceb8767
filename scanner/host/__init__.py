"""The machine that is looked at: live, or an offline root. Nothing outside this package touches it.

A source asks its `Host` and speaks the paths of the target. What a host cannot do is `None`; what it could not read
is a `Problem` in `files.problems`, which the runner moves into the source's run.
"""

from collections.abc import Callable, Iterator

from scanner.host.files import Files
from scanner.host.processes import Process
from scanner.host.users import User
from scanner.model import HostInfo


class Host:
    """What a source may ask.

    Attributes:
        info: name, platform and version, and the mounts that are left alone.
        files: the file system of the target.
        users: the people and service accounts that may have software of their own.
        processes: gives the running processes; `None` for an offline host.
    """

    def __init__(
        self,
        info: HostInfo,
        files: Files,
        users: tuple[User, ...] = (),
        processes: Callable[[], Iterator[Process]] | None = None,
    ) -> None:
        self.info = info
        self.files = files
        self.users = users
        self.processes = processes

    @property
    def live(self) -> bool:
        """Whether this is the running machine itself."""
        return not self.info.root
