"""Which measures apply to a product, and to whom."""

import datetime as dt

from msgspec.structs import replace
from phaseout.judgement.applied import OWN_CUTOFF, Declared, applied, bound_roles, concerns, own_cutoffs
from phaseout.model.findings import Applied
from phaseout.model.rules import (
    Bound,
    Cutoff,
    Exemption,
    Match,
    Measure,
    MeasureStatus,
    Milestone,
    Policy,
    Product,
    Reference,
    Specimen,
    Vendor,
)

DAY = dt.datetime.fromisoformat("2023-01-26T00:00:00-06:00")
MEASURE = Measure(
    id="texas",
    title="texas",
    issuer="x",
    instrument="list",
    citation=("x",),
    jurisdiction="US",
    force="binding",
    vendors=("acme", "other"),
    components="unclear",
    bound=(Bound("agency", "remove"),),
    user="Not bound.",
    action="Remove it.",
    milestone=(),
    status=MeasureStatus(state="in_force", as_of=dt.date(2026, 1, 1), review_by=dt.date(2027, 1, 1)),
    reference=(Reference(id="r", tier="primary", citation="x"),),
)


def who(*roles: str) -> Declared:
    return Declared(roles, frozenset({"US"}), {})


def product(identifier: str) -> Product:
    return Product(
        id=identifier,
        name=identifier,
        category="threat_intelligence",
        platforms=("linux",),
        match=(Match(name=identifier),),
        hit=(Specimen(name=identifier),),
    )


def vendor(identifier: str, *products: str) -> Vendor:
    return Vendor(id=identifier, name=identifier, product=tuple(map(product, products)))


ACME, OTHER = vendor("acme", "pay", "talk"), vendor("other", "chat")


def milestone(identifier: str, at: dt.datetime, vendors: tuple[str, ...] = ()) -> Milestone:
    return Milestone(
        id=identifier,
        kind="use_ban",
        text=identifier,
        at=at,
        actor="agency",
        vendors=vendors,
        verified="primary",
        references=("r",),
    )


def judged(measure: Measure, maker: Vendor, roles: Declared) -> Applied:
    (found,) = applied([measure], maker, maker.product[0], (), roles, dt.date(2026, 1, 1))
    return found


def test_products_narrow_the_vendor_that_has_them_and_no_other() -> None:
    narrowed = replace(MEASURE, products=("pay",))
    assert concerns(narrowed, ACME, ACME.product[0])
    assert not concerns(narrowed, ACME, ACME.product[1])
    assert concerns(narrowed, OTHER, OTHER.product[0])


def test_those_in_an_excepted_role_are_not_bound_though_they_imply_the_bound_one() -> None:
    excepting = replace(MEASURE, bound=(Bound("agency", "remove", ("defense",)),))
    assert bound_roles(excepting, who("agency")) == ("agency",)
    assert bound_roles(excepting, who("defense", "agency")) == ()
    found = judged(replace(excepting, milestone=(milestone("ban", DAY),)), ACME, who("defense", "agency"))
    assert (found.applies, found.milestone) == ("names", "")


def test_a_declared_role_comes_before_an_implied_one() -> None:
    both = replace(MEASURE, bound=(Bound("agency", "remove"), Bound("school", "block")))
    found = judged(both, ACME, who("school", "agency"))
    assert (found.role, found.duty) == ("school", "block")


def test_the_role_is_that_of_the_milestone_that_counts() -> None:
    both = replace(
        MEASURE, bound=(Bound("school", "block"), Bound("agency", "remove")), milestone=(milestone("ban", DAY),)
    )
    found = judged(both, ACME, who("school", "agency"))
    assert (found.role, found.duty, found.milestone) == ("agency", "remove", "use_ban")


def test_a_milestone_may_be_about_one_vendor() -> None:
    later = DAY.replace(year=2026)
    dated = replace(MEASURE, milestone=(milestone("first", DAY, ("acme",)), milestone("second", later)))
    assert judged(dated, ACME, who("agency")).day == "2023-01-26"
    assert judged(dated, OTHER, who("agency")).day == "2026-01-26"


def test_the_first_exemption_that_fits_the_product_counts() -> None:
    exempting = replace(
        MEASURE,
        exempts=(
            Exemption(categories=("threat_intelligence",), products=("pay",), condition="that it uploads nothing"),
            Exemption(categories=("threat_intelligence",)),
        ),
    )
    first, second = (judged(exempting, maker, who("agency")) for maker in (ACME, OTHER))
    assert (first.applies, first.text) == ("exempts", "that it uploads nothing")
    assert (second.applies, second.text) == ("exempts", "")


def test_a_deadline_of_the_operator_is_a_day_of_the_zone_in_which_days_are_counted() -> None:
    policy = Policy(cutoff=(Cutoff(product="acme-x", at=dt.date(2026, 5, 2)),))
    sydney = dt.timezone(dt.timedelta(hours=10))
    evening = dt.datetime(2026, 5, 1, 20, tzinfo=sydney)
    assert [(one.due, one.days_left) for one in own_cutoffs(policy, "acme", "acme-x", evening)] == [
        ("2026-05-02T00:00:00+10:00", 1)
    ]
    assert [one.due for one in own_cutoffs(policy, "acme", "acme-x", evening.date())] == ["2026-05-02T00:00:00+00:00"]


def test_the_law_comes_before_a_deadline_of_the_operator_on_the_same_day() -> None:
    law = replace(MEASURE, milestone=(milestone("m", DAY),))
    policy = Policy(cutoff=(Cutoff(product="acme", at=DAY.date()),))
    own = [*own_cutoffs(policy, "acme", "acme-x", DAY.date())]
    found = applied((law,), vendor("acme", "acme-x"), product("acme-x"), own, who("agency"), DAY.date())
    assert [one.id for one in found] == ["texas", OWN_CUTOFF]
    sooner = [replace(own[0], days_left=-1)]
    found = applied((law,), vendor("acme", "acme-x"), product("acme-x"), sooner, who("agency"), DAY.date())
    assert [one.id for one in found] == [OWN_CUTOFF, "texas"]


def test_the_text_is_an_action_for_the_bound_and_a_reason_for_others() -> None:
    dated = replace(MEASURE, milestone=(milestone("ban", DAY),))
    assert judged(dated, ACME, who("agency")).text == "Remove it."
    assert judged(dated, ACME, who()).text == "Not bound."


def test_what_a_catch_all_found_may_be_of_the_category_that_is_meant() -> None:
    antivirus = replace(MEASURE, covers=("antivirus",))
    other = product("acme-x")
    found = [
        applied((antivirus,), vendor("acme", "acme-x"), one, (), who("agency"), DAY)
        for one in (other, replace(other, role="vendor"), replace(other, category="antivirus"))
    ]
    assert [len(one) for one in found] == [0, 1, 1]


def test_a_ban_with_a_date_comes_before_one_without() -> None:
    undated = replace(milestone("undated", DAY), at=None)
    both = replace(MEASURE, milestone=(undated, milestone("dated", DAY)))
    assert judged(both, ACME, who("agency")).day == "2023-01-26"


def test_a_measure_that_asks_for_removal_leads_and_advice_does_not() -> None:
    advice = replace(MEASURE, id="advice", force="advisory", milestone=(milestone("ban", DAY),))
    trade = replace(MEASURE, id="trade", milestone=(replace(milestone("ban", DAY), kind="procurement_ban"),))
    removal = replace(MEASURE, id="removal", milestone=(milestone("ban", DAY.replace(year=2030)),))
    found = applied((advice, trade, removal), ACME, ACME.product[0], (), who("agency"), DAY)
    assert found[0].id == "removal"
