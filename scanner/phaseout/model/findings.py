"""What follows from an inventory and the rules: hits, findings, the report.

The layout of `Report` is the published JSON `phaseout-report/1`: members may be added, never renamed or removed. Times
are RFC 3339 strings in UTC.
"""

from typing import Literal

from msgspec import Struct

from phaseout.model.budget import Budget
from phaseout.model.nouns import Account, HostInfo, Item, SourceRun, State, Unseen
from phaseout.model.rules import (
    Bound,
    Category,
    Exemption,
    Force,
    MeasureState,
    MilestoneKind,
    Product,
    ProductRole,
    Reference,
    ReportDuty,
    Unclear,
    Vendor,
    Verified,
)

REPORT_SCHEMA = "phaseout-report/1"
Confidence = Literal["possible", "likely", "certain"]
CONFIDENCES: tuple[Confidence, ...] = ("possible", "likely", "certain")
Verdict = Literal[
    "replace",  # a measure asks for it, or its updates have ended
    "review",  # a person must decide
    "exempt",  # the law itself leaves it free
    "waived",  # the operator's own waiver, which lifts no law
    "successor",  # what the vendor put in its own place: not restricted
]
SUPPRESSED: frozenset[Verdict] = frozenset(("exempt", "waived", "successor"))  # shown, and not counted
Applies = Literal[
    "binds",  # one of the declared roles
    "reaches",  # no declared role is bound, but its consequences reach every user where the operator is
    "exempts",  # it would bind or reach, and leaves this category free; `text` is its condition
    "names",  # the vendor, and binds others
]
HostVerdict = Literal["replace", "review", "clean", "incomplete"]
ProtectionState = Literal[
    "protected",  # by a product that may stay: it is on, and current as far as files tell
    "outdated",  # likewise, with signatures that are old
    "on_demand",  # by one that scans only when somebody asks
    "passive",  # one is there, and only watches
    "off",  # one is there, and is off
    "restricted",  # only by what is to be replaced
    "none",  # nothing is there
    "unknown",  # it was not seen, or cannot be known
]


class Hit(Struct, frozen=True):
    """One item recognised as one product, how sure that is, and why in words. `item` indexes the inventory."""

    item: int
    vendor: Vendor
    product: Product
    confidence: Confidence
    because: str


class Hits(list[Hit]):
    """The hits of a host, with what is missing among them.

    Attributes:
        budget: what is left for judging them.
        unseen: what was not compared with the rules, and what was recognised and is not listed.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        super().__init__()
        self.budget = budget or Budget()
        self.unseen: list[Unseen] = []


class Applied(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One measure as it applies to a finding: the milestone that counts there, and the days left to it.

    `role` is the declared or implied role that is bound, `role_title` what that is in words, `duty` what the measure
    asks of it. No `milestone`: nothing in it asks anything of the operator. `due` is RFC 3339 with the offset of the
    measure's own zone; `days_left` is negative once past; both are empty where the measure sets no date. `begins` is
    the calendar day from which it is in force for the product, if that is still ahead of the day that is counted from.
    `unclear` says why it may not mean this product at all.
    """

    id: str
    title: str
    applies: Applies
    role: str = ""
    role_title: str = ""
    duty: str = ""
    force: Force
    milestone: MilestoneKind | Literal[""] = ""
    due: str = ""
    days_left: int | None = None
    text: str = ""
    unclear: str = ""
    status: MeasureState
    verified: Verified | Literal[""] = ""
    begins: str = ""

    @property
    def who(self) -> str:
        """The bound role in words; its id where it has no title."""
        return self.role_title or self.role

    @property
    def day(self) -> str:
        """The calendar day of `due` in the zone of the measure, such as 2025-04-01; empty without a date."""
        return self.due[:10]


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One product on one host, with every item that shows it. `because` has one entry for each item.

    The measures that apply come first; of these, `driving` is the one that decides. Dates are calendar days.
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
    waived_by: str = ""
    waived_until: str = ""
    waiver_id: str = ""
    waiver_granted: str = ""
    waiver_authority: str = ""
    waiver_reason: str = ""

    @property
    def driving(self) -> Applied | None:
        """The measure that the verdict, its date and its words come from."""
        return self.measures[0] if self.measures and self.measures[0].applies != "names" else None

    @property
    def applying(self) -> tuple[Applied, ...]:
        """The measures that bind, reach or exempt."""
        return tuple(one for one in self.measures if one.applies != "names")

    @property
    def naming(self) -> tuple[Applied, ...]:
        """The measures that only name the vendor or product: they bind others."""
        return tuple(one for one in self.measures if one.applies == "names")

    @property
    def also(self) -> tuple[Applied, ...]:
        """Every measure but the driving one."""
        return self.measures[1:] if self.driving else self.measures


class QuotedMilestone(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A dated consequence as a report quotes it.

    `due` is RFC 3339 with the offset of the measure's own zone; without it `when` says in words when it applies.
    `vendors` and `products` narrow it to some of those that the measure names; `references` name the sources of
    `QuotedMeasure.references`.
    """

    kind: MilestoneKind
    text: str
    actor: str
    verified: Verified
    due: str = ""
    when: str = ""
    vendors: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """The calendar day of `due` in the zone of the measure; empty without a date."""
        return self.due[:10]


class QuotedMeasure(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A measure that a finding names: who issued it, where it stands, and where each of its dates was read.

    What follows `references` is there for measures that apply to a finding, not for those that only name the product:
    what it asks of whom, what it means for a user whom it does not bind, who may grant an exception, what it exempts,
    the reason that its issuer gives, the reports that it asks for, whom it names without a rule, what else it
    reaches, notes, and until when it was to be checked again.
    """

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
    duties: tuple[Bound, ...] = ()
    user: str = ""
    action: str = ""
    waiver: str = ""
    exempts: tuple[Exemption, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    reason: str = ""
    reports: tuple[ReportDuty, ...] = ()
    not_looked_for: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    note: str = ""
    status_note: str = ""
    review_by: str = ""


class RulesUsed(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Which rules judged, and what a reader must know of them.

    `as_of` is the last day on which a measure was looked up. `cautions` belong in every line that gives a verdict: a
    clock that cannot be right, rules past their review date. `added` and `replaced` name folders of rules beside, or
    instead of, those that are shipped. `serial`, `made` and `review_by` are those of their release, shipped or a pack.
    """

    vendors: int
    products: int
    measures: int
    digest: str
    as_of: str = ""
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    serial: int = 0
    made: str = ""
    review_by: str = ""
    roles: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Protection(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Whether something protects the host against malware, without what is to be replaced; as far as files tell.

    `product` is the one that the state is about, `text` a sentence for people.
    """

    state: ProtectionState
    text: str
    product: str = ""


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
    peak_memory: int = 0  # bytes, of all workers
    measures: tuple[QuotedMeasure, ...] = ()  # those that the findings name, each once
    scanned_by: Account | None = None
    protection: Protection | None = None
    inventory_sha256: str = ""  # of the inventory that was judged, as `--inventory FILE.json` saves it
