"""Records of `apk/db/installed`, where apk keeps the packages that are installed and their files.

References:
    https://wiki.alpinelinux.org/wiki/Apk_spec (installed database); apk-package(5).
"""

from collections.abc import Iterator


def packages(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Every record with the number of its first line (from 1), as letter → value; the case of the letter counts.

    The folders and files of the package, which follow from the first `F:` on, are not given. A line that is no field
    is kept under the empty letter, so that the caller can tell a damaged record.
    """
    line = 1
    for record in text.replace("\r\n", "\n").split("\n\n"):
        fields: dict[str, str] = {}
        start = line + len(record) - len(record.lstrip("\n"))
        for each in record.partition("\nF:")[0].split("\n"):
            if each[1:2] == ":":
                fields[each[0]] = each[2:].strip()
            elif each.strip():
                fields[""] = each
        if fields:
            yield start, fields
        line += record.count("\n") + 2
