"""The top level of snap.yaml."""

import pytest
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


def test_unclosed_quotes_and_lists() -> None:
    assert fields("a: 'x\nb: \"y\nc: [1, 2\nd: " + "[" * 5000) == {"a": "x", "b": "y", "c": "1, 2", "d": "[" * 4999}


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
