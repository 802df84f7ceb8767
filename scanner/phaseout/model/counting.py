"""Numbers with their noun."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """`1 item`, `2 items`, `1,000 items`; `nouns` is the plural where that is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
