"""Leaves out of items what only root may read, beyond what looks like a secret (`parsers.encodings.secrets`).

Of a command line in such a file, the program and the paths remain: by these, rules recognise software.
"""

import re

from msgspec.structs import replace

from phaseout.host.filesystem.files import Files
from phaseout.model.nouns import Evidence, Item

_QUOTING = frozenset(("service", "task"))  # kinds whose records are written by hand
_LINE = re.compile(r":\d+$")  # behind the path of a file
_BETWEEN = re.compile(r"[\s'\"=,;|&()<>`]+")
WITHHELD = "…"
_NOTE = "only root may read where this stands: it is not quoted"


class Withholding:
    """Leaves out of items what only root may read.

    Args:
        files: of the host.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[str, bool] = {}

    def unquoted(self, item: Item) -> Item:
        """The item without what only root may read; the same object if there is nothing of that kind."""
        if not item.evidence or not (item.command or item.kind in _QUOTING) or self._files.separator != "/":
            return item
        drop_ins = item.details.get("drop_ins", "").split()
        if not any(self._private(path) for path in (*(_LINE.sub("", one.where) for one in item.evidence), *drop_ins)):
            return item
        return replace(
            item,
            name=_program_and_paths(item.name) if item.command.startswith(item.name) else item.name,
            command=_program_and_paths(item.command),
            notes=(*item.notes, _NOTE),
            evidence=tuple(Evidence(one.where) for one in item.evidence),
        )

    def _private(self, path: str) -> bool:
        """Whether root owns a file that others may not read, or a folder above it into which they may not go."""
        if path not in self._known:
            above = path.rpartition("/")[0]
            found = self._files.stat(path) if path.startswith("/") else None
            needed = 0o004 if found is not None and found.kind == "file" else 0o001
            closed = found is not None and found.uid == 0 and not found.mode & needed
            self._known[path] = closed or (bool(above) and self._private(above))
        return self._known[path]


def _program_and_paths(command: str) -> str:
    """A command line with its first word and its absolute paths; `…` stands for what is between and behind them."""
    words: list[str] = []
    for word in _BETWEEN.split(command):
        shown = word if word and (not words or word.startswith("/")) else WITHHELD
        if shown != WITHHELD or words[-1:] != [WITHHELD]:
            words.append(shown)
    return " ".join(words)
