"""A disk in a file gives what it gives when it is mounted."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from phaseout.host.images.opening import image_host
from phaseout.host.opening import offline_host

from tests.support.disk_writer import tool
from tests.support.roots import debian, windows
from tests.unit.host.images.test_disks import seen


def test_windows_on_ntfs(tmp_path: Path) -> None:
    root, mounted, image = tmp_path / "root", tmp_path / "mounted", tmp_path / "image"
    root.mkdir()
    mounted.mkdir()
    windows(root, restricted=True)
    image.write_bytes(b"")
    os.truncate(image, 64 << 20)
    tool("mkntfs", "-q", "-F", str(image))
    if shutil.which("ntfs-3g") is None or subprocess.run(["ntfs-3g", image, mounted], check=False).returncode:
        pytest.skip("ntfs-3g cannot mount here")
    try:
        shutil.copytree(root, mounted, dirs_exist_ok=True, symlinks=True)
        subprocess.run(["umount", mounted], check=True)
        subprocess.run(["ntfs-3g", "-o", "ro", image, mounted], check=True)
        assert image_host(str(image)).info.os == offline_host(str(mounted)).info.os
        assert seen(image, "windows") == seen(mounted, "windows")
    finally:
        subprocess.run(["umount", mounted], check=False)


def test_windows_on_exfat(tmp_path: Path) -> None:
    """The driver in user space marks the volume while it is mounted, and needs a device."""
    root, mounted, image, copy = (tmp_path / name for name in ("root", "mounted", "image", "copy"))
    root.mkdir()
    mounted.mkdir()
    windows(root, restricted=True)
    image.write_bytes(b"")
    os.truncate(image, 64 << 20)
    tool("mkfs.exfat", str(image))
    device = subprocess.run(
        ["losetup", "-f", "--show", image], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        if (
            not shutil.which("mount.exfat-fuse")
            or subprocess.run(["mount.exfat-fuse", device, mounted], check=False).returncode
        ):
            pytest.skip("exFAT cannot be mounted here")
        shutil.copytree(root, mounted, dirs_exist_ok=True)
        os.sync()
        shutil.copyfile(image, copy)
        assert [problem.cause for problem in image_host(str(copy)).files.problems] == ["damaged"]
        subprocess.run(["umount", mounted], check=True)
        assert seen(image, "windows") == seen(root, "windows")
    finally:
        subprocess.run(["umount", mounted], check=False)
        subprocess.run(["losetup", "-d", device], check=False)


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_disk_that_is_copied_while_it_is_mounted(tmp_path: Path, kind: str) -> None:
    """The kernel's own log: dirty while a file was written, clean after the unmount, and the files are the same."""
    root, mounted, image, copy = (tmp_path / name for name in ("root", "mounted", "image", "copy"))
    root.mkdir()
    mounted.mkdir()
    debian(root, restricted=True)
    image.write_bytes(b"")
    os.truncate(image, 400 << 20)
    tool(f"mkfs.{kind}", "-q", str(image))
    if subprocess.run(["mount", "-o", "loop", image, mounted], check=False).returncode:
        pytest.skip(f"{kind} cannot be mounted here")
    try:
        shutil.copytree(root, mounted, dirs_exist_ok=True, symlinks=True)
        subprocess.run(["umount", mounted], check=True)
        subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
        (mounted / "last").write_text("change")
        os.sync()
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        assert [problem.cause for problem in image_host(str(copy)).files.problems] == ["damaged"]
        subprocess.run(["umount", mounted], check=True)
        subprocess.run(["mount", "-o", "loop,ro", image, mounted], check=True)
        assert seen(image) == seen(mounted)
    finally:
        subprocess.run(["umount", mounted], check=False)
