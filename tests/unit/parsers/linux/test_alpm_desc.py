"""Pacman's desc files."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.alpm_desc import fields


def test_sections_and_damage() -> None:
    text = "%NAME%\ngmp\n\n%LICENSE%\r\nLGPL3\nGPL\n\n\n%SHA256SUM%\n\n%VERSION%\n1-2\n\nstray\n%BASE%\nx\n\n%\n"
    assert fields(text) == {
        "NAME": "gmp",
        "LICENSE": "LGPL3\nGPL",
        "SHA256SUM": "",
        "VERSION": "1-2",
        "": "%",
    }


@given(st.text(alphabet=st.sampled_from("%AB a\n\r"), max_size=60))
def test_any_text_gives_fields(text: str) -> None:
    for name, value in fields(text).items():
        assert name == "" or name.isupper()
        assert value == value.strip()


word = st.text(alphabet=st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(st.dictionaries(st.sampled_from(["NAME", "VERSION", "LICENSE", "URL"]), st.lists(word, min_size=1, max_size=3)))
def test_round_trip(sections: dict[str, list[str]]) -> None:
    text = "".join(f"%{name}%\n" + "\n".join(lines) + "\n\n" for name, lines in sections.items())
    assert fields(text) == {name: "\n".join(lines) for name, lines in sections.items()}
