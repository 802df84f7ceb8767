"""What the rules say, as frozen values: vendors, products, measures, the operator's policy."""

import datetime as dt
from functools import cached_property
from typing import Literal

from msgspec import Struct

from phaseout.model.nouns import IdType, Kind, Platform

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
ProductRole = Literal[
    "covered",  # the restricted software itself
    "embedded",  # another maker's product that may carry it: a person decides
    "indicator",  # software that goes with covered equipment: a person decides
    "trace",  # what covered software brought or was removed with, and not that software: a person decides
    "vendor",  # catch-all: something of this vendor that no product names
    "successor",  # what the vendor put in its own place: shown, never restricted
]


class VersionRange(Struct, frozen=True, forbid_unknown_fields=True):
    """`{min = "11", max = "12.1"}`: both ends belong to the range, compared number by number."""

    min: str = ""
    max: str = ""


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


StepKind = Literal[
    "ask",  # what a person must find out or decide first
    "replace",  # the replacement, before anything is removed
    "export",  # what must be saved or recorded
    "decrypt",  # what the product encrypted: only the product can read it
    "unmanage",  # what would keep the product or install it again
    "stop",  # running programs
    "uninstall",
    "restart",
    "clean",  # what the uninstaller leaves behind
    "block",  # the way back: web services, app stores
    "verify",  # that it is gone
]


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One step of a removal, in order; with `platform`, it is a step on that platform alone.

    `shown_by` are names of items, `*` for any run of characters, without one of which the step is put as a question.
    """

    step: StepKind
    text: str
    platform: Platform | Literal[""] = ""
    shown_by: tuple[str, ...] = ()


class Product(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One product and how to recognise it. Any `match` block suffices, unless one of `unless` fits as well.

    An exception by a publisher, a signer or an identifier stands. One by what a user can choose, such as a path or a
    name, only decides between products: what is no other product of the vendor is this one all the same.
    """

    id: str
    name: str
    category: Category
    role: ProductRole = "covered"
    platforms: tuple[Platform, ...]
    status: Literal["current", "discontinued", "renamed", "unknown"] = "current"
    match: tuple[Match, ...]
    unless: tuple[Match, ...] = ()
    hit: tuple[Specimen, ...]
    miss: tuple[Specimen, ...] = ()
    remove: tuple[Step, ...] = ()
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
    remove: tuple[Step, ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""
    product: tuple[Product, ...]


VENDOR = "vendor"  # the actor and bound role that is the vendor itself, which no operator can declare
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
    "wind_down",  # the vendor gives up its business there
    "waiver_ends",
    "sunset",  # the measure as a whole ends on that day; an exemption that ends is a ban that begins
]
FailOn = Literal["review", "replace", "never"]  # the weakest verdict that counts as found
Force = Literal["binding", "contractual", "funding", "advisory"]
MeasureState = Literal["proposed", "in_force", "under_review", "suspended", "superseded", "revoked", "expired"]
Precision = Literal["minute", "day"]
Verified = Literal["primary", "copy", "secondary", "derived", "unverified"]


class Milestone(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dated consequence. `at` is an instant with offset; without it `when` says in words when it applies.

    `actor` is the role that must act; `vendors` and `products` narrow it to some of those that the measure names.
    """

    id: str
    kind: MilestoneKind
    text: str
    at: dt.datetime | None = None
    when: str = ""
    precision: Precision = "day"
    actor: str
    basis: Literal["law", "vendor", "channel", "computed"] = "law"
    vendors: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    verified: Verified
    references: tuple[str, ...]


class Role(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who an operator can be. `home` is a country or state; `implies` are roles that the operator then has as well."""

    id: str
    title: str
    home: str
    implies: tuple[str, ...] = ()


class RoleFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file `roles.toml`."""

    role: tuple[Role, ...]


class Bound(Struct, frozen=True, forbid_unknown_fields=True):
    """A role that the measure binds, and to what; not those who are in one of the roles of `unless` as well."""

    role: str
    duty: str
    unless: tuple[str, ...] = ()


class Exemption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Categories that the measure itself leaves free, with its condition in words.

    `products` narrows it to some products; the first exemption that fits a product counts.
    """

    categories: tuple[Category, ...]
    products: tuple[str, ...] = ()
    condition: str = ""
    references: tuple[str, ...] = ()


class Unclear(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Categories of which the sources do not say whether the measure means them, and what is known of it, in words."""

    categories: tuple[Category, ...]
    text: str
    references: tuple[str, ...] = ()


class ReportDuty(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A report that a bound reader owes: what starts the clock, to whom it goes, in what time, and what it asks for.

    The words of a field before a colon are its name, those behind it say what is meant. `phaseout.report.forms` knows
    by their names the fields that a scan can fill in.
    """

    trigger: str
    to: str
    within: str
    fields: tuple[str, ...]
    references: tuple[str, ...] = ()


class Reference(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A source of a measure file, named by its `id` from the milestones."""

    id: str
    tier: Literal["primary", "copy", "secondary"]
    url: str = ""
    citation: str = ""


class MeasureStatus(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether the measure is in force, when that was checked, and when to check it again."""

    state: MeasureState
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
    force: Force
    vendors: tuple[str, ...]
    unruled_vendors: tuple[str, ...] = ()  # names that it lists as well, and that no vendor file looks for
    unlisted: tuple[str, ...] = ()  # what else it reaches, in words: a list that nobody read, a class without names
    products: tuple[str, ...] = ()  # of a vendor that has some here, only these; of any other vendor all
    covers: tuple[Category, ...] = ()  # only these categories; empty: all
    exempts: tuple[Exemption, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    components: Literal["embedded", "branded_only", "unclear"]
    clients: Literal["covered", "sign"] = "sign"  # software that goes with equipment: covered itself, or only a sign
    bound: tuple[Bound, ...]
    user: str  # what it means for a user whom it does not bind
    action: str  # what a bound reader has to do
    waiver: str = ""  # who may grant an exception under it; empty: none is known
    reason: str = ""  # the reason that its issuer gives
    report: tuple[ReportDuty, ...] = ()
    milestone: tuple[Milestone, ...]
    status: MeasureStatus
    reference: tuple[Reference, ...]
    note: str = ""


class Waiver(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product that the operator tolerates for a while: who approved it, why, where, until when.

    `id` is a ticket or file number, `granted` the day of the decision, `authority` what empowers the approver: a
    paragraph of the law, an exception of an agency, an internal rule.
    """

    product: str
    hosts: Patterns = "*"
    approver: str
    reason: str
    expires: dt.date
    id: str = ""
    granted: dt.date | None = None
    authority: str = ""


class Cutoff(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The operator's own deadline for a product or a whole vendor; the earlier of law and operator counts."""

    product: str
    at: dt.date
    reason: str = ""


class Defaults(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `scan` and `match` do where the command line does not say it.

    `format` is that of standard output, `output` the files to write (`-` is standard output), each in the format that
    its ending names, `fail_on` the weakest verdict that ends with status 1.
    """

    format: str = ""
    output: tuple[str, ...] = ()
    fail_on: FailOn = "review"


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The operator's own file `phaseout.toml`: roles, waivers, deadlines, replacements and defaults."""

    roles: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    waiver: tuple[Waiver, ...] = ()
    cutoff: tuple[Cutoff, ...] = ()
    replacements: dict[str, str] = {}
    defaults: Defaults = Defaults()


class WordIndex(Struct, frozen=True):
    """Where the words of patterns lead: to the numbers of `match` blocks, counted through all products.

    A word is written with a character for each byte of its UTF-8; a head is the first bytes of one.
    """

    words: dict[str, list[int]]
    heads: dict[str, list[int]]


class Ruleset(Struct, frozen=True, kw_only=True, dict=True):
    """All checked rules of a run. `digest` is the SHA-256 over the files, in the order of their names.

    `added` and `replaced` name the folders that were read beside, or instead of, the shipped rules. `serial`, `made`
    and `review_by` are those of the release, shipped or imported as a pack; `cautions` says why an imported one was not
    used.
    """

    vendors: tuple[Vendor, ...]
    measures: tuple[Measure, ...]
    roles: tuple[Role, ...] = ()
    digest: str
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    serial: int = 0
    made: str = ""
    review_by: str = ""
    cautions: tuple[str, ...] = ()
    index: WordIndex | None = None  # that the matcher of this very program made of these rules

    # Asked for each host of a fleet, and counted once.

    @cached_property
    def products(self) -> int:
        """How many products they know."""
        return sum(len(vendor.product) for vendor in self.vendors)

    @cached_property
    def as_of(self) -> str:
        """The last day on which a measure was looked up; empty without measures."""
        return str(max((measure.status.as_of for measure in self.measures), default=""))

    @cached_property
    def first_review(self) -> dt.date:
        """The first day by which a measure is to be checked again."""
        return min((measure.status.review_by for measure in self.measures), default=dt.date.max)

    @cached_property
    def kinds(self) -> frozenset[str] | None:
        """The kinds of items that they ask for; `None` if a rule asks for any kind."""
        kinds: set[str] = set()
        for vendor in self.vendors:
            for product in vendor.product:
                for match in product.match:
                    if not match.kind:
                        return None
                    kinds.update((match.kind,) if isinstance(match.kind, str) else match.kind)
        return frozenset(kinds)
