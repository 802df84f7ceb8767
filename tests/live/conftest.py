"""What needs a live system, and would change it: off unless asked for, and then in mounts of its own.

PHASEOUT_LIVE=1 python -m pytest -m live tests/live      (as root, on Linux)
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.private_mounts import private_mounts


@pytest.fixture(scope="package", autouse=True)
def private_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All tests of this folder run where nothing that they write reaches the machine."""
    if not os.environ.get("PHASEOUT_LIVE"):
        pytest.skip("changes a live system: PHASEOUT_LIVE=1 asks for it")
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs to be root on Linux")
    entered = contextlib.ExitStack()
    try:
        entered.enter_context(private_mounts(tmp_path_factory.mktemp("layers"), Path(tempfile.gettempdir())))
    except OSError as error:
        pytest.skip(f"no private mounts can be made here: {error}")
    with entered:
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("live")
