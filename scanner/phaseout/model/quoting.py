"""Text of others in our sentences.

References:
    ECMA-48 (control sequences); Unicode Standard Annex #9 (direction).
"""

import unicodedata

_MOST = 80  # characters of a quotation
_BREAKS = str.maketrans("\n\r\t", "   ")


def quoted(text: str, most: int = _MOST) -> str:
    """The text between double quotes, on one line and printable, cut with a mark after `most` characters.

    Backslashes and quotes in it stay as they are, so that a path can be copied.
    """
    cut = f"{text[:most]}…" if len(text) > most else text
    return f'"{visible(cut.translate(_BREAKS))}"'


def visible(text: str) -> str:
    """The text with control and format characters written out: it can neither move the cursor nor reverse its order."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if harmless(char) else _written_out(char) for char in text)


def harmless(char: str) -> bool:
    """Whether a character is shown as it is: a letter, a mark, a blank."""
    return char.isprintable() or char == "\N{IDEOGRAPHIC SPACE}" or unicodedata.category(char) == "Zs"


def _written_out(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
