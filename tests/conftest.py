"""What all tests share: fixtures and settings."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.users import posix_users
from phaseout.model.nouns import HostInfo

from tests.support.places import CODE, CORPORA, ROOT, WINE
from tests.support.prepared import pytest_configure, pytest_unconfigure
from tests.support.trees import MacTree, Tree, WindowsTree
from tests.support.untouched import pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary

__all__ = [
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]

# A loaded machine is no failure; and what runs for everybody must not find something new each time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", parent=settings.get_profile("default"), max_examples=20)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):  # of the terminal here; xdist sets some in its processes
    os.environ.pop(name, None)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell does that to what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and programs that tests start would inherit it

_THERE = """\
import json, sys
sys.path[:0] = [{code!r}, {root!r}]
def tell(value):
    print("@@" + json.dumps(value) + "@@")
"""


_SLOW_FIXTURES = {"bundle", "on_windows"}  # packages are fetched, Wine is started


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks tests as slow that wait for something slow, and limits all examples to those of the quick lane in it.

    A test with a number of its own would make so many in every lane: a profile is only what holds where it says none.
    """
    quick = settings.get_profile("quick") if config.getoption("hypothesis_profile", None) == "quick" else None
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if not _SLOW_FIXTURES.isdisjoint(item.fixturenames):
            item.add_marker("slow")
        own = getattr(item.obj, "_hypothesis_internal_use_settings", None)
        if quick is not None and own is not None and own.max_examples > quick.max_examples:
            item.obj._hypothesis_internal_use_settings = settings(own, max_examples=quick.max_examples)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "root")


@pytest.fixture
def mac_tree(tmp_path: Path) -> MacTree:
    return MacTree(tmp_path / "root")


@pytest.fixture
def windows_tree(tmp_path: Path) -> WindowsTree:
    return WindowsTree(tmp_path / "root")


@pytest.fixture
def on_windows(tmp_path: Path) -> Callable[..., Any]:
    """Runs code by Windows Python under Wine; what it gives to `tell` comes back."""
    if not (WINE / "run").is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")

    def run_there(code: str, *arguments: str) -> Any:
        script = tmp_path / "there.py"
        script.write_text(_THERE.format(code=f"Z:{CODE}", root=f"Z:{ROOT}") + code)
        command = [str(WINE / "run"), f"Z:{script}", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=600)
        output = done.stdout.decode("utf-8", "replace")
        assert "@@" in output, output
        return json.loads(output.split("@@")[1])

    return run_there


@pytest.fixture
def corpora() -> Path:
    if not CORPORA.is_dir():
        pytest.skip(f"the real captures are not here: {CORPORA}")
    return CORPORA


@pytest.fixture
def as_host() -> Callable[[Path], Host]:
    """Opens a folder of real captures in place, as a Linux host."""

    def open_host(root: Path) -> Host:
        files = PosixFiles(str(root))
        return Host(HostInfo(name="capture", platform="linux", root=str(root)), files, posix_users(files))

    return open_host
