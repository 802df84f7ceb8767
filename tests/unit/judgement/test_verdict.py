"""Which date counts, for whom, and what is to be done."""

import datetime as dt
import tracemalloc

import msgspec
import pytest
from msgspec.structs import replace
from phaseout.judgement.applied import days_left
from phaseout.judgement.verdict import judge
from phaseout.model.budget import Budget
from phaseout.model.findings import Hit, Hits, Report
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Inventory, Item, RunStatus, SourceRun, Unseen
from phaseout.model.rules import (
    Bound,
    Category,
    Cutoff,
    Exemption,
    Match,
    Measure,
    MeasureState,
    MeasureStatus,
    Milestone,
    Policy,
    Product,
    ProductRole,
    Reference,
    Role,
    Ruleset,
    Specimen,
    Step,
    Unclear,
    Vendor,
    Waiver,
)
from phaseout.rules.matcher import Matcher

DPKG = Item(kind="package", name="dpkg")
KESL = Item(kind="package", name="kesl", vendor="Kaspersky")
ROLES = tuple(
    Role(id=name, title=name, home=home, implies=implies)
    for name, home, implies in (
        ("us_person", "US", ()),
        ("us_contractor", "US", ()),
        ("us_dod_contractor", "US", ("us_contractor",)),
        ("us_federal_agency", "US", ()),
        ("us_reseller", "US", ()),
        ("texas_agency", "US-TX", ()),
        ("germany_operator", "DE", ()),
    )
)
CUTOFF = dt.datetime.fromisoformat("2024-09-29T00:00:00-04:00")
TODAY = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def milestone(identifier: str, kind: str, at: str, actor: str = "vendor", products: tuple[str, ...] = ()) -> Milestone:
    return Milestone(
        id=identifier,
        kind=kind,  # type: ignore[arg-type]
        text=identifier,
        at=dt.datetime.fromisoformat(at),
        actor=actor,
        products=products,
        verified="primary",
        references=("r",),
    )


def measure(
    identifier: str,
    *milestones: Milestone,
    bound: tuple[str, ...] = (),
    exempts: tuple[Category, ...] = (),
    components: str = "embedded",
    review_by: dt.date = dt.date(2027, 1, 1),
) -> Measure:
    return Measure(
        id=identifier,
        title=identifier,
        issuer="x",
        instrument="statute",
        citation=("x",),
        jurisdiction="US",
        force="binding",
        vendors=("kaspersky",),
        exempts=(Exemption(categories=exempts),) if exempts else (),
        components=components,  # type: ignore[arg-type]
        bound=tuple(Bound(role, "remove") for role in bound),
        user="Use is not penalised.",
        action="Remove it.",
        milestone=milestones,
        status=MeasureStatus(state="in_force", as_of=dt.date(2026, 1, 1), review_by=review_by),
        reference=(Reference(id="r", tier="primary", citation="x"),),
    )


COMMERCE = measure(
    "commerce",
    milestone("agreements", "new_agreement_ban", "2024-07-20T00:00:00-04:00"),
    milestone("updates", "update_cutoff", "2024-09-29T00:00:00-04:00"),
    milestone("exchange", "vendor_end_of_service", "2024-09-10T00:00:00-04:00", products=("exchange",)),
    milestone("resale", "resale_ban", "2024-09-29T00:00:00-04:00", "us_reseller"),
    exempts=("threat_intelligence",),
)
FAR = measure(
    "far",
    milestone("published", "published", "2018-07-01T00:00:00-04:00", "us_contractor"),
    milestone("use", "use_ban", "2018-10-01T00:00:00-04:00", "us_contractor"),
    bound=("us_contractor",),
)
BRANDED = measure(
    "bod",
    milestone("begin", "removal_begins", "2017-12-12T00:00:00-05:00"),
    bound=("agency",),
    components="branded_only",
)


def product(
    identifier: str = "kesl",
    category: Category = "endpoint_security",
    role: ProductRole = "covered",
    remove: tuple[Step, ...] = (Step(step="uninstall", text="step one"),),
) -> Product:
    return Product(
        id=identifier,
        name=identifier,
        category=category,
        role=role,
        platforms=("linux",),
        match=(Match(kind="package", name=identifier, vendor="Kaspersky"), Match(kind="package", name=identifier)),
        hit=(Specimen(name=identifier),),
        remove=remove,
    )


def report(
    *products: Product,
    measures: tuple[Measure, ...] = (COMMERCE, FAR),
    policy: Policy = Policy(),  # noqa: B008
    as_of: dt.date = TODAY,
    items: tuple[Item, ...] | None = None,
    unseen: tuple[Unseen, ...] = (),
    runs: tuple[SourceRun, ...] = (SourceRun(source="dpkg", status="ok"),),
    roles: tuple[Role, ...] = ROLES,
) -> Report:
    rules = Ruleset(
        vendors=(Vendor(id="kaspersky", name="Kaspersky", product=products or (product(),)),),
        measures=measures,
        roles=roles,
        digest="d",
    )
    if items is None:
        items = tuple(Item(kind="package", name=one.id, vendor="Kaspersky") for one in products or (product(),))
    inventory = Inventory(
        schema=INVENTORY_SCHEMA,
        tool="test",
        scanned_at="2026-11-21T12:00:00Z",
        host=HostInfo(name="ada-laptop", platform="linux"),
        items=items,
        runs=runs,
        unseen=unseen,
    )
    return judge(inventory, Matcher(rules).match(items), rules, policy, as_of)


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        (dt.date(2024, 9, 1), 28),
        (dt.date(2024, 9, 28), 1),
        (dt.date(2024, 9, 29), 0),
        (dt.date(2024, 9, 30), -1),
        (dt.datetime(2024, 9, 29, 3, 59, tzinfo=dt.UTC), 1),  # one minute before midnight in Washington
        (dt.datetime(2024, 9, 29, 4, 0, tzinfo=dt.UTC), 0),
        (dt.datetime(2024, 9, 29, 4, 1, tzinfo=dt.UTC), 0),  # one minute after: it is still the day
        (dt.datetime(2024, 9, 30, 3, 59, tzinfo=dt.UTC), 0),
        (dt.datetime(2024, 9, 30, 4, 0, tzinfo=dt.UTC), -1),
        (dt.datetime(2024, 9, 27, 4, 0, tzinfo=dt.UTC), 2),
    ],
)
def test_days_are_negative_once_it_has_passed(as_of: dt.date, days: int) -> None:
    assert days_left(CUTOFF, as_of) == days


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        ("2025-03-31T23:59:00+11:00", 1),
        ("2025-04-01T00:00:00+11:00", 0),
        ("2025-04-01T23:59:00+11:00", 0),
        ("2025-03-31T13:00:00+00:00", 0),
        ("2025-04-01T12:59:00+00:00", 0),
        ("2025-04-01T13:00:00+00:00", -1),
    ],
)
def test_a_day_has_not_passed_before_it_ends_where_the_measure_is_from(as_of: str, days: int) -> None:
    due = dt.datetime.fromisoformat("2025-04-01T00:00:00+11:00")
    assert days_left(due, dt.datetime.fromisoformat(as_of)) == days


def test_a_measure_binds_nobody_before_it_begins() -> None:
    """A ban begins on its own day, not when it is published; after its sunset, no measure applies."""
    policy = Policy(roles=("us_contractor",))
    for day in (dt.date(2018, 6, 30), dt.date(2018, 7, 1), dt.date(2018, 9, 30)):
        (early,) = report(measures=(FAR,), policy=policy, as_of=day).findings
        words = "Replace it. Not in force yet, and binding for us_contractor from 1 October 2018 on: far."
        assert early.action.startswith(words)
        assert early.measures[0].begins == "2018-10-01"
    (later,) = report(measures=(FAR,), policy=policy, as_of=dt.date(2018, 10, 1)).findings
    assert (later.measures[0].begins, later.measures[0].days_left) == ("", 0)
    assert "Binding for us_contractor: far." in later.action
    sunset = milestone("end", "sunset", "2020-01-01T00:00:00-05:00", "us_contractor")
    ended = msgspec.structs.replace(FAR, milestone=(*FAR.milestone, sunset))
    for day, bound in ((dt.date(2020, 1, 1), True), (dt.date(2020, 1, 2), False)):
        (found,) = report(measures=(ended,), policy=policy, as_of=day).findings
        assert (found.verdict == "replace", bool(found.measures)) == (bound, bound)


def test_a_deadline_lies_behind_the_day_from_which_it_binds() -> None:
    issued = milestone("issued", "published", "2017-09-13T00:00:00-04:00", "us_federal_agency")
    removal = milestone("removal", "removal_begins", "2017-12-12T00:00:00-05:00", "us_federal_agency")
    directive = measure("bod", issued, removal, bound=("us_federal_agency",))
    policy = Policy(roles=("us_federal_agency",))
    for day, begins in ((dt.date(2017, 9, 12), "2017-09-13"), (dt.date(2017, 9, 13), "")):
        (finding,) = report(measures=(directive,), policy=policy, as_of=day).findings
        assert finding.measures[0].begins == begins
        assert ("Binding for us_federal_agency: bod." in finding.action) is (not begins)


def test_what_a_measure_said_of_another_product_does_not_begin_it() -> None:
    first = milestone("first", "removal_due", "2022-12-07T00:00:00-06:00", "texas_agency", ("exchange",))
    then = milestone("then", "removal_due", "2023-01-26T00:00:00-06:00", "texas_agency")
    listed = measure("texas", first, then, bound=("texas_agency",))
    found = report(product(), measures=(listed,), policy=Policy(roles=("texas_agency",)), as_of=dt.date(2022, 12, 10))
    assert found.findings[0].measures[0].begins == "2023-01-26"


def test_a_duty_that_is_no_removal_says_from_when_on() -> None:
    sold = measure(
        "sold", milestone("resale", "resale_ban", "2024-09-29T00:00:00-04:00", "us_reseller"), bound=("us_reseller",)
    )
    policy = Policy(roles=("us_reseller",))
    for day, words in (
        (28, "From 29 September 2024 on, for us_reseller (sold): remove"),
        (29, "For us_reseller (sold)"),
    ):
        (finding,) = report(measures=(sold,), policy=policy, as_of=dt.date(2024, 9, day)).findings
        assert words in finding.action


def test_due_is_the_day_of_the_measures_own_zone() -> None:
    due = "2025-04-01T00:00:00+11:00"
    here = measure("there", milestone("remove", "removal_due", due, "us_federal_agency"), bound=("us_federal_agency",))
    found = report(measures=(here,), policy=Policy(roles=("us_federal_agency",)))
    (finding,) = found.findings
    assert finding.driving is not None
    assert (finding.driving.day, finding.driving.due) == ("2025-04-01", due)
    assert [one.day for one in found.measures[0].milestones] == ["2025-04-01"]


def test_update_cutoff_drives_for_everybody() -> None:
    (finding,) = report(as_of=dt.date(2024, 9, 1)).findings
    assert (finding.verdict, finding.state, finding.confidence) == ("replace", "installed", "certain")
    driving, other = finding.measures
    assert (driving.id, driving.milestone, driving.due, driving.days_left) == (
        "commerce",
        "update_cutoff",
        "2024-09-29T00:00:00-04:00",
        28,
    )
    assert driving.applies == "reaches"
    assert (other.id, other.days_left, other.applies) == ("far", None, "names")
    assert (
        finding.action
        == "Replace it: updates end on 29 September 2024. No measure is known to oblige you (no role declared)."
    )
    assert finding.remove == ("step one",)


def test_the_plan_has_the_steps_of_this_platform_with_recorded_commands_after_the_uninstallation() -> None:
    steps = (
        Step(step="decrypt", text="Decrypt the drives.", shown_by=("klfde*",)),
        Step(step="uninstall", platform="windows", text="Open Settings."),
        Step(step="uninstall", platform="linux", text="Use apt."),
        Step(step="restart", text="Restart."),
    )
    one = msgspec.structs.replace(product(), remove=steps)
    kesl = Item(kind="package", name="kesl", vendor="Kaspersky", details={"uninstall": "rm it"})
    (finding,) = report(one, items=(kesl,)).findings
    asked, *rest = finding.remove
    assert rest == ["Use apt.", "Recorded on this machine to uninstall kesl: rm it", "Restart."]
    assert asked.endswith("find out first: Decrypt the drives.")
    (finding,) = report(one, items=(kesl, Item(kind="driver", name="KLFDEFSF.sys"))).findings
    assert finding.remove[0] == "Decrypt the drives."


def test_a_bound_role_brings_its_own_date() -> None:
    (finding,) = report(policy=Policy(roles=("us_contractor",))).findings
    assert [applied.id for applied in finding.measures] == ["far", "commerce"]
    assert (finding.measures[0].applies, finding.measures[0].role) == ("binds", "us_contractor")
    assert finding.action == "Replace it. Binding for us_contractor: far. Remove it."


def test_another_role_of_the_measure_has_another_date() -> None:
    two = measure(
        "two",
        milestone("agency", "use_ban", "2019-08-13T00:00:00-04:00", "us_federal_agency"),
        milestone("contractor", "contracting_ban", "2020-08-13T00:00:00-04:00", "us_contractor"),
        milestone("end", "sunset", "2030-01-01T00:00:00-04:00", "us_contractor"),
        bound=("us_federal_agency", "us_contractor"),
    )
    (finding,) = report(measures=(two,), policy=Policy(roles=("us_contractor",))).findings
    assert finding.measures[0].due == "2020-08-13T00:00:00-04:00"


def test_a_duty_without_a_date_binds_as_well() -> None:
    undated = Milestone(
        id="m",
        kind="removal_due",
        text="m",
        when="in time",
        actor="us_contractor",
        verified="primary",
        references=("r",),
    )
    (finding,) = report(
        measures=(measure("it", undated, bound=("us_contractor",)),), policy=Policy(roles=("us_contractor",))
    ).findings
    assert (finding.verdict, finding.action) == ("replace", "Replace it. Binding for us_contractor: it. Remove it.")
    assert (finding.measures[0].due, finding.measures[0].days_left) == ("", None)


def test_a_cutoff_in_one_country_says_nothing_about_another() -> None:
    (finding,) = report(policy=Policy(roles=("germany_operator",)), measures=(COMMERCE,)).findings
    assert (finding.verdict, finding.measures[0].milestone) == ("review", "")
    (finding,) = report(policy=Policy(roles=("texas_agency",)), measures=(COMMERCE,)).findings
    assert finding.verdict == "replace"


def test_a_reseller_has_the_resale_date() -> None:
    (finding,) = report(policy=Policy(roles=("us_reseller",)), measures=(COMMERCE,)).findings
    assert finding.measures[0].milestone == "update_cutoff"  # the same instant: what reaches the machine comes first


def test_milestone_of_one_product_only() -> None:
    (finding,) = report(product("exchange")).findings
    assert (finding.measures[0].milestone, finding.measures[0].due) == (
        "vendor_end_of_service",
        "2024-09-10T00:00:00-04:00",
    )


def test_exempt_category_counts_for_one_measure_and_not_for_the_other() -> None:
    training = product("portal", "threat_intelligence")
    (exempt,) = report(training, measures=(COMMERCE,)).suppressed
    assert (exempt.verdict, exempt.state) == ("exempt", "installed")
    assert exempt.driving is not None
    assert (exempt.driving.id, exempt.driving.applies) == ("commerce", "exempts")
    (finding,) = report(training, policy=Policy(roles=("us_contractor",))).findings
    assert (finding.verdict, finding.measures[0].id) == ("replace", "far")
    (unbound,) = report(training).suppressed
    assert unbound.action == (
        "Its category, threat intelligence, is exempt under commerce. "
        "1 other measure names its vendor and may not exempt it."
    )


def test_a_condition_that_no_scan_can_check_is_for_a_person() -> None:
    conditional = msgspec.structs.replace(
        COMMERCE, exempts=(Exemption(categories=("threat_intelligence",), condition="purely informational"),)
    )
    (finding,) = report(product("portal", "threat_intelligence"), measures=(conditional,)).findings
    assert finding.verdict == "review"
    assert "“purely informational”" in finding.action
    assert finding.driving is not None
    assert finding.driving.applies == "exempts"


def test_a_measure_that_binds_nobody_here_drives_nothing() -> None:
    (finding,) = report(measures=(FAR,)).findings
    assert finding.verdict == "review"
    assert finding.action == "Decide whether to keep it. No measure is known to oblige you (no role declared)."
    assert (finding.driving, finding.applying) == (None, ())
    assert [one.id for one in finding.naming] == [one.id for one in finding.also] == ["far"]


def test_what_gets_no_updates_loses_no_protection() -> None:
    (finding,) = report(product("hexa-ui", "developer_library")).findings
    assert (finding.verdict, finding.driving) == ("review", None)


def test_flaws_stay_open_where_updates_are_no_protection() -> None:
    (finding,) = report(product("office", "office")).findings
    assert finding.action.startswith("Replace it: updates ended on 29 September 2024, so its flaws stay open.")


def test_us_person_is_reached_and_not_obliged() -> None:
    (finding,) = report(policy=Policy(roles=("us_person",))).findings
    assert finding.action == (
        "Replace it: updates ended on 29 September 2024, so protection decays. "
        "No measure is known to oblige you (us_person)."
    )


def test_sentences_name_the_role_in_words() -> None:
    titled = tuple(replace(role, title=f"a {role.id} in words") for role in ROLES)
    for roles, words in (
        (("us_contractor",), "Binding for a us_contractor in words: far."),
        (("us_dod_contractor",), "Binding for a us_contractor in words: far."),  # that it implies
        (("us_person", "us_reseller"), "(a us_person in words and a us_reseller in words)."),
    ):
        (finding,) = report(policy=Policy(roles=roles), roles=titled).findings
        assert words in finding.action
    (finding,) = report(policy=Policy(roles=("us_contractor",)), roles=titled).findings
    assert (finding.measures[0].role, finding.measures[0].role_title) == ("us_contractor", "a us_contractor in words")


@pytest.mark.parametrize(
    ("state", "doubt"),
    [
        ("in_force", ""),
        ("under_review", ", as far as it still holds (under review)"),
        ("suspended", ", once it is no longer suspended"),
    ],
)
def test_a_measure_in_doubt_is_called_binding_with_the_doubt(state: MeasureState, doubt: str) -> None:
    doubtful = replace(FAR, status=replace(FAR.status, state=state))
    (finding,) = report(measures=(doubtful,), policy=Policy(roles=("us_contractor",))).findings
    assert f"Binding for us_contractor{doubt}: far." in finding.action


def test_a_role_has_what_it_implies() -> None:
    (finding,) = report(policy=Policy(roles=("us_dod_contractor",))).findings
    assert (finding.measures[0].id, finding.measures[0].role) == ("far", "us_contractor")


def test_what_binds_drives_before_what_was_due_earlier_and_only_reaches() -> None:
    late = measure(
        "late", milestone("use", "use_ban", "2025-01-01T00:00:00-05:00", "us_contractor"), bound=("us_contractor",)
    )
    (finding,) = report(measures=(COMMERCE, late), policy=Policy(roles=("us_contractor",))).findings
    assert [one.id for one in finding.measures] == ["late", "commerce"]


def test_installed_is_use_and_not_procurement() -> None:
    two = measure(
        "two",
        milestone("providing", "contracting_ban", "2018-10-01T00:00:00-04:00", "us_contractor"),
        milestone("buying", "procurement_ban", "2017-10-01T00:00:00-04:00", "us_contractor"),
        milestone("use", "use_ban", "2020-08-13T00:00:00-04:00", "us_contractor"),
        bound=("us_contractor",),
    )
    (finding,) = report(measures=(two,), policy=Policy(roles=("us_contractor",))).findings
    assert finding.measures[0].milestone == "use_ban"


def test_measures_of_the_operators_country_are_named_first() -> None:
    here = msgspec.structs.replace(measure("zz"), jurisdiction="US-TX")
    there = msgspec.structs.replace(measure("aa"), jurisdiction="AU")
    (finding,) = report(measures=(there, here), policy=Policy(roles=("texas_agency",))).findings
    assert [one.id for one in finding.measures] == ["zz", "aa"]


def test_certainly_the_vendors_is_never_find_out_what_it_is() -> None:
    signed = Match(kind="process", signer="AO Kaspersky Lab")
    any_signed = msgspec.structs.replace(ANYTHING, match=(*ANYTHING.match, signed))
    item = Item(kind="process", name="x.exe", signer="AO Kaspersky Lab")
    (finding,) = report(any_signed, items=(item,)).findings
    assert (finding.verdict, finding.confidence) == ("review", "certain")
    assert finding.action.startswith("It is software of Kaspersky, though no rule names it")


def test_named_vendors_that_no_rule_looks_for_are_not_seen() -> None:
    open_list = msgspec.structs.replace(
        measure("texas", bound=("texas_agency",)), unruled_vendors=("TP-Link", "Xiaomi")
    )
    bound = report(measures=(open_list,), items=(DPKG,), policy=Policy(roles=("texas_agency",)))
    assert [one.what for one in bound.unseen] == ["not looked for: TP-Link, Xiaomi"]
    assert bound.verdict == "incomplete"
    assert report(measures=(open_list,), items=(DPKG,)).verdict == "clean"


def test_nobody_is_called_free_of_what_nobody_read() -> None:
    """Where a list or a class that binds the operator is not known by name, no sentence says that nothing binds."""
    listed = replace(measure("dms", bound=("texas_agency",)), vendors=(), unlisted=("the list of the agency",))
    policy = Policy(roles=("texas_agency",))
    (finding,) = report(measures=(COMMERCE, listed), policy=policy).findings
    words = "No measure is known to oblige you (texas_agency), but dms reaches more than these rules know by name."
    assert finding.action.endswith(words)
    nothing = report(measures=(listed,), items=(DPKG,), policy=policy)
    assert [one.what for one in nothing.unseen] == ["not looked for: the list of the agency"]
    assert nothing.verdict == "incomplete"
    for other in (
        report(measures=(listed,)),
        report(measures=(replace(listed, covers=("ai_assistant",)),), policy=policy),
        report(measures=(replace(listed, status=replace(listed.status, state="revoked")),), policy=policy),
    ):
        assert "by name" not in other.findings[0].action


def test_what_the_software_brought_has_a_plan_of_its_own() -> None:
    (finding,) = report(product("root-certificate", "security_tool", "trace")).findings
    assert (finding.verdict, finding.remove) == ("review", ("step one",))
    assert finding.action.startswith("Software of Kaspersky brought it: find out which, and whether that is gone.")


@pytest.mark.parametrize("role", ["indicator", "embedded", "vendor"])
def test_what_a_person_must_decide_is_never_replace(role: ProductRole) -> None:
    (finding,) = report(product(role=role), policy=Policy(roles=("us_contractor",))).findings
    assert finding.verdict == "review"
    assert finding.remove == (() if role == "indicator" else ("step one",))


def test_embedded_code_is_outside_a_measure_on_branded_products() -> None:
    (finding,) = report(product(role="embedded"), measures=(BRANDED, COMMERCE)).findings
    assert [applied.id for applied in finding.measures] == ["commerce"]


def test_a_name_alone_is_only_for_review() -> None:
    (finding,) = report(items=(Item(kind="package", name="kesl"),)).findings
    assert (finding.verdict, finding.confidence) == ("review", "possible")


def test_successors_are_shown_and_not_restricted() -> None:
    result = report(product("ultraav", role="successor"))
    assert result.findings == ()
    assert result.verdict == "clean"
    assert result.suppressed[0].verdict == "successor"
    assert result.suppressed[0].action.startswith("Not restricted.")


# Whatever lies in the vendor's folder, and that folder.
ANYTHING = Product(
    id="any",
    name="any",
    category="other",
    role="vendor",
    platforms=("linux",),
    match=(Match(kind="file", path="/opt/kaspersky"),),
    hit=(Specimen(name="x"),),
)
FOLDER = Item(kind="file", name="kaspersky", path="/opt/kaspersky")


def test_the_vendors_folder_belongs_to_the_product_in_it() -> None:
    package = Item(kind="package", name="kesl", vendor="Kaspersky", path="/opt/kaspersky/kesl")
    (finding,) = report(product(), ANYTHING, items=(FOLDER, package)).findings
    assert (finding.product_id, len(finding.items), finding.confidence) == ("kesl", 2, "certain")
    (alone,) = report(product(), ANYTHING, items=(FOLDER,)).findings
    assert (alone.product_id, alone.verdict) == ("any", "review")


@pytest.mark.slow
def test_paths_with_thousands_of_folders() -> None:
    """What is kept of them does not grow with their depth: 500 of these would have been five gigabytes."""
    deep = [
        Item(kind="package", name="kesl", vendor="Kaspersky", path=f"/opt/kaspersky/{number}" + "/x" * 4000)
        for number in range(500)
    ]
    tracemalloc.start()
    (finding,) = report(product(), ANYTHING, items=(FOLDER, *deep)).findings
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(finding.items) == 501
    assert peak < 100 << 20


def test_all_traces_make_one_finding_of_the_strongest_state() -> None:
    items = (
        Item(kind="package", name="kesl", vendor="Kaspersky", state="leftover"),
        Item(kind="package", name="kesl", vendor="Kaspersky", state="running"),
        Item(kind="package", name="kesl", user="bob"),
    )
    (finding,) = report(items=items).findings
    assert (len(finding.items), len(finding.because), finding.state, finding.confidence) == (3, 3, "running", "certain")


def waiver(product: str = "kesl", hosts: str = "ada-*", expires: dt.date = dt.date(2027, 1, 1)) -> Policy:
    one = Waiver(product=product, hosts=hosts, approver="Grace", reason="pilot", expires=expires)
    return Policy(waiver=(one,))


def test_waivers() -> None:
    result = report(policy=waiver())
    assert result.findings == ()
    (waived,) = result.suppressed
    assert (waived.verdict, waived.waived_by, waived.waived_until) == ("waived", "Grace", "2027-01-01")
    assert waived.action == "Waived until 2027-01-01 by Grace: pilot"
    assert result.rules.warnings == ()
    expired = report(policy=waiver(expires=dt.date(2026, 11, 20)))
    assert expired.findings[0].verdict == "replace"
    assert expired.rules.warnings == ('waiver[0] for "kesl": expired on 2026-11-20 and has no effect',)
    assert report(policy=waiver(hosts="bob-*")).findings
    unused = report(policy=waiver(), items=())
    assert unused.rules.warnings == ('waiver[0] for "kesl": unused, nothing of it was found here',)
    broad = report(product(), product("other"), policy=waiver(product="*", hosts="*"))
    assert broad.rules.warnings == (
        'waiver[0] for "*": covers 2 products on every host, which is more than a waiver should',
    )


def test_a_waiver_lifts_no_measure_that_binds() -> None:
    policy = msgspec.structs.replace(waiver(), roles=("us_contractor",))
    knows = msgspec.structs.replace(FAR, waiver="the head of the agency")
    result = report(policy=policy, measures=(knows,))
    assert result.rules.warnings == ("kesl is waived, but far binds: only this may lift it: the head of the agency",)
    assert result.suppressed[0].action == "Waived until 2027-01-01 by Grace: pilot. This lifts no duty under far."


def test_a_waiver_of_a_duty_that_knows_none_has_no_effect() -> None:
    policy = msgspec.structs.replace(waiver(), roles=("us_contractor",))
    result = report(policy=policy, measures=(FAR,))
    assert (result.verdict, result.suppressed) == ("replace", ())
    (finding,) = result.findings
    assert (finding.verdict, finding.waived_by) == ("replace", "")
    assert finding.action.endswith("The waiver by Grace lifts no duty under far: no exception to it is known.")
    trade = measure(
        "trade", milestone("m", "procurement_ban", "2024-01-01T00:00:00Z", "us_contractor"), bound=("us_contractor",)
    )
    assert report(policy=policy, measures=(trade,)).findings[0].verdict == "review"
    assert report(policy=waiver(), measures=(FAR,)).suppressed  # it binds nobody here


def test_words_for_what_is_left() -> None:
    """Nothing protects any more, so nothing decays; and there is nothing to replace."""
    left = Item(kind="package", name="kesl", vendor="Kaspersky", state="leftover", path="/opt/kaspersky")
    steps = (
        Step(step="replace", text="Install the replacement."),
        Step(step="uninstall", text="Remove the package."),
        Step(step="verify", text="Scan again."),
        Step(step="clean", text="Delete the folders."),
    )
    (finding,) = report(product(remove=steps), items=(left,), policy=Policy(roles=("us_contractor",))).findings
    assert (finding.verdict, finding.state) == ("replace", "leftover")
    assert finding.action.startswith("Delete what is left of it: nothing of it is installed any more. Binding for")
    assert "decay" not in finding.action
    assert finding.remove == ("Delete what is left: /opt/kaspersky.", "Delete the folders.", "Scan again.")
    (installed,) = report(product(remove=steps), items=(KESL,)).findings
    assert installed.remove == ("Install the replacement.", "Remove the package.", "Delete the folders.", "Scan again.")


@pytest.mark.parametrize(
    ("scanned_at", "words"),
    [
        ("2026-11-22T11:00:00Z", ()),  # a clock that is a little ahead
        ("2026-11-23T12:00:00Z", ("the inventory is dated 2026-11-23T12:00:00Z, which is in the future",)),
        ("", ("the inventory does not say when it was made",)),
        ("tomorrow", ("the inventory does not say when it was made",)),
    ],
)
def test_a_date_in_the_future_is_said_in_every_verdict_line(scanned_at: str, words: tuple[str, ...]) -> None:
    inventory = Inventory(
        schema=INVENTORY_SCHEMA,
        tool="test",
        scanned_at=scanned_at,
        host=HostInfo(name="x", platform="linux"),
        items=(),
        runs=(),
    )
    rules = Ruleset(vendors=(), measures=(), digest="")
    result = judge(inventory, Hits(), rules, Policy(), dt.date(2024, 9, 1), TODAY)
    assert (result.rules.cautions, result.rules.warnings) == (words, words)


@pytest.mark.parametrize(
    ("scanned_at", "words"),
    [
        ("2024-06-04T11:00:00Z", ()),
        ("2024-05-01T11:00:00Z", ("this is how the host was on 2024-05-01, 123 days before this verdict",)),
    ],
)
def test_an_old_inventory_says_so_in_every_verdict_line(scanned_at: str, words: tuple[str, ...]) -> None:
    inventory = Inventory(
        schema=INVENTORY_SCHEMA,
        tool="test",
        scanned_at=scanned_at,
        host=HostInfo(name="x", platform="linux"),
        items=(),
        runs=(),
    )
    result = judge(inventory, Hits(), Ruleset(vendors=(), measures=(), digest=""), Policy(), dt.date(2024, 9, 1))
    assert result.rules.cautions == words


def test_own_cutoff_counts_if_it_is_earlier() -> None:
    early = Policy(cutoff=(Cutoff(product="kesl", at=dt.date(2024, 1, 1), reason="Board"),))
    assert report(policy=early).findings[0].measures[0].title == "Board"
    late = Policy(cutoff=(Cutoff(product="kaspersky", at=dt.date(2026, 1, 1)),))
    assert [applied.id for applied in report(policy=late).findings[0].measures] == ["commerce", "policy", "far"]


def test_replacement_of_product_or_vendor() -> None:
    assert report(policy=Policy(replacements={"kaspersky": "Defender"})).findings[0].replacement == "Defender"
    both = Policy(replacements={"kaspersky": "Defender", "kesl": "ClamAV"})
    assert report(policy=both).findings[0].replacement == "ClamAV"


def test_most_overdue_on_top() -> None:
    result = report(product("zz", role="indicator"), product("kesl"), product("exchange"))
    assert [finding.product_id for finding in result.findings] == ["exchange", "kesl", "zz"]


def test_rules_past_their_review_say_so() -> None:
    old = measure("old", milestone("m", "update_cutoff", "2024-01-01T00:00:00Z"), review_by=dt.date(2026, 6, 1))
    assert report(measures=(old,)).rules.warnings == ("old: was to be reviewed by 2026-06-01",)
    assert report(measures=(old,), items=()).rules.warnings == ()


def test_a_clock_before_the_rules_is_not_trusted() -> None:
    def warned(as_of: dt.date, scanned_at: str) -> bool:
        inventory = Inventory(
            schema=INVENTORY_SCHEMA,
            tool="test",
            scanned_at=scanned_at,
            host=HostInfo(name="x", platform="linux"),
            items=(),
            runs=(),
        )
        rules = Ruleset(vendors=(), measures=(COMMERCE,), digest="")
        return any("the clock says" in line for line in judge(inventory, Hits(), rules, Policy(), as_of).rules.warnings)

    assert warned(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), "1970-01-01T00:00:00Z")
    assert warned(dt.datetime(2040, 1, 1, tzinfo=dt.UTC), "2040-01-01T00:00:00Z")
    assert not warned(TODAY, "2026-11-21T12:00:00Z")
    assert not warned(dt.date(1970, 1, 1), "2026-11-21T12:00:00Z")  # asked for


def test_notes_on_the_host_become_warnings() -> None:
    host = HostInfo(name="x", platform="windows", notes=("a 32-bit program",))
    inventory = Inventory(
        schema=INVENTORY_SCHEMA, tool="test", scanned_at="2026-11-21T12:00:00Z", host=host, items=(), runs=()
    )
    rules = Ruleset(vendors=(), measures=(COMMERCE,), digest="")
    assert judge(inventory, Hits(), rules, Policy(), TODAY).rules.warnings == ("a 32-bit program",)


def test_what_belongs_in_every_verdict_line() -> None:
    assert report().rules.cautions == ()
    old = measure("old", review_by=dt.date(2026, 6, 1))
    assert report(measures=(old, FAR), items=(DPKG,)).rules.cautions == (
        "1 of 2 measures past the review date, the first since 2026-06-01",
    )


def test_clean_only_if_everything_was_seen() -> None:
    def verdict(*unseen: Unseen) -> str:
        return report(items=(DPKG,), unseen=unseen).verdict

    assert verdict() == "clean"
    assert verdict(Unseen("dpkg", "denied", kinds=("package",))) == "incomplete"
    assert verdict(Unseen("tasks", "denied", kinds=("task",))) == "clean"
    assert verdict(Unseen("host", "denied")) == "incomplete"
    assert report(unseen=(Unseen("host", "denied"),)).verdict == "replace"


@pytest.mark.parametrize("status", ["failed", "timeout", "skipped", None])
def test_what_was_not_read_is_never_clean(status: RunStatus | None) -> None:
    runs = () if status is None else (SourceRun(source="dpkg", status=status),)
    assert report(items=(DPKG,), runs=runs).verdict == "incomplete"
    assert report(items=()).verdict == "incomplete"


def test_judging_ends_with_its_budget_and_says_what_was_not_judged() -> None:
    def judged(budget: Budget) -> Report:
        inventory = Inventory(
            schema=INVENTORY_SCHEMA,
            tool="test",
            scanned_at="2026-11-21T12:00:00Z",
            host=HostInfo(name="x", platform="linux"),
            items=(DPKG,),
            runs=(),
        )
        rules = Ruleset(vendors=(), measures=(), digest="")
        hits = Hits(budget)
        vendor = Vendor(id="kaspersky", name="Kaspersky", product=())
        hits += (Hit(0, vendor, product(name), "certain", "") for name in ("kesl", "agent", "exchange"))
        return judge(inventory, hits, rules, Policy(), TODAY)

    late = judged(Budget(seconds=0))
    assert (late.findings, late.verdict) == ((), "incomplete")
    assert ("agent and 2 more", "found and not judged: the limit is 0 s of CPU time") in [
        (one.what, one.why) for one in late.unseen
    ]
    long = Budget(text=10)
    long.take(31)
    assert any("found and not judged: the rules say too much" in one.why for one in judged(long).unseen)
    assert len(judged(Budget()).findings) == 3


def test_software_of_equipment_is_a_sign_unless_the_driving_measure_covers_it() -> None:
    sign = product("hisuite", "device_client", "indicator")
    policy = Policy(roles=("us_contractor",))
    (finding,) = report(sign, measures=(FAR,), policy=policy).findings
    assert (finding.verdict, finding.remove) == ("review", ())
    assert "only a sign of it" in finding.action
    assert finding.action.endswith("Remove it.")
    (finding,) = report(sign, measures=(replace(FAR, clients="covered"),), policy=policy).findings
    assert (finding.verdict, finding.remove, finding.role) == ("replace", ("step one",), "indicator")


def test_only_measures_that_apply_are_quoted_whole() -> None:
    far = replace(FAR, reason="it spies", note="a note", waiver="the agency", unruled_vendors=("Acme",))
    (quoted,) = report(measures=(far,), policy=Policy(roles=("us_contractor",))).measures
    assert (quoted.reason, quoted.note, quoted.waiver, quoted.user) == (
        "it spies",
        "a note",
        "the agency",
        "Use is not penalised.",
    )
    assert [(one.role, one.duty) for one in quoted.duties] == [("us_contractor", "remove")]
    assert quoted.not_looked_for == ("Acme",)
    (quoted,) = report(measures=(far,)).measures
    assert (quoted.reason, quoted.note, quoted.user, quoted.duties) == ("", "", "", ())


def test_a_measure_that_binds_nobody_here_and_ends_nothing_exempts_nothing() -> None:
    agency = replace(FAR, exempts=(Exemption(categories=("endpoint_security",)),))
    (finding,) = report(measures=(agency,)).findings
    assert [one.applies for one in finding.measures] == ["names"]


def test_a_duty_that_is_not_about_removal_is_quoted_and_called_no_obligation_to_remove() -> None:
    treasury = measure(
        "treasury", milestone("listed", "published", "2024-06-21T00:00:00-04:00", "us_person"), bound=("us_person",)
    )
    (finding,) = report(measures=(COMMERCE, treasury), policy=Policy(roles=("us_person",))).findings
    assert finding.action == (
        "Replace it: updates ended on 29 September 2024, so protection decays. "
        "No measure is known to oblige you to remove it. For us_person (treasury): remove"
    )


def test_a_waiver_says_number_day_and_authority() -> None:
    waiver = Waiver(
        product="kesl",
        approver="Grace",
        reason="lab",
        expires=dt.date(2027, 1, 1),
        id="SEC-7",
        granted=dt.date(2026, 1, 2),
        authority="policy 12",
    )
    (finding,) = report(policy=Policy(waiver=(waiver,))).suppressed
    assert (finding.waiver_id, finding.waiver_granted, finding.waiver_authority, finding.waiver_reason) == (
        "SEC-7",
        "2026-01-02",
        "policy 12",
        "lab",
    )
    assert finding.action.startswith("Waived until 2027-01-01 by Grace (SEC-7, granted on 2026-01-02, policy 12): lab")


def test_the_digest_is_that_of_the_saved_inventory() -> None:
    first, again = report(), report()
    assert len(first.inventory_sha256) == 64
    assert first.inventory_sha256 == again.inventory_sha256
    assert report(items=(DPKG,)).inventory_sha256 != first.inventory_sha256


def test_a_kind_of_product_that_may_not_be_meant_is_called_so() -> None:
    doubt = Unclear(categories=("vpn",), text="Nobody says so: confirm it.")
    commerce = replace(COMMERCE, unclear=(doubt,))
    (finding,) = report(product("vpn", "vpn"), measures=(commerce,)).findings
    assert (finding.verdict, finding.action.endswith("Nobody says so: confirm it.")) == ("replace", True)
    (finding,) = report(measures=(commerce,)).findings
    assert "Nobody says so" not in finding.action


@pytest.mark.parametrize(
    ("components", "verdict", "words"),
    [
        ("embedded", "replace", "Replace it. Binding for us_contractor: far. Remove it."),
        ("unclear", "review", "Find out whether it is meant."),
        ("branded_only", "review", "No measure in force is known for it"),
    ],
)
def test_code_of_the_vendor_in_other_software(components: str, verdict: str, words: str) -> None:
    far = replace(FAR, components=components)
    library = product("hexa-ui", "developer_library")
    (finding,) = report(library, measures=(far,), policy=Policy(roles=("us_contractor",))).findings
    assert (finding.verdict, finding.action.startswith(words)) == (verdict, True), finding.action


def test_a_duty_that_no_date_counts_for_does_not_hide_an_exemption() -> None:
    listed = measure(
        "treasury", milestone("listed", "published", "2024-06-21T00:00:00-04:00", "us_person"), bound=("us_person",)
    )
    portal = product("portal", "threat_intelligence")
    (finding,) = report(portal, measures=(COMMERCE, listed), policy=Policy(roles=("us_person",))).suppressed
    assert (finding.verdict, [one.id for one in finding.measures]) == ("exempt", ["commerce", "treasury"])


def test_what_the_system_is_set_to_goes_before_the_files() -> None:
    details = {"type": "network filter", "effect": "it can cut the network: remove its binding first"}
    setting = Item(kind="setting", name="kl", vendor="Kaspersky", state="leftover", path="C:\\kl.sys", details=details)
    file = Item(kind="package", name="kesl", vendor="Kaspersky", state="leftover", path="C:\\kl")
    step = Step(step="clean", text="Delete the folders.")
    both = Match(kind=("package", "setting"), vendor="Kaspersky")
    rule = msgspec.structs.replace(product(remove=(step,)), match=(both,))
    (finding,) = report(rule, items=(file, setting)).findings
    undo = "Undo the network filter kl: it can cut the network: remove its binding first."
    assert finding.remove == (undo, "Delete what is left: C:\\kl.", "Delete the folders.")
    (finding,) = report(rule, items=(setting,)).findings
    assert finding.remove == (undo, "Delete the folders.")
