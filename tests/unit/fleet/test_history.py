"""What the answers of a host say of the time between them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from phaseout.fleet.history import GAP, Facts, history, outcomes_of, packed, runs_of, unpacked

DAY = 86_400
CLEAN, KES, OTHER_RULES, UNSEEN, KES_LEFT = range(5)
FACTS = {
    CLEAN: Facts((2, "", b"c"), "clean", True, "r1", "", {}),
    KES: Facts((2, "", b"k"), "replace", True, "r1", "", {"kes": 7}),
    OTHER_RULES: Facts((2, "", b"o"), "replace", True, "r2", "", {"kes": 7}),
    UNSEEN: Facts((2, "", b"u"), "incomplete", False, "r1", "", {}),
    KES_LEFT: Facts((2, "", b"l"), "replace", True, "r1", "", {"kes": 8}),
}


def test_a_product_comes_and_goes() -> None:
    found = history([(0, CLEAN), (DAY, KES), (2 * DAY, KES), (3 * DAY, CLEAN)], FACTS)
    assert [(one.verdict, one.since, one.until) for one in found.spans] == [
        ("clean", 0, 0),
        ("replace", DAY, 2 * DAY),
        ("clean", 3 * DAY, 3 * DAY),
    ]
    assert [tuple(one) for one in found.held] == [(7, DAY, 2 * DAY, 3 * DAY, DAY, "new")]


def test_an_answer_that_has_not_seen_everything_ends_nothing() -> None:
    found = history([(0, KES), (DAY, UNSEEN), (2 * DAY, KES)], FACTS)
    assert [(one.until, one.ended) for one in found.held] == [(2 * DAY, None)]
    assert [(one.until, one.ended) for one in history([(0, KES), (DAY, UNSEEN)], FACTS).held] == [(0, None)]


def test_what_had_been_gone_is_again_there() -> None:
    found = history([(0, KES), (DAY, CLEAN), (2 * DAY, KES)], FACTS)
    assert [one.origin for one in found.held] == ["first", "again"]


def test_what_newer_rules_find_is_no_regression() -> None:
    found = history([(0, KES), (DAY, CLEAN), (2 * DAY, OTHER_RULES)], FACTS)
    assert [one.origin for one in found.held] == ["first", "new_rules"]


def test_after_an_incomplete_answer_nobody_knows_since_when() -> None:
    assert [one.origin for one in history([(0, UNSEEN), (DAY, KES)], FACTS).held] == ["unknown"]


def test_another_state_of_the_product_keeps_its_beginning() -> None:
    found = history([(0, KES), (DAY, KES_LEFT)], FACTS)
    assert [(one.subject, one.since, one.ended, one.first) for one in found.held] == [
        (7, 0, DAY, 0),
        (8, DAY, None, 0),
    ]


def test_a_gap_parts_a_span() -> None:
    found = history([(0, CLEAN), (GAP, CLEAN), (2 * GAP + 1, CLEAN)], FACTS)
    assert [(one.since, one.until) for one in found.spans] == [(0, GAP), (2 * GAP + 1, 2 * GAP + 1)]


def test_of_one_scan_the_fuller_form_counts() -> None:
    facts = {**FACTS, 9: Facts((1, "", b"z"), "replace", False, "r1", "", {"kes": 7})}
    found = history([(0, 9), (0, KES)], facts)
    assert ([one.outcome for one in found.spans], found.contradicts) == ([KES], False)
    assert history([(0, CLEAN), (0, KES)], FACTS).contradicts


@given(st.lists(st.tuples(st.integers(0, 60 * DAY), st.sampled_from(sorted(FACTS))), min_size=1, max_size=30))
def test_spans_partition_time_and_products_do_not_overlap(moments: list[tuple[int, int]]) -> None:
    found = history(sorted(moments), FACTS)
    assert all(one.since <= one.until for one in found.spans)
    assert all(one.until < other.since for one, other in pairwise(found.spans))
    in_order = sorted(found.held, key=lambda one: one.since)
    for one, other in pairwise(in_order):
        assert one.ended is not None
        assert one.until <= one.ended <= other.since


@given(st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=400).map(sorted))
def test_times_and_outcomes_are_packed_without_loss(times: list[int]) -> None:
    assert unpacked(packed(times)) == times
    outcomes = [time % 3 for time in times]
    assert list(outcomes_of(runs_of(outcomes))) == outcomes
