"""Key files: groups, localised keys, escapes, and damage."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.encodings.keyfile import sections, unescaped

ENTRY = """\
\ufeff# a comment
[Desktop Entry]
Name = Kaspersky
Name[ru]=Касперский
Exec=/opt/a/b --flag=1 %U\r
# Name=no
[Desktop Action New]
Name=New
[Desktop Entry]
Name=Kaspersky Endpoint
"""


def test_groups_keys_and_locales() -> None:
    assert sections(ENTRY) == {
        "Desktop Entry": {
            "Name": "Kaspersky Endpoint",
            "Name[ru]": "Касперский",
            "Exec": "/opt/a/b --flag=1 %U",
        },
        "Desktop Action New": {"Name": "New"},
    }


def test_damage_is_kept_under_the_empty_key() -> None:
    assert sections("Name=early\n[Broken\n[A]\nno key here\n=value\nb=\n") == {
        "": {"Name": "early", "": "[Broken"},
        "A": {"": "=value", "b": ""},
    }


def test_escapes() -> None:
    assert unescaped(r"a\sb\\n\nc\;") == "a b\\n\nc\\;"


@given(st.text(alphabet=st.sampled_from("[]=#a \n\r\\\ufeff"), max_size=60))
def test_any_text_gives_groups(text: str) -> None:
    for group, keys in sections(text).items():
        assert "\n" not in group
        assert all("\n" not in key + value for key, value in keys.items())


name = st.text(alphabet=st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(st.dictionaries(name, st.dictionaries(name, name, max_size=4), max_size=4))
def test_round_trip(groups: dict[str, dict[str, str]]) -> None:
    text = "".join(
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) for group, keys in groups.items()
    )
    assert sections(text) == groups


@given(st.text(max_size=40))
def test_escaping_what_was_unescaped_round_trips(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    assert unescaped(escaped) == text
