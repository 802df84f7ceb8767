"""Patterns of match blocks: exact texts, globs, version ranges. Matching is linear in the length of the text."""

from collections.abc import Callable, Iterable
from functools import cached_property

from phaseout.model.regex import regex
from phaseout.model.rules import VersionRange
from phaseout.rules.normalise import words

HEAD = 3  # bytes of a word's start that an index needs
# And so many it can use: `normalise.path` writes out `progra~1` and `common~1`, of whose words a text has six letters.
_LONGEST_HEAD = 6
_NUMBERS = regex(r"\d+")


class Texts:
    """Any of several patterns; `fits` returns the one that fits, for the explanation."""

    def __init__(self, patterns: Iterable[str], spell: Callable[[str], str]) -> None:
        self.patterns = tuple(patterns)
        self._exact: dict[str, str] = {}
        self._globs: list[tuple[tuple[str, ...], str]] = []
        for pattern in self.patterns:
            spelled = spell(pattern)
            if "*" in spelled:
                self._globs.append((tuple(spelled.split("*")), pattern))
            else:
                self._exact.setdefault(spelled, pattern)

    def fits(self, text: str) -> str | None:
        """The pattern that fits a string in normal spelling, or `None`."""
        found = self._exact.get(text)
        if found is not None:
            return found
        for parts, pattern in self._globs:
            if glob(parts, text):
                return pattern
        return None

    @cached_property
    def keys(self) -> list[tuple[list[bytes], list[bytes]]]:
        """For each pattern, the whole words and the word prefixes that every fitting string has."""
        exact: list[tuple[list[bytes], list[bytes]]] = [(words(text), []) for text in self._exact]
        return exact + [(_whole_words(parts), _heads(parts)) for parts, _ in self._globs]


class Versions:
    """A range of versions, compared number by number; a version without numbers fits no range."""

    def __init__(self, wanted: VersionRange) -> None:
        self.patterns = (f"{wanted.min or '…'} to {wanted.max or '…'}",)
        self._least = numbers(wanted.min)
        self._most = numbers(wanted.max)

    def fits(self, text: str) -> str | None:
        """The range in words if it includes the version. `12.1` as upper end includes `12.1.0.506`."""
        version = numbers(text)
        if not version or version < self._least:
            return None
        if self._most and version[: len(self._most)] > self._most:
            return None
        return self.patterns[0]


def glob(parts: tuple[str, ...], text: str) -> bool:
    """Whether `parts`, a pattern split at its stars, match the whole string."""
    first, last = parts[0], parts[-1]
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    here = len(first)
    end = len(text) - len(last)
    for part in parts[1:-1]:
        here = text.find(part, here, end)
        if here < 0:
            return False
        here += len(part)
    return True


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, without an epoch; at most eight, none longer than eighteen digits."""
    return tuple(int(part[:18]) for part in _NUMBERS.findall(version.rpartition(":")[2])[:8])


def _whole_words(parts: tuple[str, ...]) -> list[bytes]:
    """Words that no star touches."""
    found: list[bytes] = []
    for index, part in enumerate(parts):
        inside = words(part)
        if inside and index > 0 and part[0].isalnum():
            inside = inside[1:]
        if inside and index < len(parts) - 1 and part[-1].isalnum():
            inside = inside[:-1]
        found += inside
    return found


def _heads(parts: tuple[str, ...]) -> list[bytes]:
    """Starts of words that a star cuts off."""
    found: list[bytes] = []
    for index, part in enumerate(parts[:-1]):
        inside = words(part)
        if inside and part[-1].isalnum() and (len(inside) > 1 or index == 0 or not part[0].isalnum()):
            found.append(inside[-1])
    return [head[:_LONGEST_HEAD] for head in found if len(head) >= HEAD]
