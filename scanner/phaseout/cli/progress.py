"""The line on a terminal that shows how far a scan or a fleet is."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator


class Progress:
    """One line on standard error, for work that takes longer than a person likes to wait. Silent without a terminal."""

    _PATIENCE = 0.5  # seconds without a line
    _EVERY = 0.1  # seconds between two lines

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._began = time.monotonic()
        self._next = self._began + self._PATIENCE
        self._columns = 0  # to erase

    def scan(self, done: int, planned: int, title: str) -> None:
        """Shows how many sources have run, and which one is running."""
        if title and self._due():
            self._show(f"{done} of {planned} sources: {title}")

    def fleet(self, done: int, planned: int = 0) -> None:
        """Shows how many inventories have been judged, of how many where that is known, and how fast that goes."""
        if self._due():
            self._show(self.rate(done, f"of {planned:,} inventories" if planned else "inventories"))

    @contextlib.contextmanager
    def during(self, text: Callable[[], str]) -> Iterator[None]:
        """Within it, shows what `text` says now, whatever the work is busy with, from a thread of its own.

        No process may be forked meanwhile.
        """
        if not self._shown:
            yield
            return
        import threading

        ended = threading.Event()

        def show() -> None:
            patience = self._next - time.monotonic()
            while not ended.wait(max(patience, self._EVERY)):
                patience = 0.0
                self._show(text())

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.erase()

    def rate(self, done: int, what: str) -> str:
        """How many of something are done, and how fast that goes."""
        return f"{done:,} {what}, {done / max(time.monotonic() - self._began, 0.001):,.0f} a second"

    def erase(self) -> None:
        """Takes the line away, so that something else can be printed; harmless if there is none."""
        if self._columns:
            sys.stderr.write(f"\r{'':<{self._columns}}\r")
            sys.stderr.flush()
            self._columns = 0

    def _due(self) -> bool:
        now = time.monotonic()
        if not self._shown or now < self._next:
            return False
        self._next = now + self._EVERY
        return True

    def _show(self, text: str) -> None:
        try:
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        except (OSError, ValueError):
            width = 0
        width = width if width > 0 else 79
        text = text[:width]
        sys.stderr.write(f"\r{text:<{min(self._columns, width)}}")
        sys.stderr.flush()
        self._columns = len(text)
