"""Registry files of Wine."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.wine_registry import wine_keys

HEAD = b"WINE REGISTRY Version 2\n;; All keys relative to \\\\Machine\n\n#arch=win64\n\n"


def test_values() -> None:
    body = rb"""[Software\\A [b\]\\\x416] 1690000000 1234
#time=1d9c5e1a8f0c000
@="default"
"Text"="C:\\Program Files\\\"x\"\n\x41a\xd83d\xde00"
"Number"=dword:0000002a
"Expand"=str(2):"%SystemRoot%\\x"
"List"=str(7):"one\0two\0"
"Bytes"=hex:00,01,\
  ff
"Odd"=hex(b):01,00,00,00,00,00,00,00
"""
    ((path, values),) = (one for one in wine_keys(HEAD + body, lambda _: True) if not isinstance(one, Problem))
    assert path == "Software\\A [b]\\\u0416"
    assert values == {
        "": "default",
        "Text": 'C:\\Program Files\\"x"\n\u041a\U0001f600',
        "Number": 42,
        "Expand": "%SystemRoot%\\x",
        "List": ("one", "two"),
        "Bytes": b"\0\1\xff",
        "Odd": 1,
    }


def test_only_what_is_wanted() -> None:
    data = HEAD + b'[A] 1\n"x"="1"\n\n[B\\\\C] 1\n"y"="2"\n'
    assert list(wine_keys(data, lambda path: path == "b\\c")) == [("B\\C", {"y": "2"})]


def test_damage_costs_its_key() -> None:
    data = HEAD + b'[A] 1\n"x"="1\n"y"="2"\n"z"=hex(4):01,02\n[B] 1\n"y"="2"\n'
    found = list(wine_keys(data, lambda _: True))
    assert [one.where for one in found if isinstance(one, Problem)] == ["A", "A"]
    assert [one for one in found if not isinstance(one, Problem)] == [("A", {"y": "2"}), ("B", {"y": "2"})]


def test_no_registry_of_wine() -> None:
    for data in (b"", b"REGEDIT4\n"):
        (problem,) = wine_keys(data, lambda _: True)
        assert isinstance(problem, Problem)


@given(st.binary(max_size=300))
def test_nothing_raises(data: bytes) -> None:
    list(wine_keys(HEAD + b"[A] 1\n" + data, lambda _: True))
