"""Times and dates as Windows programs write them → RFC 3339.

References:
    Microsoft, "FILETIME structure" (100 ns since 1601-01-01 UTC); "Uninstall Registry Key" (InstallDate, YYYYMMDD).
"""

import datetime as dt
import re

from phaseout.model.quoting import quoted

_EPOCH = dt.datetime(1601, 1, 1)  # noqa: DTZ001  (UTC, written without its name: that is 20 times faster to print)
_UNIX = 116444736000000000  # 1970 in FILETIME
_FIRST, _LAST = 1980, 2200  # years that an installation may lie in
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{2})\2(\d{2})(?:[T ].*)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/. ]) ?(\d{1,2})\2 ?(\d{4})\.?(?:[ ,].*)?")
_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{15,16})")


def filetime(ticks: int | None) -> str:
    """`132223104000000000` → `2020-01-01T00:00:00Z`; empty for `None`, 0 and times after the year 9999."""
    if not ticks or ticks < 0:
        return ""
    try:
        return (_EPOCH + dt.timedelta(microseconds=ticks // 10)).isoformat("T", "seconds") + "Z"
    except OverflowError:
        return ""


def install_date(value: str | int) -> str:
    """The day or moment of an `InstallDate` value; empty if it is empty or 0.

    Known are `YYYYMMDD` (what Windows Installer writes, also with `-`, `/` or `.`), `M/D/YYYY` (taken for `D/M/YYYY`
    only if it cannot be the former), `D.M.YYYY` and `D-M-YYYY`, seconds since 1970, and FILETIME in decimal or
    hexadecimal digits. Days stay days: which time zone they are meant in is not known.

    Raises:
        ValueError: it has none of these forms.
    """
    text = str(value).replace("\u200e", "").strip().strip("\0")
    if not text.strip("0"):
        return ""
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if found := _YEAR_LAST.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        month_first = found[2] == "/" and first <= 12
        return _day(year, first, second) if month_first else _day(year, second, first)
    if text.isascii() and text.isdecimal():
        ticks = int(text) if len(text) >= 17 else int(text[:12]) * 10_000_000 + _UNIX
        if len(text) in (9, 10, 17, 18):
            return _moment(ticks)
    elif found := _HEX.fullmatch(text):
        return _moment(int(found[1], 16))
    raise ValueError(f"not a date: {quoted(text, 40)}")


def _day(year: int, month: int, day: int) -> str:
    if not _FIRST <= year <= _LAST:
        raise ValueError(f"not a date: the year {year}")
    return dt.date(year, month, day).isoformat()


def _moment(ticks: int) -> str:
    found = filetime(ticks)
    if not found or not _FIRST <= int(found[:4]) <= _LAST:
        raise ValueError(f"not a date: {ticks}")
    return found
