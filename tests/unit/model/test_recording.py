"""What a source gives: counted, bounded, and what was not seen because of it."""

import sys

from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, SourceRun
from phaseout.model.recording import (
    PROBLEMS,
    Recorder,
    SharedTexts,
    in_order,
    memory_of,
    nothing_shown,
    unseen_parts,
)


def test_rows_are_accounted_for() -> None:
    recorder = Recorder("dpkg", most=2)
    recorder.count += 2
    assert recorder.full
    recorder.left_out(LeftOut("damaged"))
    recorder.left_out(LeftOut("damaged", 2))
    run = recorder.run(seconds=0.5)
    assert (run.rows, run.items, run.left_out, run.status, run.seconds) == (5, 2, {"damaged": 3}, "ok", 0.5)


def test_what_hides_nothing_leaves_a_source_complete() -> None:
    recorder = Recorder("uninstall")
    recorder.problem(Problem("a", "no date", "damaged", hides=False))
    assert recorder.run().status == "ok"
    recorder.problem(Problem("b", "damaged", "damaged"))
    assert recorder.run().status == "partial"
    assert recorder.run("it crashed").status == "failed"


def test_many_items_share_what_they_have_in_common() -> None:
    def item(number: int) -> Item:
        made = f"maker {number % 2}"
        place = f"/var/lib/{number % 2}"
        return Item(
            kind="package", name=f"p{number}", vendor=made, details={"arch": made}, evidence=(Evidence(place, "p"),)
        )

    texts = SharedTexts()
    items = [texts.within(item(number)) for number in range(6_000)]
    assert items == [item(number) for number in range(6_000)]
    late, later = items[-3], items[-1]
    assert late.vendor is later.vendor is later.details["arch"]
    assert late.details is later.details
    assert late.evidence[0].where is later.evidence[0].where


_WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(
    fields=st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "vendor", "version", "path", "command"), _WORDS)),
    details=st.dictionaries(_WORDS, _WORDS, max_size=20),
    evidence=st.lists(st.builds(Evidence, _WORDS, _WORDS), max_size=20),
    notes=st.lists(_WORDS, max_size=3),
)
def test_an_item_takes_no_more_memory_than_is_counted(
    fields: dict[str, str], details: dict[str, str], evidence: list[Evidence], notes: list[str]
) -> None:
    """As CPython counts it, with the sixteen bytes that its garbage collector puts before each structure."""
    item = Item(
        **{"kind": "file", "name": "", **fields},  # type: ignore[arg-type]
        ids={"purl": "p"},
        details=details,
        evidence=tuple(evidence),
        notes=tuple(notes),
    )
    texts = [
        *fields.values(),
        "p",
        *details.values(),
        *notes,
        *(text for one in evidence for text in (one.where, one.what)),
    ]
    parts = [item, item.ids, item.details, item.evidence, item.notes, *evidence, *texts]
    taken = sum(sys.getsizeof(part) for part in parts if part) + 16 * (3 + len(evidence))
    assert taken <= memory_of(item, sum(map(len, texts)))


def test_problems_are_bounded_and_counted_once() -> None:
    recorder = Recorder("dpkg")
    for number in range(PROBLEMS + 50):
        recorder.problem(Problem(f"line {number}", "odd", "damaged", hides=False))
        recorder.problem(Problem("line 0", "odd", "damaged", hides=False))
    run = recorder.run()
    assert len(run.problems) == PROBLEMS + 1
    assert run.problems[-1].why == "50 further problems of this source: not listed"
    assert run.status == "partial"  # one of those may hide something


def test_what_was_not_seen_is_grouped_by_cause_and_remedy() -> None:
    problems = (
        Problem("/a", "denied", "permission"),
        Problem("/b", "odd", "damaged"),
        Problem("/c", "denied", "permission"),
        Problem("/d", "no icon", "damaged", hides=False),
        Problem("/e", "odd", "damaged", remedy="ask its maker"),
        Problem("/nix", "not read", "unsupported", remedy="look there"),
        Problem("/guix", "not read", "unsupported", remedy="look there"),
    )
    parts = list(unseen_parts("Packages", problems, {"permission": "run as root"}, source="s", kinds=("package",)))
    assert [(part.what, part.why, part.remedy, part.cause) for part in parts] == [
        ("Packages", "/a: denied and 1 more", "run as root", "permission"),
        ("Packages", "/b: odd", "", "damaged"),
        ("Packages", "/e: odd", "ask its maker", "damaged"),
        ("/nix", "not read", "look there", "unsupported"),
        ("/guix", "not read", "look there", "unsupported"),
    ]
    assert {(part.source, part.kinds) for part in parts} == {("s", ("package",))}


def test_nothing_shown_is_never_clean() -> None:
    run, item = SourceRun(source="dpkg", status="ok"), Item(kind="package", name="a")
    assert not list(nothing_shown([run], [item], ""))
    assert [one.why for one in nothing_shown([], [], "r")] == ["no source was read"]
    assert [one.why for one in nothing_shown([run], [], "r")] == ["nothing of any kind was listed"]


def test_order() -> None:
    a, b, c = Item(kind="app", name="b"), Item(kind="package", name="a"), Item(kind="app", name="a", version="2")
    assert in_order([b, a, c]) == (c, a, b)
