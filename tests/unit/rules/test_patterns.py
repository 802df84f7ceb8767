"""Globs, versions, and the words that an index finds them by."""

from fnmatch import translate
from re import DOTALL, fullmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.rules import VersionRange
from phaseout.rules.normalise import words
from phaseout.rules.patterns import HEAD, Texts, Versions, glob


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_glob_as_fnmatch(pattern: str, text: str) -> None:
    expected = fullmatch(translate(pattern), text, DOTALL) is not None
    if "*" in pattern:
        assert glob(tuple(pattern.split("*")), text) is expected


@given(st.text("ab *-", min_size=1, max_size=12), st.text("ab -", max_size=14))
def test_whatever_fits_has_the_words_of_the_index(pattern: str, text: str) -> None:
    texts = Texts([pattern], str)
    if texts.fits(text) is None:
        return
    found = set(words(text))
    for whole, heads in texts.keys:
        assert found.issuperset(whole)
        assert {word[:HEAD] for word in found}.issuperset(heads)


@pytest.mark.parametrize(
    ("version", "fits"),
    [("11.0", True), ("11.2.0.4528", True), ("12.1.0.506", True), ("12.2", False), ("10.9.9", False), ("R2", False)],
)
def test_versions_number_by_number(version: str, fits: bool) -> None:
    assert (Versions(VersionRange(min="11", max="12.1")).fits(version) is not None) is fits


def test_an_epoch_is_no_version_number() -> None:
    assert Versions(VersionRange(min="2")).fits("1:2.20.1-2+deb10u3")
    assert Versions(VersionRange(max="2")).fits("7:1.9")


@given(st.text(max_size=50))
def test_no_version_raises(text: str) -> None:
    Versions(VersionRange(min="1", max="2")).fits(text)
