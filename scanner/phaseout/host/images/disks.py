"""The volumes of a disk in a file, and the system that they make together.

A system is looked for on every volume that can be read. What it mounts from others is found by its own `/etc/fstab`, or
by the drives that Windows keeps in its registry. A volume that is no part of it, or cannot be read, is said.

References:
    fstab(5), mount(8) ("Indicating the device"), lvm(8); Microsoft, "Supported file systems", MountedDevices;
    Apple File System Reference (volume roles)
"""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import UUID

from phaseout.host import NotAHostError
from phaseout.host.filesystem.folder import Folder
from phaseout.host.filesystem.macos import DATA
from phaseout.host.filesystem.node import Node
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.images.disk_files import Cached, FileObject, LibraryBytes, LibraryError
from phaseout.host.images.shadow_copies import ShadowCopy, shadow_copies
from phaseout.host.images.stored import Part, Stored
from phaseout.host.images.volumes import VOLUMES, apfs_volumes
from phaseout.host.systems import System, find_system
from phaseout.host.windows.opening import GPT_VOLUME
from phaseout.model.nouns import Platform, Problem
from phaseout.parsers.images.file_systems import FileSystem, file_system, head_of
from phaseout.parsers.images.partition_table import BrokenTableError, Partition, Table, partition_table
from phaseout.parsers.linux.fstab import fstab_entries

_INSTALL = "pip install 'phaseout[image]'"
_MOUNT = "mount it read-only, and scan it with --root"
_REMEDIES = {
    "BitLocker": "unlock it on a machine, and scan it there or with --root",
    "LUKS": f"open it with cryptsetup open --readonly, then {_MOUNT}",
}
_NO_SOFTWARE = frozenset(("", "swap"))
_SPECIFICATION = re.compile(r'(UUID|LABEL|PARTUUID|PARTLABEL)="?([^"]*)"?')
_BY = re.compile(r"/dev/disk/by-(uuid|label|partuuid|partlabel)/(.+)")
_NUMBERED = re.compile(r"/dev/(?:[hsv]d[a-z]+|xvd[a-z]+|(?:nvme\d+n|mmcblk|md)\d+p)(\d+)")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_IN_USE = "not closed before it was copied: changes that are only in its log or in memory were not read"
_CLOSE = "shut the machine down before its disk is copied (Windows: shutdown /s /t 0), or let its system check the copy"
_COPY_AGAIN = "copy the image again"
_LABEL = 80  # characters that are shown


class DiskVolume:
    """A volume of a disk.

    Attributes:
        name: by which it can be asked for: the number of the partition, or group and name of a logical volume.
        content: what it holds.
        node: its root folder; `None` if it cannot be read.
        closed: whether nothing of it is only in its log, or was only in the memory of its machine.
        why: why it cannot be read; empty if it can.
        remedy: what helps.
        partition: where it lies; `None` for anything else than a partition.
        stored: its bytes.
    """

    def __init__(self, name: str, content: FileSystem, stored: Stored, partition: Partition | None) -> None:
        self.name = name
        self.content = content
        self.stored = stored
        self.partition = partition
        self.node: Node | None = None
        self.closed = content.closed
        self.why = ""
        self.remedy = _REMEDIES.get(content.kind, _MOUNT)

    @property
    def may_hold_software(self) -> bool:
        """Whether a system may keep software here, as far as its type says."""
        typed = self.partition is None or self.partition.may_hold_software
        return typed and self.content.kind not in _NO_SOFTWARE

    @property
    def described(self) -> str:
        """Name, file system and label, for a report."""
        label = self.content.label or (self.partition.name if self.partition else "")
        kind = {"unknown": "an unknown file system"}.get(self.content.kind, self.content.kind)
        return f"volume {self.name} ({', '.join(filter(None, (kind, label[:_LABEL])))})"

    def show(self, earlier: ShadowCopy) -> None:
        """Shows an earlier state of the volume instead of the one that it has now."""
        self.name = f"{self.name}@{earlier.number}"
        self.stored = earlier.stored
        self.content = file_system(head_of(self.stored.read))
        self.node, self.why, self.closed = None, "", self.content.closed
        self.open()

    def open(self) -> None:
        """Opens its file system, if that is possible."""
        kind = self.content.kind
        if kind not in VOLUMES:
            self.why = f"{kind} is not read"
            return
        try:
            volume = VOLUMES[kind](Cached(self.stored))
            self.node = volume.root()
        except ImportError:
            self.why, self.remedy = f"{kind} is not read without a library", _INSTALL
            return
        except OSError as error:
            self.why = f"cannot be read: {error.strerror or error}"
            return
        try:
            self.closed = self.closed and volume.is_closed()
        except OSError:
            self.closed = False


class Disk:
    """The volumes of a disk.

    Args:
        path: of the image, for reports.
        stored: the disk.

    Raises:
        NotAHostError: its partitions cannot be read.
    """

    def __init__(self, path: str, stored: Stored) -> None:
        self.path = path
        self._size = stored.size
        self.problems: list[Problem] = []
        self._signature = 0
        self._used: list[DiskVolume] = []
        self._physical: list[tuple[str, Stored]] = []
        self.volumes: list[DiskVolume] = []
        self._add("1", stored, None) if _is_volume(stored) else self._partitions(stored)
        if self._physical:
            self._logical()

    def show_earlier(self, part: str, copy: str) -> tuple[str, str]:
        """Puts an earlier state of a volume in the place of the volume.

        Args:
            part: the name of the volume; empty where only one keeps earlier states.
            copy: the number of the state, or its identifier.

        Returns:
            The name that the volume has now, and a note on what is shown.

        Raises:
            NotAHostError: there is no such state, or several volumes keep some.
        """
        kept = {
            volume: copies for volume in self.volumes if part in ("", volume.name) and (copies := self._kept(volume))
        }
        if not kept:
            raise NotAHostError(f"{self.path}: no shadow copies{f' of volume {part}' if part else ''}")
        if len(kept) > 1:
            names = ", ".join(f"{self.path}:{volume.name}@{copy}" for volume in kept)
            raise NotAHostError(f"{self.path}: several volumes keep shadow copies: name one with --image: {names}")
        ((volume, copies),) = kept.items()
        chosen = next((one for one in copies if copy.strip("{}").lower() in (str(one.number), one.id)), None)
        if chosen is None:
            there = ", ".join(one.described for one in copies)
            raise NotAHostError(f"{self.path}: no shadow copy {copy} of {volume.described}; there are {there}")
        note = f"volume {volume.name} as shadow copy {chosen.described}; other volumes as they are"
        try:
            volume.show(chosen)
        except OSError as error:
            raise NotAHostError(f"{self.path}: shadow copy {copy} of {volume.described}: {error.strerror}") from error
        return volume.name, note

    def _kept(self, volume: DiskVolume) -> list[ShadowCopy]:
        try:
            return shadow_copies(volume.stored)
        except ImportError as error:
            raise NotAHostError(f"{self.path}: shadow copies are not read without a library; {_INSTALL}") from error
        except OSError as error:
            raise NotAHostError(f"{self.path}: shadow copies of {volume.described}: {error.strerror}") from error

    def system(self, part: str, platform: Platform | None) -> tuple[System, Folder]:
        """The system that the volumes hold, and the folder where it was found.

        Args:
            part: the name of its volume; empty to look on all.
            platform: overrides what the content says.

        Raises:
            NotAHostError: there is none, or there are several.
        """
        if part:
            chosen = next((volume for volume in self.volumes if volume.name == part), None)
            if chosen is None or chosen.node is None:
                why = f"{chosen.described}: {chosen.why}; {chosen.remedy}" if chosen else f"no volume {part}"
                there = ", ".join(volume.described for volume in self.volumes)
                raise NotAHostError(f"{self.path}: {why}; the image holds {there or 'none'}")
            folder = Folder(f"{self.path}:{part}", chosen.node)
            return self._with_others(find_system(folder, platform), chosen), folder
        readable = [volume for volume in self.volumes if volume.node is not None]
        found: list[tuple[DiskVolume, System]] = []
        whys: list[str] = []
        for volume in readable:
            try:
                found.append((volume, find_system(self._folder(volume), platform if len(readable) == 1 else None)))
            except NotAHostError as error:
                whys.append(str(error))
        if len(found) > 1:
            found = _pair_of_mac(found) or found
        if len(found) == 1:
            volume, system = found[0]
            return self._with_others(system, volume), Folder(self.path, self._folder(volume).place)
        if found:
            names = ", ".join(f"{self.path}:{volume.name}" for volume, _ in found)
            raise NotAHostError(f"{self.path}: holds several systems: name one of them with --image: {names}")
        several = [why for why in whys if "several systems" in why]
        # What is wrong with the image comes first: a volume that it cuts off is then not read, either.
        unread = [
            f"{problem.where}: {problem.why}{f'; {problem.remedy}' if problem.remedy else ''}"
            for problem in self.problems
            if problem.hides
        ]
        unread += [f"{volume.described}: {volume.why}; {volume.remedy}" for volume in self.volumes if volume.why]
        unread += [f"{volume.described}: {_IN_USE}; {_CLOSE}" for volume in readable if not volume.closed]
        reasons = several or unread or ["no volume has one; --os says which it is, where a volume is named"]
        raise NotAHostError(f"{self.path}: no operating system was found: {'. '.join(reasons)}")

    def find_mounted(self, name: bytes) -> Node | None:
        """The volume that `MountedDevices` of Windows calls so."""
        for volume in self.volumes:
            partition = volume.partition
            if partition is None or volume.node is None:
                continue
            if name.startswith(GPT_VOLUME):
                own = UUID(partition.id).bytes_le if len(partition.id) == 36 else b""
                is_it = bool(own) and name[len(GPT_VOLUME) :] == own
            else:
                is_it = name == self._signature.to_bytes(4, "little") + partition.offset.to_bytes(8, "little")
            if is_it:
                self._used.append(volume)
                return volume.node
        return None

    def unseen(self) -> Iterator[Problem]:
        """What the volumes hold that was not scanned; asked once everything that belongs to the system is found."""
        yield from self.problems
        for volume in self.volumes:
            if volume in self._used:
                if not volume.closed and volume.may_hold_software:
                    yield Problem(volume.described, _IN_USE, "damaged", remedy=_CLOSE)
            elif volume.may_hold_software:
                if volume.node is None:
                    yield Problem(volume.described, volume.why, "unsupported", remedy=volume.remedy)
                else:
                    remedy = f"see what it holds: scan it with --image {self.path}:{volume.name}"
                    yield Problem(
                        volume.described, "no part of the system that was scanned", "unsupported", remedy=remedy
                    )

    def _folder(self, volume: DiskVolume) -> Folder:
        assert volume.node is not None
        return Folder(self.path if len(self.volumes) == 1 else f"{self.path}:{volume.name}", volume.node)

    def _with_others(self, system: System, volume: DiskVolume) -> System:
        """The system with what it mounts from other volumes."""
        self._used.append(volume)
        if system.platform == "macos":
            for other in self.volumes:
                if any(place is other.node for place in system.bound.values()):
                    self._used.append(other)
        if system.platform != "linux":
            return system
        bound = dict(system.bound)
        files = PosixFiles(system.root.place)
        for entry in fstab_entries(files.text("/etc/fstab", 1 << 20) or ""):
            found = self._mounted(entry.device)
            if found is not None and found is not volume and not entry.subvolume:
                if found.node is not None:
                    bound.setdefault(entry.point, found.node)
                    self._used.append(found)
                else:
                    found.why = f"mounted at {entry.point} when the system runs: {found.why}"
        return system._replace(bound=bound)

    def _mounted(self, device: str) -> DiskVolume | None:
        """The volume that a line of `/etc/fstab` means."""
        by = _SPECIFICATION.fullmatch(device)
        key, value = (by[1].lower(), by[2]) if by else ("", "")
        if path := _BY.fullmatch(device):
            key, value = path[1], _ESCAPED.sub(lambda found: chr(int(found[1], 16)), path[2])
        numbered = _NUMBERED.fullmatch(device)
        for volume in self.volumes:
            partition = volume.partition
            values = {
                "uuid": volume.content.uuid.lower(),
                "label": volume.content.label,
                "partuuid": partition.id.lower() if partition else "",
                "partlabel": partition.name if partition else "",
            }
            if key and values[key] and values[key] == (value if "label" in key else value.lower()):
                return volume
            if not key and (volume.name == (numbered[1] if numbered else "") or device in _devices(volume.name)):
                return volume
        return None

    def _partitions(self, stored: Stored) -> None:
        try:
            table = partition_table(stored.read, stored.size)
        except BrokenTableError as error:
            raise NotAHostError(f"{self.path}: {error}") from error
        except OSError as error:
            raise NotAHostError(f"{self.path}: {error.strerror or error}") from error
        table = table or Table(())
        self._signature = table.signature
        if table.damage:
            self.problems.append(Problem(self.path, table.damage, "damaged", hides=False))
        for partition in table.partitions:
            name = str(partition.number)
            if partition.offset + partition.size > stored.size:
                self.problems.append(
                    Problem(f"volume {name}", "the image ends before it does", "damaged", remedy=_COPY_AGAIN)
                )
            self._add(name, Part(stored, partition.offset, partition.size), partition)

    def _add(self, name: str, stored: Stored, partition: Partition | None) -> None:
        try:
            content = file_system(head_of(stored.read))
        except OSError as error:
            self.problems.append(Problem(f"volume {name}", error.strerror or str(error), "damaged"))
            return
        if content.kind == "LVM":
            self._physical.append((name, stored))
            return
        if content.kind == "APFS":
            self._apfs(name, content, stored, partition)
            return
        volume = DiskVolume(name, content, stored, partition)
        if content.size > stored.size:
            volume.remedy = _COPY_AGAIN
            if partition is None or partition.offset + partition.size <= self._size:
                why = f"cut off: it has {content.size} bytes, and the image only {stored.size} of them"
                self.problems.append(Problem(volume.described, why, "damaged", remedy=_COPY_AGAIN))
        if content.kind not in _NO_SOFTWARE:
            volume.open()
        self.volumes.append(volume)

    def _apfs(self, name: str, content: FileSystem, stored: Stored, partition: Partition | None) -> None:
        try:
            inside = apfs_volumes(Cached(stored))
        except (ImportError, OSError) as error:
            volume = DiskVolume(name, content, stored, partition)
            volume.why = "cannot be read" if isinstance(error, ImportError) else f"cannot be read: {error.strerror}"
            volume.remedy = _INSTALL if isinstance(error, ImportError) else _MOUNT
            self.volumes.append(volume)
            return
        for label, opened in inside:
            volume = DiskVolume(f"{name}/{label}", content._replace(label=label), stored, partition)
            if opened is None:
                volume.why = "encrypted (FileVault)"
            else:
                try:
                    volume.node = opened.root()
                except OSError as error:
                    volume.why = f"cannot be read: {error.strerror or error}"
            self.volumes.append(volume)

    def _logical(self) -> None:
        """The logical volumes of the group that the physical ones make."""
        try:
            group, count = self._group()
            for index in range(count):
                logical: Any = group.get_logical_volume(index)
                name = f"{group.get_name()}/{logical.get_name()}"
                self._add(name, LibraryBytes(logical, logical.get_size(), group, self), None)
        except ImportError:
            self._group_unseen("not read without a library", _INSTALL)
        except (OSError, ValueError, MemoryError, SystemError) as error:
            several = "a group of several physical volumes " if len(self._physical) > 1 else ""
            self._group_unseen(f"{several}cannot be read: {LibraryError(error).strerror}", _MOUNT)

    def _group(self) -> tuple[Any, int]:
        module = import_module("pyvslvm")
        handle = module.handle()
        files = [FileObject(Cached(stored)) for _, stored in self._physical]
        handle.open_file_object(files[0])
        handle.open_physical_volume_files_as_file_objects(files)
        self._handle = handle
        group = handle.get_volume_group()
        return group, group.get_number_of_logical_volumes()

    def _group_unseen(self, why: str, remedy: str) -> None:
        names = ", ".join(name for name, _ in self._physical)
        self.problems.append(Problem(f"volume {names} (LVM)", why, "unsupported", remedy=remedy))


def _is_volume(stored: Stored) -> bool:
    """Whether a disk is one file system without partitions."""
    kind = file_system(head_of(stored.read)).kind
    return kind not in ("", "unknown", "ISO 9660")


def _pair_of_mac(found: list[tuple[DiskVolume, System]]) -> list[tuple[DiskVolume, System]]:
    """System and data volume of one Mac as one system."""
    if len(found) != 2 or any(system.platform != "macos" for _, system in found):
        return []
    version = "/System/Library/CoreServices/SystemVersion.plist"
    data, whole = sorted(found, key=lambda one: PosixFiles(one[1].root.place).is_file(version))
    if PosixFiles(data[1].root.place).is_file(version) or not PosixFiles(whole[1].root.place).is_file(version):
        return []
    return [(whole[0], whole[1]._replace(bound={DATA: data[1].root.place}))]


def _devices(name: str) -> tuple[str, ...]:
    """The device files of a logical volume."""
    group, slash, volume = name.partition("/")
    if not slash:
        return ()
    return f"/dev/{name}", f"/dev/mapper/{group.replace('-', '--')}-{volume.replace('-', '--')}"
