"""The table of matchable fields says the same as the types, and every export speaks of its fields only."""

from typing import get_args

import msgspec.structs
import pytest
from phaseout.export import osquery, sigma
from phaseout.model.fields import BY_NAME, FIELDS, HEAD_LISTS, IDS, TEXTS, item_of
from phaseout.model.nouns import IdType, Item
from phaseout.model.rules import Match, Specimen, Vendor

NOT_MATCHED = {"kind", "ids"}


def attributes(shape: type) -> set[str]:
    return {field.name for field in msgspec.structs.fields(shape)} - NOT_MATCHED


def test_every_identifier_is_a_field() -> None:
    assert {field.name.removeprefix(IDS) for field in FIELDS if field.name.startswith(IDS)} == set(get_args(IdType))


def test_every_text_that_a_block_or_a_specimen_has_is_a_field() -> None:
    assert attributes(Match) - {"grade", "reference"} == set(TEXTS)
    assert attributes(Specimen) - {"why"} == set(TEXTS)
    assert attributes(Item) >= set(TEXTS)


def test_head_lists_are_lists_of_a_vendor_file() -> None:
    assert {field.head_list for field in HEAD_LISTS.values()} <= attributes(Vendor)
    assert all(pattern == f"@{field.head_list}" for pattern, field in HEAD_LISTS.items())


@pytest.mark.parametrize("field", TEXTS)
def test_an_item_is_made_of_all_texts(field: str) -> None:
    assert getattr(item_of("file", {"name": "x"} | {field: "y"}, {"purl": "p"}), field) == "y"


def test_exports_speak_of_these_fields() -> None:
    spoken = {field for table in osquery.TABLES.values() for field in table.columns}
    spoken |= {field for log in sigma._LOGS for field in log.fields}
    assert spoken <= BY_NAME.keys()
