"""The nouns of a fleet: an answer, what the scan behind it came to, and the products of which something is asked.

They are apart from what reads reports, so that a command that only counts does not load the readers.
"""

from msgspec import Struct

from phaseout.model.findings import HostVerdict, Verdict
from phaseout.model.nouns import Identity, State

REJUDGED, JSON, CSV = 3, 2, 1  # of two answers of one scan the higher counts


class Subject(Struct, frozen=True, order=True):
    """A product of which a host is asked something: what is the same on many hosts. `due` is a day, or empty."""

    product_id: str
    vendor_id: str
    product: str
    vendor: str
    verdict: Verdict
    state: State
    measure: str = ""
    milestone: str = ""
    due: str = ""


class Detail(Struct, frozen=True, array_like=True, order=True):
    """How a finding shows on this one host."""

    versions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    action: str = ""
    replacement: str = ""
    items: int = 0


class Outcome(Struct, frozen=True, array_like=True, order=True):
    """What the scan of a host came to: the same for many hosts and many days.

    Attributes:
        form: what it was read from; of two answers of one scan the higher counts.
        rules_of: day on which the rules were last reviewed; of two with equal form the later counts.
        verdict: of the host.
        complete: whether everything was seen, so that what is not found is not there.
        rules: digest of the rules that judged.
        tool: program and version.
        subjects: what was found, sorted.
        protection: whether something protects the host without what is to be replaced; empty where that was not asked.
    """

    form: int
    rules_of: str
    verdict: HostVerdict
    complete: bool
    rules: str
    tool: str
    subjects: tuple[Subject, ...] = ()
    protection: str = ""


class Answer(Struct, frozen=True):
    """What a host said at one moment.

    Attributes:
        name: of the host.
        platform: of the host.
        os: and its version.
        identity: what tells the machine from others.
        at: seconds since 1970 in UTC.
        outcome: what the scan came to.
        details: one for each subject of the outcome, in that order.
        unseen: what was not seen, in words, with what helps.
        cautions: what must be read with the verdict.
        ahead: whether the clock of the host was ahead, so that `at` is not what it said.
    """

    name: str
    platform: str
    os: str
    identity: tuple[Identity, ...]
    at: int
    outcome: Outcome
    details: tuple[Detail, ...] = ()
    unseen: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    ahead: bool = False
