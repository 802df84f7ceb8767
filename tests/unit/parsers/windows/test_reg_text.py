"""Exports of regedit, whole and damaged."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.reg_text import entries
from phaseout.parsers.windows.registry_values import Value

EXPORT = r"""Windows Registry Editor Version 5.00

; a comment
[HKEY_LOCAL_MACHINE\SOFTWARE\A]
@="default"
"Text"="C:\\path \"quoted\" ; no comment"  ; a comment
"Number"=dword:0000000A
"Bytes"=hex:00,01,\
  02,03
"Long"=hex(b):01,00,00,00,00,00,00,00
"List"=hex(7):61,00,00,00,62,00,00,00,00,00
"Expand"=hex(2):25,00,41,00,25,00,00,00
"None"=hex(0):
"Gone"=-
"Lines"="one
two"

[-HKEY_LOCAL_MACHINE\SOFTWARE\Deleted]
"never"="seen"

[HKEY_CURRENT_USER\]odd[]
"""
A: dict[str, Value] = {
    "": "default",
    "Text": r'C:\path "quoted" ; no comment',
    "Number": 10,
    "Bytes": b"\0\1\2\3",
    "Long": 1,
    "List": ("a", "b"),
    "Expand": "%A%",
    "None": b"",
    "Lines": "one\ntwo",
}


def test_all_encodings_of_version_5() -> None:
    expected = [(r"HKEY_LOCAL_MACHINE\SOFTWARE\A", A), (r"HKEY_CURRENT_USER\]odd[", {})]
    text = EXPORT.replace("\n", "\r\n")
    for data in (
        text.encode("utf-8"),
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        b"\xfe\xff" + text.encode("utf-16-be"),
        EXPORT.encode(),
    ):
        assert list(entries(data)) == expected


def test_version_4() -> None:
    data = b'REGEDIT4\r\n\r\n[HKEY_USERS\\X]\r\n"K\xe4se"="gr\xfcn"\r\n"List"=hex(7):61,00,fc,00,00\r\n"B"=hex:61\r\n'
    assert list(entries(data)) == [(r"HKEY_USERS\X", {"Käse": "grün", "List": ("a", "ü"), "B": b"a"})]


def test_a_bad_line_costs_itself() -> None:
    data = b'Windows Registry Editor Version 5.00\n[HKLM\\A]\n"a"=dword:xyz\n"b"=hex:0\nrubbish\n"c"=hex(4):01\n'
    data += b'"d"="ok"\n"e"="open\n'
    found = list(entries(data))
    assert found[-1] == ("HKLM\\A", {"d": "ok"})
    problems = [one for one in found if isinstance(one, Problem)]
    assert [problem.where for problem in problems] == ["HKLM\\A"] * 5


def test_what_is_no_export() -> None:
    for data in (b"", b"MZ\x90\0", b"\xff\xfe", b"[HKLM\\A]\n"):
        assert list(entries(data)) == [Problem("registry export", "does not begin as one", "damaged")]


def test_without_end() -> None:
    head = b"REGEDIT4\n[HKLM\\A]\n"
    many = list(entries(head + b"x\n" * 100_000))
    assert len(many) == 1003
    for part in (b'"', b'"a\n', b'"a"=', b'"a"="\n', b"\\\n", b'"a"=hex:00,\\\n', b'"a"="' + b"\\" * 999, b"[" * 99):
        assert list(entries(head + part * 20_000))


@given(st.binary(max_size=200), st.booleans())
def test_nothing_raises(data: bytes, wide: bool) -> None:
    head = "Windows Registry Editor Version 5.00\n[HKLM\\A]\n"
    for _ in entries(data):
        pass
    for _ in entries((head.encode("utf-16") if wide else head.encode()) + data):
        pass
