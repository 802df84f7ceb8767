"""What is written as YAML, checked against PyYAML: two parsers of it must read what was meant."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from phaseout.export.yaml_text import Value, comment, yaml_text

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    TEXTS | st.integers(-(10**12), 10**12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
LOADERS: list[type] = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.mark.slow
@pytest.mark.parametrize("loader", LOADERS)
@given(value=VALUES, told=TEXTS)
def test_it_is_read_as_it_was_meant(loader: type, value: Value, told: str) -> None:
    assert yaml.load(comment(told) + yaml_text(value), loader) == value


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"a": [], "b": {}, "c": [[], [{}], [[1]]]},
        {"yes": "no", "1": "1", "": "", "~": "null", "a: b": "- x", "#": "# no comment", "<<": "<<", "*a": "&b"},
        {"key\nwith lines": "\x85\u2028\u2029\ufeff\x7f\x00", "\U0001f600": "\ud7ff\ue000"},
        ["0x1F", "1e3", "2024-09-29", "12:30:45", ".inf", "true", "? key", "%YAML", "---", "..."],
        {"a": {"b": [{"c": [1, "2"], "d": {"e": []}}, [{"f": "g"}]]}},
        "plain",
        7,
    ],
)
def test_what_yaml_reads_otherwise_without_quotes(value: Value) -> None:
    for loader in LOADERS:
        assert yaml.load(yaml_text(value), loader) == value


def test_keys_of_rules_stay_readable() -> None:
    assert yaml_text({"detection": {"Image|endswith": ["x"]}}) == 'detection:\n  "Image|endswith":\n    - "x"\n'
