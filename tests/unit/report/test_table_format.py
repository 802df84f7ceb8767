"""The table that a person reads."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.findings import Applies
from phaseout.model.nouns import Item, Unseen
from phaseout.model.rules import Force
from phaseout.report import Detail, Page
from phaseout.report.columns import cell_width
from phaseout.report.table_format import write_inventory, write_report

from tests.unit.report.conftest import make_inventory, make_report


@pytest.mark.parametrize("width", range(40, 201, 4))
@pytest.mark.parametrize("detail", get_args(Detail))
def test_fits_the_terminal(width: int, detail: Detail, denied: tuple[Unseen, ...]) -> None:
    report = make_report(unseen=denied, name="卡巴斯基安全软件👩❤\ufe0f")
    text = "".join(write_report(report, Page(width, detail=detail)))
    assert max(map(cell_width, text.splitlines())) <= width
    inventory = "".join(write_inventory(make_inventory(name="卡巴斯基" * 9), Page(width, detail=detail)))
    assert max(map(cell_width, inventory.splitlines())) <= width


def test_what_must_be_replaced_and_how_late_it_is() -> None:
    text = "".join(write_report(make_report(), Page(80)))
    assert text.startswith("ada-laptop: 1 product should be replaced; the first date passed 783 days ago")
    assert "REPLACE" in text
    assert "783 days past" in " ".join(text.split())


@pytest.mark.parametrize(
    ("applies", "force", "headline", "line"),
    [
        ("reaches", "binding", "1 product should be replaced", ""),
        ("binds", "binding", "1 product must be replaced", "binds a reseller: sell none"),
        ("binds", "advisory", "1 product must be replaced", "advises a reseller: sell none"),
    ],
)
def test_only_who_is_bound_must(applies: Applies, force: Force, headline: str, line: str) -> None:
    report = make_report()
    (first, *others) = report.findings[0].measures
    role = {"role": "us_reseller", "role_title": "a reseller", "duty": "sell none"} if applies == "binds" else {}
    bound = msgspec.structs.replace(first, applies=applies, force=force, **role)
    finding = msgspec.structs.replace(report.findings[0], measures=(bound, *others))
    text = "".join(write_report(msgspec.structs.replace(report, findings=(finding,)), Page(200)))
    assert headline in text.splitlines()[0]
    assert line in text


def test_findings_first_then_seen_then_unseen(denied: tuple[Unseen, ...]) -> None:
    text = "".join(write_report(make_report(unseen=denied), Page(200)))
    assert text.index("REPLACE") < text.index("Replace it.") < text.index("Seen: 2 items") < text.index("Not seen:")
    assert "To see it: run as root." in text
    assert "About the rules: us-commerce: was to be reviewed" in text


def test_quiet_is_the_verdict_alone_and_verbose_leaves_nothing_out() -> None:
    report = make_report()
    assert "".join(write_report(report, Page(200, detail="verdict"))).count("\n") == 1
    assert "dpkg" not in "".join(write_report(report, Page(200)))
    assert "dpkg    ok     2" in "".join(write_report(report, Page(200, detail="all")))


def test_one_line_for_each_reason_and_what_helps() -> None:
    denied = tuple(
        Unseen(f"Source {at}", f"/root/{at}: permission denied", "run as root", cause="permission") for at in range(9)
    )
    text = "".join(write_report(make_report(unseen=denied), Page(200)))
    assert "Not seen: 9 parts, access was denied. To see them: run as root." in text
    assert "  Source 0, Source 1, Source 2, Source 3, Source 4, and 4 more." in text
    assert "Source 8: /root/8: permission denied." in "".join(
        write_report(make_report(unseen=denied), Page(200, detail="all"))
    )


@pytest.mark.parametrize(("found", "colour"), [(True, "1;31"), (False, "35")])
def test_a_colour_means_one_thing(found: bool, colour: str, denied: tuple[Unseen, ...]) -> None:
    text = "".join(write_report(make_report(found=found, unseen=denied), Page(200, colour=True)))
    assert text.startswith(f"\x1b[{colour}mada-laptop: ")
    assert "\x1b[35mNot seen:\x1b[0m" in text
    assert text.count("\x1b[32m") == 0, "green is for what is complete"


def test_clean_and_incomplete_are_said(denied: tuple[Unseen, ...]) -> None:
    assert "nothing found; the one source for Debian GNU/Linux complete." in "".join(
        write_report(make_report(found=False), Page())
    )
    assert "nothing found, but not everything was seen." in "".join(
        write_report(make_report(found=False, unseen=denied), Page())
    )


@given(st.text(max_size=40))
def test_no_name_moves_the_cursor(name: str) -> None:
    text = "".join(write_report(make_report(name=name), Page()))
    assert all(char == "\n" or char.isprintable() or char.isspace() for char in text)
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("count", [5, 6, 3000])
def test_no_number_or_length_of_versions_fills_the_screen(count: int) -> None:
    replace = msgspec.structs.replace
    (finding,) = make_report().findings
    items = tuple(
        Item(kind="package", name="k", version=f"{number}{'v' * 8000}", path=f"/{'p' * 8000}")
        for number in range(count)
    )
    long = replace(finding, product="P" * 8000, items=items, because=("",) * count)
    _, table, *_ = "".join(write_report(replace(make_report(), findings=(long,)), Page(80))).split("\n\n")
    assert [number for number in range(8) if f"{number}v" in table] == list(range(5))
    assert ("more" in table) == (count > 5)
    assert len(table) < 20_000


def test_a_few_versions_are_all_shown() -> None:
    replace = msgspec.structs.replace
    (finding,) = make_report().findings
    items = tuple(Item(kind="package", name="k", version=f"1.{number % 5}") for number in range(9))
    few = replace(finding, items=items, because=("",) * 9)
    text = "".join(write_report(replace(make_report(), findings=(few,)), Page(200)))
    assert "1.0, 1.1, 1.2, 1.3, 1.4  running" in text


def test_no_product_of_foreign_rules_moves_the_cursor() -> None:
    (finding,) = make_report().findings
    named = msgspec.structs.replace(finding, product="A\x1b[31m\u202eB")
    text = "".join(write_report(msgspec.structs.replace(make_report(), findings=(named,)), Page(200)))
    assert r"A\x1b[31m\u202eB" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
