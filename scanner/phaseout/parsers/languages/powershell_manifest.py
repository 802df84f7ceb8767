r"""What a PowerShell module or script says of itself. A manifest is data in PowerShell's syntax; nothing is run.

References:
    https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_module_manifests;
    …/about/about_quoting_rules, …/about/about_hash_tables;
    https://learn.microsoft.com/powershell/gallery/concepts/script-psscriptinfo
"""

import re
from typing import NamedTuple

from phaseout.model.regex import regex

_TOKEN = regex(
    r"""
    (?P<blank>[ \t\r\n;,]+ | \#(?!>)[^\r\n]* | <\#.*?\#>)
    | @'[ \t]*\r?\n(?P<here_plain>.*?)\r?\n'@
    | @"[ \t]*\r?\n(?P<here>.*?)\r?\n"@
    | '(?P<plain>(?:[^']|'')*)'
    | "(?P<double>(?:[^"`]|`.|"")*)"
    | (?P<open>@\{|@\(|\{|\() | (?P<close>\}|\)) | (?P<equals>=)
    | (?P<word>[^\s=;,'"{}()#@]+) | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKENS = 200_000
_INFO = regex(r"<#PSScriptInfo(.*?)#>", re.DOTALL | re.IGNORECASE)
_FIELD = regex(r"^\s*\.(\w+)[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_NOBODY = frozenset(("unknown", ""))  # what New-ModuleManifest writes where nobody was named


class Manifest(NamedTuple):
    """What it says; empty where it says nothing. `vendor` is the company, or else the author."""

    version: str
    vendor: str
    guid: str


def module_manifest(data: bytes) -> Manifest:
    """The manifest of a module, a `.psd1`.

    Raises:
        ValueError: it is no table of PowerShell.
    """
    found = _table(_decoded(data))
    prerelease = found.get("privatedata.psdata.prerelease", "")
    version = found.get("moduleversion", "")
    if version and prerelease:
        version += f"-{prerelease.lstrip('-')}"
    return Manifest(version, _vendor(found.get("companyname", ""), found.get("author", "")), found.get("guid", ""))


def script_info(data: bytes) -> Manifest | None:
    """What a `.ps1` says in its comment for galleries; `None` if it has none."""
    comment = _INFO.search(_decoded(data))
    if comment is None:
        return None
    found = {name.lower(): value for name, value in _FIELD.findall(comment[1])}
    return Manifest(
        found.get("version", ""),
        _vendor(found.get("companyname", ""), found.get("author", "")),
        found.get("guid", ""),
    )


def _vendor(company: str, author: str) -> str:
    return next((name for name in (company.strip(), author.strip()) if name.lower() not in _NOBODY), "")


def _decoded(data: bytes) -> str:
    """PowerShell 7 writes UTF-8, Windows PowerShell UTF-16 with a mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _table(text: str) -> dict[str, str]:
    """The texts of a table and of those in it: `privatedata.psdata.tags`, names in small letters."""
    found: dict[str, str] = {}
    path: list[str] = []  # names of the open tables, the outermost is ""
    name = ""
    waits = False  # for the value of `name`
    for count, token in enumerate(_TOKEN.finditer(text)):
        kind = token.lastgroup
        if count > _TOKENS:
            raise ValueError("a manifest of more than anybody writes")
        if kind == "blank":
            continue
        if not path and kind != "open":
            raise ValueError("no table of PowerShell")
        if kind == "open":
            path.append(name if waits else "")
            name, waits = "", False
        elif kind == "close":
            path.pop()
            name, waits = "", False
            if not path:
                return found
        elif kind == "equals":
            waits = bool(name)
        else:
            value = _value(token)
            if waits:
                found.setdefault(".".join((*filter(None, path), name)), value)
                name, waits = "", False
            else:
                name = value.lower()
    raise ValueError("ends within a table, or has none")


def _value(token: "re.Match[str]") -> str:
    if token["plain"] is not None:
        return token["plain"].replace("''", "'")
    if token["double"] is not None:
        return re.sub(r"`(.)", r"\1", token["double"].replace('""', '"'), flags=re.DOTALL)
    return next((token[kind] for kind in ("here_plain", "here", "word", "other") if token[kind] is not None), "")
