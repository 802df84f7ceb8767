"""Spellings that must meet, and spellings that must not."""

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from phaseout.parsers.encodings.code_pages import repaired
from phaseout.rules.normalise import file_names, legal_form, normal, path, vendor, words


@pytest.mark.parametrize(
    "spelling",
    [
        "Kaspersky Lab",
        "KASPERSKY  LAB",
        "Kaspersky® Lab™",
        "Ｋａｓｐｅｒｓｋｙ Ｌａｂ",  # full width
        "Kas\u200bper\u00adsky\u2060 Lab",  # zero width space, soft hyphen, word joiner
        "K\u0430sp\u0435rsky L\u0430b",  # Cyrillic letters
        "Ka\u0301spersky Lab\u0302",  # combining marks
        "\u202ebaL yksrepsaK\u202c",  # right to left override
        "Kaspersky\u00a0Lab",  # no-break space
    ],
)
def test_disguises_fall_together(spelling: str) -> None:
    assert normal(spelling) == "kaspersky lab"


@pytest.mark.parametrize(
    "name",
    [
        "AO Kaspersky Lab",
        "Kaspersky Lab ZAO",
        "Kaspersky Lab, Inc.",
        "KASPERSKY LAB LLC",
        "АО Kaspersky Lab",  # in Cyrillic
        "Kaspersky Lab Co., Ltd.",
    ],
)
def test_legal_forms_are_folded(name: str) -> None:
    assert vendor(name) == "kaspersky lab"


def test_what_is_only_a_legal_form_stays() -> None:
    assert vendor("Inc.") == "inc"
    assert vendor("Baidu.com, Inc.") == "baidu com"
    assert vendor("Esempio S.p.A.") == vendor("Esempio SpA") == "esempio"
    assert vendor("Example L.L.C.") == "example"
    assert vendor("Kaspersky Labs Limited") == "kaspersky labs"
    assert vendor("Лаборатория Касперского") == vendor("ЛАБОРАТОРИЯ КАСПЕРСКОГО")
    assert vendor("Лаборатория Касперского") != ""


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Example", ""),
        ("Example Co., Ltd.", "ltd"),
        ("Example Company Limited", "ltd"),
        ("Example Pte. Ltd.", "ltd"),
        ("Example, Inc.", "inc"),
        ("Example Corporation", "inc"),
        ("Example GmbH", "gmbh"),
        ("Example S.p.A.", "spa"),
        ("ООО Example", "ao"),
        ("Example ZAO", "ao"),
        ("Inc.", ""),  # nothing else is in the name
    ],
)
def test_spellings_of_a_legal_form_are_one(name: str, form: str) -> None:
    assert legal_form(name) == form


def test_a_file_is_named_with_and_without_its_ending() -> None:
    assert file_names("klnagent.exe", "process") == ("klnagent",)
    assert file_names("klnagent", "process") == ("klnagent.exe",)
    assert file_names("klif", "driver") == ("klif.sys",)
    assert file_names("klnagent", "service") == ()  # no file
    assert (
        file_names("et.exe", "process") == file_names("wps", "process") == ()
    )  # too short to mean anything without it


def test_short_names_of_the_folders_of_windows() -> None:
    assert path(r"C:\PROGRA~1\COMMON~1\Acronis\x.exe") == "c:/program files/common files/acronis/x.exe"
    assert path(r"C:\PROGRA~2\KASPER~1\avp.exe") == "c:/program files (x86)/kasper~1/avp.exe"
    assert path(r"C:\PROGRA~3\DatacardService") == "c:/programdata/datacardservice"
    assert path("/opt/progra~9/x") == "/opt/progra~9/x"


def test_words_are_cut_at_everything_else() -> None:
    assert words(r"c:/program files/kaspersky lab/avp_21.3.exe") == [
        *(b"c", b"program", b"files", b"kaspersky", b"lab", b"avp", b"21", b"3", b"exe"),
    ]
    assert words("卡巴斯基 反病毒") == ["卡巴斯基".encode(), "反病毒".encode()]


@given(st.text(max_size=80))
@example("Æ\x80\x80")  # in lower case it is what a wrong code page makes of an ideograph
@example("ÐÐÐÐ")
def test_normal_is_final(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert words(normal(text)) == words(text)


@given(st.text(max_size=80))
def test_vendor_is_final(text: str) -> None:
    assert vendor(vendor(text)) == vendor(text)


@pytest.mark.slow
def test_a_million_accents_and_the_widest_character() -> None:
    """Normalisation sorts a row of accents in quadratic time, and makes eighteen characters of U+FDFA."""
    assert normal("a" + "\u0301\u0327" * 500_000 + "b") == "ab"
    assert normal("a" + "\U0001d16d" * 500_000 + "\u1b44" * 500_000 + "b") == "ab"
    assert normal("ⅳ" * 1000) == "iv" * 1000
    assert len(normal("\ufdfa" * 1_000_000)) <= 1 << 12


@given(st.text(alphabet=st.characters(categories=("Mn", "Mc", "Ll", "Lu", "Cf", "Lo")), max_size=20))
@example("ÂŠ")
@example("Ãª")
def test_accents_may_go_before_or_after_normalisation(text: str) -> None:
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold()
    accents = {char for char in folded if unicodedata.category(char) in ("Mn", "Me", "Cf")}
    bare = "".join(char for char in folded if char not in accents and not unicodedata.combining(char))
    assume(repaired(text) == text and repaired(bare) == bare)  # Ãª is not A with a tilde but ê in the wrong code page
    assert normal(text.replace("\u202e", "")) == normal(bare.replace("\u202e", ""))
