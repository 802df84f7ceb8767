"""The page for the person who answers for a fleet: what it says, that nothing can run in it, and in a real browser."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from phaseout.fleet.assets import Asset, replace_assets
from phaseout.fleet.html_page import write_page
from phaseout.fleet.store import Store, opened

from tests.support.answers import START, answer
from tests.support.chromium import PROGRAM, Page
from tests.unit.fleet.test_hosts import add

NOW = dt.datetime.fromtimestamp(START + 20 * 86_400, dt.UTC)
HOSTILE = "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(str(tmp_path / "fleet.db"), make=True) as found:
        yield found


@pytest.fixture
def page(store: Store) -> str:
    """Of a fleet with each state in it."""
    hosts = [
        answer("bad", 19, uuid="11111111-2222-3333-4444-000000000001", products=("kes",)),
        answer("good", 18, uuid="11111111-2222-3333-4444-000000000002"),
        answer("half", 18, uuid="11111111-2222-3333-4444-000000000003", complete=False),
        answer("quiet", 1, uuid="11111111-2222-3333-4444-000000000004"),
        answer(HOSTILE, 19, uuid="11111111-2222-3333-4444-000000000005", products=(HOSTILE,)),
    ]
    add(store, hosts)
    names = ["bad", "good", "half", "quiet", "lost"]
    with store.changing():
        replace_assets(
            store, [Asset(name, "", "", "Lab", "", "", retired=False, line=line) for line, name in enumerate(names)]
        )
    return "".join(write_page(store, NOW, 14))


def test_it_says_each_number(page: str) -> None:
    text = re.sub(r"<[^>]*>|\s+", " ", page[page.index("<h1") :])
    text = re.sub(r" +", " ", text)
    assert "5 machines in the list: 1 must replace software, 0 need a decision. 60.0 % answered within 14 days;" in text
    assert "all 1 0 1 1 1 1 5" in text
    assert "1 more answered and are in no list." in text
    assert "1 are silent: quiet (2025-10-10)." in text
    assert "1 were never seen: lost." in text


def test_nothing_that_a_host_said_can_run(page: str) -> None:
    assert "<script>alert" not in page
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["#main"]
    assert "default-src 'none'" in page


def test_an_empty_fleet_has_a_page(store: Store) -> None:
    assert "No machine is known yet" in "".join(write_page(store, NOW, 14))


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
def test_the_list_is_searched_in_a_browser(page: str, tmp_path: Path) -> None:
    (tmp_path / "fleet.html").write_text(page)
    count = "document.querySelectorAll('#hosts-table tbody tr').length"
    with Page(tmp_path / "profile", tmp_path / "fleet.html") as tab:
        assert until(tab, f"{count} === 6")
        tab.run("document.querySelector('#tools input').focus()")
        tab.type("kes")
        assert until(tab, f"{count} === 1")
        assert tab.run("document.querySelector('#hosts-table tbody').textContent").startswith("bad")
        assert tab.complaints == []


def until(tab: Page, condition: str) -> bool:
    """Whether it comes true; the page unpacks its list, and searches a moment after a key."""
    look = f"(left) => ({condition}) ? done(true) : left ? setTimeout(look, 50, left - 1) : done(false)"
    return bool(tab.run(f"new Promise((done) => {{ const look = {look}; look(400); }})"))
