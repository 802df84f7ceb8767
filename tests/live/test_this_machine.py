"""The main job on a live system: a package really unpacked, a unit really there, a process really running."""

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.test_main_job import build_deb, needs
from tests.support.command import in_a_new_interpreter as phaseout


def test_what_is_written_stays_here() -> None:
    """The promise that all other tests of this folder rest on."""
    mark = Path("/etc/phaseout-live-test")
    mark.touch()
    outside = Path(f"/proc/{os.getppid()}/root")
    assert not outside.joinpath(*mark.parts[1:]).exists()
    with pytest.raises(OSError, match="Read-only file system"):
        Path("/phaseout-live-test").touch()
    mark.unlink()


def test_this_machine_is_clean_and_wholly_seen() -> None:
    result = phaseout("scan")
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


@needs("dpkg", "dpkg-deb")
def test_one_finding_from_package_process_and_unit(tmp_path: Path) -> None:
    """A process really runs from the vendor's folder; package and unit come from the same live file system."""
    folder = Path("/opt/kaspersky/kesl/libexec")
    if folder.parents[1].exists():
        pytest.skip("/opt/kaspersky is there already")
    folder.mkdir(parents=True)
    program = shutil.copy(shutil.which("sleep") or "/bin/sleep", folder / "kesl")
    unit = Path("/etc/systemd/system/kesl.service")
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(f"[Unit]\nDescription=Kaspersky\n[Service]\nExecStart={program} 60\n")
    package = build_deb(tmp_path / "kesl", "kesl")
    subprocess.run(["dpkg", "--unpack", package], check=True, capture_output=True)
    with subprocess.Popen([str(program), "60"]) as child:
        result = phaseout("scan", "-f", "csv")
        child.kill()
    found = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["product"] for row in found} == {"Kaspersky Endpoint Security for Linux"}
    assert {"package", "process", "service"} <= {row["kind"] for row in found}
    assert {row["state"] for row in found if row["kind"] == "process"} == {"running"}
