"""Sources over files that the real tools wrote, as captures keep them. Each is copied: nothing there is changed."""

import os
import shutil
from pathlib import Path

import pytest
from phaseout.host.opening import offline_host

from tests.support.harness import run

CAPTURES = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures"
# Capture, source, and something that the tool itself lists there.
EXPECTED = (
    ("xbps", "xbps", ("kesl", "12.1.0.1543_1")),
    ("slackware", "pkgtools", ("kesl", "12.1.0.1543")),
    ("azure-rpmmanifest", "rpm_manifest", ("openssl-libs", "1.1.1k-15.cm2")),
    ("pacman-dbpath", "pacman", ("kesl-bin", "12.1.0.1543-1")),
    ("bun", "npm_packages", ("cliui", "6.0.0")),
    ("yarn1", "npm_packages", ("cliui", "6.0.0")),
    ("pipx", "python_packages", ("pycowsay", "0.0.0.1")),
    ("uv-tools", "python_packages", ("Pygments", "2.21.0")),
    ("ruby", "ruby_gems", ("demo_gem", "1.2.3")),
    ("lxc-6.0", "guests", ("kesl", "12.1.0-1543")),
    ("incus-6.0", "guests", ("kesl", "12.1.0-1543")),
    ("podman-vfs-relocated", "containers", ("kesl", "12.1.0-1543")),
)


@pytest.mark.slow
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures here")
@pytest.mark.parametrize(("capture", "source", "expected"), EXPECTED)
def test_capture(tmp_path: Path, capture: str, source: str, expected: tuple[str, str]) -> None:
    root = tmp_path / "root"
    shutil.copytree(CAPTURES / capture, root, symlinks=True, copy_function=shutil.copyfile)
    result = run(source, offline_host(str(root), "linux"))
    assert expected in {(item.name, item.version) for item in result.items}
