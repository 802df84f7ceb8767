"""The commands that README and the pages in docs/ show: run in order, and their output compared with what is shown.

The first word after a fence says what a block is, the second what becomes of it:

    console             lines that begin with `$` are run, and what follows each is compared with what it prints
    sh                  every line is run, and must not fail
    toml FILE           the file is written, for the commands that follow (any language)
    sh test_x.py        a test of that name runs it, or a script (also console, powershell, bat)
    sh nowhere          it is run nowhere: `NOWHERE` in tests/contract/test_documents.py says why (also powershell, bat)

Each page is run in a folder of its own, which holds what `files` makes. In a shown output, a line `…` stands for any
number of lines, and what differs from day to day (`_VARIES`) may differ.

    python -m tests.support.transcripts [PAGE]…     writes the output of today into the pages

References:
    https://spec.commonmark.org/0.31.2/#info-string
"""

import atexit
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELLS = frozenset(("bash", "bat", "cmd", "console", "powershell", "sh", "shell", "zsh"))
AS_OF = "2026-11-26"
_FENCE = re.compile(r"^( *)```(\w+)(?: +(\S+))? *\n(.*?)^\1``` *$", re.MULTILINE | re.DOTALL)
_DATED = {"scan", "match", "rules list", *(f"fleet {name}" for name in ("judge", "status", "hosts", "trend", "page"))}
_VARIES = (
    (re.compile(r"\bin\s+\d+\.\d+\s+s\b"), "in 0.10 s"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-11-26T12:00:00Z"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "20261126T120000Z"),
    (re.compile(r"rules\s+[0-9a-f]{12}\s+(of\s+)?[-\d]+\s+\(?serial\s+\d+\s+made\s+[-\d]+\)?"), "rules"),
    (re.compile(r"\b[Rr]ules\s+[0-9a-f]{12}\s+of\s+[-\d]+"), "rules"),
    (re.compile(r"\b[\d,]+(\s+(?:sources|vendors|products|measures|milestones|specimens|ordinary names))\b"), r"N\1"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r"\s+"), " "),
)


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        language: the first word after the fence.
        mark: the second, or an empty text.
        text: what is in it, without its indent.
        span: where that begins and ends in the page.
    """

    language: str
    mark: str
    text: str
    span: tuple[int, int]


class Shown(NamedTuple):
    """A command of a block of `console`, and the output that the page shows."""

    command: str
    output: str


def files(folder: Path) -> None:
    """Makes what the pages name: machines, images of them, and what was saved before."""
    shutil.copytree(_made(), folder)
    (folder.parent / "home").mkdir()


@functools.cache
def _made() -> Path:
    from tests.support.image_writer import docker_save, root_layer

    work = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, work)
    folder = Path(work) / "work"
    folder.mkdir()
    (folder.parent / "home").mkdir()
    _machine(folder / "machine", "workstation-17", restricted=True)
    _machine(folder / "disk", "server-2", restricted=False)
    images: dict[str, Sequence[bytes]] = {
        "shop:1": [root_layer(folder / "machine")],
        "proxy:2": [root_layer(folder / "disk")],
    }
    (folder / "images.tar").write_bytes(docker_save(images))
    saved = "phaseout inventory --root {} --inventory {}.json -f csv -o {}.csv"
    for command in (
        saved.format("machine", "before", "before"),
        "mkdir inventories reports",
        "cp before.json inventories/workstation-17.json",
        "phaseout scan --root machine -o reports/workstation-17.json",
        "phaseout scan --root disk -o reports/server-2.json --inventory inventories/server-2.json",
    ):
        _run(command, folder)
    return folder


def _machine(folder: Path, name: str, *, restricted: bool) -> None:
    """A small Debian, of which phaseout sees everything."""
    packages = [("bash", "Matthias Klose <doko@debian.org>", "5.2.15-2+b7")]
    contents = {
        "etc/hostname": f"{name}\n",
        "etc/machine-id": f"{name.encode().hex():0<32}\n",
        "etc/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
        "root/.profile": "",
        "usr/bin/env": "",
    }
    if restricted:
        packages.append(("kesl", "AO Kaspersky Lab <support@kaspersky.com>", "12.1.0-1543"))
        contents["etc/systemd/system/kesl.service"] = "[Service]\nExecStart=/opt/kaspersky/kesl/libexec/kesl\n"
        contents["opt/kaspersky/kesl/libexec/kesl"] = ""
    contents["var/lib/dpkg/status"] = "".join(
        f"Package: {package}\nStatus: install ok installed\nMaintainer: {maker}\nVersion: {version}\n\n"
        for package, maker, version in packages
    )
    for place, content in contents.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(content, encoding="utf-8")
    if restricted:
        (folder / "opt/kaspersky/kesl/libexec/kesl").chmod(0o755)


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page that say their language."""
    for found in _FENCE.finditer(page):
        indent = len(found[1])
        text = "".join(
            line[indent:] if line[:indent].isspace() else line for line in found[4].splitlines(keepends=True)
        )
        yield Block(found[2], found[3] or "", text, found.span(4))


def runs(page: Path) -> bool:
    """Whether the page shows something to run."""
    found = blocks(page.read_text(encoding="utf-8"))
    return any(block.language in ("console", "sh") and not block.mark for block in found)


def shown(text: str) -> list[Shown]:
    """The commands of a block of `console`, each with its output."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"output before the first command: {parts[0]!r}"
    pieces = []
    for part in parts[1:]:
        (command,) = commands(part, first=True)
        pieces.append(Shown(command, part[len(command) :]))
    return pieces


def commands(text: str, *, first: bool = False) -> list[str]:
    """The commands of a text, a line each; a backslash at the end of a line and a here-document continue one."""
    found = []
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        command = line
        while command.endswith("\\\n"):
            command += next(lines)
        if end := re.search(r"<<-?'?(\w+)'?", command):
            for line_of_document in lines:
                command += line_of_document
                if line_of_document.strip() == end[1]:
                    break
        if command.strip() and not command.startswith("#"):
            found.append(command)
        if first:
            break
    return found


def run(page: Path, folder: Path) -> Iterator[tuple[Block, str, str]]:
    """Runs what a page shows in a folder; yields each block of `console` with its commands and outputs as of today.

    Raises `AssertionError` for a command that could not do its work, and for an output that the page does not show.
    The third value has the differences, a text for each command.
    """
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.mark and block.language not in SHELLS:
            (folder / block.mark).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.mark).write_text(block.text, encoding="utf-8")
        elif block.language == "sh" and not block.mark:
            for command in commands(block.text):
                _run(command, folder)
        elif block.language == "console" and not block.mark:
            today, differences = "", ""
            for command, expected in shown(block.text):
                printed = _run(command, folder)
                if fits(expected, printed):
                    today += f"$ {command}{expected}"
                    continue
                today += f"$ {command}{_steady(printed)}{expected[len(expected.rstrip()) + 1 :]}"
                differences += f"$ {command}{printed}\nand the page shows\n{expected}"
            yield block, today, differences


def _run(command: str, folder: Path) -> str:
    """What a command prints. Status 1 and 3 of phaseout are answers."""
    if "--inventory" in command:  # times are whole seconds, and the second scan must be the later one
        time.sleep(1 - time.time() % 1)
    allowed = (0, 1, 3) if re.match(r"\s*phaseout\b", command) else (0,)
    about = {**os.environ, "HOME": str(folder.parent / "home"), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    about |= {"PATH": f"{_programs(folder)}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "scanner")}
    result = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=about, check=False, capture_output=True, text=True, timeout=120
    )
    assert result.returncode in allowed, f"{command} ended with {result.returncode}: {result.stderr}{result.stdout}"
    assert "Traceback" not in result.stderr, result.stderr
    return result.stdout + result.stderr


def _programs(folder: Path) -> Path:
    """The folder with the command `phaseout`, which counts days from `AS_OF` unless the page names a day."""
    programs = folder.parent / "programs"
    if not programs.exists():
        programs.mkdir()
        (programs / "phaseout").write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(__file__)} _phaseout "$@"\n'
        )
        (programs / "phaseout").chmod(0o755)
    return programs


def _phaseout(arguments: list[str]) -> None:
    """Runs phaseout as of `AS_OF`."""
    for words in (1, 2):
        if " ".join(arguments[:words]) in _DATED and "--as-of" not in arguments:
            arguments[words:words] = ["--as-of", AS_OF]
            break
    os.execv(sys.executable, [sys.executable, "-m", "phaseout", *arguments])


def fits(expected: str, printed: str) -> bool:
    """Whether an output is what a page shows."""
    pattern = ".*".join(re.escape(_plain(part)) for part in re.split(r"^ *… *$", expected, flags=re.MULTILINE))
    return re.fullmatch(pattern, _plain(printed), re.DOTALL) is not None


def _plain(text: str) -> str:
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return text.strip()


def _steady(printed: str) -> str:
    """An output without how long it took."""
    return _VARIES[0][0].sub("in 0.10 s", "".join(f"{line.rstrip()}\n" for line in printed.splitlines()))


def main(pages: list[Path]) -> None:
    """Writes the output of today into the pages."""
    for page in pages:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "work"
            files(folder)
            text = page.read_text(encoding="utf-8")
            for block, today, _differences in reversed([*run(page, folder)]):
                begin, end = block.span
                indent = " " * (len(text[:begin].splitlines()[-1]) - len(text[:begin].splitlines()[-1].lstrip()))
                text = (
                    text[:begin]
                    + "".join(f"{indent}{line}".rstrip() + "\n" for line in today.splitlines())
                    + text[end:]
                )
            page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["_phaseout"]:
        _phaseout(sys.argv[2:])
    main([Path(name).absolute() for name in sys.argv[1:]] or [page for page in PAGES if runs(page)])
