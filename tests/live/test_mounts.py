"""Mounts of a live machine that never answer, and a disk that is full."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from phaseout.host import opening
from phaseout.scan.messages import Request
from phaseout.scan.supervisor import ScanSupervisor

from tests.support.command import in_a_new_interpreter as phaseout
from tests.support.private_mounts import mount, unmount
from tests.support.trees import KESL, Tree

# Where a mount that hangs may lie, and the source that would read it.
HUNG = {Path("/opt/phaseout-hung-test"): "vendor_folders", Path.home() / ".vscode-insiders": "editor_extensions"}


@pytest.fixture(params=list(HUNG), ids=list(HUNG.values()))
def hung_mount(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A FUSE file system that never answers: every access to it waits forever."""
    place: Path = request.param
    if place.exists():
        pytest.skip(f"there is a {place} on this machine")
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error}")
    place.mkdir(parents=True)
    mount("hung", str(place), "fuse", options=f"fd={device},rootmode=40000,user_id=0,group_id=0")
    yield place
    unmount(str(place))
    os.close(device)
    place.rmdir()


def test_a_hung_mount_is_skipped_and_named(hung_mount: Path) -> None:
    result = phaseout("scan", "--fail-on", "never")
    assert result.returncode == 3
    text = " ".join(result.stdout.split())
    assert f"{hung_mount}: fuse mount, skipped" in text
    assert "1 network or user-space mount, skipped" in text


def test_a_hung_mount_that_is_not_recognised_costs_one_source(
    hung_mount: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "own_mountinfo", bytes)
    inventory = ScanSupervisor(Request(), each=3).inventory(scanned_at="2026-01-01T00:00:00Z", tool="test")
    bad = [run.source for run in inventory.runs if run.status == "timeout"]
    assert HUNG[hung_mount] in bad
    assert [run.status for run in inventory.runs if run.source == "dpkg"] == ["ok"]
    assert hung_mount.name not in str([item.path for item in inventory.items])


def test_a_full_disk_leaves_no_half_file(tree: Tree, tmp_path: Path) -> None:
    tree.write("/var/lib/dpkg/status", KESL * 300)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("none", str(disk), "tmpfs", options="size=8k")
    try:
        result = phaseout("scan", "--root", str(tree.root), "-o", str(disk / "report.json"))
        assert result.returncode == 2
        assert "report.json: No space left on device: nothing was written there" in result.stderr
        assert list(disk.iterdir()) == []
    finally:
        unmount(str(disk))
