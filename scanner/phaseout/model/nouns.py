"""What a host shows, as frozen values: items, problems, source runs, inventories.

Everything here is data. The layout of `Inventory` is the published JSON `phaseout-inventory/1`: members may be added,
never renamed or removed. Times are RFC 3339 strings in UTC.
"""

from typing import Literal

from msgspec import Struct

INVENTORY_SCHEMA = "phaseout-inventory/1"
Platform = Literal["android", "ios", "linux", "macos", "windows"]  # the first two are known by inventories alone
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
    "certificate",  # one that the system or a program trusts
    "setting",  # of the system, that makes it use a vendor's program
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
    "certificate_sha256",
    "key_sha256",
]


class Evidence(Struct, frozen=True, omit_defaults=True):
    """Where a trace was read, and what was read there, so that a person can check it."""

    where: str
    what: str = ""


class Item(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One trace of software. Only the fields from `kind` to `ids` are matched.

    `source` is filled in by the runner; `details` are facts worth showing that no rule matches
    (`arch`, `pid`, `started`, `maintainer`, `container`, …). `notes` say what was odd about the record, such as
    an impossible date.
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
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


Cause = Literal[
    "permission",  # the system refuses: a scan with more rights may read it
    "guarded",  # macOS asks the user before it lets a program read this
    "mount",  # on a network, FUSE or automount, which is skipped
    "cloud",  # kept in the cloud: reading would fetch it
    "not_regular",  # a FIFO, socket or device where a file belongs
    "limit",  # a limit of size, depth, count or time was reached
    "vanished",  # it was listed and then gone, or changed while it was read
    "missing",  # something else promises it, and it is not there
    "damaged",  # its content is not what its format says
    "unsupported",  # a format, version or place that phaseout does not read
    "error",  # the system failed in another way
]


class Problem(Struct, frozen=True, omit_defaults=True):
    """Something that could not be read, and why. Never raised, always carried into the report.

    `hides` says whether software may be hidden by it. A bad date or icon hides none: that is a note on the item.
    `remedy` says what helps, where that is more than the cause tells.
    """

    where: str
    why: str
    cause: Cause
    hides: bool = True
    remedy: str = ""


# Only what is no software by its nature may be left out; whatever else is not listed is a problem.
Reason = Literal[
    "damaged",  # a record that could not be used: the problem beside it says why
    "part of the operating system",
    "part of the browser",
    "part of another item",  # a language of a package, another name of a product
    "listed as another item",  # the same thing, reached by another path
    "known but not installed",  # the database has the name only
    "a record of the past",  # a history, a list or a database that is no longer in use
    "an empty entry",
    "names nothing that is there",
    "a comment",
    "a setting",
    "a placeholder",
    "a mask of a unit",
    "a dead link",
    "a folder",
    "a file, not a folder",
    "a standard folder",
    "a public key",
    "not a program",
    "not a Go program",
    "not a package",
    "not an extension",
    "not a kernel module",
    "not software",  # of another tool's inventory: data, a device, a file
    "of a table without software",
    "not installed, only referred to",
    "what the document is about",
    "an app on a personal phone or tablet",  # counted only: it is the owner's own affair
]


class LeftOut(Struct, frozen=True):
    """Rows that were read and are no software, with the reason."""

    reason: Reason
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


IdentityKind = Literal[
    "smbios_uuid",  # of the mainboard or the virtual machine
    "serial",  # of the computer, as asset lists know it
    "ioplatform_uuid",  # of a Mac, hashed
    "machine_guid",  # of a Windows installation, hashed
    "machine_id",  # of a Linux installation, hashed
    "device_id",  # that a management system gave to the device
]


class Identity(Struct, frozen=True):
    """What tells this machine from another; `phaseout.parsers.encodings.identity` makes and compares them."""

    kind: IdentityKind
    value: str


class HostInfo(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The scanned host. `skipped_mounts` names the network, FUSE and automount points that were skipped.

    `identity` has at most one entry of each kind, the strongest first. `notes` say what a reader should know about
    how the host was scanned; reports show them as warnings.
    """

    name: str
    platform: Platform
    os: str = ""
    os_version: str = ""
    arch: str = ""
    root: str = ""  # empty for the live machine
    skipped_mounts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    identity: tuple[Identity, ...] = ()


class Unseen(Struct, frozen=True, omit_defaults=True):
    """A part of the host that was not seen, why, what helps, and which kinds of items it may hide (empty: all).

    Reports group those with the same `cause` and `remedy`.
    """

    what: str
    why: str
    remedy: str = ""
    source: str = ""
    kinds: tuple[Kind, ...] = ()
    cause: Cause | Literal["not_asked", "not_shown", ""] = ""  # the last two: by choice, and of such an inventory


class Account(Struct, frozen=True, kw_only=True):
    """Who scanned, and whether with the rights of an administrator (root, or elevated on Windows)."""

    user: str
    administrator: bool


class Inventory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The items and source runs of one host at one moment. `scanned_by` is missing in inventories of other tools."""

    schema: str
    tool: str
    scanned_at: str
    host: HostInfo
    items: tuple[Item, ...]
    runs: tuple[SourceRun, ...]
    unseen: tuple[Unseen, ...] = ()
    peak_memory: int = 0  # bytes, of all workers
    scanned_by: Account | None = None
