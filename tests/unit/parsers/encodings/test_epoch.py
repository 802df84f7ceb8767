"""Seconds since 1970 as RFC 3339."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.epoch import rfc3339


def test_a_moment() -> None:
    assert rfc3339("1701073495") == rfc3339(1701073495.9) == "2023-11-27T08:24:55Z"


@pytest.mark.parametrize("no_moment", ["", "soon", "0", "-5", "9" * 30, "9" * 5000, float("nan"), float("inf"), 1e300])
def test_what_is_no_moment_is_empty(no_moment: str | float) -> None:
    assert rfc3339(no_moment) == ""


@given(st.integers(1, 253402300799))
def test_agrees_with_datetime(seconds: int) -> None:
    assert dt.datetime.fromisoformat(rfc3339(seconds)).timestamp() == seconds
