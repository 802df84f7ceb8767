"""Which program a command line runs."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.command_line import executable, words


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("/opt/kaspersky/kesl/bin/kesl-control --update", "/opt/kaspersky/kesl/bin/kesl-control"),
        ("LANG=C PATH=/bin /opt/x", "/opt/x"),
        ("env BAMF_DESKTOP_FILE_HINT=/var/x.desktop /snap/bin/foo %U", "/snap/bin/foo"),
        ("/usr/bin/env A=b /opt/x", "/opt/x"),
        ('"/opt/My App/run" %U', "/opt/My App/run"),
        (r"/opt/My\ App/run", "/opt/My App/run"),
        ("nice -n 10 ionice -c3 timeout 60s /opt/x", "/opt/x"),
        ("sudo -u /odd /opt/x", "/opt/x"),
        ("test -e /run/systemd/system || MODE=1 /usr/lib/x -a", "/usr/lib/x"),
        ("test -x /usr/sbin/anacron || ( cd / && run-parts /etc/cron.daily )", "/usr/sbin/anacron"),
        ("[ -x /usr/lib/php/clean ] && if [ ! -d /run/x ]; then /usr/lib/php/other; fi", "/usr/lib/php/clean"),
        ("if true; then /opt/x >/dev/null 2>&1; fi", "/opt/x"),
        ("command -v sa1 > /dev/null && sa1 1 1", ""),
        ("cd / && run-parts --report /etc/cron.hourly", ""),
        ("nice run-parts /etc/cron.daily", ""),
        ("vim %F", ""),
        ("", ""),
        ("'' \"", ""),
    ],
)
def test_executable(line: str, path: str) -> None:
    assert executable(line) == path


@given(st.text(alphabet=st.sampled_from("ab/ \t\n\\\"'$;&|()<>=-[é\x00"), max_size=200))
def test_any_text_is_read(line: str) -> None:
    assert executable(line)[:1] in ("", "/")


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8), max_size=5))
def test_quoted_words_come_back(written: list[str]) -> None:
    assert [word for word, _ in words(shlex.join(written))] == written
