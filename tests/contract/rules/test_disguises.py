"""The shipped rules see through spellings, and know the vendor's native names."""

import unicodedata

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.model.nouns import Item
from phaseout.rules.matcher import Matcher

CYRILLIC = str.maketrans("aeopcyx", "аеорсух")
GREEK = str.maketrans("aok", "αοκ")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(read_rules())


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else "\u3000" for char in text)


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Kaspersky Free", "AO Kaspersky Lab"),
        ("KASPERSKY FREE", "KASPERSKY LAB AO"),
        ("Kaspersky Free".translate(CYRILLIC), "AO Kaspersky Lab".translate(CYRILLIC)),
        ("Kaspersky Free".translate(GREEK), "Kaspersky Lab".translate(GREEK)),
        (full_width("Kaspersky Free"), full_width("AO Kaspersky Lab")),
        ("\u200b".join("Kaspersky Free"), "\u200d".join("AO Kaspersky Lab")),
        ("K\u0301a\u0300spersky\u0302 Free", "AO Kaspersky\u0308 Lab"),
        ("\u202eeerF yksrepsaK\u202c", "\u202ebaL yksrepsaK OA"),
        (unicodedata.normalize("NFKD", "Kaspersky® Free™"), "AO Kaspersky Lab"),
    ],
)
def test_every_spelling_is_seen(matcher: Matcher, name: str, vendor: str) -> None:
    hits = matcher.match([Item(kind="program", name=name, vendor=vendor)])
    assert [(hit.product.id, hit.confidence) for hit in hits] == [("kaspersky-home-windows", "likely")]


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Антивирус Касперского", "АО «Лаборатория Касперского»"),
        ("Агент администрирования Kaspersky Security Center", "АО «Лаборатория Касперского»"),
        ("卡巴斯基安全软件", "AO Kaspersky Lab"),
    ],
)
def test_native_names(matcher: Matcher, name: str, vendor: str) -> None:
    hits = matcher.match([Item(kind="program", name=name, vendor=vendor)])
    assert hits
    assert all(hit.vendor.id == "kaspersky" for hit in hits)
