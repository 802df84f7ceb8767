"""Draws the pictures of README from a real scan of a small root: the page in Chromium, and the terminal as SVG.

    python scripts/pictures.py [FOLDER]      writes page.png and terminal.svg, by default into docs/pictures

References:
    https://www.w3.org/TR/SVG2/text.html; ECMA-48, 8.3.117 (SGR)
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 1100, 520  # of the page, in pixels: the verdict and the findings
COLUMNS, ROWS = 96, 26  # of the terminal
_CELL, _LINE, _EDGE = 8.43, 19, 16  # a character of 14 pixels, and what is around the text
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_COLOURS = {"31": "#ff9492", "32": "#6bd98a", "33": "#f0c239", "36": "#79b8ff"}
_KASPERSKY = "AO Kaspersky Lab <support@kaspersky.com>"
_PACKAGES = (
    ("bash", "install ok installed", "Matthias Klose <doko@debian.org>", "5.2.15-2+b7"),
    ("kesl", "install ok installed", _KASPERSKY, "12.1.0-1543"),
    ("klnagent64", "deinstall ok config-files", _KASPERSKY, "15.1.0-20"),
)
_FILES = {
    "etc/hostname": "workstation-17\n",
    "etc/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "root/.profile": "",
    "usr/bin/env": "",
    "etc/systemd/system/kesl.service": "[Service]\nExecStart=/opt/kaspersky/kesl/libexec/kesl\n",
    "opt/kaspersky/kesl/libexec/kesl": "",
    "var/lib/dpkg/status": "".join(
        f"Package: {name}\nStatus: {status}\nMaintainer: {maintainer}\nVersion: {version}\n\n"
        for name, status, maintainer, version in _PACKAGES
    ),
}


def main() -> None:
    """Scans a root that is made for it, and draws what the scan shows."""
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/pictures").resolve()
    pictures.mkdir(exist_ok=True)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("pictures: Chromium is not here, and it draws the page")
    with tempfile.TemporaryDirectory() as folder:
        root, page = Path(folder, "root"), Path(folder, "page.html")
        for name, content in _FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        (root / "opt/kaspersky/kesl/libexec/kesl").chmod(0o755)
        scan = [sys.executable, "-m", "phaseout", "scan", "--root", str(root)]
        subprocess.run([*scan, "-o", str(page)], cwd=ROOT / "scanner", check=False)
        shown = subprocess.run(
            [*scan, "--color", "always"],
            cwd=ROOT / "scanner",
            env={**os.environ, "COLUMNS": str(COLUMNS)},
            capture_output=True,
            text=True,
            check=False,
        )
        picture = [f"--screenshot={pictures / 'page.png'}", f"--window-size={WIDTH},{HEIGHT}", "--hide-scrollbars"]
        profile = f"--user-data-dir={folder}/profile"
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", profile, *picture, page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    lines = ["$ phaseout scan", *shown.stdout.splitlines()[: ROWS - 2], "…"]
    (pictures / "terminal.svg").write_text(terminal(lines), encoding="utf-8")


def terminal(lines: list[str]) -> str:
    """Lines with the escape sequences of colours, as a picture of a terminal."""
    width, height = round(COLUMNS * _CELL) + 2 * _EDGE, len(lines) * _LINE + 2 * _EDGE
    rows = "".join(_row(at, line) for at, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="a scan">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n'
        f'<g fill="#e6edf3" font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="14">\n'
        f"{rows}</g>\n</svg>\n"
    )


def _row(at: int, line: str) -> str:
    y = _EDGE + (at + 0.75) * _LINE
    return "".join(
        f'<text x="{_EDGE + column * _CELL:.1f}" y="{y:.0f}" textLength="{len(text) * _CELL:.1f}" xml:space="preserve"'
        f"{style}>{escape(text)}</text>\n"
        for column, text, style in _parts(line)
        if text.strip()
    )


def _parts(line: str) -> Iterator[tuple[int, str, str]]:
    """The parts of a line of one look each: the column, the text, and the attributes of that look."""
    column, style = 0, ""
    for at, part in enumerate(_SGR.split(line)):
        if at % 2:
            codes = part.split(";")
            colour = next((_COLOURS[code] for code in codes if code in _COLOURS), "")
            style = f' fill="{colour}"' if colour else ""
            style += ' font-weight="bold"' if "1" in codes else ""
        else:
            yield column, part, style
            column += len(part)


if __name__ == "__main__":
    main()
