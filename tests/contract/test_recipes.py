"""The recipes of CONTRIBUTING, followed to the letter in a copy: a source and a format, with their tests.

Those for rules are in test_documents.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = (
    "scanner/phaseout/sources/linux/crux.py",
    "tests/unit/sources/linux/test_crux.py",
    "scanner/phaseout/report/logfmt_format.py",
    "tests/unit/report/test_logfmt_format.py",
)


def code_after(words: str) -> str:
    """The first block of Python behind some words."""
    found = re.search(r"^   ```python\n(.*?)^   ```$", TEXT[TEXT.index(words) :], re.MULTILINE | re.DOTALL)
    assert found
    return textwrap.dedent(found[1])


def edit(file: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, lambda _: replacement, file.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)
    assert count == 1, f"{pattern} is not in {file.name}"
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout after both recipes."""
    root = tmp_path_factory.mktemp("recipes")
    for folder in ("scanner", "rules", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for name in FILES:
        (root / name).write_text(code_after(f"`{name}`"), encoding="utf-8")
    sources = root / "scanner/phaseout/sources"
    edit(sources / "__init__.py", r'    "linux\.dpkg",\n', '    "linux.dpkg",\n    "linux.crux",\n')
    edit(sources / "territory.py", r'    Territory\("packages of CRUX"[^\n]*\n', "")
    entry = code_after("One entry at the end of `FORMATS`").strip()
    edit(sources / "__init__.py", r'\*\("dpkg", ', '*("crux", "dpkg", ')
    report = root / "scanner/phaseout/report/__init__.py"
    edit(report, r"\n\)\n\n\ndef format_named", f"\n    {entry},\n)\n\n\ndef format_named")
    return root


def run(copy: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(copy / "scanner"), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [sys.executable, "-m", *command], check=False, cwd=copy, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_tests_of_the_recipes_pass(copy: Path) -> None:
    tests = [name for name in FILES if name.startswith("tests/")]
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", *tests, "tests/unit/report/test_formats.py")


@pytest.mark.slow
def test_the_new_source_and_format_work(copy: Path, tmp_path: Path) -> None:
    for folder in ("var/lib/pkg", "etc", "usr/bin", "root"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "usr/bin/bash").touch()  # no system is without programs and accounts
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "etc/os-release").write_text("ID=crux\n")
    (tmp_path / "var/lib/pkg/db").write_text("bash\n5.2-1\nbin/bash\n\n")
    run(copy, "phaseout", "inventory", "--root", str(tmp_path), "-o", str(tmp_path / "out.logfmt"))
    assert 'kind="package" name="bash" version="5.2-1"' in (tmp_path / "out.logfmt").read_text()
