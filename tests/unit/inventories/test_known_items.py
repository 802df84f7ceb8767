"""A file of ours is read the same whether its items are known or not, and only such a file is read by its parts."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.inventories import known_items, read, saved
from phaseout.inventories.known_items import KnownItems, saved_items
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, SourceRun
from phaseout.model.recording import saved_form


def inventory(*names: str) -> Inventory:
    items = tuple(Item(kind="package", name=name, source="dpkg") for name in names)
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool="phaseout 0.2.0",
        scanned_at="2026-11-01T00:00:00Z",
        host=HostInfo(name="pc", platform="linux"),
        items=items,
        runs=(SourceRun(source="dpkg", status="ok", rows=len(items), items=len(items)),),
    )


def as_file(one: Inventory) -> bytes:
    return b"".join(saved.write(one, ".json"))


MARKS = ['},{"kind":', '}],"runs":[', '"items":[{"kind":']
NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(MARKS))


@given(st.lists(NAMES, max_size=4))
def test_known_items_change_nothing(hosts: list[list[str]]) -> None:
    known = KnownItems()
    for names in hosts:
        one = inventory(*names)
        data = as_file(one)
        assert list(read(io.BytesIO(data), "pc", known=known)) == list(read(io.BytesIO(data), "pc"))
        found = saved.repeated(data, "pc", known)
        assert (found is None) == (not names)
        if found is not None:
            assert b"".join(saved_form(found, saved_items(known.known(found.items)))) == data


def test_an_item_that_was_seen_is_the_same_object() -> None:
    known = KnownItems()
    first = saved.repeated(as_file(inventory("a", "b")), "one", known)
    second = saved.repeated(as_file(inventory("b", "c")), "two", known)
    assert first is not None
    assert second is not None
    assert first.items[1] is second.items[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"tool"', b' "tool"'),  # not as it is saved
        (b'"name":"a"', b'"name":1'),  # no item
        (b'"items":2', b'"items":3'),  # fewer than announced
        (b'{"schema"', b'{"x":{"items":[{"kind":"package","name":"z"}],"runs":[]},"schema"'),  # items in another place
        (b"inventory/1", b"inventory/9"),
        (b'}],"runs"', b'},],"runs"'),
        (b"\n", b""),
        (b"\n", b'\n{"schema":"phaseout-inventory/1"}\n'),
    ],
)
def test_what_is_not_as_saved_is_left_to_the_reader(old: bytes, new: bytes) -> None:
    data = as_file(inventory("a", "b")).replace(old, new, 1)
    assert saved.repeated(data, "pc", KnownItems()) is None
    assert list(read(io.BytesIO(data), "pc", known=KnownItems())) == list(read(io.BytesIO(data), "pc"))


def test_of_items_that_another_reader_made_nothing_is_known() -> None:
    known = KnownItems()
    first = saved.repeated(as_file(inventory("a")), "one", known)
    assert first is not None
    assert [one.item for one in known.known(first.items)] == list(first.items)
    assert known.known(inventory("a").items) == []


def test_secrets_are_masked_and_what_is_saved_has_none() -> None:
    item = Item(kind="process", name="p", source="dpkg", command="p --password=hunter2")
    one = msgspec.structs.replace(inventory("a"), items=(item,))
    known = KnownItems()
    found = saved.repeated(as_file(one), "pc", known)
    assert found is not None
    assert "hunter2" not in found.items[0].command
    assert b"hunter2" not in saved_items(known.known(found.items))


def test_what_is_not_repeated_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_items, "_REMEMBERED", 400)
    known = KnownItems()
    common = saved.repeated(as_file(inventory("common")), "pc", known)
    assert common is not None
    for number in range(50):
        found = saved.repeated(as_file(inventory("common", f"own {number}")), "pc", known)
        assert found is not None
        assert found.items[0] is common.items[0]
    assert len(known._now) + len(known._before) < 30
    again = saved.repeated(as_file(inventory("own 0")), "pc", known)
    assert again is not None
    assert again.items[0].name == "own 0"


def test_a_pipe_is_read_whole() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    data = as_file(inventory("a"))
    assert list(read(Pipe(data), "-", known=KnownItems())) == list(read(io.BytesIO(data), "-"))
