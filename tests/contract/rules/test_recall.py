"""Real records of what tools and people list, often names without a publisher: who is recognised, and who is not."""

import json
from typing import Any

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.model.findings import Hit
from phaseout.model.nouns import Item
from phaseout.rules.matcher import Matcher

from tests.support.places import CORPORA

RECORDS = CORPORA.parent / "reports" / "recall" / "real_records.jsonl"
RULED_SINCE = {"yandex"}  # whose programs the list calls ordinary: it is older than their files
FIELDS = ("kind", "name", "vendor", "version", "path", "command", "signer", "ids")


@pytest.fixture(scope="module")
def judged() -> list[tuple[dict[str, Any], list[Hit]]]:
    """Every record with what the shipped rules say of it."""
    if not RECORDS.is_file():
        pytest.skip(f"the real records are not here: {RECORDS}")
    records = [json.loads(line) for line in RECORDS.read_text().splitlines()]
    items = [Item(**{field: record[field] for field in FIELDS if record.get(field)}) for record in records]
    hits: list[list[Hit]] = [[] for _ in records]
    for hit in Matcher(read_rules()).match(items):
        hits[hit.item].append(hit)
    return list(zip(records, hits, strict=True))


def test_records_of_restricted_vendors(judged: list[tuple[dict[str, Any], list[Hit]]]) -> None:
    expected = [(record, hits) for record, hits in judged if record["expected"] is not None]
    vendors = sum(any(_vendor(record) == hit.vendor.id for hit in hits) for record, hits in expected)
    products = sum(
        any(record["expected"].rstrip("?") == hit.product.id for hit in hits)
        or (record["expected"].endswith("?") and bool(hits))
        for record, hits in expected
    )
    assert vendors / len(expected) >= 0.98
    assert products / len(expected) >= 0.98


def test_ordinary_records(judged: list[tuple[dict[str, Any], list[Hit]]]) -> None:
    ordinary = [(record, hits) for record, hits in judged if record["expected"] is None]
    assert not [(record, hits) for record, hits in ordinary if {hit.vendor.id for hit in hits} - RULED_SINCE]


def _vendor(record: dict[str, Any]) -> str:
    return str(record["expected"]).rstrip("?").partition("-")[0]
