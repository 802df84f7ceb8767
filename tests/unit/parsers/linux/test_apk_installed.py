"""Records of apk's database."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.apk_installed import packages


def test_fields_lines_and_damage() -> None:
    text = "C:Q1\nP:musl\nV:1.2\nF:lib\nR:P:x\n\n\n\nP:bash\r\nnonsense\r\np:cmd:bash=5\n"
    assert list(packages(text)) == [
        (1, {"C": "Q1", "P": "musl", "V": "1.2"}),
        (9, {"P": "bash", "": "nonsense", "p": "cmd:bash=5"}),
    ]


@given(st.text(alphabet=st.sampled_from("PVFf: \n\r"), max_size=60))
def test_any_text_gives_records_at_lines_that_exist(text: str) -> None:
    lines = text.replace("\r\n", "\n").split("\n")
    for line, fields in packages(text):
        assert fields
        assert lines[line - 1]


letter = st.sampled_from("CPVASITULomtcDpir")
value = st.text(alphabet=st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(st.lists(st.dictionaries(letter, value, min_size=1), max_size=5))
def test_round_trip(records: list[dict[str, str]]) -> None:
    text = "\n".join("".join(f"{key}:{each}\n" for key, each in one.items()) + "F:etc\nR:passwd\n" for one in records)
    assert [fields for _, fields in packages(text)] == records
