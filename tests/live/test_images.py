"""A disk in a file gives what it gives when it is mounted."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from phaseout.host.images.opening import image_host
from phaseout.host.opening import offline_host

from tests.support.disk_writer import tool
from tests.support.roots import windows
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
