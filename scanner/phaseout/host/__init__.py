"""The machine that is scanned: live, or an offline root. Nothing outside this package touches it.

A source asks its `Host` and speaks the paths of the target. What a host cannot do is `None`; what it could not read
is a `Problem` in `files.problems`, which the runner moves into the source's run.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from phaseout.host.filesystem.files import Files
from phaseout.host.processes.process import Process
from phaseout.host.users import User
from phaseout.model.nouns import HostInfo, Problem

if TYPE_CHECKING:
    from phaseout.host.registry.base import Registry
    from phaseout.host.windows.executables import Executables

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
_NONE: Mapping[str, str] = MappingProxyType({})


class NotAHostError(Exception):
    """The folder given as root does not hold one operating system that we know."""


class Host:
    """What a source may ask.

    Attributes:
        info: name, platform and version, and the mounts that are skipped.
        files: the file system of the target.
        users: the people and service accounts that may have software of their own.
        processes: gives the running processes; `None` for an offline host.
        registry: the Windows registry; `None` where there is none.
        variables: what `%NAMES%` in the registry stand for, names in lower case; see
            `phaseout.parsers.windows.image_path`.
        deep: whether to check what takes long, such as the validity of signatures.
        modules: gives the files that a process has loaded, `None` if it hides them; itself `None` unless asked for.
    """

    def __init__(
        self,
        info: HostInfo,
        files: Files,
        users: tuple[User, ...] = (),
        processes: Callable[[], Iterator[Process | Problem]] | None = None,
        registry: "Registry | None" = None,
        variables: Mapping[str, str] = _NONE,
        *,
        deep: bool = False,
        modules: Callable[[int], frozenset[str] | None] | None = None,
    ) -> None:
        self.info = info
        self.files = files
        self.users = users
        self.processes = processes
        self.registry = registry
        self.variables = variables
        self.deep = deep
        self.modules = modules

    @cached_property
    def executables(self) -> "Executables":
        """The reader of Windows executables: maker, product, version and signer."""
        from phaseout.host.windows.executables import Executables

        windows = self.variables.get("systemroot", r"C:\Windows")
        return Executables(self.files, windows, trust=self.live and self.deep)

    @cached_property
    def families(self) -> frozenset[str]:
        """The identifiers of the distribution and of those that it derives from, such as `ubuntu` and `debian`.

        References:
            os-release(5) (ID, ID_LIKE)
        """
        return frozenset(f"{self._os_release('ID')} {self._os_release('ID_LIKE')}".lower().split())

    @cached_property
    def distribution(self) -> tuple[str, str]:
        """Identifier and version of a Linux distribution, such as `debian` and `12`; empty where it names none."""
        return self._os_release("ID").lower(), self._os_release("VERSION_ID")

    @cached_property
    def _os_release_fields(self) -> dict[str, str]:
        text = next(filter(None, (self.files.text(path, 1 << 16) for path in OS_RELEASE)), "") or ""
        return dict(line.partition("=")[::2] for line in text.split("\n"))

    def _os_release(self, key: str) -> str:
        return self._os_release_fields.get(key, "").strip().strip("\"'")

    @property
    def homes(self) -> dict[str, str]:
        """Home folder → name of its user; of those who share one, the first."""
        return {user.home: user.name for user in reversed(self.users) if user.home}

    @property
    def live(self) -> bool:
        """Whether this is the running machine itself."""
        return not self.info.root
