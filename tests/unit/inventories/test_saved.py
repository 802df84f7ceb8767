"""Our own inventories: round trips, canonical bytes, several in one file, damage."""

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable

import msgspec
import pytest
from phaseout.inventories import read_one
from phaseout.inventories.saved import ENDINGS, write
from phaseout.model.findings import REPORT_SCHEMA
from phaseout.model.nouns import Inventory, Item, Problem, SourceRun
from phaseout.model.recording import memory_of
from phaseout.report import format_named

from tests.unit.inventories.conftest import broken, one, read_bytes


def written(inventory: Inventory, ending: str) -> bytes:
    return b"".join(write(inventory, ending))


@pytest.mark.parametrize("ending", [*ENDINGS, *(f"{ending}.gz" for ending in ENDINGS)])
def test_round_trip(saved: Inventory, ending: str) -> None:
    assert one(written(saved, ending)) == saved


def test_same_inventory_same_bytes(saved: Inventory) -> None:
    first = saved.items[0]
    turned = msgspec.structs.replace(first, details=dict(reversed(first.details.items())))
    other = msgspec.structs.replace(saved, items=(turned, *saved.items[1:]))
    for ending in (".json", ".ndjson", ".json.gz"):
        assert written(saved, ending) == written(other, ending)
    head, item, *_ = written(saved, ".ndjson").splitlines()
    assert list(msgspec.json.decode(head)) == ["schema", "tool", "scanned_at", "host", "runs"]
    assert list(msgspec.json.decode(item))[:3] == ["kind", "name", "source"]


def test_unknown_ending(saved: Inventory) -> None:
    with pytest.raises(ValueError):
        list(write(saved, ".xml"))


@pytest.mark.parametrize("name", ["json", "ndjson"])
def test_what_the_formats_print_is_read(saved: Inventory, name: str) -> None:
    form = format_named(name)
    assert form is not None
    assert one("".join(form.write_inventory(saved)).encode()) == saved


@pytest.mark.parametrize("ending", [".json", ".ndjson", ".ndjson.gz"])
def test_several_in_one_file(saved: Inventory, ending: str) -> None:
    other = msgspec.structs.replace(saved, host=msgspec.structs.replace(saved.host, name="b"))
    data = written(saved, ending) + written(other, ending)
    assert read_bytes(data) == [saved, other]
    assert isinstance(read_one(io.BytesIO(data), "x"), Problem)


def test_pretty_reordered_marked_and_wide(saved: Inventory) -> None:
    pretty = msgspec.json.format(written(saved, ".json"), indent=2)
    assert one(pretty) == saved
    reordered = msgspec.json.encode(msgspec.json.decode(pretty), order="sorted")
    assert one(reordered) == saved
    assert one(b"\xef\xbb\xbf\n\n" + pretty) == saved
    assert one(pretty.decode().encode("utf-16")) == saved
    assert one(b"[" + reordered + b"]") == saved


def test_unknown_members_are_ignored(saved: Inventory) -> None:
    members = msgspec.json.decode(written(saved, ".json"))
    members["later"] = {"a": 1}
    members["items"][0]["later"] = True
    assert one(msgspec.json.encode(members)) == saved


def test_problems_of_version_0_1_have_no_cause(saved: Inventory) -> None:
    """They are read, and still hide software; whatever else is wrong with such an inventory is an error."""
    run = SourceRun(source="rpm", status="partial", problems=(Problem("/var/lib/rpm", "cannot be read", "damaged"),))
    partial = msgspec.structs.replace(saved, runs=(*saved.runs, run))
    new = written(partial, ".json")
    old = new.replace(b',"cause":"damaged"', b"")
    assert old != new
    assert one(old) == partial
    assert "runs" in broken(old.replace(b'"runs":[', b'"runs":[{"problems":3},')).why


def test_a_broken_one_costs_itself(saved: Inventory) -> None:
    whole = written(saved, ".ndjson")
    lines = whole.splitlines(keepends=True)
    data = whole + lines[0] + b'{"kind":"nonsense"}\n' + b"{\n" + lines[1] + whole
    first, problem, last = read_bytes(data, "f.ndjson")
    assert (first, last) == (saved, saved)
    assert isinstance(problem, Problem)
    assert problem.where == "f.ndjson:6"
    assert "nonsense" in problem.why or "name" in problem.why


def test_cut_off(saved: Inventory) -> None:
    lines = written(saved, ".ndjson").splitlines(keepends=True)
    assert broken(b"".join(lines[:-1])).why == "2 items where 3 are announced: the file was cut off"
    assert "truncated" in broken(written(saved, ".json")[:200]).why
    assert "damaged gzip or zlib" in broken(written(saved, ".json.gz")[:-20]).why
    assert "items without" in broken(b"".join(lines[1:])).why


def test_what_is_no_inventory(saved: Inventory) -> None:
    assert "which holds only what was found" in broken(b'{"schema":"%s","items":3}' % REPORT_SCHEMA.encode()).why
    assert "reads phaseout-inventory/1" in broken(b'{"schema":"phaseout-inventory/9"}').why
    assert "names no host" in broken(b'{"schema":"phaseout-inventory/1","items":[]}').why
    assert broken(b"").why == "empty"
    assert broken(b"   \n \n").why == "empty"
    assert "no inventory of a known kind" in broken(b"hello").why
    assert "no JSON" in broken(b'{"a": ').why
    assert "$.items[0].kind" in broken(written(saved, ".json").replace(b'"package"', b'"parcel"')).why


def test_hostile_input_never_raises(saved: Inventory) -> None:
    chance = random.Random(7)
    for ending in (".json", ".ndjson", ".json.gz"):
        good = written(saved, ending)
        for _ in range(150):
            bad = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
            read_bytes(bytes(bad[: chance.randrange(1, len(bad) + 1)]))
    for nested in (b"[" * 200_000, b'{"a":' * 200_000, b'{"schema":"phaseout-' + b"[" * 100_000):
        broken(nested)


def test_limits(monkeypatch: pytest.MonkeyPatch, saved: Inventory) -> None:
    monkeypatch.setattr("phaseout.inventories.document.LIMIT", 1 << 20)
    bomb = gzip.compress(b"[" + b"\n" * (2 << 20))
    assert "larger than 1 MiB" in broken(bomb).why
    assert "begins with more than 64 KiB of blank lines" in broken(gzip.compress(b"\n" * (2 << 20))).why
    assert "larger than 1 MiB" in broken(b'{"schema":"phaseout-inventory/1",' + b" " * (2 << 20)).why
    assert one(written(saved, ".json")) == saved
    monkeypatch.setattr("phaseout.inventories.document._COMMAS", 10)
    assert "no inventory is that large" in broken(b"[" + b"1," * 20 + b"1]").why


@pytest.mark.parametrize(
    "changed",
    [
        lambda saved: msgspec.structs.replace(saved, runs=(), items=()),
        lambda saved: msgspec.structs.replace(saved, runs=()),
        lambda saved: msgspec.structs.replace(
            saved, items=(), runs=tuple(msgspec.structs.replace(run, items=0, rows=0) for run in saved.runs)
        ),
        lambda saved: msgspec.structs.replace(saved, runs=saved.runs[:1]),
        lambda saved: msgspec.structs.replace(
            saved, items=(*saved.items[:-1], msgspec.structs.replace(saved.items[-1], source="dpkg"))
        ),
    ],
)
@pytest.mark.parametrize("ending", [".json", ".ndjson"])
def test_what_no_scan_writes_is_incomplete(
    saved: Inventory, changed: Callable[[Inventory], Inventory], ending: str
) -> None:
    (found,) = read_bytes(written(changed(saved), ending))
    assert isinstance(found, Inventory)
    assert found.unseen
    assert not found.unseen[0].kinds  # any kind may be missing


def test_items_without_those_that_the_runs_counted(saved: Inventory) -> None:
    fewer = msgspec.structs.replace(saved, items=saved.items[:1])
    for ending in (".json", ".ndjson"):
        assert broken(written(fewer, ending)).why == "1 item where 3 are announced: the file was cut off"


def test_json_is_read_however_its_lines_are_broken(saved: Inventory) -> None:
    line = written(saved, ".json").strip()
    pretty = msgspec.json.format(line, indent=2)
    after_commas = line.replace(b',"tool"', b'\n,"tool"').replace(b',"items"', b',\n"items"')
    after_a_brace = line.replace(b'"platform":"linux"}', b'"platform":"linux"}\n', 1)
    for data in (pretty, after_commas, after_a_brace, b"\n" + line + b"\n\n", b"W1126 a warning\n" + pretty):
        assert one(data) == saved
    assert read_bytes(pretty + b"\n" + pretty) == [saved, saved]
    assert read_bytes(pretty + b"\n" + line + b"\n") == [saved, saved]


def test_zip_and_zlib(saved: Inventory) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/", b"")
        archive.writestr("a/one.json", written(saved, ".json"))
        archive.writestr("two.ndjson.gz", written(saved, ".ndjson.gz"))
    assert read_bytes(packed.getvalue(), "x.zip") == [saved, saved]
    assert one(zlib.compress(written(saved, ".json")), "x.ocs") == saved
    assert "damaged gzip or zlib" in broken(zlib.compress(written(saved, ".json"))[:-30]).why
    for name, why in (("[Content_Types].xml", "save the sheet as CSV"), ("one.txt", "no inventory of a known kind")):
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr(name, b"hello")
        assert why in broken(other.getvalue()).why
    assert "damaged zip" in broken(packed.getvalue()[:40]).why
    first, problem = read_bytes(packed.getvalue().replace(b"phaseout", b"phaseouT", 1), "x.zip")
    assert first == saved  # the one that is whole
    assert isinstance(problem, Problem)
    assert problem.where == "x.zip/a/one.json"
    assert "empty zip" in broken(b"PK\x05\x06" + b"\0" * 18).why


def test_a_zip_bomb_is_refused(saved: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.inventories.document.LIMIT", 1 << 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.json", written(saved, ".json") + b" " * (2 << 20))
    assert "unpack it first" in broken(packed.getvalue()).why
    assert "larger than 1 MiB" in broken(zlib.compress(b"[" + b" " * (2 << 20))).why


def flooded(saved: Inventory, *items: Item) -> Inventory:
    counted = SourceRun(source="dpkg", status="ok", rows=len(items), items=len(items))
    return msgspec.structs.replace(saved, items=items, runs=(counted,))


def test_large_inventories_are_read_item_by_item(saved: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.inventories.saved.LARGE", 10)
    for ending in ENDINGS:
        assert one(written(saved, ending)) == saved


@pytest.mark.parametrize("ending", ENDINGS)
def test_more_than_a_scan_returns_is_refused(saved: Inventory, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr("phaseout.inventories.saved.LARGE", 10)
    item = Item(kind="package", name="kesl", source="dpkg")
    size = len(msgspec.json.encode(item)) + 1
    monkeypatch.setattr("phaseout.inventories.saved._MEMORY", 5 * memory_of(item, size))
    assert one(written(flooded(saved, *(item,) * 5), ending)).items == (item,) * 5
    why = broken(written(flooded(saved, *(item,) * 6), ending)).why
    assert why.endswith("MiB of items: no scan returns that many")
    run = SourceRun(source="dpkg", status="ok", rows=1, items=1)
    monkeypatch.setattr("phaseout.inventories.saved._PARTS", 9)
    many = msgspec.structs.replace(flooded(saved, item), runs=(run,) * 10)
    assert broken(written(many, ending)).why.startswith("more than 9 runs, problems or unseen parts")


@pytest.mark.parametrize("ending", ENDINGS)
def test_text_that_takes_more_memory_than_it_shows_is_refused(
    saved: Inventory, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """One character that is not ASCII makes the whole text of CPython two or four bytes wide."""
    monkeypatch.setattr("phaseout.inventories.saved.LARGE", 10)
    monkeypatch.setattr("phaseout.inventories.saved._SIZE", 10_000)
    plain = Item(kind="package", name="x" * 6_000, source="dpkg")
    assert one(written(flooded(saved, plain), ending)).items == (plain,)
    wide = msgspec.structs.replace(plain, name="x" * 6_000 + "\U0001f600")
    assert broken(written(flooded(saved, wide), ending)).why.startswith("more than")
    monkeypatch.setattr("phaseout.inventories.saved._LONGEST", 1_000)
    assert isinstance(broken(written(flooded(saved, plain), ending)), Problem)


def test_one_long_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.inventories.document.WHOLE", 1 << 20)
    assert broken(b"[" + b" " * (2 << 20)).why == "larger than 1 MiB, and not one host a line"
