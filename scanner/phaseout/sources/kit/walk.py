"""All folders below one, however deep they lie."""

from collections import deque
from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.filesystem.files import Entry
from phaseout.model.nouns import Problem

_MOST = 20_000  # entries below one folder


def walk(host: Host, top: str, most: int = _MOST) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """The folder and those below it with their entries, the nearest first; links to folders are followed once.

    There is no limit of depth, since nothing in a folder of this kind bounds it. Ends with a problem after `most`
    entries.
    """
    separator = "\\" if host.info.platform == "windows" else "/"
    pending = deque((top,))
    seen: set[str] = set()
    count = 0
    while pending:
        folder = pending.popleft()
        real = host.files.real(folder)
        if real is None or real in seen:
            continue
        seen.add(real)
        entries = host.files.list(folder)
        count += len(entries)
        yield folder, entries
        if count > most:
            host.files.problems.append(Problem(top, f"more than {most} entries below: the rest was not read", "limit"))
            return
        for name, kind in entries:
            path = f"{folder}{separator}{name}"
            if kind == "dir" or (kind == "link" and host.files.is_dir(path)):
                pending.append(path)
