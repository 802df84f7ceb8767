"""Fails a test run that changed the machine it ran on.

The places that a careless test of a scanner would change are compared before and after: names, sizes and times of the
files, and mounts. If another program changed one of them in the meantime, the run fails as well.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PLACES = ("/etc", "/opt", "/var/lib/dpkg", "/var/lib/rpm", "/usr/local", "/srv")
MOUNTS = Path("/proc/self/mountinfo")
DEPTH = 6  # what changes further down still changes the time of a folder, if a name comes or goes
_SHOWN = 20

Fingerprint = dict[str, tuple[int, ...]]
_BEFORE = pytest.StashKey[Fingerprint]()
_CHANGES = pytest.StashKey[list[str]]()


def fingerprint(places: tuple[str, ...], depth: int = DEPTH) -> Fingerprint:
    """Mode, size and time of each file, and one entry for each mount."""
    found = {path: _state(path) for place in places for path in _below(place, depth)}
    if MOUNTS.exists():
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
        found |= {f"mount {line}": () for line in lines if _ours(line.split()[4], places)}
    return found


def _ours(point: str, places: tuple[str, ...]) -> bool:
    """Whether a mount lies where a test could have made it: other people of this machine mount things as well."""
    hidden = f"{Path.home()}/."
    return point.startswith((hidden, tempfile.gettempdir())) or any(map(Path(point).is_relative_to, places))


def differences(before: Fingerprint, after: Fingerprint) -> list[str]:
    """One line for each path or mount that came, went or changed."""
    came = [f"new: {name}" for name in after.keys() - before.keys()]
    went = [f"gone: {name}" for name in before.keys() - after.keys()]
    changed = [f"changed: {name}" for name in before.keys() & after.keys() if before[name] != after[name]]
    return sorted(came) + sorted(went) + sorted(changed)


def _below(place: str, depth: int) -> Iterator[str]:
    yield place
    if depth:
        try:
            entries = list(os.scandir(place))
        except OSError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, depth - 1)
            else:
                yield entry.path


def _state(path: str) -> tuple[int, ...]:
    try:
        status = os.lstat(path)
    except OSError:
        return ()
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remembers how the machine was. Where tests run in several processes, the first one watches for all of them."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_BEFORE] = fingerprint(PLACES)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run if the machine is not as it was."""
    before = session.config.stash.get(_BEFORE, None)
    if before is None:
        return
    changes = session.config.stash[_CHANGES] = differences(before, fingerprint(PLACES))
    if changes and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what changed."""
    changes = terminalreporter.config.stash.get(_CHANGES, [])
    if changes:
        terminalreporter.section("this machine was changed while the tests ran")
        for change in changes[:_SHOWN]:
            terminalreporter.line(change)
        if len(changes) > _SHOWN:
            terminalreporter.line(f"and {len(changes) - _SHOWN} more")
