"""Configurations of WinSW."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.winsw import Wrapped, winsw


def test_what_it_runs() -> None:
    text = b"<service><ID>x</ID><Executable>%Base%\\a b\\x.exe</Executable><arguments>-s</arguments></service>"
    assert winsw(text, r"C:\T") == Wrapped(r"C:\T\a b\x.exe", "-s")
    assert winsw(b"<service><executable>bin\\x.exe</executable></service>", r"C:\T") == Wrapped(r"C:\T\bin\x.exe", "")
    assert winsw(b"<service><executable>java</executable></service>", r"C:\T") == Wrapped("java", "")


def test_other_files() -> None:
    assert winsw(b"<configuration><executable>x</executable></configuration>", "C:") is None
    assert winsw(b"<service/>", "C:") is None
    with pytest.raises(ValueError, match="document type"):
        winsw(b'<!DOCTYPE x [<!ENTITY a "b">]><service/>', "C:")


@given(st.binary(max_size=80))
def test_arbitrary_bytes(data: bytes) -> None:
    with suppress(ValueError):
        winsw(data, "C:")
