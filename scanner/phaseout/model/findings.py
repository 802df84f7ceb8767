"""What follows from an inventory and the rules: hits, findings, the report.

The layout of `Report` is the published JSON `phaseout-report/1`: members may be added, never renamed or removed. Times
are RFC 3339 strings in UTC.
"""

from typing import Literal

from msgspec import Struct

from phaseout.model.nouns import HostInfo, Item, SourceRun, State, Unseen
from phaseout.model.rules import (
    Category,
    Force,
    MeasureState,
    MilestoneKind,
    Product,
    ProductRole,
    Reference,
    Vendor,
    Verified,
)

REPORT_SCHEMA = "phaseout-report/1"
Confidence = Literal["possible", "likely", "certain"]
CONFIDENCES: tuple[Confidence, ...] = ("possible", "likely", "certain")
Verdict = Literal["replace", "review", "exempt"]
HostVerdict = Literal["replace", "review", "clean", "incomplete"]


class Hit(Struct, frozen=True):
    """One item recognised as one product, how sure that is, and why in words. `item` indexes the inventory."""

    item: int
    vendor: Vendor
    product: Product
    confidence: Confidence
    because: str


class Applied(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One measure as it applies to a finding: the milestone that counts there, and the days left to it.

    `binds` tells whether one of the operator's roles is bound. No `milestone`: nothing in it asks anything of us.
    `due` is RFC 3339 with the offset of the measure's own zone; `days_left` is negative once past; both are empty
    where the measure sets no date.
    """

    id: str
    title: str
    binds: bool
    force: Force
    milestone: MilestoneKind | Literal[""] = ""
    due: str = ""
    days_left: int | None = None
    text: str = ""
    status: MeasureState
    verified: Verified | Literal[""] = ""

    @property
    def day(self) -> str:
        """The calendar day of `due` in the zone of the measure, such as 2025-04-01; empty without a date."""
        return self.due[:10]


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One product on one host, with every item that shows it. `because` has one entry for each item.

    `measures[0]` drives the finding.
    """

    vendor: str
    vendor_id: str
    product: str
    product_id: str
    category: Category
    role: ProductRole
    verdict: Verdict
    state: State
    confidence: Confidence
    items: tuple[Item, ...]
    because: tuple[str, ...]
    measures: tuple[Applied, ...] = ()
    action: str = ""
    remove: tuple[str, ...] = ()
    replacement: str = ""

    @property
    def driving(self) -> Applied | None:
        """The measure that the verdict, its date and its words come from."""
        return self.measures[0] if self.measures else None


class QuotedMilestone(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A dated consequence as a report quotes it.

    `due` is RFC 3339 with the offset of the measure's own zone; without it `when` says in words when it applies.
    `products` narrows it to some products of the vendor; `references` name the sources of `QuotedMeasure.references`.
    """

    kind: MilestoneKind
    text: str
    actor: str
    verified: Verified
    due: str = ""
    when: str = ""
    products: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """The calendar day of `due` in the zone of the measure; empty without a date."""
        return self.due[:10]


class QuotedMeasure(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A measure that applies to a finding: who issued it, where it stands, and where each of its dates was read."""

    id: str
    title: str
    issuer: str
    jurisdiction: str
    force: Force
    citation: tuple[str, ...]
    status: MeasureState
    status_as_of: str
    milestones: tuple[QuotedMilestone, ...]
    references: tuple[Reference, ...]


class RulesUsed(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Which rules judged, and what a reader must know of them (unverified parts, reviews that are due)."""

    vendors: int
    products: int
    measures: int
    digest: str
    roles: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Findings, suppressed findings, source runs and what was not seen: the input of every output format."""

    schema: str
    tool: str
    scanned_at: str
    as_of: str
    host: HostInfo
    rules: RulesUsed
    verdict: HostVerdict
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()
    runs: tuple[SourceRun, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    items: int = 0  # how many the inventory held
    peak_memory: int = 0  # bytes, of the worker that looked
    measures: tuple[QuotedMeasure, ...] = ()  # those that the findings name, each once
