"""Boot entries and programs of the EFI partition."""

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import Tree, WindowsTree
from tests.unit.parsers.linux.test_load_option import FILE, option

VARIABLES = "/sys/firmware/efi/efivars"
GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
OBJECTS = r"HKLM\BCD00000000\Objects"


def test_the_variables_of_the_firmware(tree: Tree) -> None:
    tree.write(f"{VARIABLES}/Boot0001-{GUID}", b"\x07\0\0\0" + option("Kaspersky made entry"))
    tree.write(f"{VARIABLES}/Boot0002-{GUID}", b"\x07\0\0\0\1")
    tree.write(f"{VARIABLES}/BootOrder-{GUID}", b"\x07\0\0\0\1\0")
    result = run("boot_entries", tree.host())
    assert [(item.kind, item.name, item.path) for item in result.items] == [("setting", "Kaspersky made entry", FILE)]
    assert [one.cause for one in result.problems] == ["damaged"]
    assert "decrypt first" in result.items[0].details["effect"]


def test_programs_of_the_partition(tree: Tree) -> None:
    tree.write("/boot/efi/EFI/made/made.efi", executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab"}}))
    tree.write("/boot/efi/EFI/debian/grub.cfg", "text")
    result = run("boot_entries", tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.vendor) == ("file", "made.efi", "AO Kaspersky Lab")
    assert (item.details["type"], result.run.left_out) == ("program of the EFI partition", {"not a program": 1})


def test_the_store_of_windows(windows_tree: WindowsTree) -> None:
    for number, (path, name) in enumerate([(FILE, "Made"), (r"\Windows\system32\winload.efi", "Windows"), ("", "x")]):
        elements = rf"{OBJECTS}\{{{number}}}\Elements"
        if path:
            windows_tree.key(rf"{elements}\12000002", {"Element": path})
        windows_tree.key(rf"{elements}\12000004", {"Element": name})
    result = run("boot_entries", windows_tree.host())
    assert [(item.name, item.path) for item in result.items] == [("Made", FILE)]
    assert result.run.left_out == {"part of the operating system": 1, "a setting": 1}
