"""What executables say of themselves: the choice between languages and signers, the cache, and live trust."""

from collections.abc import Callable
from typing import Any

import pytest
from phaseout.host.windows.executables import Executables, Identity
from phaseout.model.nouns import Problem

from tests.support.pe_writer import ENGLISH, RUSSIAN, executable
from tests.support.trees import WindowsTree

PATH = r"C:\Program Files\Acme\anvil.exe"
LAB = ("AO Kaspersky Lab", "AO Kaspersky Lab")
MICROSOFT = ("Microsoft Corporation", "Microsoft Windows Hardware Compatibility Publisher")


def identity(tree: WindowsTree, data: bytes) -> Identity:
    tree.write(PATH, data)
    found = tree.host().executables.identity(PATH)
    assert found is not None
    return found


def test_everything_that_it_says(windows_tree: WindowsTree) -> None:
    texts = {
        RUSSIAN: {"CompanyName": "АО «Лаборатория Касперского»"},
        ENGLISH: {
            "CompanyName": "AO Kaspersky Lab",
            "ProductName": "Kaspersky Anti-Virus",
            "FileDescription": "Kaspersky Anti-Virus service",
            "OriginalFilename": "avp.exe",
            "ProductVersion": "21, 3, 10, 391",
            "FileVersion": "21.3.10.390",
        },
    }
    found = identity(windows_tree, executable(texts, [LAB], machine="x86", numbers=(1, 0, 0, 0), managed=True))
    assert found[:8] == (
        "AO Kaspersky Lab",
        "Kaspersky Anti-Virus",
        "Kaspersky Anti-Virus service",
        "21.3.10.391",
        "avp.exe",
        "AO Kaspersky Lab",
        "not verified",
        "x86",
    )
    assert found.details["certificate_issuer"] == "Test CA"
    assert found.details["framework"] == ".NET"
    assert "certificate" not in {name for name, value in found.details.items() if value}


def test_versions(windows_tree: WindowsTree) -> None:
    files = {
        "file.exe": executable({ENGLISH: {"FileVersion": "2.0 beta"}}, numbers=(9, 0, 0, 0)),
        "numbers.exe": executable({ENGLISH: {}}, numbers=(1, 2, 3, 4)),
        "none.exe": executable(),
    }
    for name, data in files.items():
        windows_tree.write(rf"C:\{name}", data)
    host = windows_tree.host()
    found = {name: host.executables.identity(rf"C:\{name}") for name in files}
    assert {name: one and one.version for name, one in found.items()} == {
        "file.exe": "2.0 beta",
        "numbers.exe": "1.2.3.4",
        "none.exe": "",
    }


@pytest.mark.parametrize("order", [[LAB, MICROSOFT], [MICROSOFT, LAB]])
def test_the_maker_before_microsoft_that_attests(windows_tree: WindowsTree, order: list[tuple[str, str]]) -> None:
    found = identity(windows_tree, executable({}, order))
    assert found.signer == "AO Kaspersky Lab"
    assert found.details["also_signed_by"] == "Microsoft Corporation"


def test_signer_without_an_organisation_is_named_by_common_name(windows_tree: WindowsTree) -> None:
    assert identity(windows_tree, executable({}, [("", "Jane Doe")])).signer == "Jane Doe"
    microsoft = identity_of_second(windows_tree, executable({}, [MICROSOFT]))
    assert (microsoft.signer, microsoft.details["certificate"]) == MICROSOFT


def identity_of_second(tree: WindowsTree, data: bytes) -> Identity:
    tree.write(r"C:\second.exe", data)
    found = tree.host().executables.identity(r"C:\second.exe")
    assert found is not None
    return found


def test_signatures_in_words(windows_tree: WindowsTree) -> None:
    assert identity(windows_tree, executable({})).signature == "none in the file; catalogs were not asked"
    large = identity_of_second(windows_tree, executable({}, table=bytes(1 << 20)))
    assert (large.signature, large.signer) == ("too large to be read", "")


def test_files_that_are_not_executables(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\text.exe", "MZ, said the text")
    windows_tree.write(r"C:\empty.exe")
    windows_tree.folder(r"C:\folder.exe")
    host = windows_tree.host()
    for name in ("text.exe", "empty.exe", "absent.exe", "folder.exe"):
        assert host.executables.identity(rf"C:\{name}") is None
    assert host.files.problems == [Problem(r"C:\folder.exe", "not a regular file but a folder", "not_regular")]


def test_a_file_is_read_once(windows_tree: WindowsTree) -> None:
    windows_tree.write(PATH, executable({ENGLISH: {"ProductName": "Anvil"}}))
    host = windows_tree.host()
    first = host.executables.identity(PATH)
    windows_tree.write(PATH, b"")
    assert first is not None
    assert host.executables.identity(PATH.upper()) is first
    assert Executables(host.files).identity(PATH) is None


LIVE = """
from phaseout.host.opening import live_host
from phaseout.host.windows.trust import signature
data = bytearray(open(sys.executable, "rb").read())
data[5000] ^= 1
open(r"C:\\\\changed.exe", "wb").write(data)
open(r"C:\\\\unsigned.exe", "wb").write(bytes.fromhex(sys.argv[1]))
host = live_host()
usual = host.executables.identity(sys.executable)
host = live_host()
host.deep = True
deep = host.executables.identity(sys.executable)
told = [signature(path) for path in (sys.executable, r"C:\\\\changed.exe", r"C:\\\\unsigned.exe")]
tell([usual.signer, usual.signature, deep.signature, *told])
"""


def test_live_windows_tells_valid_from_invalid(on_windows: Callable[..., Any]) -> None:
    signer, usual, deep, own, changed, unsigned = on_windows(LIVE, executable({}).hex())
    assert (signer, usual) == ("Python Software Foundation", "not verified")
    assert deep == own
    # Whether it is trusted depends on the root certificates of the machine under Wine; that it was changed does not.
    assert own.startswith(("valid", "not verified", "invalid: its root"))
    assert changed == "invalid: the file was changed"
    assert unsigned.startswith("none")
