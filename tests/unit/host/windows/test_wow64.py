"""A 32-bit program on 64-bit Windows: here there is none, so what Windows would answer is put in."""

from collections.abc import Callable
from typing import Any

from phaseout.host.windows.wow64 import NOTE, TROUBLE

LIVE = """
import phaseout.host.windows.opening as windows
from phaseout.host.windows.wow64 import redirected
from phaseout.host.opening import live_host
usual = live_host()
told = [redirected(), usual.info.notes]
for agrees in (True, False):
    windows.redirected, windows.see_everything = lambda: True, lambda: agrees
    host = live_host()
    told += [host.info.notes, [problem.why for problem in host.registry.problems]]
tell(told)
"""


def test_redirection_is_reported_and_its_failure_is_a_problem(on_windows: Callable[..., Any]) -> None:
    is_redirected, usual, agreed, no_trouble, refused, trouble = on_windows(LIVE)
    assert (is_redirected, usual) == (False, [])
    assert agreed == refused == [NOTE]
    assert TROUBLE not in no_trouble
    assert TROUBLE in trouble
