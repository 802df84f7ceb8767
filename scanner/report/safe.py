"""Names that were found on a machine, made harmless for whoever reads them.

References:
    https://owasp.org/www-community/attacks/CSV_Injection; ECMA-48 (control sequences); Unicode Standard Annex #9.
"""

import unicodedata

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def visible(text: str) -> str:
    """The text with control and format characters written out: it can neither move the cursor nor turn round."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _harmless(char) else _written_out(char) for char in text)


def cell(text: str) -> str:
    """A text for a spreadsheet: one that would be taken for a formula gets an apostrophe in front."""
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _harmless(char: str) -> bool:
    return char.isprintable() or char == "\N{IDEOGRAPHIC SPACE}" or unicodedata.category(char) == "Zs"


def _written_out(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
