"""Hosts on disks in files: every format and file system that can be made here, and what cannot be read."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from phaseout.host import NotAHostError
from phaseout.host.images.disk_files import disk
from phaseout.host.images.disks import Disk
from phaseout.host.images.opening import image_host
from phaseout.host.opening import offline_host
from phaseout.model.nouns import Platform
from phaseout.scan.worker import run_source
from phaseout.sources import load

from tests.support.disk_writer import ext4, fat, gpt, hfs, lvm, mbr, restart_page, tool, xfs
from tests.support.regf_writer import hive
from tests.support.roots import debian, macos, windows

HOME = "11111111-2222-3333-4444-555555555555"

pytest.importorskip("pyfsext", reason="the extra `image` is not installed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    debian(folder, restricted=True)
    return folder


def seen(image: Path | str, platform: Platform = "linux") -> list[object]:
    """Everything that the sources say of a host, without the time that it took."""
    host = offline_host(str(image)) if os.path.isdir(image) else image_host(str(image))
    found: list[object] = [host.users, host.info.os, *host.files.problems]
    host.files.problems.clear()
    for source in load(platform):
        items: list[object] = []
        run = run_source(source, host, items.append)
        found += [*sorted(items, key=repr), run.status, run.left_out, *run.problems]
    return found


def split(root: Path, tmp_path: Path, device: str) -> tuple[bytes, bytes]:
    """Two file systems: one without `/home`, whose fstab names the device, and the home."""
    (root / "etc/fstab").write_text(f"UUID=1 / ext4 defaults 0 1\n{device} /home ext4 defaults 0 2\n")
    shutil.copytree(root, tmp_path / "rest", symlinks=True)
    shutil.rmtree(tmp_path / "rest/home")
    (tmp_path / "rest/home").mkdir()
    home = ext4(root / "home", tmp_path / "home.ext4", "-U", HOME, "-L", "people")
    return ext4(tmp_path / "rest", tmp_path / "rest.ext4"), home


@pytest.mark.slow
@pytest.mark.parametrize("make", [ext4, xfs])
def test_a_file_system_gives_what_its_folder_gives(
    root: Path, tmp_path: Path, make: Callable[[Path, Path], bytes]
) -> None:
    make(root, tmp_path / "image")
    assert seen(tmp_path / "image") == seen(root)


def test_macos_on_hfs(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    macos(root, restricted=True)
    data = bytearray(hfs(root, tmp_path / "image"))
    assert seen(tmp_path / "image", "macos") == seen(root, "macos")
    data[1024 + 4 + 2] &= ~1  # the bit of an unmounted volume
    (tmp_path / "image").write_bytes(data)
    assert problems_of(tmp_path / "image") == [("volume 1 (HFS+)", "not closed before it was copied")]


def test_windows_on_fat(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    windows(root, restricted=True)
    fat(root, tmp_path / "image")
    assert seen(tmp_path / "image", "windows") == seen(root, "windows")


@pytest.mark.parametrize(
    "device",
    [
        f"UUID={HOME}",
        f'UUID="{HOME.upper()}"',
        "LABEL=people",
        f"PARTUUID={UUID(int=2)}",
        "PARTLABEL=part2",
        "/dev/sda2",
        "/dev/nvme0n1p2",
        f"/dev/disk/by-uuid/{HOME}",
    ],
)
@pytest.mark.slow
def test_partitions_that_fstab_names(root: Path, tmp_path: Path, device: str) -> None:
    (tmp_path / "image").write_bytes(gpt(split(root, tmp_path, device)))
    assert seen(tmp_path / "image") == seen(root)


@pytest.mark.slow
def test_a_partition_that_fstab_does_not_name_is_not_seen(root: Path, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(gpt(split(root, tmp_path, "UUID=other")))
    host = image_host(str(tmp_path / "image"))
    (problem,) = [one for one in host.files.problems if one.where == "volume 2 (ext, people)"]
    assert problem.why == "no part of the system that was scanned"
    assert f"--image {tmp_path / 'image'}:2" in problem.remedy


@pytest.mark.slow
@pytest.mark.parametrize("device", ["/dev/vg/my-home", "/dev/mapper/vg-my--home", f"UUID={HOME}"])
def test_logical_volumes(root: Path, tmp_path: Path, device: str) -> None:
    rest, home = split(root, tmp_path, device)
    (tmp_path / "image").write_bytes(mbr([lvm("vg", {"root": rest, "my-home": home})], 0x8E))
    assert seen(tmp_path / "image") == seen(root)


FORMATS = {
    "qcow2": ("qcow2",),
    "qcow2 compressed": ("qcow2", "-c"),
    "qcow2 with zstd": ("qcow2", "-c", "-o", "compression_type=zstd"),
    "qcow2 of version 2": ("qcow2", "-o", "compat=0.10"),
    "qcow2 small clusters": ("qcow2", "-o", "cluster_size=512"),
    "vmdk": ("vmdk",),
    "vmdk split": ("vmdk", "-o", "subformat=twoGbMaxExtentSparse"),
    "vmdk flat": ("vmdk", "-o", "subformat=monolithicFlat"),
    "vmdk stream": ("vmdk", "-o", "subformat=streamOptimized"),
    "vhd": ("vpc", "-o", "force_size=on"),
    "vhd fixed": ("vpc", "-o", "subformat=fixed,force_size=on"),
    "vhdx": ("vhdx",),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_formats(root: Path, tmp_path: Path, form: str) -> None:
    raw = mbr([ext4(root, tmp_path / "ext4")])
    (tmp_path / "raw").write_bytes(raw)
    image = tmp_path / "image.vmdk"
    tool("qemu-img", "convert", "-f", "raw", "-O", *FORMATS[form], str(tmp_path / "raw"), str(image))
    stored = disk(str(image))
    assert stored.size == len(raw)
    assert b"".join(stored.read(at, 1 << 16) for at in range(0, len(raw), 1 << 16)) == raw
    assert image_host(str(image)).info.os == "Debian"


def test_segments_of_ewf(root: Path, tmp_path: Path) -> None:
    raw = mbr([ext4(root, tmp_path / "ext4")])
    if shutil.which("ewfacquirestream") is None:
        pytest.skip("no ewfacquirestream")
    command = ["ewfacquirestream", "-c", "none", "-S", "10485760", "-t", str(tmp_path / "d")]
    subprocess.run(command, input=raw, check=True, capture_output=True)
    assert (tmp_path / "d.E02").exists()
    stored = disk(str(tmp_path / "d.E01"))
    assert b"".join(stored.read(at, 1 << 16) for at in range(0, len(raw), 1 << 16)) == raw
    (tmp_path / "d.E02").unlink()
    with pytest.raises((NotAHostError, OSError)):
        disk(str(tmp_path / "d.E01")).read(len(raw) // 2, 512)


def test_what_builds_upon_another_file(root: Path, tmp_path: Path) -> None:
    raw = mbr([ext4(root, tmp_path / "ext4")])
    (tmp_path / "base.raw").write_bytes(raw)
    image = tmp_path / "a.qcow2"
    tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(tmp_path / "base.raw"), str(image))
    assert disk(str(image)).read(1 << 20, 4096) == raw[1 << 20 : (1 << 20) + 4096]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(image, moved / "a.qcow2")
    with pytest.raises(NotAHostError, match=r"builds upon base\.raw, which is not beside it"):
        disk(str(moved / "a.qcow2"))


def test_a_part_that_is_missing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(mbr([ext4(root, tmp_path / "ext4")]))
    image = tmp_path / "d.vmdk"
    options = ("-O", "vmdk", "-o", "subformat=monolithicFlat")
    tool("qemu-img", "convert", "-f", "raw", *options, str(tmp_path / "raw"), str(image))
    (tmp_path / "d-flat.vmdk").rename(tmp_path / "other")
    with pytest.raises(NotAHostError, match=r"a part of it is missing: d-flat\.vmdk"):
        image_host(str(image))


def test_drives_that_windows_has_on_other_partitions(tmp_path: Path) -> None:
    root, data = tmp_path / "root", tmp_path / "data"
    root.mkdir()
    windows(root, restricted=False)
    (data / "Tools").mkdir(parents=True)
    config = root / "Windows/System32/config"
    own = UUID(int=2)
    keys: dict[str, dict[str, object]] = {
        r"MountedDevices": {r"\DosDevices\D:": b"DMIO:ID:" + own.bytes_le, r"\DosDevices\E:": b"DMIO:ID:" + bytes(16)},
        r"Select": {"Current": 1},
        r"ControlSet001\Services": {},
    }
    (config / "SYSTEM").write_bytes(hive(keys))  # type: ignore[arg-type]
    image = tmp_path / "image"
    image.write_bytes(gpt([fat(root, tmp_path / "a"), fat(data, tmp_path / "b")]))
    host = image_host(str(image))
    assert [entry.name for entry in host.files.list("D:\\")] == ["Tools"]
    problems = {problem.where: problem.cause for problem in host.files.problems}
    assert problems["E:\\"] == "missing"
    assert "D:\\" not in problems
    assert not any(where.startswith("volume") for where in problems)


def test_what_is_not_read_says_what_helps(root: Path, tmp_path: Path) -> None:
    luks = b"LUKS\xba\xbe\0\2".ljust(168, b"\0") + HOME.encode() + bytes(1 << 16)
    bitlocker = b"\xeb\x58\x90-FVE-FS-".ljust(1 << 16, b"\0")
    btrfs = bytearray(1 << 17)
    btrfs[65600:65608] = b"_BHRfS_M"
    other = b"???".ljust(1 << 16, b"\1")
    image = tmp_path / "image"
    volumes = [
        ext4(root, tmp_path / "ext4"),
        luks.ljust(1 << 17, b"\0"),
        bitlocker,
        bytes(btrfs),
        other,
        bytes(1 << 16),
    ]
    image.write_bytes(gpt(volumes))
    found = {problem.where: problem for problem in image_host(str(image)).files.problems}
    assert list(found) == [
        "volume 2 (LUKS, part2)",
        "volume 3 (BitLocker, part3)",
        "volume 4 (Btrfs, part4)",
        "volume 5 (an unknown file system, part5)",
    ]
    assert all(problem.hides and problem.cause == "unsupported" and problem.remedy for problem in found.values())
    image.write_bytes(luks)
    with pytest.raises(NotAHostError, match="LUKS is not read; open it with cryptsetup"):
        image_host(str(image))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bytes(64) + b"\x7f\x10\xda\xbe" + bytes(4096), r"VDI \(VirtualBox\) is not read; qemu-img convert"),
        (bytes(4096) + b"koly".ljust(512, b"\0"), r"macOS \(\.dmg\) is not read; hdiutil convert"),
        (b"MSWIM\0\0\0" + bytes(4096), "WIM is not read; unpack it"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "image").write_bytes(content)
    with pytest.raises(NotAHostError, match=why):
        image_host(str(tmp_path / "image"))


def test_several_systems(root: Path, tmp_path: Path) -> None:
    one = ext4(root, tmp_path / "ext4")
    image = tmp_path / "image"
    image.write_bytes(gpt([one, one]))
    with pytest.raises(NotAHostError, match=f"name one of them with --image: {image}:1, {image}:2"):
        image_host(str(image))
    host = image_host(f"{image}:2")
    assert host.info.os == "Debian"
    assert [problem.where for problem in host.files.problems] == ["volume 1 (ext, part1)"]
    with pytest.raises(NotAHostError, match="no volume 3; the image holds volume 1"):
        image_host(f"{image}:3")


def test_an_image_that_is_cut_off(root: Path, tmp_path: Path) -> None:
    data = ext4(root, tmp_path / "ext4")
    for content, why in ((data[:-4096], "cut off"), (mbr([data])[:-4096], "the image ends before it does")):
        (tmp_path / "image").write_bytes(content)
        host = image_host(str(tmp_path / "image"))
        assert [why in problem.why for problem in host.files.problems] == [True]
        assert [problem.remedy for problem in host.files.problems] == ["copy the image again"]


def test_an_image_of_which_little_is_left_is_not_to_be_mounted(root: Path, tmp_path: Path) -> None:
    data = ext4(root, tmp_path / "ext4")
    for content, why in ((data[:5000], "cut off: it has"), (mbr([data])[: (1 << 20) + 5000], "the image ends before")):
        (tmp_path / "image").write_bytes(content)
        with pytest.raises(NotAHostError, match=f"found: volume 1[^:]*: {why}[^;]*; copy the image again") as found:
            image_host(str(tmp_path / "image"))
        assert "mount" not in str(found.value)


def test_a_message_of_a_library_names_what_our_reading_failed_of(root: Path, tmp_path: Path) -> None:
    """The library itself says only that it could not open the volume."""
    ext4(root, tmp_path / "ext4")
    tool("qemu-img", "convert", "-O", "qcow2", str(tmp_path / "ext4"), str(tmp_path / "image"))
    os.truncate(tmp_path / "image", 8 << 16)
    with pytest.raises(NotAHostError, match="unable to open volume: the image is cut off"):
        image_host(str(tmp_path / "image"))


@pytest.mark.parametrize("name", [b"a/c", b"a\xffc"])
def test_a_name_that_cannot_be_read_hides_no_other_and_is_said(root: Path, tmp_path: Path, name: bytes) -> None:
    """No system gives the first to a file; the second is Latin-1, which the library does not read."""
    (root / "opt").mkdir(exist_ok=True)
    for folder in ("aXc", "other"):
        (root / "opt" / folder).mkdir()
    data = ext4(root, tmp_path / "ext4", "-O", "^metadata_csum,^has_journal")
    (tmp_path / "image").write_bytes(data.replace(b"aXc", name))
    files = image_host(str(tmp_path / "image")).files
    assert [entry.name for entry in files.list("/opt")] == ["kaspersky", "other"]
    assert [(problem.where, problem.hides) for problem in files.problems] == [("/opt", True)]
    assert files.stat("/opt/other") is not None
    assert files.stat("/opt/unknown") is None
    assert files.problems[-1].where == "/opt/unknown"  # it may be the one that cannot be read


def problems_of(image: Path) -> list[tuple[str, str]]:
    found = image_host(str(image)).files.problems
    assert all(problem.hides and "shut the machine down" in problem.remedy for problem in found)
    return [(problem.where, problem.why.partition(":")[0]) for problem in found]


@pytest.mark.parametrize(("at", "value"), [(1024 + 0x60, 0x46), (1024 + 0x3A, 0)])
def test_ext_that_was_in_use(root: Path, tmp_path: Path, at: int, value: int) -> None:
    """With a journal, it needs recovery; without one, it is not marked as unmounted."""
    data = bytearray(ext4(root, tmp_path / "ext4"))
    data[at] = value
    (tmp_path / "image").write_bytes(data)
    assert problems_of(tmp_path / "image") == [("volume 1 (ext)", "not closed before it was copied")]


@pytest.mark.slow
def test_xfs_that_was_in_use(root: Path, tmp_path: Path) -> None:
    data = bytearray(xfs(root, tmp_path / "image"))
    assert problems_of(tmp_path / "image") == []
    start, shift = int.from_bytes(data[48:56], "big"), data[124]
    block = (start >> shift) * int.from_bytes(data[84:88], "big") + (start & ((1 << shift) - 1))
    data[block * 4096 + 512 + 9] = 0  # the record of the unmount becomes another one
    (tmp_path / "image").write_bytes(data)
    assert problems_of(tmp_path / "image") == [("volume 1 (XFS)", "not closed before it was copied")]


@pytest.mark.parametrize(("bits", "at", "value"), [("16", 37, 1), ("32", 65, 1), ("32", 32 * 512 + 7, 0x07)])
def test_fat_that_was_in_use(tmp_path: Path, bits: str, at: int, value: int) -> None:
    """Linux marks the first sector, Windows the second entry of the table."""
    root = tmp_path / "root"
    root.mkdir()
    windows(root, restricted=False)
    data = bytearray(fat(root, tmp_path / "image", 40, "-F", bits))
    assert problems_of(tmp_path / "image") == []
    data[at] = value
    (tmp_path / "image").write_bytes(data)
    assert problems_of(tmp_path / "image") == [("volume 1 (FAT, DATA)", "not closed before it was copied")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "closed"),
    [
        (restart_page(lsn=7, client=0xFFFF, flags=0), True),
        (restart_page(lsn=7, client=0, flags=2), True),
        (restart_page(lsn=7, client=0, flags=0), False),
    ],
)
def test_ntfs_that_was_in_use(tmp_path: Path, page: bytes, closed: bool) -> None:
    """The log says so, as ntfs-3g understands it, too."""
    image = tmp_path / "image"
    image.write_bytes(b"")
    os.truncate(image, 32 << 20)
    tool("mkntfs", "-q", "-F", str(image))
    (volume,) = Disk(str(image), disk(str(image))).volumes
    assert volume.closed
    data = bytearray(image.read_bytes())
    log = data.index(b"\xff" * (1 << 20))
    data[log : log + 8192] = page * 2
    image.write_bytes(data)
    (volume,) = Disk(str(image), disk(str(image))).volumes
    assert volume.closed is closed
    if shutil.which("ntfs-3g.probe") is not None:
        probe = subprocess.run(["ntfs-3g.probe", "--readwrite", image], check=False, capture_output=True)
        assert probe.returncode == (0 if closed else 15)  # NTFS_VOLUME_UNCLEAN_UNMOUNT


def test_ntfs_that_is_marked_dirty(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"")
    os.truncate(image, 32 << 20)
    tool("mkntfs", "-q", "-F", str(image))
    data = bytearray(image.read_bytes())
    record = data.index("$Volume".encode("utf-16-le")) & ~1023
    attribute = data.index(b"\x70\0\0\0", record)
    flags = attribute + int.from_bytes(data[attribute + 20 : attribute + 22], "little") + 10
    data[flags] |= 1
    image.write_bytes(data)
    (volume,) = Disk(str(image), disk(str(image))).volumes
    assert not volume.closed


def test_a_table_whose_copy_is_good(root: Path, tmp_path: Path) -> None:
    data = bytearray(gpt([ext4(root, tmp_path / "ext4")]))
    data[512 + 40] ^= 1
    (tmp_path / "image").write_bytes(data)
    assert image_host(str(tmp_path / "image")).info.os == "Debian"
    data[-512 + 40] ^= 1
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(NotAHostError, match="the header of GPT is damaged"):
        image_host(str(tmp_path / "image"))


@pytest.mark.slow
@pytest.mark.parametrize("places", [(1024, 2048), (2048, 40960)])
def test_damaged_file_systems_raise_nothing(root: Path, tmp_path: Path, places: Sequence[int]) -> None:
    data = ext4(root, tmp_path / "ext4")
    for number in range(12):
        damaged = bytearray(data)
        at = places[0] + number * (places[1] - places[0]) // 12
        damaged[at : at + 40] = b"\xff" * 40
        (tmp_path / "image").write_bytes(damaged)
        try:
            host = image_host(str(tmp_path / "image"))
        except NotAHostError:
            continue
        for source in load("linux"):
            assert run_source(source, host, lambda _: None).status != "failed"
