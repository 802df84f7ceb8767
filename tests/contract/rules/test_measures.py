"""What must hold for every measure file: a lawyer can check it, and the program can count on it."""

import datetime as dt
import re
import tomllib
import zoneinfo
from pathlib import Path

import msgspec
import pytest
from phaseout.judgement.applied import REMOVAL
from phaseout.model.rules import Measure

RULES = Path(__file__).parents[3] / "rules"
FILES = sorted((RULES / "measures").glob("*.toml"))
ROLES = {role["id"] for role in tomllib.loads((RULES / "roles.toml").read_text("utf-8"))["role"]}
ZONES = {
    "US": "America/New_York", "CA": "America/Toronto", "AU": "Australia/Sydney", "LT": "Europe/Vilnius",
    "NL": "Europe/Amsterdam", "DE": "Europe/Berlin", "IT": "Europe/Rome", "GB": "Europe/London",
    "RO": "Europe/Bucharest", "PL": "Europe/Warsaw", "UA": "Europe/Kyiv", "CZ": "Europe/Prague", "TW": "Asia/Taipei",
    "US-AL": "America/Chicago", "US-FL": "America/New_York", "US-GA": "America/New_York", "US-KS": "America/Chicago",
    "US-LA": "America/Chicago", "US-MD": "America/New_York", "US-ME": "America/New_York", "US-NH": "America/New_York",
    "US-NJ": "America/New_York", "US-NV": "America/Los_Angeles", "US-NY": "America/New_York",
    "US-OH": "America/New_York", "US-OK": "America/Chicago", "US-OR": "America/Los_Angeles", "US-TN": "America/Chicago",
    "US-TX": "America/Chicago", "US-VA": "America/New_York", "US-VT": "America/New_York", "US-WI": "America/Chicago",
}  # fmt: skip
# What a milestone claims to rest on, and the tiers of which one must be among its references.
BEARS = {"primary": {"primary"}, "copy": {"primary", "copy"}}
EVERY = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def measure(file: Path) -> Measure:
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Measure)


@EVERY
def test_ids_fit(file: Path) -> None:
    found = measure(file)
    assert found.id == file.stem
    for ids in ([one.id for one in found.milestone], [one.id for one in found.reference]):
        assert len(ids) == len(set(ids))


@EVERY
def test_it_says_what_it_is_and_whom_it_binds(file: Path) -> None:
    found = measure(file)
    for words in (found.title, found.issuer, found.user, found.action, *found.citation):
        assert words == words.strip() != ""
    assert found.vendors or found.unruled_vendors or found.unlisted
    assert found.milestone
    assert {one.role for one in found.bound} - {"vendor"} <= ROLES
    assert all(one.duty for one in found.bound)


@EVERY
def test_every_milestone_rests_on_references_that_bear_it(file: Path) -> None:
    found = measure(file)
    tiers = {one.id: one.tier for one in found.reference}
    for one in found.milestone:
        cited = {tiers[name] for name in one.references}
        assert cited, one.id
        assert cited & BEARS.get(one.verified, cited), f"{one.id} claims {one.verified} and cites {cited}"
    for cited_by in (*(one.references for one in found.exempts), *(one.references for one in found.report)):
        assert cited_by
        assert set(cited_by) <= set(tiers)


@EVERY
def test_every_reference_can_be_looked_up_and_is_used(file: Path) -> None:
    found = measure(file)
    cited = {name for one in found.milestone for name in one.references}
    cited |= {name for one in found.exempts for name in one.references}
    cited |= {name for one in found.report for name in one.references}
    cited |= {name for one in found.unclear for name in one.references}
    said = set(re.findall(r"\w+", f"{found.note} {found.reason} {found.status.note}"))
    for one in found.reference:
        assert one.url.startswith(("https://", "http://")) or (not one.url and one.citation), one.id
        assert "…" not in one.url
        assert one.id in cited | said, f"{one.id} supports nothing"


@EVERY
def test_every_milestone_has_a_time_and_an_actor(file: Path) -> None:
    found = measure(file)
    bound = {one.role for one in found.bound}
    for one in found.milestone:
        assert (one.at is None) != (one.when == ""), f"{one.id} needs either `at` or `when`"
        assert one.actor == "vendor" or one.actor in bound, f"{one.id}: {one.actor} is not bound"
        assert one.text
        assert (one.basis == "computed") == (one.verified == "derived"), one.id


@EVERY
def test_instants_are_those_of_the_issuer(file: Path) -> None:
    if not zoneinfo.available_timezones():
        pytest.skip("no time zone data here")
    found = measure(file)
    zone = zoneinfo.ZoneInfo(ZONES[found.jurisdiction])
    for one in found.milestone:
        if one.at is not None:
            assert one.at.utcoffset() is not None, f"{one.id} has no offset"
            assert one.at.utcoffset() == one.at.astimezone(zone).utcoffset(), f"{one.id}: not the time of {zone}"
            assert one.precision == "minute" or one.at.time() == dt.time(), f"{one.id}: a day begins at midnight"


@EVERY
def test_it_is_reviewed_in_time(file: Path) -> None:
    status = measure(file).status
    assert status.as_of < status.review_by <= status.as_of.replace(year=status.as_of.year + 1)
    assert (status.state == "superseded") == (status.superseded_by != "")


def test_successors_exist_and_cover_the_same_vendors() -> None:
    found = {file.stem: measure(file) for file in FILES}
    for one in found.values():
        if one.status.superseded_by:
            successor = found[one.status.superseded_by]
            assert set(one.vendors) <= set(successor.vendors)
            assert successor.status.state == "in_force"


@EVERY
def test_what_is_not_verified_asks_for_nothing(file: Path) -> None:
    for one in measure(file).milestone:
        if one.verified == "unverified":
            assert one.kind not in REMOVAL, f"{one.id} would tell somebody to remove what no source asks for"


def commerce() -> Measure:
    (file,) = (file for file in FILES if file.stem == "us-commerce-icts-2021-002")
    return measure(file)


def test_commerce_dates() -> None:
    utc = {one.kind: one.at.astimezone(dt.UTC).isoformat() for one in commerce().milestone if one.at is not None}
    midnight = "2024-09-29T04:00:00+00:00"
    assert utc == {
        "published": "2024-06-24T04:00:00+00:00",
        "new_agreement_ban": "2024-07-20T04:00:00+00:00",
        "wind_down": "2024-07-20T04:00:00+00:00",
        "vendor_end_of_service": "2024-09-10T04:00:00+00:00",
        "update_cutoff": midnight,
        "cloud_service_cutoff": midnight,
        "resale_ban": midnight,
        "integration_ban": midnight,
        "licensing_ban": midnight,
    }


def test_commerce_forbids_nothing_to_users() -> None:
    found = commerce()
    assert "us_person" not in {one.role for one in found.bound}
    assert not {"use_ban", "removal_due", "removal_begins"} & {one.kind for one in found.milestone}
    assert "no legal penalty" in found.user


def test_commerce_end_of_service_is_narrowed_to_one_product() -> None:
    (one,) = (one for one in commerce().milestone if one.kind == "vendor_end_of_service")
    assert one.products


def test_scope_differs_for_the_same_vendor() -> None:
    """Exemptions and components of the Kaspersky measures, which are easily mixed up."""
    found = {file.stem: measure(file) for file in FILES}
    scopes = {
        name: (found[name].components, {category for one in found[name].exempts for category in one.categories})
        for name in ("us-commerce-icts-2021-002", "us-dhs-bod-17-01", "us-far-52-204-23", "au-pspf-002-2025")
    }
    assert scopes == {
        "us-commerce-icts-2021-002": ("embedded", {"threat_intelligence", "security_training", "advisory"}),
        "us-dhs-bod-17-01": ("branded_only", {"threat_intelligence", "security_training"}),
        "us-far-52-204-23": ("embedded", set()),
        "au-pspf-002-2025": ("branded_only", set()),
    }


def test_only_a_whole_measure_has_a_sunset() -> None:
    """From that day on it binds nobody: an exemption or a waiver that ends is another kind of milestone."""
    ends = {one.id for one in map(measure, FILES) if any(each.kind == "sunset" and each.at for each in one.milestone)}
    assert ends == {"us-drone-security-act"}  # sec. 1832: the authority ends


def test_what_nobody_read_is_no_name_of_a_vendor() -> None:
    names = [(one.id, name) for one in map(measure, FILES) for name in one.unruled_vendors]
    assert not [each for each in names if "read" in each[1] or "list" in each[1] or each[1].startswith("other")]
