"""Who scans, with which rights."""

import os
import sys

import pytest
from phaseout.host.account import current_account


@pytest.mark.skipif(sys.platform == "win32", reason="geteuid")
def test_the_account_of_this_process() -> None:
    import pwd

    found = current_account()
    assert found.user == pwd.getpwuid(os.geteuid()).pw_name
    assert found.administrator == (os.geteuid() == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="geteuid")
def test_a_number_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 3_999_999)
    found = current_account()
    assert (found.user, found.administrator) == ("3999999", False)


@pytest.mark.skipif(sys.platform == "win32", reason="geteuid")
def test_the_system_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would ask a directory on the network where the host has one."""
    import pwd

    monkeypatch.delattr(pwd, "getpwuid")
    assert current_account().user
