"""Jobs of the Task Scheduler before Windows Vista."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.job_file import job
from phaseout.parsers.windows.task_xml import Action

from tests.support.job_writer import old_job


def test_a_whole_job() -> None:
    found = job(old_job(r"C:\Program Files\Acme\upd.exe", "/ua", "Acme"))
    assert found.actions == (Action(r"C:\Program Files\Acme\upd.exe", "/ua"),)
    assert (found.author, found.enabled) == ("Acme", True)
    assert not job(old_job("x", disabled=True)).enabled


@pytest.mark.parametrize("size", [0, 10, 68, 70, 80])
def test_what_is_cut_off(size: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        job(old_job("a long name of a program")[:size])


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    for content in (data, old_job("x")[:70] + data):
        with suppress(ValueError):
            job(content)
