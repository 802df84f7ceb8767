"""Numbers with their noun."""

import pytest
from phaseout.model.counting import counted


@pytest.mark.parametrize(
    ("number", "noun", "nouns", "words"),
    [
        (0, "item", "", "0 items"),
        (1, "item", "", "1 item"),
        (1200, "item", "", "1,200 items"),
        (1, "entry", "entries", "1 entry"),
        (3, "entry", "entries", "3 entries"),
    ],
)
def test_counted(number: int, noun: str, nouns: str, words: str) -> None:
    assert counted(number, noun, nouns) == words
