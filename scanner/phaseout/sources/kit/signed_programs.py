"""Programs of macOS as items of what starts them: who signed the file, and whether it is gone."""

from functools import partial

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Kind
from phaseout.parsers.macos.code_signature import Signature, signature
from phaseout.parsers.macos.info_plist import bundle
from phaseout.sources.kit.missing_files import MissingFiles

_HEAD = 4
_INFO = 1 << 20
_BUNDLES = (".app", ".systemextension", ".dext", ".xpc", ".bundle")
_MACH_O = frozenset(
    bytes.fromhex(magic)
    for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf", "bebafeca", "bfbafeca")
)


def is_program(host: Host, path: str) -> bool:
    """Whether a file is a program for this system, and no script."""
    return (host.files.head(path, _HEAD) or b"") in _MACH_O


def signed_by(host: Host, path: str) -> Signature | None:
    """The signature of a program, or of that of a bundle; `None` where there is no program."""
    if path.lower().endswith(_BUNDLES):
        info = bundle(host.files.read(f"{path}/Contents/Info.plist", _INFO) or b"")
        name = (info.executable if info else "") or path.rpartition("/")[2].rpartition(".")[0]
        path = "" if "/" in name else f"{path}/Contents/MacOS/{name}"
    return signature(partial(host.files.part, path)) if path.startswith("/") else None


def started(
    host: Host,
    missing: MissingFiles,
    name: str,
    path: str,
    evidence: Evidence,
    *,
    kind: Kind = "task",
    user: str = "",
    command: str = "",
    details: dict[str, str] | None = None,
) -> Item:
    """The item of a program, with what its signature says.

    Args:
        host: where it is.
        missing: knows whether it is gone.
        name: of the item.
        path: of the program.
        evidence: what names it.
        kind: of the item.
        user: whose it is.
        command: the line that starts it.
        details: further facts.
    """
    state, notes = missing.state(path)
    found = signed_by(host, path)
    return Item(
        kind=kind,
        name=name,
        state=state,
        vendor=found.organisation if found else "",
        path=path,
        user=user,
        command=command,
        signer=found.authority if found else "",
        ids={
            "bundle_id": found.identifier if found and not found.adhoc else "",
            "team_id": found.team_id if found else "",
        },
        details=details or {},
        notes=notes,
        evidence=(evidence,),
    )
