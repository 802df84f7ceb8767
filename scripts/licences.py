"""The licence texts of everything that an executable holds; `scripts/phaseout.spec` writes them beside it.

Each file belongs to a Python package, to Python itself, or to a package of Debian. If it belongs to none of them, or to
one without a licence text, the build fails.

References:
    https://packaging.python.org/en/latest/specifications/core-metadata/#license-file; dpkg-query(1);
    https://www.debian.org/doc/debian-policy/ch-docs.html#copyright-information
"""

import csv
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

_NAMES = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)


def licences(files: Iterable[Path], site: Path) -> str:
    """The texts, one section for each distribution or package that any of the files belongs to.

    `site` is the folder that holds the Python packages. Raises `SystemExit` for a file without a licence text.
    """
    site = site.resolve()
    owners = {
        Path(os.path.normpath(site / file)): one for one in distributions(path=[str(site)]) for file in _files(one)
    }
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    python = {standard, Path(sys.base_prefix).resolve()} - {Path("/"), Path("/usr"), Path("/usr/local")}
    sections: dict[str, str] = {}
    for file in sorted({file.resolve() for file in files}):
        if owner := owners.get(file):
            sections.setdefault(f"{owner.name} {owner.version}", _of_distribution(owner))
        elif any(file.is_relative_to(folder) for folder in python):
            sections.setdefault(f"Python {sys.version.split()[0]}", _of_python(standard))
        else:
            package = _debian_package(file)
            command = ["dpkg-query", "-W", "-f", "${Version}\n", package]
            version = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0]
            sections.setdefault(
                f"{package} {version} (Debian)", _text(Path("/usr/share/doc", package, "copyright"), package)
            )
    line = "=" * 80
    return "\n".join(f"{line}\n{name}\n{line}\n\n{text.strip()}\n" for name, text in sorted(sections.items()))


def _files(owner: Distribution) -> list[Path]:
    """What a distribution has installed, below its site.

    `Distribution.files` would look up each of thousands of files, which takes half an hour under Wine.
    """
    return [Path(row[0]) for row in csv.reader((owner.read_text("RECORD") or "").splitlines()) if row]


def _of_distribution(owner: Distribution) -> str:
    """The licence files in the metadata folder of a distribution."""
    files = [file for file in _files(owner) if ".dist-info" in file.parts[0] and _NAMES.match(file.name)]
    if not files:
        sys.exit(f"licences: {owner.name} has no licence text")
    return "\n\n".join(_text(Path(str(owner.locate_file(file))), owner.name).strip() for file in sorted(files))


def _of_python(standard: Path) -> str:
    """Python's own text: beside the program on Windows, in the standard library elsewhere, or Debian's."""
    for path in (Path(sys.base_prefix, "LICENSE.txt"), standard / "LICENSE.txt"):
        if path.is_file():
            return _text(path, "Python")
    package = _debian_package(standard / "os.py")
    return _text(Path("/usr/share/doc", package, "copyright"), package)


def _debian_package(file: Path) -> str:
    """The Debian package that a file belongs to. Its database may name it below / or below /usr."""
    for path in (file, Path("/", file.relative_to("/usr")) if file.is_relative_to("/usr") else file):
        try:
            result = subprocess.run(["dpkg-query", "-S", path], check=False, capture_output=True, text=True)
        except FileNotFoundError:
            break
        if result.returncode == 0:
            return result.stdout.partition(":")[0]
    sys.exit(f"licences: no licence text for {file}: it belongs to no Python package and to no package of Debian")


def _text(path: Path, owner: str) -> str:
    """A file as text."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        sys.exit(f"licences: no licence text for {owner}: {error}")
