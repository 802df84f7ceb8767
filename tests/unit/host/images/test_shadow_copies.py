"""Earlier states of a volume of Windows."""

import contextlib
import datetime as dt
import os
from pathlib import Path

import pytest
from phaseout.host import NotAHostError
from phaseout.host.images.disk_files import disk
from phaseout.host.images.opening import ImagePlace, image_host
from phaseout.host.images.shadow_copies import shadow_copies
from phaseout.host.images.stored import FileBytes
from phaseout.scan.worker import run_source

from tests.support.disk_writer import fat, gpt
from tests.support.harness import source
from tests.support.roots import windows
from tests.support.shadow_writer import COPY, with_shadow_copy

pytest.importorskip("pyvshadow", reason="the extra `image` is not installed")
MADE = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
REAL = Path(os.environ.get("PHASEOUT_VSS", "/none"))


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A volume that was a Windows when the shadow copy was made, and is empty now."""
    folder = tmp_path_factory.mktemp("volume")
    windows(folder / "root", restricted=True)
    return with_shadow_copy(fat(folder / "root", folder / "fat"), MADE)


def programs(image: str) -> list[str]:
    items: list[str] = []
    run_source(source("uninstall"), image_host(image), lambda item: items.append(item.name))
    return sorted(items)


THEN = ["7-Zip 23.01", "Kaspersky Endpoint Security for Windows", "Own"]


def test_a_state_is_scanned_as_it_was(volume: bytes, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(volume)
    with pytest.raises(NotAHostError, match="no operating system was found"):
        image_host(str(image))
    for part in ("@1", ":1@1", f"@{COPY}", f"@{{{str(COPY).upper()}}}"):
        assert programs(f"{image}{part}") == THEN
    notes = image_host(f"{image}@1").info.notes
    assert "volume 1 as shadow copy 1 (2026-01-02 03:04 UTC); other volumes as they are" in notes


def test_a_state_on_a_partition(volume: bytes, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(gpt([volume, bytes(1 << 20)]))
    assert programs(f"{image}@1") == THEN
    image.write_bytes(gpt([volume, volume]))
    with pytest.raises(NotAHostError, match=r"several volumes keep .*: \S+:1@1, \S+:2@1"):
        image_host(f"{image}@1")
    assert programs(f"{image}:2@1") == THEN


def test_a_state_that_is_not_there(volume: bytes, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(volume)
    with pytest.raises(NotAHostError, match=r"no shadow copy 2 of volume 1 .*; there are 1 \(2026-01-02 03:04 UTC\)"):
        image_host(f"{image}@2")
    with pytest.raises(NotAHostError, match="no shadow copies of volume 3"):
        image_host(f"{image}:3@1")
    image.write_bytes(b"\xebR\x90NTFS    ".ljust(1 << 20, b"\0"))
    with pytest.raises(NotAHostError, match="no shadow copies"):
        image_host(f"{image}@1")
    with pytest.raises(NotAHostError, match="No such file"):
        image_host(f"{tmp_path}/other@1")


@pytest.mark.parametrize("at", [0x1E00 + 48, 40 << 20, (40 << 20) + 128 + 8, (40 << 20) + 0x8000 + 128])
def test_damage_is_said(volume: bytes, tmp_path: Path, at: int) -> None:
    """In the place of the catalogue, in the catalogue, in the size of the volume, in the list of blocks."""
    data = bytearray(volume)
    data[at : at + 8] = b"\xff" * 8
    image = tmp_path / "image"
    image.write_bytes(data)
    with contextlib.suppress(NotAHostError):
        assert programs(f"{image}@1")


def test_names_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "a@1").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"")
    for name, part in (("a@1", ""), ("a@1", "@2"), ("a@1", "x/y:z"), ("b", "2@1"), ("b", "@1"), ("b", "group/root")):
        place = ImagePlace.of(f"{tmp_path / name}{'' if part[:1] in ('', '@') else ':'}{part}")
        assert place == (str(tmp_path / name), part)
        assert ImagePlace.of(place.name) == place


def test_a_real_volume() -> None:
    """`vsstest.qcow2` of plaso's tests: the oldest state lacks a file that the newer one and the volume have."""
    if not REAL.is_file():
        pytest.skip("PHASEOUT_VSS names no disk with shadow copies of Windows")
    copies = shadow_copies(disk(str(REAL)))
    assert [one.number for one in copies] == [1, 2]
    assert copies[0].made < copies[1].made
    assert copies[0].stored.read(3, 4) == b"NTFS"


def test_a_volume_without() -> None:
    assert shadow_copies(FileBytes(__file__)) == []
