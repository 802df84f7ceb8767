"""Takes the moment of its making, and a number that was drawn, out of an installer for Windows.

    SOURCE_DATE_EPOCH=… python scripts/release/msi/settle.py FILE.msi

`wixl` writes when the installer was made, and draws the code by which Windows tells one file from another. The times
become SOURCE_DATE_EPOCH, and the code follows from the rest of the file: the same content gives the same bytes.

References:
    [MS-OLEPS] 2.21 (PropertySetStream), 2.8 (FILETIME); [MS-DTYP] 2.3.3;
    https://learn.microsoft.com/windows/win32/msi/summary-information-stream-property-set
"""

import hashlib
import os
import re
import sys
import uuid
from pathlib import Path

SUMMARY = uuid.UUID("f29f85e0-4ff9-1068-ab91-08002b27b3d9").bytes_le
LENGTH = 2048  # bytes of the summary; in these files it has about 600
FILETIME = b"\x40\0\0\0"
EPOCH = 116_444_736_000_000_000  # FILETIME of 1970-01-01, in units of 100 ns
CODE = re.compile(rb"\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\}")


def main() -> None:
    """Changes the file that the command line names."""
    path = Path(sys.argv[1])
    content = path.read_bytes()
    begin = content.index(SUMMARY)
    moment = EPOCH + int(os.environ["SOURCE_DATE_EPOCH"]) * 10_000_000
    summary = content[begin : begin + LENGTH]
    summary, times = re.subn(FILETIME + b".{7}\x01", FILETIME + moment.to_bytes(8, "little"), summary, flags=re.DOTALL)
    summary, codes = CODE.subn(b"{" + b"0" * 36 + b"}", summary)
    if (times, codes) != (2, 1):
        sys.exit(f"settle: {path} has {times} times and {codes} codes in its summary, not 2 and 1")
    content = content[:begin] + summary + content[begin + LENGTH :]
    own = uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=4)
    path.write_bytes(content.replace(b"{" + b"0" * 36 + b"}", f"{{{own}}}".upper().encode(), 1))


if __name__ == "__main__":
    main()
