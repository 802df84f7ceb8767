"""Which executables are asked what they say of themselves."""

import pytest
from phaseout.sources.kit.executable_identity import identity_from

from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree


@pytest.mark.parametrize("deep", [False, True])
def test_what_windows_itself_says_counts_in_a_deep_scan_only(windows_tree: WindowsTree, *, deep: bool) -> None:
    """What others have put into its folder counts always, whatever it is called."""
    paths = (r"C:\Windows\System32\cmd.exe", r"C:\Windows\System32\tool.exe", r"C:\Program Files\Tool\tool.exe")
    for path in paths:
        maker = "Microsoft Corporation" if path.endswith("cmd.exe") else "Acme"
        windows_tree.write(path, executable({ENGLISH: {"CompanyName": maker}}))
    host = windows_tree.host()
    host.deep = deep
    identity = identity_from(host)
    assert [found is not None for found in map(identity, paths)] == [deep, True, True]
