"""Signatures as PowerShell's Get-AuthenticodeSignature sees them: 250 real programs, and changed copies of some.

References:
    Microsoft, "Windows Authenticode Portable Executable Signature Format": what the digest covers, and what not (the
    checksum, the entry of the certificate table, the table itself)
"""

import os
import re
import struct
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.windows.executables import Executables

from tests.contract.scripts.conftest import powershell_windows
from tests.support.places import WINE

__all__ = ["powershell_windows"]

COPIED = 12
ORACLE = r"""
param($list)
foreach ($file in Get-Content -LiteralPath $list -Encoding UTF8) {
    $found = Get-AuthenticodeSignature -LiteralPath $file
    '{0}|{1}|{2}' -f $file, $found.Status, $found.SignerCertificate.Subject
}
"""
ASK = """
from phaseout.host.windows.trust import signature
with open(sys.argv[1], encoding="utf-8") as listed:
    tell([signature(line.strip()) for line in listed])
"""
SAME = {
    "Valid": r"valid",
    "HashMismatch": r"invalid: the file was changed",
    "NotSigned": r"none.*",
    "NotTrusted": r"invalid: .*",
    "UnknownError": r"not verified: .*|invalid: .*",
}


def changed(data: bytes) -> dict[str, bytes]:
    """Copies of a signed program that differ from it in a byte, or in their end."""
    header = struct.unpack_from("<I", data, 0x3C)[0] + 24
    directories = header + (112 if struct.unpack_from("<H", data, header)[0] == 0x20B else 96)
    table, size = struct.unpack_from("<II", data, directories + 32)
    resource = data.find("VS_VERSION_INFO".encode("utf-16-le"))

    def flipped(at: int) -> bytes:
        copy = bytearray(data)
        copy[at] ^= 1
        return bytes(copy)

    unsigned = bytearray(data[:table])
    struct.pack_into("<II", unsigned, directories + 32, 0, 0)
    copies = {
        "sound": data,
        "checksum": flipped(header + 64),
        "code": flipped(table // 2),
        "first bytes": flipped(0x40),
        "last byte before the signature": flipped(table - 1),
        "signature": flipped(table + size // 2),
        "end of the signature": flipped(table + size - 24),
        "appended": data + b"PK\x03\x04" * 16,
        "cut": data[: table + size // 2],
        "unsigned": bytes(unsigned),
    }
    return copies | ({"version": flipped(resource + 120)} if resource > 0 else {})


def plain(name: str) -> str:
    """Without accents, which Wine loses in its console."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


@pytest.mark.slow
def test_signers_and_soundness_are_those_of_powershell(
    tmp_path: Path, powershell_windows: Path, on_windows: Callable[..., Any]
) -> None:
    programs = sorted(path for path in powershell_windows.parent.rglob("*") if path.suffix.lower() in (".dll", ".exe"))
    signed = [path for path in programs if b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in path.read_bytes()]
    for number, program in enumerate(signed[:: max(1, len(signed) // COPIED)]):
        for name, content in changed(program.read_bytes()).items():
            (tmp_path / f"{number} {name}.dll").write_bytes(content)
    files = [*programs, *sorted(tmp_path.glob("*.dll"))]
    listed, oracle = tmp_path / "list.txt", tmp_path / "oracle.ps1"
    listed.write_text("".join(f"Z:{file}\n" for file in files))
    oracle.write_text(ORACLE)
    options = ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", f"Z:{oracle}", f"Z:{listed}"]
    asked = subprocess.run(
        [str(powershell_windows), *options],
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        env={**os.environ, "WINEPREFIX": str(WINE / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"},
    )
    answers = [line.split("|") for line in asked.stdout.splitlines()]
    assert [name for name, _, _ in answers] == [f"Z:{file}" for file in files], asked.stderr
    words = on_windows(ASK, f"Z:{listed}")
    reader = Executables(PosixFiles("/"))
    wrong = []
    for file, (_, status, subject), said in zip(files, answers, words, strict=True):
        found = reader.identity(str(file))
        if not re.fullmatch(SAME[status], said):
            wrong.append(f"{file.name}: {status}, but phaseout says {said}")
        if status == "Valid":
            organisation = re.search(r"(?:^|, )O=(\"(?:[^\"]|\"\")*\"|[^,]*)", subject)
            names = {found.signer, *found.details["also_signed_by"].split(", ")} if found else set()
            if not organisation or organisation[1].strip('"') not in map(plain, names):
                wrong.append(f"{file.name}: signed by {subject}, but phaseout says {names}")
        if status == "NotSigned" and "appended" not in file.name and found and found.signer:
            wrong.append(f"{file.name}: not signed, but phaseout says {found.signer}")
        if found and found.signature != ("not verified" if found.signer else found.signature):
            wrong.append(f"{file.name}: without Windows nothing is verified")
    assert wrong == []
    statuses = [status for _, status, _ in answers]
    assert statuses.count("Valid") > 150
    assert statuses.count("HashMismatch") >= 3 * COPIED
    assert statuses.count("NotSigned") >= 2 * COPIED
