"""Transaction logs of hives: what is put in its place, what is not whole, and real ones."""

import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.windows.regf import BASE, Node, root
from phaseout.parsers.windows.regf_log import marvin32, recovered

from tests.support.regf_writer import hive, transaction_log

OLD = hive({"A": {"which": "old"}}, sequence=(9, 8))
BINS = [hive({"A": {"which": which}, **{str(index): {} for index in range(40)}})[BASE:] for which in "1234"]


def which(data: bytes) -> str:
    key = root(data).child("A")
    assert key is not None
    ((_, _, content),) = key.values(1, 100)
    assert isinstance(content, bytes)
    return content.decode("utf-16-le").rstrip("\0")


def patched(data: bytes, at: int, patch: bytes) -> bytes:
    return data[:at] + patch + data[at + len(patch) :]


LOG = transaction_log(8, BINS[:2])
LATER = transaction_log(10, BINS[2:])
SECOND = 512 + struct.unpack_from("<I", LOG, 516)[0]

# logs, what the value is then, and whether that is all
CASES: dict[str, tuple[list[bytes], str, bool]] = {
    "none": ([], "old", False),
    "one": ([LOG], "2", True),
    "two": ([LOG, LATER], "4", True),
    "two, the later first": ([LATER, LOG], "4", True),
    "a later one only": ([LATER], "4", True),
    "one of older writes": ([transaction_log(7, BINS[:1])], "old", False),
    "one of older writes and one": ([transaction_log(7, BINS[3:]), LOG], "2", True),
    "one missing between two": ([LOG, transaction_log(11, BINS[2:])], "2", False),
    "an older entry behind": ([LOG + transaction_log(3, BINS[2:])[512:]], "2", True),
    "nothing but its base block": ([LOG[:512]], "old", False),
    "cut off": ([LOG[:-1]], "1", False),
    "damaged page": ([patched(LOG, SECOND + 3000, b"x")], "1", False),
    "damaged page that the other log has again": (
        [patched(LOG, SECOND + 3000, b"x"), transaction_log(9, BINS[2:])],
        "4",
        True,
    ),
    "damaged head": ([patched(LOG, SECOND + 24, b"x")], "1", False),
    "damaged first entry": ([patched(LOG, 515, b"x")], "old", False),
    "damaged base block": ([patched(LOG, 100, b"x")], "old", False),
    "no size": ([patched(LOG, 516, bytes(4))], "old", False),
    "an odd size": ([patched(LOG, 516, b"\x39")], "old", False),
    "no log": ([b"hello", b"", OLD], "old", False),
}


@pytest.mark.parametrize("case", CASES)
def test_logs(case: str) -> None:
    logs, value, whole = CASES[case]
    data, all_of_it = recovered(OLD, logs)
    assert (which(data), all_of_it) == (value, whole)
    assert len(data) == (len(OLD) if value == "old" else BASE + len(BINS[0]))


@pytest.mark.parametrize("bins", [0, 4096, 1 << 31])
def test_pages_beyond_the_hive_are_not_believed(bins: int) -> None:
    head = patched(LOG[512:544], 16, struct.pack("<I", bins))
    assert recovered(OLD, [LOG[:512] + head + marvin32(head) + LOG[552:]]) == (OLD, False)


def count(data: bytes) -> tuple[int, int, int]:
    """Keys, values, and how many of both cannot be read."""
    pending: list[Node] = [root(data)]
    keys = values = lost = 0
    while pending:
        key = pending.pop()
        found = sum(1 for _ in key.values(1 << 30, 1 << 30))
        children = list(key.subkeys(1 << 30))
        keys, values = keys + 1, values + found
        lost += key.value_count - found + key.subkey_count - len(children)
        pending += children
    return keys, values, lost


# hive, logs, counts before and after
REAL = [
    ("data/UsrClass.dat.xz", "data/UsrClass.dat.LOG{}.xz", (6205, 12369, 0), (6238, 12531, 0)),
    ("data/transactions_NTUSER.DAT.xz", "data/transactions_ntuser.dat.log{}.xz", (2590, 4119, 0), (3105, 4695, 0)),
    ("RathbunVM/Amcache.hve", "RathbunVM/Amcache.hve.LOG{}", (1028, 19503, 0), (1035, 19620, 0)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "log", "before", "after"), REAL, ids=[file for file, *_ in REAL])
def test_real_logs(corpora: Path, file: str, log: str, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    data, *logs = (read(corpora, name) for name in (file, log.format(1), log.format(2)))
    assert count(data) == before
    data, whole = recovered(data, logs)
    assert whole
    assert count(data) == after


def read(corpora: Path, name: str) -> bytes:
    (file,) = corpora.rglob(name)
    return lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(500, len(LOG)), st.binary(max_size=8)), max_size=4), st.integers(0, len(LOG)))
def test_no_damage_raises(patches: list[tuple[int, bytes]], cut: int) -> None:
    log = LOG
    for at, patch in patches:
        log = patched(log, at, patch)
    for one in (log, log[:cut]):
        data, whole = recovered(OLD, [one, LATER])
        assert which(data) in {"old", "1", "2", "4"}
        assert not whole or which(data) == "4" or one[500:512] != LOG[500:512]
