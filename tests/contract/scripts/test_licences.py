"""The licence texts that go beside an executable."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages: one with a licence text, one without."""
    for name, licence in (("good", "licenses/LICENCE.md"), ("bare", "METADATA")):
        about = tmp_path / f"{name}-1.0.dist-info"
        (about / licence).parent.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        if name == "good":
            (about / licence).write_text("Do what you like.\n")
        (tmp_path / f"{name}.py").touch()
        (about / "RECORD").write_text(
            f"{name}.py,,\n{name}-1.0.dist-info/METADATA,,\n{name}-1.0.dist-info/{licence},,\n"
        )
    return tmp_path


def licences(site: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    """What the build writes for these files, by a Python of its own."""
    code = (
        "import sys; from pathlib import Path; from licences import licences; "
        "print(licences([Path(one) for one in sys.argv[2:]], Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(site), *map(str, files)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=SCRIPTS)


def test_one_section_for_each_package_and_python(site: Path) -> None:
    if sys.platform == "linux" and not Path("/usr/share/doc").exists():
        pytest.skip("this system holds no licence texts")
    import os

    result = licences(site, site / "good.py", Path(os.__file__))
    assert result.returncode == 0, result.stderr
    assert "\ngood 1.0\n" in result.stdout
    assert "\nDo what you like.\n" in result.stdout
    assert "PYTHON SOFTWARE FOUNDATION" in result.stdout.upper()
    assert "bare" not in result.stdout


def test_a_package_without_a_text_ends_the_build(site: Path) -> None:
    result = licences(site, site / "bare.py")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "licences: bare has no licence text\n"


@pytest.mark.slow
def test_a_file_of_nobody_ends_the_build(site: Path) -> None:
    result = licences(site, site / "good.py", site / "stray.so")
    assert result.returncode == 1
    assert "no licence text for" in result.stderr
    assert "stray.so" in result.stderr
