"""What tells a host from others, out of trees that show it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from phaseout.host.identity import identity
from phaseout.host.opening import live_host
from phaseout.model.nouns import Identity
from phaseout.parsers.encodings.identity import identities

from tests.support.trees import MacTree, Tree, WindowsTree
from tests.unit.parsers.windows.test_smbios import BIOS, SYSTEM, U, raw

MACHINE, GUID = "3d1219c7c4c5404aaa1f6d2a48adfda4", "0f1e2d3c-1111-4000-8000-0123456789ab"
MAC = "564D8A3E-2C1B-5D7A-9F21-0A1B2C3D4E5F"


def test_linux(tree: Tree) -> None:
    assert identity(tree.host()) == ()
    tree.write("/var/lib/dbus/machine-id", f"{MACHINE}\n")
    assert identity(tree.host()) == identities([("machine_id", MACHINE)])
    tree.write("/etc/machine-id", "uninitialized\n")
    assert identity(tree.host()) == identities([("machine_id", MACHINE)])
    tree.write("/sys/class/dmi/id/product_serial", "PF3ABC12\n")  # a disk has none: what lies there is not its own
    assert [one.kind for one in identity(tree.host())] == ["machine_id"]


def test_what_cannot_be_read_hides_no_software(tree: Tree) -> None:
    tree.write("/etc/machine-id", "x" * 10_000)
    host = tree.host()
    assert identity(host) == ()
    assert [problem.hides for problem in host.files.problems] == [False]


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.key(r"HKLM\SOFTWARE\Microsoft\Cryptography", {"MachineGuid": GUID})
    assert identity(windows_tree.host()) == identities([("machine_guid", GUID)])
    windows_tree.key(r"HKLM\SYSTEM\HardwareConfig", {"LastConfig": "{" + str(U).upper() + "}"})
    assert identity(windows_tree.host()) == identities([("smbios_uuid", str(U)), ("machine_guid", GUID)])
    windows_tree.key(r"HKLM\SYSTEM\ControlSet001\Services\mssmbios\Data", {"SMBiosData": raw(BIOS, SYSTEM)})
    found = identity(windows_tree.host())
    assert found[:2] == (Identity("smbios_uuid", str(U)), Identity("serial", "PF3ABC12"))
    assert [one.kind for one in identity(windows_tree.host(), hardware=False)] == ["machine_guid"]


def test_macos(mac_tree: MacTree) -> None:
    by_host = "/Users/ada/Library/Preferences/ByHost"
    mac_tree.write(f"{by_host}/com.apple.loginwindow.{MAC}.plist")
    mac_tree.write(f"{by_host}/.GlobalPreferences.{MAC.lower()}.plist")
    assert identity(mac_tree.host()) == identities([("ioplatform_uuid", MAC)])
    mac_tree.write(f"{by_host}/com.apple.screensaver.{MAC.replace('5', '6')}.plist")  # came from another Mac
    assert identity(mac_tree.host()) == ()
    mac_tree.write(f"/Library/Preferences/ByHost/com.apple.wifi.{MAC}.plist")
    assert identity(mac_tree.host()) == identities([("ioplatform_uuid", MAC)])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the files of Linux")
def test_this_machine() -> None:
    serial, own = Path("/sys/class/dmi/id/product_serial"), Path("/etc/machine-id")
    raw_ids: list[Any] = [("machine_id", own.read_text())] if own.is_file() else []
    if os.access(serial, os.R_OK):
        raw_ids.append(("serial", serial.read_text()))
    known = identities(raw_ids)
    assert set(known) <= set(identity(live_host()))


def test_live_windows_under_wine(on_windows: Callable[..., Any]) -> None:
    kinds = on_windows(
        "from phaseout.host.identity import identity\n"
        "from phaseout.host.opening import live_host\n"
        "tell([one.kind for one in identity(live_host())])\n"
    )
    assert "machine_guid" in kinds
