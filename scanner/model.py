"""The nouns of phaseout as frozen values: what a host shows, what the rules say, and what follows from both.

Everything here is data. The layout of `Inventory` and `Report` is the published JSON (`phaseout-inventory/1`,
`phaseout-report/1`): members may be added, never renamed or removed. Times are RFC 3339 strings in UTC.
"""

import datetime as dt
from typing import Literal

from msgspec import Struct

INVENTORY_SCHEMA = "phaseout-inventory/1"
REPORT_SCHEMA = "phaseout-report/1"

Platform = Literal["linux", "macos", "windows"]
Kind = Literal[
    "package",  # an entry of a package manager
    "program",  # an entry of the Windows Uninstall keys, an AppImage, a portable executable
    "app",  # an application bundle or a desktop entry
    "process",
    "service",  # a systemd unit, SysV script, launchd job, Windows service
    "task",  # something started by a scheduler or at log-on
    "driver",  # a kernel module, kernel or system extension, minifilter
    "extension",  # of a browser or an editor
    "library",  # a package of a programming language
    "security_product",  # registered as such with the operating system
    "file",  # a folder or file that the vendor leaves
]
State = Literal["running", "installed", "leftover"]
STATES: tuple[State, ...] = ("leftover", "installed", "running")  # weakest first
IdType = Literal[
    "product_code",
    "upgrade_code",
    "package_family",
    "bundle_id",
    "team_id",
    "extension_id",
    "purl",
    "clsid",
    "registry_key",
    "receipt_id",
]


# What a host shows


class Evidence(Struct, frozen=True, omit_defaults=True):
    """Where a trace was read, and what was read there, so that a person can look for himself."""

    where: str
    what: str = ""


class Item(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One trace of software. Matched are only the fields from `kind` to `ids`.

    `source` is filled in by the runner; `details` are facts worth showing that no rule looks at
    (`arch`, `pid`, `started`, `maintainer`, `container`, …).
    """

    kind: Kind
    name: str
    source: str = ""
    state: State = "installed"
    vendor: str = ""
    version: str = ""
    path: str = ""
    user: str = ""
    command: str = ""
    signer: str = ""
    ids: dict[IdType, str] = {}
    details: dict[str, str] = {}
    evidence: tuple[Evidence, ...] = ()


class Problem(Struct, frozen=True):
    """Something that could not be read, and why. Never raised, always carried into the report."""

    where: str
    why: str


class LeftOut(Struct, frozen=True):
    """Rows that were read and are no items, with the reason in words."""

    reason: str
    count: int = 1


RunStatus = Literal["ok", "partial", "failed", "timeout", "skipped"]


class SourceRun(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How one source ended. `rows` = `items` + the sum of `left_out`."""

    source: str
    status: RunStatus
    reason: str = ""
    rows: int = 0
    items: int = 0
    left_out: dict[str, int] = {}
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0


class HostInfo(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who was looked at. `left_alone` names network, FUSE and automounts that nobody stepped into.

    `notes` say what a reader should know of how it was looked at; reports give them as warnings.
    """

    name: str
    platform: Platform
    os: str = ""
    os_version: str = ""
    arch: str = ""
    root: str = ""  # empty for the live machine
    left_alone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Unseen(Struct, frozen=True, omit_defaults=True):
    """A part of the host that was not seen, why, what helps, and which kinds of items it may hide (none: all)."""

    what: str
    why: str
    remedy: str = ""
    source: str = ""
    kinds: tuple[Kind, ...] = ()


class Inventory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The items and source runs of one host at one moment."""

    schema: str
    tool: str
    scanned_at: str
    host: HostInfo
    items: tuple[Item, ...]
    runs: tuple[SourceRun, ...]
    unseen: tuple[Unseen, ...] = ()
    peak_memory: int = 0  # bytes, of the worker


# What the rules say

Patterns = str | tuple[str, ...]
Category = Literal[
    "antivirus",
    "endpoint_security",
    "security_management",
    "security_tool",
    "vpn",
    "password_manager",
    "parental_control",
    "embedded_engine",
    "threat_intelligence",
    "security_training",
    "advisory",
    "developer_library",
    "device_client",
    "drone_client",
    "telecom_client",
    "social_media",
    "messaging",
    "ai_assistant",
    "backup",
    "office",
    "finance",
    "media",
    "other",
]
Grade = Literal["A", "B", "C"]
Role = Literal[
    "covered",  # the restricted software itself
    "embedded",  # somebody else's product that may carry it: a person decides
    "indicator",  # software that goes with covered equipment: a person decides
    "vendor",  # catch-all: something of this vendor that no product names
    "successor",  # what the vendor put in its own place: shown, never restricted
]


class VersionRange(Struct, frozen=True, forbid_unknown_fields=True):
    """`{min = "11", max = "12.1"}`: both ends belong to the range, compared number by number."""

    min: str = ""
    max: str = ""


# Pattern that stands for a list at the head of the vendor file → that list.
HEAD_LISTS = {"@publishers": "publishers", "@signers": "signers", "@team_ids": "team_ids"}


class Match(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to recognise a product. Every field that is given must fit; a list fits if any of its patterns does.

    `*` in a pattern stands for any run of characters. `vendor = "@publishers"` and `signer = "@signers"` stand for
    the lists at the head of the vendor file, `ids.team_id = "@team_ids"` likewise. `grade` is how well the
    identifier is attested (A and B stand alone, C only beside a second field), `reference` says by whom.
    """

    kind: Kind | tuple[Kind, ...] = ()
    name: Patterns = ()
    vendor: Patterns = ()
    version: Patterns | VersionRange = ()
    path: Patterns = ()
    command: Patterns = ()
    signer: Patterns = ()
    ids: dict[IdType, Patterns] = {}
    grade: Grade = "B"
    reference: str = ""


class Specimen(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A real trace that a product must match (`hit`) or must not match (`miss`); `why` says what it is."""

    kind: Kind = "package"
    name: str = ""
    vendor: str = ""
    version: str = ""
    path: str = ""
    command: str = ""
    signer: str = ""
    ids: dict[IdType, str] = {}
    why: str = ""


class Product(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One product and how to recognise it. Any `match` block suffices, unless one of `unless` fits as well."""

    id: str
    name: str
    category: Category
    role: Role = "covered"
    platforms: tuple[Platform, ...]
    status: Literal["current", "discontinued", "renamed", "unknown"] = "current"
    match: tuple[Match, ...]
    unless: tuple[Match, ...] = ()
    hit: tuple[Specimen, ...]
    miss: tuple[Specimen, ...] = ()
    remove: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""


class Vendor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A vendor file: who the vendor is, and its products."""

    id: str
    name: str
    names: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    unless: tuple[Match, ...] = ()
    remove: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""
    product: tuple[Product, ...]


MilestoneKind = Literal[
    "published",
    "effective",
    "new_agreement_ban",
    "update_cutoff",
    "cloud_service_cutoff",
    "resale_ban",
    "integration_ban",
    "licensing_ban",
    "procurement_ban",
    "contracting_ban",
    "funding_ban",
    "authorization_ban",
    "use_ban",
    "inventory_due",
    "plan_due",
    "removal_begins",
    "removal_due",
    "report_due",
    "vendor_end_of_service",
    "channel_delisting",
    "divestiture",
    "waiver_ends",
    "sunset",
]
Verified = Literal["primary", "copy", "secondary", "derived", "unverified"]


class Milestone(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dated consequence. `at` is an instant with offset; without it `when` says in words when it applies.

    `actor` is the role that must act; `products` narrows it to some products of the vendor file.
    """

    id: str
    kind: MilestoneKind
    text: str
    at: dt.datetime | None = None
    when: str = ""
    precision: Literal["minute", "day"] = "day"
    actor: str
    basis: Literal["law", "vendor", "channel", "computed"] = "law"
    products: tuple[str, ...] = ()
    verified: Verified
    references: tuple[str, ...]


class Bound(Struct, frozen=True, forbid_unknown_fields=True):
    """A role that the measure binds, and to what."""

    role: str
    duty: str


class Exemption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Categories that the measure itself leaves free, with its condition in words."""

    categories: tuple[Category, ...]
    condition: str = ""
    references: tuple[str, ...] = ()


class Reference(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A source of a measure file, named by its `id` from the milestones."""

    id: str
    tier: Literal["primary", "copy", "secondary"]
    url: str = ""
    citation: str = ""


class MeasureStatus(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether the measure is in force, as of when that was looked up, and when to look again."""

    state: Literal["proposed", "in_force", "under_review", "suspended", "superseded", "revoked", "expired"]
    as_of: dt.date
    review_by: dt.date
    superseded_by: str = ""
    note: str = ""


class Measure(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A legal or official act against software of some vendors, and its dated consequences."""

    id: str
    title: str
    issuer: str
    instrument: Literal[
        "statute", "regulation", "determination", "order", "directive", "contract_clause", "list", "policy", "advisory"
    ]
    citation: tuple[str, ...]
    jurisdiction: str
    force: Literal["binding", "contractual", "funding", "advisory"]
    vendors: tuple[str, ...]
    products: tuple[str, ...] = ()  # only these products; empty: all of the vendors
    covers: tuple[Category, ...] = ()  # only these categories; empty: all
    exempts: tuple[Exemption, ...] = ()
    components: Literal["embedded", "branded_only", "unclear"]
    bound: tuple[Bound, ...]
    user: str  # what it means for somebody who merely uses the software
    action: str  # what a bound reader has to do
    milestone: tuple[Milestone, ...]
    status: MeasureStatus
    reference: tuple[Reference, ...]
    note: str = ""


class Waiver(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product that the operator tolerates for a while: who approved it, why, where, until when."""

    product: str
    hosts: Patterns = "*"
    approver: str
    reason: str
    expires: dt.date


class Cutoff(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The operator's own deadline for a product or a whole vendor; the earlier of law and operator counts."""

    product: str
    at: dt.date
    reason: str = ""


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The operator's own file `phaseout.toml`: what binds us, what we tolerate, and what comes instead."""

    roles: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    waiver: tuple[Waiver, ...] = ()
    cutoff: tuple[Cutoff, ...] = ()
    replacements: dict[str, str] = {}


class Ruleset(Struct, frozen=True, kw_only=True):
    """All checked rules of a run. `digest` is the SHA-256 over the files, in the order of their names."""

    vendors: tuple[Vendor, ...]
    measures: tuple[Measure, ...]
    digest: str


# What follows

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
    `due` is RFC 3339; `days_left` is negative once past; both are empty where the measure sets no date.
    """

    id: str
    title: str
    binds: bool
    force: str = ""
    milestone: str = ""
    due: str = ""
    days_left: int | None = None
    text: str = ""
    status: str = ""
    verified: str = ""


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One product on one host, with every item that shows it. `because` has one entry for each item.

    `measures[0]` drives the finding; the others apply as well.
    """

    vendor: str
    vendor_id: str
    product: str
    product_id: str
    category: str
    role: Role
    verdict: Verdict
    state: State
    confidence: Confidence
    items: tuple[Item, ...]
    because: tuple[str, ...]
    measures: tuple[Applied, ...] = ()
    action: str = ""
    remove: tuple[str, ...] = ()
    replacement: str = ""


class QuotedMilestone(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A dated consequence as a report quotes it. `due` is RFC 3339; without it `when` says in words when it applies.

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


class QuotedMeasure(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A measure that applies to a finding: who issued it, where it stands, and where each of its dates was read."""

    id: str
    title: str
    issuer: str
    jurisdiction: str
    force: str
    citation: tuple[str, ...]
    status: str
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
