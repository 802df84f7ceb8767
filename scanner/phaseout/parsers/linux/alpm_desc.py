"""The `desc` file of an installed package in the database of pacman.

References:
    https://man.archlinux.org/man/alpm-db-desc.5 (ALPM database desc format)
"""


def fields(text: str) -> dict[str, str]:
    """Section (`NAME` of `%NAME%`) → its lines, joined with newlines.

    Lines outside of a section are kept under the empty name, which shows the caller that the file is damaged.
    """
    found: dict[str, str] = {}
    for block in text.replace("\r\n", "\n").split("\n\n"):
        head, _, value = block.strip().partition("\n")
        head = head.rstrip()
        if head[:1] == head[-1:] == "%" and head[1:-1].isupper():
            found[head[1:-1]] = value.strip()
        elif head:
            found[""] = head
    return found
