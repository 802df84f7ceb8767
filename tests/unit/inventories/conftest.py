"""Inventories of ours, and the reading of bytes."""

import io

import pytest
from hypothesis import strategies as st
from phaseout.inventories import read
from phaseout.model.nouns import INVENTORY_SCHEMA, Evidence, HostInfo, Inventory, Item, Problem, SourceRun

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4)


def read_bytes(data: bytes, name: str = "host-1.json") -> list[Inventory | Problem]:
    return list(read(io.BytesIO(data), name))


def one(data: bytes, name: str = "host-1.json") -> Inventory:
    (found,) = read_bytes(data, name)
    assert isinstance(found, Inventory), found
    run_items = sum(run.items for run in found.runs)
    assert run_items == len(found.items)
    for run in found.runs:
        assert run.rows == run.items + sum(run.left_out.values())
    return found


def broken(data: bytes, name: str = "host-1.json") -> Problem:
    (found,) = read_bytes(data, name)
    assert isinstance(found, Problem), found
    return found


@pytest.fixture
def saved() -> Inventory:
    items = (
        Item(
            kind="package",
            name="bash",
            source="dpkg",
            version="5.2",
            ids={"purl": "pkg:deb/bash@5.2"},
            details={"status": "install ok installed", "arch": "amd64"},
            evidence=(Evidence("/var/lib/dpkg/status", "Package: bash"),),
        ),
        Item(kind="package", name="kesl", source="dpkg", vendor="Kaspersky Lab", version="12.1"),
        Item(kind="process", name="kesl", source="processes", state="running", path="/opt/kaspersky/kesl/libexec/kesl"),
    )
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool="phaseout 0",
        scanned_at="2026-01-01T00:00:00Z",
        host=HostInfo(name="ada-laptop", platform="linux"),
        items=items,
        runs=(
            SourceRun(source="dpkg", status="ok", rows=2, items=2),
            SourceRun(source="processes", status="ok", rows=1, items=1),
        ),
    )
