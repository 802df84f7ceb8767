"""All registries show the same, and none raises on what it reads."""

import json
import lzma
import os
import struct
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.base import Key, Mounts, Registry
from phaseout.host.registry.hives import open_hive
from phaseout.host.registry.memory import registry_in_memory, registry_of_text
from phaseout.model.nouns import Problem
from phaseout.parsers.windows.registry_values import decode

from tests.support.places import WINE
from tests.support.regf_writer import FILETIME, Raw, Tree, base_block, hive, stored, transaction_log
from tests.support.registry_contract import BOB, OF_BOB, TOP, TREE, export, part, seen

OURS = {**TREE, **{rf"HKU\{BOB}\{path}": values for path, values in OF_BOB.items()}}


def memory(_: Path) -> Registry:
    tree = {path: {name: decode(*stored(value)) for name, value in values.items()} for path, values in OURS.items()}
    return registry_in_memory(tree, modified=FILETIME)


def text(_: Path) -> Registry:
    return registry_of_text(export(OURS))


def hives(root: Path) -> Registry:
    fill(root)
    registry = offline_host(str(root)).registry
    assert registry is not None
    return registry


def fill(root: Path) -> None:
    config = root / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    (config / "SOFTWARE").write_bytes(hive(part(r"HKLM\SOFTWARE")))
    (config / "SYSTEM").write_bytes(hive(part(r"HKLM\SYSTEM")))
    bob = root / "Users" / "bob"
    bob.mkdir(parents=True)
    (bob / "NTUSER.DAT").write_bytes(hive(OF_BOB))
    (root / "users").symlink_to("Users")


EXPECTED = {
    "subkeys": ["Alpha", "beta", "Values", "zeta", "Ä", "Ж"],
    "below": [r"\Alpha", r"\beta", r"\beta\deep", r"\beta\deep\Deeper", r"\Values", r"\zeta", "\\Ä", "\\Ж"],
    "values": {name: repr(decode(*stored(value))) for name, value in sorted(TREE[rf"{TOP}\Values"].items())},
    "folded": [repr('a "quoted" C:\\path'), "None", "'the default'"],
    "texts": ["4294967295", "one  three", "", "a\ud800", "the default"],
    "numbers": [4294967295, 0, 0],
    "views": ["32", r"hklm\software\wow6432node\phaseout contract"],
    "control set": [2, r"HKLM\SYSTEM\CurrentControlSet\Services\phaseout contract", "phaseout contract"],
    "absent": [True] * 9,
    "relative": [True, False],
    "bob": "yes",
    "modified": True,
}


@pytest.mark.parametrize("make", [memory, text, hives])
def test_contract(make: Callable[[Path], Registry], tmp_path: Path) -> None:
    registry = make(tmp_path)
    assert seen(registry) == EXPECTED
    assert registry.problems == []


def test_contract_on_windows(tmp_path: Path, on_windows: Callable[..., Any]) -> None:
    live = {path.replace("ControlSet001", "CurrentControlSet"): values for path, values in TREE.items()}
    (tmp_path / "contract.reg").write_bytes(export(live))
    bob = WINE / "prefix" / "drive_c" / "users" / "bob"
    bob.mkdir(exist_ok=True)
    (bob / "NTUSER.DAT").write_bytes(hive(OF_BOB))
    environment = {**os.environ, "WINEPREFIX": str(WINE / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"}
    imported = subprocess.run(
        ["wine", "reg", "import", tmp_path / "contract.reg"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert imported.returncode == 0, imported.stderr
    result = on_windows("from tests.support.registry_contract import main; main()")
    shown = result["seen"]
    expected = json.loads(json.dumps(EXPECTED))
    assert shown == expected
    assert result["user"] == ["bob", -1, r"C:\users\bob", BOB]
    assert result["files"] == [True, True, True, True, "regf", ["file"], True, True, ["C:\\users"]]
    assert result["runs"] == [["uninstall", "ok", ""]]
    assert [why for _, why in result["problems"]] == ["not a regular file but a folder", "a network path, skipped"]


def open_one(tmp_path: Path, data: bytes, name: str = "HIVE") -> tuple[Key | None, list[Problem]]:
    (tmp_path / name).write_bytes(data)
    problems: list[Problem] = []
    key = open_hive(WindowsFiles(str(tmp_path), {"C": ""}), f"C:\\{name}", "HKLM\\X", problems)
    return key, problems


def everything(key: Key, limit: int = 5000) -> tuple[int, int]:
    """Reads all there is and counts keys and values; a cyclic hive has no end, so there is a limit."""
    pending, keys, values = [key], 0, 0
    while pending and keys < limit:
        here = pending.pop()
        keys += 1
        values += len(here.values())
        assert here.modified is None or here.modified >= 0
        pending += here.subkeys()
    return keys, values


SMALL: Tree = {r"A\One": {"a": "xxxxxxx", "b": 5, "c": "yyyyyyyy"}, r"A\Two": {"a": "z"}, "B": {}}


def damaged(data: bytes, at: int, patch: bytes) -> bytes:
    return data[:at] + patch + data[at + len(patch) :]


def node(data: bytes, name: bytes) -> int:
    return data.index(name, 4096) - 76


def read_all(tmp_path: Path, data: bytes) -> tuple[dict[str, object], list[str]]:
    key, problems = open_one(tmp_path, data)
    found: dict[str, object] = {}
    for path in ("A\\One", "A\\Two", "B"):
        below = key.key(path) if key is not None else None
        found[path] = below.values() if below is not None else None
    if key is not None:
        everything(key, 50)
    return found, [problem.why for problem in problems]


def test_damaged_value_list_differs_from_no_values(tmp_path: Path) -> None:
    data = hive(SMALL)
    found, problems = read_all(tmp_path, damaged(data, node(data, b"One") + 40, b"\xf0\xff\x7f\x00"))
    assert found == {r"A\One": {}, r"A\Two": {"a": "z"}, "B": {}}
    assert problems == ["damaged: its values cannot be read"]


def test_damaged_value_costs_itself_only(tmp_path: Path) -> None:
    data = hive(SMALL)
    at = data.index(b"vk\x01\x00")
    for patch_at, patch in ((at + 8, b"\xf0\xff\x7f\x00"), (at, b"zz"), (at + 4, b"\xff\xff\xff\x7f")):
        found, problems = read_all(tmp_path, damaged(data, patch_at, patch))
        assert found[r"A\One"] == {"b": 5, "c": "yyyyyyyy"}
        assert problems == ["damaged: 1 of 3 values cannot be read"]


def test_damaged_subkey_costs_itself_only(tmp_path: Path) -> None:
    data = hive(SMALL)
    found, problems = read_all(tmp_path, damaged(data, node(data, b"One"), b"zz"))
    assert found == {r"A\One": None, r"A\Two": {"a": "z"}, "B": {}}
    assert "damaged: 1 of 2 subkeys cannot be read" in problems


def test_number_without_its_bytes_is_a_problem(tmp_path: Path) -> None:
    key, problems = open_one(tmp_path, hive({"": {"short": Raw(4, b"ab"), "good": 1}}))
    assert key is not None
    assert key.values() == {"good": 1}
    assert problems == [Problem("HKLM\\X", "the value short is damaged: a number of 2 bytes instead of 4", "damaged")]


def test_key_that_is_below_two_keys_is_read_once(tmp_path: Path) -> None:
    data = hive(SMALL)
    subkeys_of_a = data[node(data, b"A\0") + 28 :][:4]
    one = node(data, b"One")
    cyclic = damaged(damaged(data, one + 20, struct.pack("<I", 2)), one + 28, subkeys_of_a)
    key, problems = open_one(tmp_path, cyclic)
    assert key is not None
    assert everything(key) == (5, 4)
    assert [problem.why for problem in problems] == ["damaged: 2 of 2 subkeys cannot be read"]


def test_levels_have_a_limit(tmp_path: Path) -> None:
    (tmp_path / "HIVE").write_bytes(hive({"\\".join("x" * 60): {}}))
    problems: list[Problem] = []
    key = open_hive(WindowsFiles(str(tmp_path), {"C": ""}), "C:\\HIVE", "HKLM" + r"\X" * 500, problems)
    assert key is not None
    assert everything(key) == (14, 0)
    assert [problem.why for problem in problems] == ["more than 512 levels of keys: not looked further"]


BEHIND = "the last changes are still in its transaction log and were not read"
PARTLY = "the last changes are still in its transaction log and were read only in part"


def test_hives_with_missing_updates_are_a_problem(tmp_path: Path) -> None:
    assert [one.why for one in open_one(tmp_path, hive(SMALL, sequence=(4, 3)), "DIRTY")[1]] == [BEHIND]
    log = base_block(0, 0, (9, 9), 6)[:512] + b"HvLE"
    (tmp_path / "NEW.LOG1").write_bytes(log)
    (tmp_path / "OLD.LOG2").write_bytes(log)
    assert [one.why for one in open_one(tmp_path, hive(SMALL, sequence=(8, 8)), "NEW")[1]] == [BEHIND]
    assert open_one(tmp_path, hive(SMALL, sequence=(10, 10)), "OLD")[1] == []


def test_transaction_logs_are_applied(tmp_path: Path) -> None:
    old, new = hive(SMALL, sequence=(9, 8)), hive({**SMALL, "New": {"is": "seen"}})
    (tmp_path / "X.LOG2").write_bytes(transaction_log(8, [new[4096:]]))
    key, problems = open_one(tmp_path, old, "X")
    assert key is not None
    new_key = key.key("New")
    assert new_key is not None
    assert new_key.text("is") == "seen"
    assert problems == []
    (tmp_path / "X.LOG1").write_bytes(transaction_log(10, [old[4096:]]))  # 9 is missing
    key, problems = open_one(tmp_path, old, "X")
    assert key is not None
    assert key.key("New") is not None
    assert [one.why for one in problems] == [PARTLY]


def test_hive_that_is_cut_off(tmp_path: Path) -> None:
    data = hive({"A": {"long": bytes(9000)}, "B": {"a": "b"}})
    key, problems = open_one(tmp_path, data[:8192])
    assert key is not None
    assert everything(key) == (1, 0)  # the list of subkeys lies behind all of them
    assert [problem.why for problem in problems] == [
        "damaged: it ends after 8192 bytes",
        "damaged: 2 of 2 subkeys cannot be read",
    ]


def test_hive_with_a_wrong_checksum_is_read(tmp_path: Path) -> None:
    key, problems = open_one(tmp_path, damaged(hive(SMALL), 50, b"x"))
    assert key is not None
    assert everything(key) == (5, 4)
    assert [problem.why for problem in problems] == ["damaged: wrong checksum at its beginning"]


def test_files_that_are_not_hives(tmp_path: Path) -> None:
    for name, data in (("EMPTY", b""), ("TEXT", b"hello" * 2000), ("CUT", hive(SMALL)[:4096])):
        key, problems = open_one(tmp_path, data, name)
        assert key is None
        assert len(problems) == 1
    assert open_hive(WindowsFiles(str(tmp_path), {"C": ""}), "C:\\ABSENT", "HKLM\\X", problems := []) is None
    assert problems == []


def test_every_reader_learns_the_problems_of_a_hive(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "Users" / "bob" / "NTUSER.DAT").write_bytes(b"broken")
    registry = offline_host(str(tmp_path)).registry
    assert registry is not None
    for _ in range(2):
        assert registry.key(rf"HKU\{BOB}\Software") is None
        assert registry.problems == [Problem(r"C:\users\bob\NTUSER.DAT", "not a registry hive", "damaged")]
        registry.problems.clear()


def test_hives_that_were_not_used_for_long_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.host.registry.base._HELD", 3 * len(hive(SMALL)))
    opened: list[str] = []
    problems: list[Problem] = []
    people = Mounts("HKU", problems)

    def opener(name: str) -> Key | None:
        opened.append(name)
        problems.append(Problem(name, "was opened", "damaged"))
        return open_one(tmp_path, hive(SMALL))[0]

    for name in "ABCD":
        people.mount(name, partial(opener, name))
    people.mount("none", lambda: opened.append("none"))
    for name in ("A", "B", "none", "C", "A", "D", "A", "B", "none", "D"):
        key = people.child(name)
        assert name == "none" or (key is not None and key.path == rf"HKU\{name}")
    assert opened == ["A", "B", "none", "C", "D", "B"]
    assert sorted(problem.where for problem in problems) == ["A", "B", "C", "D"]


def test_links_of_the_registry_are_followed(tmp_path: Path) -> None:
    fill(tmp_path)
    links: dict[str, dict[str, Raw]] = {
        path: {"SymbolicLinkValue": Raw(6, target.encode("utf-16-le"))}
        for path, target in (
            (r"WOW6432Node\Classes", r"\REGISTRY\MACHINE\SOFTWARE\Classes\Wow6432Node"),
            (r"Round", r"\Registry\Machine\Software\Round"),
        )
    }
    tree: Tree = {**links, r"Classes\Wow6432Node\CLSID": {"x": "y"}}
    config = tmp_path / "Windows" / "System32" / "config"
    (config / "SOFTWARE").write_bytes(hive(tree, links=tuple(links)))
    registry = offline_host(str(tmp_path)).registry
    assert registry is not None
    found = registry.key(r"HKLM\SOFTWARE\WOW6432Node\Classes\CLSID")
    assert found is not None
    assert (found.path, found.text("x")) == (r"HKLM\SOFTWARE\WOW6432Node\Classes\CLSID", "y")
    assert registry.key(r"HKLM\SOFTWARE\Round\x") is None
    assert [problem.why for problem in registry.problems] == ["too many symbolic links"]


# file: (keys, values, problems). The problems are wrong checksums, damage of two files, and logs that are not there.
REAL = {
    "Hives/Acronis_0x52_Usrclass.dat": (205, 855, 0),
    "Hives/BCD": (66, 46, 0),
    "Hives/NTUSER1.DAT": (595, 878, 0),
    "Hives/SAM": (68, 73, 0),
    "Hives/SAMBadHBinHeader": (68, 73, 0),
    "Hives/SAM_DUPENAME": (112, 128, 0),
    "Hives/SAM_RootValue": (65, 71, 0),
    "Hives/SAM_hasBigEndianDWord": (92, 103, 0),
    "Hives/SAN(OTHER)": (68, 73, 1),
    "Hives/SECURITY": (242, 242, 1),
    "Hives/SECURITYNoRoot": (8, 2, 0),
    "Hives/UsrClassDeletedBags.dat": (37, 231, 0),
    "data/BCD.xz": (132, 103, 0),
    "data/NTUSER-WSL.DAT.xz": (3074, 4949, 0),
    "data/NTUSER.DAT.xz": (1812, 4094, 0),
    "data/NTUSER_BAGMRU.DAT.xz": (6279, 15912, 1),
    "data/NTUSER_modified.DAT.xz": (1808, 4090, 0),
    "data/NTUSER_with_winscp.DAT.xz": (5328, 12014, 1),
    "data/SAM.xz": (65, 70, 0),
    "data/SECURITY.xz": (100, 109, 1),
    "data/UsrClass.dat.xz": (6205, 12369, 1),
    "data/amcache.hve.xz": (2105, 17539, 1),
    "data/corrupted_system_hive.xz": (1687, 5616, 83),
    "data/ntuser_software_partial.xz": (6396, 19990, 0),
    "data/transactions_NTUSER.DAT.xz": (2590, 4119, 1),
    "test_data/NTUSER-CCLEANER.DAT": (1203, 2373, 0),
    "test_data/NTUSER-RunTests.DAT": (893, 1306, 0),
    "test_data/NTUSER.DAT": (1127, 5602, 0),
    "regf/100_sub_keys.hiv": (101, 100, 0),
    "regf/NTUSER.DAT": (1597, 2310, 0),
    "regf/SAM": (76, 84, 0),
    "regf/corrupt_sub_key_list.hiv": (100, 99, 1),
    "winreg/win10-Amcache.hve": (207, 4188, 0),
}


@pytest.mark.slow
def test_real_hives(corpora: Path, tmp_path: Path) -> None:
    """Every hive of the captures: none raises, and these are the counts of keys and values."""
    counts = {}
    candidates = [
        *(corpora / "hives").rglob("*"),
        *(corpora / "plaso" / "test_data").rglob("*"),
        *(corpora / "amcache").rglob("*"),
    ]
    for file in sorted(candidates):
        if not file.is_file() or file.stat().st_size > 900_000:
            continue
        data = lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
        if not data.startswith(b"regf") or ".log" in file.name.lower():
            continue
        key, problems = open_one(tmp_path, data)
        counts[f"{file.parent.name}/{file.name}"] = (
            *(everything(key, 10_000) if key is not None else (0, 0)),
            len(problems),
        )
    assert counts == REAL


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 8191), st.binary(min_size=1, max_size=8)), max_size=8))
def test_no_damage_raises(tmp_path: Path, patches: list[tuple[int, bytes]]) -> None:
    data = hive(SMALL)
    for at, patch in patches:
        data = damaged(data, at, patch)
    key, _ = open_one(tmp_path, data)
    if key is not None:
        everything(key, 100)
        key.key(r"A\One")
