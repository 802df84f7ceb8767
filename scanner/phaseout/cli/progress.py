"""The line on a terminal that shows how far a scan or a fleet is."""

import os
import sys
import time


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
            rate = done / (time.monotonic() - self._began)
            all_of_them = f" of {planned:,}" if planned else ""
            self._show(f"{done:,}{all_of_them} inventories, {rate:,.0f} a second")

    def files(self, done: int) -> None:
        """Shows how many files have been read, and how fast that goes."""
        if self._due():
            self._show(f"{done:,} files, {done / (time.monotonic() - self._began):,.0f} a second")

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
