"""The actions of a scheduled task in the registry: the value `Actions` below `TaskCache`.

The layout is undocumented. Version 1 (Windows 8.1) has the actions only, version 2 the name of the principal before
them, version 3 two bytes of flags behind each program.

References:
    https://cyber.wtf/2022/06/01/windows-registry-analysis-todays-episode-tasks/
"""

import uuid

from phaseout.parsers.windows.task_xml import Action

_PROGRAM, _COM = 0x6666, 0x7777
_MOST = 64  # the scheduler takes 32


def actions(data: bytes) -> tuple[Action, ...]:
    """What the task does, up to the first action of another kind (mails and messages are no longer supported).

    Raises:
        ValueError: the bytes have another layout.
    """
    reader = _Reader(data)
    version = reader.number(2)
    if version not in {1, 2, 3}:
        raise ValueError(f"actions of version {version}")
    if version > 1:
        reader.text()
    found: list[Action] = []
    while reader.left() and len(found) < _MOST:
        kind = reader.number(2)
        if kind not in {_PROGRAM, _COM}:
            break
        reader.text()  # the action's own name
        if kind == _COM:
            found.append(Action(clsid=f"{{{uuid.UUID(bytes_le=reader.take(16))}}}".upper()))
            reader.text()
            continue
        found.append(Action(reader.text(), reader.text()))
        reader.text()  # the folder that it starts in
        if version == 3:
            reader.number(2)
    return tuple(found)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def left(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError("actions end too early")
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        return self.take(self.number(4)).decode("utf-16-le", "replace").strip("\0 ")
