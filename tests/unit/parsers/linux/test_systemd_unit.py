"""Settings, continuation, resets, quoting and specifiers of unit files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.systemd_unit import command, executable, settings


def test_settings_of_a_unit() -> None:
    text = (
        "# a comment\n[Unit]\nDescription=Kaspersky Endpoint Security\r\n; another\n\n[Service]\n"
        "ExecStart = /opt/x --one \\\n# in between\n   --two\nExecStart=/opt/y\nno setting\n"
        "[Install]\nWantedBy=a.target\n"
    )
    assert settings(text) == {
        ("Unit", "Description"): ["Kaspersky Endpoint Security"],
        ("Service", "ExecStart"): ["/opt/x --one  --two", "/opt/y"],
        ("Install", "WantedBy"): ["a.target"],
    }


def test_empty_value_throws_away_those_before() -> None:
    assert settings("[Service]\nExecStart=/a\nExecStart=\nExecStart=/b")["Service", "ExecStart"] == ["/b"]


def test_doubled_backslash_at_the_end_continues_nothing() -> None:
    assert settings("[A]\nx=1\\\\\ny=2") == {("A", "x"): ["1\\\\"], ("A", "y"): ["2"]}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("/usr/bin/kesl --daemon", "/usr/bin/kesl"),
        ("-@/usr/bin/kesl kesl", "/usr/bin/kesl"),
        ("!!/usr/bin/kesl", "/usr/bin/kesl"),
        ("|:+/usr/bin/kesl", "/usr/bin/kesl"),
        ('"/opt/My App/run" x', "/opt/My App/run"),
        ("'-/opt/My App/run'", "/opt/My App/run"),
        (r"/opt/My\x20App/run x", "/opt/My App/run"),
        (r"/opt/My\sApp/\101", "/opt/My App/A"),
        ("/opt/%p/%i", "/opt/getty/tty1"),
        ("/opt/%%/%z", "/opt/%/%z"),
        ("kesl --daemon", ""),
        ("", ""),
        ('"', ""),
        (r"/a\Uffffffff", r"/a\Uffffffff"),
    ],
)
def test_executable(value: str, path: str) -> None:
    assert executable(value, {"%": "%", "p": "getty", "i": "tty1"}) == path


def test_command_is_shown_without_prefixes() -> None:
    assert command("-@/usr/bin/kesl kesl -x") == "/usr/bin/kesl kesl -x"


@given(st.text(alphabet=st.sampled_from("[]=#;\\\n\r\t \"'%x0aU/é-@A\x00"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    for values in settings(text).values():
        for value in values:
            assert value == value.strip() != ""
    assert executable(text, {})[:1] in ("", "/")


@pytest.mark.slow
@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True),
        st.lists(st.from_regex(r"[a-z/][a-z /=\[#]{0,10}[a-z]", fullmatch=True), min_size=1, max_size=3),
        max_size=4,
    )
)
def test_what_is_written_is_read(written: dict[str, list[str]]) -> None:
    lines = [f"{key}={value}" for key, values in written.items() for value in values]
    assert settings("[Service]\n" + "\n".join(lines)) == {("Service", key): values for key, values in written.items()}
