"""Counts hosts by their verdict."""

from collections.abc import Sequence

from phaseout.model.counting import counted


class Tally:
    """Counts hosts by their verdict, and the files that could not be judged."""

    def __init__(self) -> None:
        self.verdicts: dict[str, int] = {}
        self.found: set[str] = set()
        self.broken = 0

    def add(self, verdict: str, found: Sequence[str]) -> None:
        """Counts a host."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        self.found.update(found)

    def gravest(self) -> str:
        """The gravest verdict of a host; `incomplete` where there is none."""
        return next((one for one in ("replace", "review", "incomplete", "clean") if one in self.verdicts), "incomplete")

    def sentence(self) -> str:
        """The counts in words."""
        hosts = sum(self.verdicts.values())
        counts = [
            f"{self.verdicts[one]} {one}"
            for one in ("replace", "review", "incomplete", "clean")
            if one in self.verdicts
        ]
        broken = f" {self.broken:,} could not be read." if self.broken else ""
        return f"{counted(hosts, 'host')}: {', '.join(counts) or 'none'}.{broken}"
