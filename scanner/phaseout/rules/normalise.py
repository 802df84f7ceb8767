"""One spelling for items and patterns, so that neither case nor typography nor a disguise keeps them apart.

References:
    Unicode Standard Annex #15 (normalisation forms), Unicode Technical Standard #39 (confusables; the small table here
    holds only Cyrillic and Greek letters that look like Latin ones), Unicode Standard Annex #9 (bidirectional
    overrides).
"""

import unicodedata
from functools import lru_cache

from phaseout.model.regex import regex
from phaseout.parsers.encodings.code_pages import repaired

_MARKS = str.maketrans(dict.fromkeys("®™©℠"))
_CONFUSABLE = str.maketrans(
    "авеԁһіјкӏмнорԛѕтсуԝхѵԍзαβεηικνορτυχѡ",
    "abedhijklmhopqstcywxvg3abehikvoptuxw",
)
_LONGEST = 1 << 12  # characters of what is not ASCII, before and after normalisation: one can stand for eighteen
_INVISIBLE = ("Mn", "Me", "Cf")
_OVERRIDE = regex("\u202e([^\u202c\u202a\u202b\u202d\u202e\u2066-\u2069]*)\u202c?")
_SEPARATORS = bytes(ord(chr(code).lower()) if chr(code).isalnum() and code < 0x80 else 0x20 for code in range(0x100))
_LEGAL_FORMS = frozenset(
    (
        *("inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "corp", "corporation", "co", "company", "plc"),
        *("gmbh", "ag", "kg", "ug", "mbh", "se", "sa", "sas", "sarl", "srl", "spa", "bv", "nv", "ab", "oy", "oyj"),
        *("as", "aps", "kk", "pte", "pty", "pvt", "private", "jsc", "cjsc", "ojsc", "pjsc", "ao", "zao", "oao", "ooo"),
    )
)
_ENDINGS = {"process": ".exe", "driver": ".sys"}
_LEAST_STEM = 4  # characters
_SHORT = regex(r"/(progra~[123]|common~1)(?=/)")
_SHORTENED = {
    "progra~1": "program files",
    "progra~2": "program files (x86)",
    "progra~3": "programdata",
    "common~1": "common files",
}
_NATIVE_FORMS = ("ао", "зао", "оао", "ооо", "пао")
# Forms that records give for one and the same company, the more telling first.
_ONE_FORM = {
    "inc": frozenset(("inc", "incorporated", "corp", "corporation")),
    "ltd": frozenset(("ltd", "limited", "co", "company", "pte", "pty", "pvt", "private", "plc")),
    "ao": frozenset(("ao", "zao", "oao", "jsc", "cjsc", "ojsc", "pjsc", "ooo", "llc")),
}


def normal(text: str) -> str:
    r"""The text in lower case without accents, format characters and trade marks, blanks collapsed, `\\` as `/`.

    Letters that look like Latin ones become Latin; text after a right-to-left override is reversed, as screens show it.
    """
    if not text.isascii():
        text = repaired(text)
        if "\u202e" in text:
            text = _OVERRIDE.sub(lambda found: found[1][::-1], text)
        # Accents go first: to put a long row of them in order takes normalisation a time that grows with its square.
        text = unicodedata.normalize("NFKD", _bare(text.translate(_MARKS).casefold())[:_LONGEST])
        text = _bare(text[:_LONGEST]).casefold().translate(_CONFUSABLE)
    spelled = " ".join(text.lower().replace("\\", "/").split())
    # Lower case can turn letters into what a wrong code page makes of others, `Æ€€` into that of one ideograph.
    again = spelled if spelled.isascii() else repaired(spelled)
    return spelled if again == spelled else normal(again)


def _bare(text: str) -> str:
    """The text without format characters and combining marks, which normalisation would sort."""
    return "".join(
        char for char in text if not unicodedata.combining(char) and unicodedata.category(char) not in _INVISIBLE
    )


def path(text: str) -> str:
    """`normal` with the folders of Windows by their long names where a path has the 8.3 form of a fresh system."""
    spelled = normal(text)
    return _SHORT.sub(lambda found: f"/{_SHORTENED[found[1]]}", spelled) if "~" in spelled else spelled


def file_names(name: str, kind: str) -> tuple[str, ...]:
    """How else the name of a program or driver is written: without the ending of its file, or with it.

    Some tools list a program as `klnagent` and others as `klnagent.exe`, a driver as `klif` and as `klif.sys`. Names of
    less than four letters (`et`, `QQ`) are too often something else.

    Args:
        name: in lower case, or with the ending in lower case.
        kind: what bears the name; empty for what is no file.
    """
    ending = _ENDINGS.get(kind)
    if ending is None:
        return ()
    bare = name.removesuffix(ending)
    if len(bare) < _LEAST_STEM:
        return ()
    return (bare,) if bare != name else (name + ending,)


def vendor(text: str) -> str:
    """`normal` without punctuation and without legal forms at either end: `AO Kaspersky Lab` is `kaspersky lab`."""
    return _company(text)[0]


def legal_form(text: str) -> str:
    """The legal form that `vendor` leaves out, one word for all spellings of it; empty where there is none."""
    return _company(text)[1]


@lru_cache(maxsize=1024)
def _company(text: str) -> tuple[str, str]:
    """The name of a company and its legal form."""
    kept = "".join(char if char.isalnum() or char == "*" else " " for char in normal(text)).split()
    whole = kept[:]
    forms: list[str] = []
    while length := _legal_form(kept[::-1]):
        forms += kept[-length:]
        del kept[-length:]
    while length := _legal_form(kept):
        forms += kept[:length]
        del kept[:length]
    if not kept:
        return " ".join(whole), ""
    return " ".join(kept), next(
        (form for form, words in _ONE_FORM.items() if not words.isdisjoint(forms)), "".join(forms)
    )


def _legal_form(ahead: list[str]) -> int:
    """How many of the next words form a legal form: one (`gmbh`), or its single letters (`s p a`), in either order."""
    if ahead and ahead[0] in FORMS:
        return 1
    for length in (4, 3, 2):
        letters = ahead[:length]
        if len(letters) == length and all(len(letter) == 1 for letter in letters):
            joined = "".join(letters)
            if joined in FORMS or joined[::-1] in FORMS:
                return length
    return 0


def words(text: str) -> list[bytes]:
    """The words of a string in normal spelling, as UTF-8: splitting bytes is four times as fast."""
    if text.isascii():
        return separated(text).split()
    return "".join(char if char.isalnum() else " " for char in normal(text)).encode().split()


def separated(text: str) -> bytes:
    """An ASCII string in lower case, with a blank for each character that belongs to no word."""
    return text.encode().translate(_SEPARATORS)


FORMS = _LEGAL_FORMS | {normal(form) for form in _NATIVE_FORMS}
