"""Hive files: names, values, lists of subkeys, what damage costs, and real ones."""

import lzma
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.windows.regf import BASE, Node, checksum, root

from tests.support.regf_writer import FILETIME, Raw, Tree, base_block, hive

ALL = 1 << 30
SMALL: Tree = {
    r"A\One": {"a": "xxxxxxx", "b": 5, "c": "yyyyyyyy"},
    r"A\Two": {"a": "z", "big": bytes(range(250)) * 200},
    r"A\Three\Deep": {"list": ("one", "two")},
    "B": {},
    "Ж": {"Ж": b"12"},
}


def patched(data: bytes, at: int, patch: bytes) -> bytes:
    return data[:at] + patch + data[at + len(patch) :]


def at_key(data: bytes, name: bytes) -> int:
    """Where the record of a key is in the file."""
    return data.index(name, BASE) - 76


def number(data: bytes, at: int) -> int:
    (found,) = struct.unpack_from("<I", data, at)
    assert isinstance(found, int)
    return found


def with_cell(data: bytes, content: bytes) -> tuple[bytes, int]:
    """The file with one more cell in the free space at its end, and the offset of that cell."""
    at = BASE + 32
    while struct.unpack_from("<i", data, at)[0] < 0:
        at -= struct.unpack_from("<i", data, at)[0]
    free, size = number(data, at), -(-(len(content) + 4) // 8) * 8
    assert size + 8 <= free
    cells = struct.pack("<i", -size) + content.ljust(size - 4, b"\0") + struct.pack("<I", free - size)
    return patched(data, at, cells), at - BASE


def tree(key: Node) -> Iterator[tuple[str, dict[str, tuple[int, bytes | int]]]]:
    """All keys that can be reached, with their values."""
    pending = [("", key)]
    while pending:
        path, here = pending.pop()
        yield path, {name: (kind, data) for name, kind, data in here.values(ALL, ALL)}
        pending += [(f"{path}\\{child.name}", child) for child in here.subkeys(ALL)]


def below(key: Node, *names: str) -> Node:
    for name in names:
        child = key.child(name)
        assert child is not None, name
        key = child
    return key


NAMES = ("plain", "Grün", "\x80\x93 of Latin-1", "Ж", "nul\0in it", "\0", "half \ud800", "𝄞", "x" * 255, "x" * 256)


def test_names_are_as_stored() -> None:
    data = hive({name: {name: b"1"} for name in NAMES[:-1]})
    key = root(data)
    assert sorted(child.name for child in key.subkeys(ALL)) == sorted(NAMES[:-1])
    for name in NAMES[:-1]:
        for asked in (name, name.upper(), name.lower()):
            assert [found for found, _, _ in below(key, asked).values(ALL, ALL)] == [name]
    assert key.child("absent") is None
    assert key.child("nul") is None
    assert key.child("") is None
    assert (key.modified, key.is_link) == (FILETIME, False)


def test_links_say_so() -> None:
    key = root(hive({"link": {"SymbolicLinkValue": Raw(6, b"x\0")}, "none": {}}, links=("link",)))
    assert [child.is_link for child in key.subkeys(ALL)] == [True, False]


def test_values_of_all_sizes() -> None:
    sizes = (*range(9), 16343, 16344, 16345, 2 * 16344, 2 * 16344 + 1, 60000)
    values = {str(size): Raw(0xFFFF0011, bytes(index % 251 for index in range(size))) for size in sizes}
    key = below(root(hive({"A": values})), "A")
    assert key.value_count == len(sizes)
    assert {name: Raw(kind, data) for name, kind, data in key.values(ALL, ALL) if isinstance(data, bytes)} == values
    assert [data for _, _, data in key.values(ALL, 16344) if isinstance(data, int)] == [16345, 32688, 32689, 60000]
    assert [name for name, _, _ in key.values(3, ALL)] == ["0", "1", "2"]


def test_key_of_a_predefined_handle_has_no_values() -> None:
    data = hive(SMALL)
    at = at_key(data, b"One")
    key = below(root(patched(patched(data, at + 2, b"\x60\0"), at + 36, b"\x50\0\0\x80")), "A", "One")
    assert key.value_count == 0
    assert list(key.values(ALL, ALL)) == []


def relisted(kind: bytes) -> bytes:
    """The small hive with another kind of list below A: fast leaf, index leaf, or an index root of two leaves."""
    data = hive(SMALL)
    key = at_key(data, b"A\0")
    at = BASE + number(data, key + 28) + 4
    offsets = [number(data, at + 4 + 8 * index) for index in range(3)]
    names = [data[BASE + offset + 80 :][:4].split(b"\0")[0] for offset in offsets]
    if kind == b"lf":
        pairs = zip(offsets, names, strict=True)
        content = b"".join(struct.pack("<I4s", offset, name.ljust(4, b"\0")) for offset, name in pairs)
        return patched(data, at, b"lf" + struct.pack("<H", 3) + content)
    if kind == b"li":
        return patched(data, at, b"li" + struct.pack("<H3I", 3, *offsets))
    data, first = with_cell(data, data[at : at + 2] + struct.pack("<H", 1) + data[at + 4 : at + 12])
    data, second = with_cell(data, b"li" + struct.pack("<H2I", 2, *offsets[1:]))
    return patched(data, at, b"ri" + struct.pack("<H2I", 2, first, second))


@pytest.mark.parametrize("kind", [b"lh", b"lf", b"li", b"ri"])
def test_lists_of_all_kinds(kind: bytes) -> None:
    data = hive(SMALL) if kind == b"lh" else relisted(kind)
    assert dict(tree(root(data))) == dict(tree(root(hive(SMALL))))
    key = below(root(data), "a")
    for name in ("one", "TWO", "three"):
        assert below(key, name).name.lower() == name.lower()
    assert key.child("four") is None
    damaged = below(root(patched(data, at_key(data, b"Two"), b"zz")), "A")
    assert [child.name for child in damaged.subkeys(ALL)] == ["One", "Three"]
    assert below(damaged, "three", "deep").value_count == 1
    with pytest.raises(ValueError, match="not all subkeys"):
        damaged.child("two")


def test_a_look_up_reads_nothing_beside_its_way() -> None:
    data = hive(SMALL)
    for name in (b"Two", b"Three", b"B\0"):
        data = patched(data, at_key(data, name), bytes(76))
    one = below(root(data), "A", "One")
    assert [name for name, _, _ in one.values(ALL, ALL)] == ["a", "b", "c"]
    assert below(root(data), "A").child("four") is None


# what is damaged: where from the record of key One, bytes, what is left of the keys below A and of the values of One
DAMAGE: dict[str, tuple[int, bytes, list[str], list[str]]] = {
    "free cell": (-4, struct.pack("<i", 88), ["Three", "Two"], []),
    "cell without end": (-4, struct.pack("<i", -(1 << 31)), ["Three", "Two"], []),
    "other record": (0, b"vk", ["Three", "Two"], []),
    "other parent": (16, struct.pack("<I", 32), ["Three", "Two"], []),
    "name without end": (72, b"\xff\xff", ["Three", "Two"], []),
    "many values": (36, b"\xff\xff\xff\xff", ["One", "Three", "Two"], ["a", "b", "c"]),
    "values nowhere": (40, b"\xff\xff\xff\xff", ["One", "Three", "Two"], []),
    "values in the base block": (40, struct.pack("<I", 0), ["One", "Three", "Two"], []),
    "values in a free cell": (40, b"\xf0\xff\x7f\0", ["One", "Three", "Two"], []),
    "subkeys nowhere": (20, b"\x01", ["One", "Three", "Two"], ["a", "b", "c"]),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_key(case: str) -> None:
    at, patch, keys, values = DAMAGE[case]
    data = hive(SMALL)
    data = patched(data, at_key(data, b"One") + at, patch)
    key = below(root(data), "A")
    assert [child.name for child in key.subkeys(ALL)] == keys
    if "One" in keys:
        one = below(key, "One")
        assert [name for name, _, _ in one.values(ALL, ALL)] == values
        assert list(one.subkeys(ALL)) == []


# where from the record of the first value, and bytes
@pytest.mark.parametrize(
    ("at", "patch"),
    [
        (-4, struct.pack("<i", 32)),
        (0, b"nk"),
        (2, b"\xff\xff"),
        (4, struct.pack("<I", 4000)),
        (4, struct.pack("<I", 40000)),
        (4, struct.pack("<I", 0x80000005)),
        (4, struct.pack("<I", 0xFFFFFFFF)),
        (8, struct.pack("<I", 0xFFFFFFFF)),
        (8, struct.pack("<I", 0)),
    ],
)
def test_damaged_value_costs_itself_only(at: int, patch: bytes) -> None:
    data = hive(SMALL)
    data = patched(data, data.index(b"vk\x01\0") + at, patch)
    assert [name for name, _, _ in below(root(data), "A", "One").values(ALL, ALL)] == ["b", "c"]


@pytest.mark.parametrize(
    ("at", "patch"), [(0, b"bd"), (2, b"\3\0"), (4, b"\xff\xff\xff\xff"), (4, struct.pack("<I", 32))]
)
def test_damaged_segments_cost_their_value_only(at: int, patch: bytes) -> None:
    data = hive(SMALL)
    data = patched(data, data.index(b"db\4\0") + at, patch)
    assert [name for name, _, _ in below(root(data), "A", "Two").values(ALL, ALL)] == ["a"]


def test_values_that_share_their_bytes_end() -> None:
    size = 40000
    data = hive({"A": {"one": bytes(size), **{str(index): b"" for index in range(300)}}})
    first = data.index(b"vk\3\0")
    for index in range(300):
        at = data.index(b"vk" + struct.pack("<H", len(str(index))), first + 4)
        data = patched(data, at + 4, data[first + 4 : first + 12])
        first = at
    found = list(below(root(data), "A").values(ALL, ALL))
    assert [name for name, _, _ in found] == ["one"]
    assert len(data) < 2 * size


def test_lists_that_share_their_elements_end() -> None:
    """Each element of a list is the beginning of a list of those that follow, and an index root names them all."""
    count, index, leaves = 2000, 4096, 16384
    bins = bytearray(1 << 17)
    struct.pack_into("<i2sHQIIIIIIII", bins, 32, -88, b"nk", 0, FILETIME, 0, 0, 9, 0, index, 0, 0, 0)
    struct.pack_into("<i2sH", bins, index, -8 - 4 * count, b"ri", count)
    struct.pack_into(f"<{count}I", bins, index + 8, *range(leaves, leaves + 8 * count, 8))
    bins[leaves : leaves + 16 * count] = struct.pack("<i2sH", -(1 << 16), b"lh", count) * 2 * count
    key = root(base_block(32, len(bins), (1, 1)) + bytes(bins))
    assert list(key.subkeys(ALL)) == []
    assert key.child("any") is None
    assert 0 < sum(end - start for _, start, end in key._lists()) <= len(bins) + BASE


def test_what_is_no_hive() -> None:
    data = hive(SMALL)
    for cut in (b"", b"regf", data[:4095], b"x" + data[1:]):
        with pytest.raises(ValueError, match="not a registry hive"):
            root(cut)
    for broken in (data[:4096], patched(data, 36, b"\xff\xff\xff\xff"), patched(data, 36, struct.pack("<I", 0))):
        with pytest.raises(ValueError, match="its first key cannot be read"):
            root(broken)
    for major, minor in ((1, 1), (2, 5)):
        with pytest.raises(ValueError, match=rf"unknown version {major}\.{minor}"):
            root(patched(data, 20, struct.pack("<II", major, minor)))


def test_checksum() -> None:
    data = hive(SMALL)
    assert checksum(data) == data[508:512] != checksum(patched(data, 100, b"x"))
    assert checksum(bytes(508)) == b"\1\0\0\0"
    assert checksum(b"\xff" * 4 + bytes(504)) == b"\xfe\xff\xff\xff"


@pytest.mark.slow
def test_real_hive(corpora: Path) -> None:
    """All of a SYSTEM hive of Windows 10: numbers of keys, of values, and of those with one to three bytes."""
    file = corpora / "hives" / "regipy" / "regipy_tests" / "data" / "SYSTEM_WIN_10_1709.xz"
    found = [values for _, values in tree(root(lzma.decompress(file.read_bytes())))]
    content = [data for values in found for _, data in values.values() if isinstance(data, bytes)]
    assert (len(found), len(content)) == (43211, 90307)
    assert sum(0 < len(data) < 4 for data in content) == 3209
    assert sum(data == b"\xff" for data in content) == 514
    assert sum(len(data) > 16344 for data in content) == 4


def everything(data: bytes) -> None:
    try:
        key = root(data)
    except ValueError:
        return
    assert len(list(tree(key))) <= len(data) // 80
    for name in ("A", "one", "Ж", "", "\ud800"):
        try:
            below(key, "A").child(name)
        except (ValueError, AssertionError):
            continue


LISTS = tuple(relisted(kind) for kind in (b"lf", b"li", b"ri"))
USED = BASE + number(LISTS[2], BASE + 8)
EDGES = st.sampled_from([0, 1, 2, 32, 0x7FFFFFFF, 0x80000000, 0x80000003, 0xFFFFFFF0, 0xFFFFFFFF]).map(
    lambda edge: struct.pack("<I", edge)
)


def damage(used: int) -> st.SearchStrategy[list[tuple[int, bytes]]]:
    places = st.integers(BASE, min(BASE + 1500, used)) | st.integers(0, used)
    return st.lists(st.tuples(places, EDGES | st.binary(max_size=8)), max_size=12)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LISTS), damage(USED), st.none() | st.integers(0, USED))
def test_no_damage_raises(data: bytes, patches: list[tuple[int, bytes]], cut: int | None) -> None:
    for at, patch in patches:
        data = patched(data, at, patch)
    everything(data[:cut])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Hives/SECURITYNoRoot", "regf/100_sub_keys.hiv", "Hives/BCD"])
def test_no_damage_of_a_real_hive_raises(corpora: Path, name: str) -> None:
    (file,) = corpora.rglob(name)
    original = file.read_bytes()
    used = min(BASE + number(original, 40), len(original))

    @settings(max_examples=60, deadline=None)
    @given(damage(used), st.none() | st.integers(0, used))
    def check(patches: list[tuple[int, bytes]], cut: int | None) -> None:
        data = original
        for at, patch in patches:
            data = patched(data, at, patch)
        everything(data[:cut])

    check()


@given(st.binary(max_size=400), st.integers(0, 400))
def test_no_bytes_raise(content: bytes, first: int) -> None:
    everything(base_block(first, len(content), (1, 1)) + content)
