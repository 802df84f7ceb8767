"""The executables that `scripts/build_exe` made, run as they are: nothing of them comes from the checkout."""

import csv
import io
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from phaseout import __version__
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.windows.executables import Executables
from phaseout.report import FORMATS
from phaseout.sources import ALL

from tests.support.regf_writer import hive
from tests.support.trees import Tree

EXE = Path(os.environ.get("PHASEOUT_EXE", "/none"))
WINE = Path(os.environ.get("PHASEOUT_WINE", "/none"))
UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"

pytestmark = pytest.mark.slow


class Program(NamedTuple):
    """An executable, and what starts it here."""

    path: Path
    starter: tuple[str, ...]

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        wine = {"WINEPREFIX": str(WINE / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"}
        return subprocess.run(
            [*self.starter, str(self.path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=180,
            cwd="/",
            env={**os.environ, **wine, **environment},
        )

    def named(self, path: Path) -> str:
        """A path of this machine as the program knows it."""
        return "Z:" + str(path).replace("/", "\\") if self.starter else str(path)


@pytest.fixture(
    params=["linux/folder/phaseout/phaseout", "linux/file/phaseout", "windows/folder/phaseout/phaseout.exe",
            "windows/file/phaseout.exe"]
)  # fmt: skip
def phaseout(request: pytest.FixtureRequest) -> Program:
    path = EXE / request.param
    if not path.is_file():
        pytest.skip(f"no {request.param}: scripts/build_exe FOLDER makes it, and PHASEOUT_EXE names that folder")
    if not request.param.startswith("windows"):
        return Program(path, ())
    if not (WINE / "ready").is_file():
        pytest.skip("no Windows: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    return Program(path, ("wine",))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_version(phaseout: Program) -> None:
    result = phaseout("--version")
    assert result.stdout.splitlines()[0] == f"phaseout {__version__}"
    assert result.stdout.splitlines()[1].startswith("rules ")
    assert result.returncode == 0


def test_licences_are_beside_it(phaseout: Program) -> None:
    text = (phaseout.path.parent / "LICENCES.txt").read_text()
    titles = {section.split()[0] for section in text.split(f"{'=' * 80}\n")[1::2]}
    needed = {"Jinja2", "MarkupSafe", "Python", "click", "msgspec", "phaseout", "psutil", "pyinstaller"}
    assert needed <= titles
    assert "Apache License" in text
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in text


def test_rules_are_inside(phaseout: Program) -> None:
    result = phaseout("rules", "check")
    assert result.returncode == 0
    assert result.stdout.strip().endswith(": 0 wrong")


def test_sources_are_inside(phaseout: Program) -> None:
    listed = phaseout("sources").stdout
    assert [name for name in ALL if name.partition(".")[2] not in listed] == []


def test_scan_of_this_machine(phaseout: Program, tmp_path: Path) -> None:
    """The worker is the executable once more; what a single file unpacks is gone afterwards."""
    report, unpacked = tmp_path / "report.csv", tmp_path / "unpacked"
    unpacked.mkdir()
    elsewhere = {} if phaseout.starter else {"TMPDIR": str(unpacked)}  # Wine has a place of its own
    result = phaseout("scan", "-o", phaseout.named(report), **elsewhere)
    assert (result.stdout, result.returncode in {0, 1, 3}) == ("", True), result.stderr
    found = rows(report.read_text())
    assert found[0]["verdict"]
    assert [*unpacked.iterdir(), *WINE.glob("prefix/drive_c/users/*/Temp/_MEI*")] == []


def test_every_source_runs(phaseout: Program) -> None:
    result = phaseout("inventory", "-f", "ndjson", "--deep", "--modules")
    assert "Error:" not in result.stderr
    assert "No module named" not in result.stdout
    assert '"processes"' in result.stdout


def test_scan_of_a_linux_root(phaseout: Program, tree: Tree) -> None:
    tree.write(
        "/var/lib/dpkg/status",
        "Package: kesl\nStatus: install ok installed\nMaintainer: Kaspersky Lab\nArchitecture: amd64\nVersion: 12.1\n",
    )
    result = phaseout("scan", "--root", phaseout.named(tree.root), "-f", "csv")
    assert result.returncode == 1, result.stderr
    assert [(row["name"], row["verdict"]) for row in rows(result.stdout)] == [("kesl", "replace")]


def test_scan_of_a_windows_root(phaseout: Program, tmp_path: Path) -> None:
    config = tmp_path / "disk" / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    (config / "SYSTEM").write_bytes(hive({"Select": {"Current": 1}}))
    entry = {"DisplayName": "Kaspersky Endpoint Security for Windows", "Publisher": "AO Kaspersky Lab"}
    (config / "SOFTWARE").write_bytes(hive({rf"{UNINSTALL}\KES": entry}))
    result = phaseout("scan", "--root", phaseout.named(tmp_path / "disk"), "-f", "csv")
    assert result.returncode == 1, result.stderr
    assert [(row["name"], row["verdict"]) for row in rows(result.stdout)] == [(entry["DisplayName"], "replace")]


def test_every_format_is_inside(phaseout: Program, tree: Tree, tmp_path: Path) -> None:
    wanted = [f"{tmp_path / one.name}{one.endings[0]}" for one in FORMATS if one.endings]
    options: Sequence[str] = [part for path in wanted for part in ("-o", phaseout.named(Path(path)))]
    tree.write(
        "/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n"
    )
    result = phaseout("scan", "--root", phaseout.named(tree.root), *options)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    assert [path for path in wanted if not Path(path).stat().st_size] == []


def test_windows_shows_what_it_is() -> None:
    path = EXE / "windows" / "folder" / "phaseout" / "phaseout.exe"
    if not path.is_file():
        pytest.skip("no phaseout.exe: scripts/build_exe FOLDER makes it, and PHASEOUT_EXE names that folder")
    identity = Executables(PosixFiles()).identity(str(path))
    assert identity is not None
    assert (identity.product, identity.version, identity.original_name) == ("phaseout", __version__, "phaseout.exe")
    assert identity.machine == "x64"


def test_no_network_library_is_inside(phaseout: Program) -> None:
    names = [path.name.lower() for path in phaseout.path.parent.rglob("*")] if "folder" in phaseout.path.parts else []
    assert not [name for name in names if name.startswith(("_ssl", "libssl", "libcrypto"))]
