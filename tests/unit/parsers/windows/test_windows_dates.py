"""Install dates in all the forms that installers write."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.windows_dates import filetime, install_date


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20210304", "2021-03-04"),
        (20210304, "2021-03-04"),
        (" 2021-03-04 ", "2021-03-04"),
        ("2021/03/04", "2021-03-04"),
        ("2021.03.04 10:00:00", "2021-03-04"),
        ("3/4/2021", "2021-03-04"),
        ("12/31/2021", "2021-12-31"),
        ("31/12/2021", "2021-12-31"),
        ("\u200e3/\u200e4/\u200e2021", "2021-03-04"),  # as .NET writes it, with direction marks
        ("4.3.2021", "2021-03-04"),
        ("04. 03. 2021", "2021-03-04"),
        ("04-03-2021", "2021-03-04"),
        (1614816000, "2021-03-04T00:00:00Z"),
        ("1614816000", "2021-03-04T00:00:00Z"),
        ("132592896000000000", "2021-03-04T00:00:00Z"),
        (132592896000000000, "2021-03-04T00:00:00Z"),
        (f"{132592896000000000:x}", "2021-03-04T00:00:00Z"),
        (f"0x{132592896000000000:016X}", "2021-03-04T00:00:00Z"),
        ("", ""),
        ("0", ""),
        ("00000000", ""),
        (0, ""),
    ],
)
def test_forms(value: str | int, expected: str) -> None:
    assert install_date(value) == expected


@pytest.mark.parametrize(
    "value", ["20211304", "20210230", "13/13/2021", "yesterday", "2021", "18500101", "Thu Mar 04", "²0210304", -5]
)
def test_others_are_errors(value: str | int) -> None:
    with pytest.raises(ValueError, match=r"."):
        install_date(value)


@given(st.dates(dt.date(1980, 1, 1), dt.date(2200, 12, 31)))
def test_every_day(day: dt.date) -> None:
    assert install_date(day.strftime("%Y%m%d")) == day.isoformat()
    assert install_date(f"{day.month}/{day.day}/{day.year}") == day.isoformat()
    assert install_date(f"{day.day}.{day.month}.{day.year}") == day.isoformat()


@given(st.one_of(st.text(), st.integers(), st.from_regex(r"[0-9./ :-]{1,20}")))
def test_only_value_errors(value: str | int) -> None:
    try:
        found = install_date(value)
    except ValueError:
        return
    assert found == "" or 1980 <= int(found[:4]) <= 2200


@given(st.one_of(st.none(), st.integers()))
def test_filetime(ticks: int | None) -> None:
    found = filetime(ticks)
    assert found == "" or (ticks is not None and dt.datetime.fromisoformat(found).year >= 1601)


def test_known_filetimes() -> None:
    assert filetime(132223104000000000) == "2020-01-01T00:00:00Z"
    assert filetime(132223104009999999) == "2020-01-01T00:00:00Z"
    assert filetime(0) == filetime(1 << 63) == filetime(None) == ""
