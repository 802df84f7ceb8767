r"""Text that regedit exports: `[HKEY_LOCAL_MACHINE\…]` with `"Name"=value` lines below.

References:
    Microsoft, "How to add, modify, or delete registry subkeys and registry values by using a .reg file" (310516).
"""

import re
from collections.abc import Iterator

from phaseout.model.nouns import Cause, Problem
from phaseout.model.quoting import quoted
from phaseout.parsers.windows.registry_values import BINARY, EXPAND_SZ, LINK, MULTI_SZ, SZ, Value, decode

_HEADS = ("Windows Registry Editor Version 5.00", "REGEDIT4")
_KEYS = 1_000_000
_PROBLEMS = 1000
_LINE = re.compile(
    r"\[(?P<key>[^\n]*)\][ \t]*(?:\n|\Z)"
    r'|(?:@|"(?P<name>(?:[^"\\]++|\\.)*+)")[ \t]*=[ \t]*'
    r'(?:"(?P<text>(?:[^"\\]++|\\.)*+)"|(?P<other>(?:[^"\\\n;]++|\\[ \t]*\n)*+))[ \t]*(?:;[^\n]*)?(?:\n|\Z)'
    r"|(?P<blank>[ \t]*(?:;[^\n]*)?(?:\n|\Z))"
    r"|(?P<else>[^\n]*)(?:\n|\Z)",
    re.DOTALL,
)
_HEX = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:(.*)", re.DOTALL | re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def entries(data: bytes) -> Iterator[tuple[str, dict[str, Value]] | Problem]:
    """Every key with its values in the order of the file, and a problem for every unreadable line.

    Version 5 is UTF-16 (or UTF-8, from other tools); version 4 is taken for code page 1252, as are the texts in its
    hexadecimal values. Deletions (`[-…]`, `"Name"=-`) do not say what is there and are skipped. The name of the
    default value is empty; a line break within a text is a line feed.
    """
    text = _decoded(data)
    head, _, text = text.lstrip("\ufeff \t\n").partition("\n")
    if not head.startswith(_HEADS):
        yield Problem("registry export", "does not begin as one", "damaged")
        return
    old = head.startswith("REGEDIT4")
    path = ""
    values: dict[str, Value] = {}
    keys = problems = at = 0
    while at < len(text):
        found = _LINE.match(text, at)
        if found is None or problems > _PROBLEMS or keys > _KEYS:
            cause: Cause = "damaged" if found is None else "limit"
            yield Problem(path or "registry export", "damaged or too large: the rest was not read", cause)
            break
        at = found.end()
        if found["blank"] is not None:
            continue
        if found["key"] is not None:
            if path:
                yield path, values
            keys += 1
            path, values = "" if found["key"].startswith("-") else found["key"], {}
            continue
        name = _unescaped(found["name"] or "")
        if found["else"] is not None:
            problems += 1
            yield Problem(path or "registry export", f"not a line of an export: {quoted(found['else'])}", "damaged")
            continue
        if not path or found["other"] == "-":
            continue
        try:
            values[name] = _unescaped(found["text"]) if found["text"] is not None else _value(found["other"], old=old)
        except ValueError as error:
            problems += 1
            yield Problem(path, f"the value {name[:80]}: {error}", "damaged")
    if path:
        yield path, values


def _value(written: str, *, old: bool) -> Value:
    """`dword:0000000a`, `hex:00,01`, `hex(7):61,00,…`.

    Raises:
        ValueError: the value has another form.
    """
    written = written.strip()
    if written[:6].lower() == "dword:":
        return int(written[6:], 16) & 0xFFFFFFFF
    found = _HEX.fullmatch(written)
    if found is None:
        raise ValueError(f"not a value: {quoted(written)}")
    data = bytes.fromhex(found[2].replace(",", " ").replace("\\", " "))
    kind = int(found[1], 16) if found[1] else BINARY
    if old and kind in (SZ, EXPAND_SZ, LINK, MULTI_SZ):
        data = data.decode("cp1252", "replace").encode("utf-16-le")
    return decode(kind, data)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _decoded(data: bytes) -> str:
    if data.startswith(b"\xff\xfe") or data[1:2] == b"\0":
        text = data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")
    elif data.startswith(b"\xfe\xff"):
        text = data[: len(data) & ~1].decode("utf-16-be", "surrogatepass")
    elif data.startswith(b"REGEDIT4"):
        text = data.decode("cp1252", "replace")
    else:
        text = data.decode("utf-8", "backslashreplace")
    return text.replace("\r\n", "\n")
