"""Lines of the three forms of crontabs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.crontab import Form, Job, lines


def test_crontab_of_the_system() -> None:
    text = (
        '# comment\n\nSHELL=/bin/sh\nMAILTO = ""\n*/5 1-7 * jan mon,tue root A=b /opt/x --a=1\n'
        "@reboot kluser /opt/y\nnonsense\n* * * * root\n"
    )
    assert list(lines(text, "system")) == [
        (1, "a comment"),
        (3, "a setting"),
        (4, "a setting"),
        (5, Job("*/5 1-7 * jan mon,tue", "root", "A=b /opt/x --a=1")),
        (6, Job("@reboot", "kluser", "/opt/y")),
        (7, "damaged"),
        (8, "damaged"),
    ]


def test_crontab_of_a_user_ends_at_percent() -> None:
    assert list(lines("1 2 3 4 5 date +\\%F > x%mail body\n@daily /opt/y", "user")) == [
        (1, Job("1 2 3 4 5", "", "date +%F > x")),
        (2, Job("@daily", "", "/opt/y")),
    ]


def test_anacrontab() -> None:
    text = "START_HOURS_RANGE=3-22\n1\t5\tcron.daily\tnice run-parts /etc/cron.daily\n@monthly 45 m /opt/x\n1 x y /z"
    assert list(lines(text, "anacron")) == [
        (1, "a setting"),
        (2, Job("1", "", "nice run-parts /etc/cron.daily", "cron.daily")),
        (3, Job("@monthly", "", "/opt/x", "m")),
        (4, "damaged"),
    ]


@pytest.mark.parametrize("form", ["user", "system", "anacron"])
@given(text=st.text(alphabet=st.sampled_from("*/1,-@ \t\n#=%\\a\"'é\x00"), max_size=200))
def test_every_line_is_accounted_for(form: Form, text: str) -> None:
    found = list(lines(text, form))
    assert [number for number, _ in found] == [n for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    assert all(isinstance(job, Job) or job in ("a comment", "a setting", "damaged") for _, job in found)
