"""Makes the names that were found on a machine harmless for people and for programs that read them.

References:
    https://owasp.org/www-community/attacks/CSV_Injection; ECMA-48 (control sequences); Unicode Standard Annex #9.
"""

from phaseout.model.quoting import harmless, visible

__all__ = ["cell", "json_text", "visible"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """A string for a spreadsheet: one that would be read as a formula gets an apostrophe in front."""
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def json_text(value: object, indent: int = 0) -> str:
    """Strict JSON that a terminal and every parser can take.

    Control and format characters stay what they are, as escapes; half of a surrogate pair is no character, and is
    written out.
    """
    import msgspec

    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_whole(msgspec.to_builtins(value)))
    text = (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return text.translate({ord(char): _escape(char) for char in set(text) if char != "\n" and not harmless(char)})


def _escape(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _whole(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list | tuple) else value
