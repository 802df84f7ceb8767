"""The line that shows progress: only on a terminal, only for work that takes a while, and erased at the end."""

import io
import sys
import threading
import time

import phaseout.cli.progress
import pytest
from phaseout.cli.progress import Progress


class Terminal(io.StringIO):
    """What a terminal of 80 columns would show."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(phaseout.cli.progress, "time", clock)
    return clock


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Makes standard error one. No fixture: pytest replaces standard error between fixtures and test."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def test_only_work_that_takes_a_while_is_shown_and_not_too_often(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, progress = on_terminal(monkeypatch), Progress()
    clock.now += 0.4
    progress.scan(1, 3, "Packages")
    assert terminal.getvalue() == ""
    clock.now += 0.6
    progress.scan(1, 3, "Packages")
    progress.scan(2, 3, "Services")  # at the same moment
    assert terminal.getvalue() == "\r1 of 3 sources: Packages"
    clock.now += 1
    progress.fleet(4000, 8000)
    assert terminal.getvalue().endswith("\r4,000 of 8,000 inventories, 2,000 a second")


def test_it_is_erased(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, progress = on_terminal(monkeypatch), Progress()
    progress.erase()
    assert terminal.getvalue() == ""
    clock.now += 1
    progress.scan(0, 9, "x" * 200)
    progress.erase()
    _, line, erased, end = terminal.getvalue().split("\r")
    assert (len(line), erased, end) == (79, " " * 79, "")


def test_without_a_terminal_nothing_is_shown(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    progress = Progress()
    clock.now += 9
    progress.scan(1, 3, "Packages")
    progress.erase()
    assert file.getvalue() == ""


def test_work_that_says_nothing_is_shown_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing folders, reading one large file, counting: what the text says is shown while the main thread is busy."""
    monkeypatch.setattr(Progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(Progress, "_EVERY", 0.01)
    terminal, progress = on_terminal(monkeypatch), Progress()
    with progress.during(lambda: "7 files listed"):
        end = time.monotonic() + 30
        while "7 files listed" not in terminal.getvalue() and time.monotonic() < end:
            pass
    assert terminal.getvalue().startswith("\r7 files listed")
    assert terminal.getvalue().endswith(f"\r{'':<14}\r"), "erased at the end"


def test_an_error_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Progress().during(lambda: "x"):
        raise KeyboardInterrupt
    assert threading.active_count() == before


def test_without_a_terminal_there_is_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    before = threading.active_count()
    with Progress().during(lambda: "x"):
        assert threading.active_count() == before
