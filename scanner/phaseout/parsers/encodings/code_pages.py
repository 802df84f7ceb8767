"""Text that was written in one code page and read in another, where that is unambiguous.

Old installers write names in the code page of their maker's country; on a machine of another country the registry then
holds `Êàñïåðñêèé` for `Касперский`.

References:
    https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/ (code pages 1251, 1252, 936).
"""

from phaseout.model.regex import regex

_LONGEST = 1 << 12  # characters
_WORD = regex(r"[^\s\d!-/:-@\[-`{-~]+")
_CYRILLIC = regex(r"[\u00c0-\u00ff\u00a8\u00b8]+")  # what the letters of code page 1251 are in 1252
_LETTERS = 4  # of a word that no western language has: all of them accented
_HIGH = regex(rb"[\x80-\xff]+")
_CONTROL = regex(r"[\x80-\x9f]")
_CHINESE = regex(r"[\u4e00-\u9fff]{2,}")


def repaired(text: str) -> str:
    """The text as it was meant; the same text where nothing is wrong with it, or what is wrong is not certain."""
    if text.isascii() or len(text) > _LONGEST:
        return text
    western = _western(text)
    if western is not None:
        return _utf8(western) or _russian(text, western) or _chinese(western) or text
    try:
        return _utf8(text.encode("cp1251")) or text
    except UnicodeEncodeError:
        return text


def _western(text: str) -> bytes | None:
    """The bytes that Windows shows as this text in code page 1252; `None` where it has none."""
    found = bytearray()
    for char in text:
        try:
            found += char.encode("cp1252")
        except UnicodeEncodeError:
            if not 0x80 <= ord(char) < 0xA0:  # five bytes stand for themselves
                return None
            found.append(ord(char))
    return bytes(found)


def _utf8(data: bytes) -> str:
    """What the bytes say as UTF-8; empty if they do not, or if it is nothing that anybody writes."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return "" if _CONTROL.search(text) else text


def _russian(text: str, western: bytes) -> str:
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if not all(_CYRILLIC.fullmatch(word) for word in words) or max(map(len, words), default=0) < _LETTERS:
        return ""
    return western.decode("cp1251", "replace")


def _chinese(western: bytes) -> str:
    runs = _HIGH.findall(western)
    if any(len(run) % 2 for run in runs) or max(map(len, runs), default=0) < _LETTERS:
        return ""
    try:
        if not all(_CHINESE.fullmatch(run.decode("gb2312")) for run in runs if len(run) > 2):
            return ""
        return western.decode("gb2312")
    except UnicodeDecodeError:
        return ""
