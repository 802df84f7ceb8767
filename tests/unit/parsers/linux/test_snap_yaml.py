"""The top level of snap.yaml."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.snap_yaml import fields

SNAP = r"""# written by snapcraft
name: kesl
version: '12.1 ''LTS'''
title: "Kaspersky \u00ae \"Endpoint\"" # quoted
summary: plain text # comment
description: |
  name: not this
  version: 0
architectures:
- amd64
- "arm64"
assumes: [snapd2.55, 'common-data-dir']
apps:
  kesl:
    command: bin/kesl
    plugs:
    - network
empty:
grade: stable
"""


def test_scalars_lists_and_what_is_deeper() -> None:
    assert fields(SNAP) == {
        "name": "kesl",
        "version": "12.1 'LTS'",
        "title": 'Kaspersky ® "Endpoint"',
        "summary": "plain text",
        "description": "",
        "architectures": "amd64, arm64",
        "assumes": "snapd2.55, common-data-dir",
        "apps": "",
        "empty": "",
        "grade": "stable",
    }


@pytest.mark.parametrize("text", ["asdf\nlkjh\n", "", "\0\0", "- a\n- b\n", "  name: x\n", "name:x\n"])
def test_what_has_no_field(text: str) -> None:
    assert fields(text) == {}


@pytest.mark.slow
def test_unclosed_quotes_and_lists() -> None:
    assert fields("a: 'x\nb: y") == {"a": "x b: y"}
    assert fields("a: [1, 2\nb: " + "[" * 5000)["a"].startswith("1, 2")
    many = fields("a: 'x\n" + "b: y\n" * 100_000 + "c: z\n")
    assert (many["b"], many["c"]) == ("y", "z")


@given(st.text(alphabet=st.sampled_from("ab:-'\"[]\\ \n#|u0"), max_size=60))
def test_any_text(text: str) -> None:
    assert all(key in text for key in fields(text))


plain = st.text(alphabet=st.characters(categories=("Ll", "Lu", "Nd")), min_size=1, max_size=8)


@given(st.dictionaries(st.from_regex(r"[a-z-]{1,8}", fullmatch=True), st.text(max_size=12)))
def test_quoted_scalars_round_trip(values: dict[str, str]) -> None:
    values = {key: value for key, value in values.items() if value.isprintable()}
    assert (
        fields("".join(f"{key}: '{value.replace(chr(39), chr(39) * 2)}'\n" for key, value in values.items())) == values
    )


def joined(value: object) -> str:
    """What is expected of a value as PyYAML reads it."""
    if isinstance(value, list):
        return ", ".join(one for one in value if isinstance(one, str) and one)
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffname: kesl\nversion: 1\n",
        "---\n\"name\": kesl\n'version' : 1\n...\n",
        "summary: one\n  two\n\n  three # comment\nname: x\n",
        "summary: 'one\n  two'\ntitle: \"a\\\n   b\"\n",
        "assumes: []\narchitectures: [ 'a,b', c ,\"d\" ]\n",
        "architectures: [amd64,  # first\n  arm64,\n]\nname: x\n",
        "architectures:\n  # none yet\n  - &a amd64\n  - arm64\nbase: &b core22\nold: *b\n",
        "version: !!str 1.10\nname: a:b\nurl: http://x/#y\nempty: ~\n",
        "apps:\n  x: y\nplugs: {a: b}\nlayout:\n- a: b\n- c\n",
        "-x: 1\n?y: 2\n",
    ],
)
def test_agrees_with_pyyaml(text: str) -> None:
    assert fields(text) == {key: joined(value) for key, value in yaml.load(text, Loader=yaml.BaseLoader).items()}


keys = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=10)
# What YAML 1.1 takes for the end of a line, and YAML 1.2 does not.
words = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\r"), max_size=30)


@given(
    values=st.dictionaries(keys, words | st.lists(words, max_size=4), max_size=4),
    style=st.sampled_from([None, "'", '"']),
    width=st.sampled_from([10, 20, 80]),
    readable=st.booleans(),
)
def test_reads_whatever_pyyaml_writes(
    values: dict[str, str | list[str]],
    style: str | None,
    width: int,
    readable: bool,
) -> None:
    text = yaml.safe_dump(values, default_style=style, width=width, allow_unicode=readable, sort_keys=False)
    assert fields(text) == {key: joined(value) for key, value in values.items()}
