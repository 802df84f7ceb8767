"""Names that stand for messages."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.browsers.extension_locales import is_message, message, nls


def messages(**entries: object) -> bytes:
    return json.dumps(entries).encode()


def test_message_without_regard_to_case() -> None:
    assert message("__MSG_AppName__", messages(appname={"message": "Kaspersky Protection"})) == "Kaspersky Protection"


def test_placeholders_are_filled() -> None:
    entry = {"message": "$Vendor$ costs $$5, $other$", "placeholders": {"vendor": {"content": "Lab"}}}
    assert message("__MSG_n__", messages(n=entry)) == "Lab costs $5, $other$"


@pytest.mark.parametrize("entry", ["text", None, 1, {"message": 5}, {"message": "$a$", "placeholders": 3}])
def test_what_is_no_message_stays(entry: object) -> None:
    assert message("__MSG_n__", messages(n=entry)) in ("__MSG_n__", "$a$")


def test_unknown_message_stays() -> None:
    assert message("__MSG_n__ x", b"{}") == "__MSG_n__ x"
    assert is_message("__MSG_n__ x")
    assert not is_message("__MSG_ n")


def test_nls_of_vs_code() -> None:
    data = messages(title="Python", other={"message": "Go", "comment": ["x"]}, wrong=[1])
    assert [nls(one, data) for one in ("%title%", "%other% tools", "%wrong%", "100 %")] == [
        "Python",
        "Go tools",
        "%wrong%",
        "100 %",
    ]


@given(st.text(max_size=40), st.binary(max_size=80))
@settings(max_examples=60)
def test_any_input_raises_value_errors_only(name: str, data: bytes) -> None:
    for resolve in (message, nls):
        try:
            resolve(name, data)
        except ValueError:
            continue


@given(
    st.from_regex(r"[A-Za-z0-9@]{1,10}", fullmatch=True),
    st.text(alphabet=st.characters(exclude_characters="$", exclude_categories=["Cs"]), max_size=20),
)
@settings(max_examples=60)
def test_every_message_is_found_again(key: str, said: str) -> None:
    found = message(f"__MSG_{key}__", json.dumps({key.upper(): {"message": said}}).encode())
    assert found == (" ".join(said.split()) if said else f"__MSG_{key}__")
