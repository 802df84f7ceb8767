"""Rule packs on this machine: imported once, with every check, and read by each scan without any.

The folder holds `installed`, which names the pack that counts, and for each pack that is kept `N.tar`, the pack itself,
and `N.packed`, its checked rules. `installed` is replaced last and at once, so an import takes place whole or not at
all, and the pack before stays for `rollback`.
"""

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from phaseout import __version__, release
from phaseout.cli import Failure
from phaseout.report.safe import visible
from phaseout.rules.load import RuleError, load, pack, unpack

if TYPE_CHECKING:
    from phaseout.model.rules import Ruleset
    from phaseout.rules.packs import Keys, Pack

_LIMIT = 16 << 20  # bytes of a file in the folder


class Base(NamedTuple):
    """The release that counts. `files` is empty if it is the shipped one; `packed` are checked rules made from `files`.

    `cautions` says why an imported release does not count although it is there.
    """

    release: dict[str, str]
    files: dict[str, bytes]
    packed: bytes = b""
    cautions: tuple[str, ...] = ()


def newest() -> Base:
    """The newer one of the shipped release and the imported one. Nothing about an imported one stops a scan."""
    shipped = release.shipped()
    try:
        imported = release.installed()
        if release.number(imported) <= release.number(shipped):
            return Base(shipped, {})
        return _imported(imported)
    except (OSError, RuleError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        return Base(shipped, {}, cautions=(f"the imported rules were not used: {why}",))


def _imported(imported: dict[str, str]) -> Base:
    from phaseout.rules.packs import PackError, rule_files

    serial = release.number(imported)
    _kept(release.INSTALLED)
    try:
        files = rule_files(_kept(f"{serial}.tar"), f"pack {serial}")
    except (FileNotFoundError, PackError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else str(error)
        raise RuleError([f"pack {serial} {why}; import it again with --allow-older"]) from None
    packed = b""
    if imported.get("tool") == __version__:
        with contextlib.suppress(OSError):
            packed = _kept(f"{serial}.packed")
    if unpack(packed, files) is None:
        load(files)  # a damaged one must be noticed while the shipped rules can still be used
    return Base(imported, files, packed)


def verify(path: str) -> str:
    """What a pack is, if it may be imported on this machine as far as signatures and content go.

    Raises:
        Failure: it must not be used, and why.
    """
    state = _state()
    found, _ = _verified(path, _read_pack(path), state)
    return _said(path, found, state)


def install(path: str, *, allow_older: bool) -> str:
    """Imports a pack, and says what was done.

    Args:
        path: of the pack.
        allow_older: whether its serial may be one that this machine has already had, or an earlier one.

    Raises:
        Failure: it must not be used, or cannot be written; and then everything is as it was.
    """
    from msgspec.structs import replace

    from phaseout.rules.matcher import index_of

    # Read once: what is installed is what was verified, whatever becomes of the file meanwhile.
    content, state = _read_pack(path), _state()
    found, ruleset = _verified(path, content, state)
    serial, had = found.manifest.serial, release.number(state, "highest")
    if serial <= release.number(release.shipped()):
        raise _refused(path, f"has serial {serial}, and the program ships rules {release.number(release.shipped())}")
    if serial <= had and not allow_older:
        raise _refused(path, f"has serial {serial}, and this machine has had {had} (--allow-older imports it)")
    current = release.number(state)
    _same_as_kept(path, serial, content, state)
    fields: dict[str, object] = {
        "serial": serial,
        "made": found.manifest.made,
        "review-by": found.manifest.review_by,
        "digest": ruleset.digest,
        "previous": release.number(state, "previous") if serial == current else current,
        "highest": max(serial, had),
        "keys-from": serial if found.manifest.keys else release.number(state, "keys-from"),
        "tool": __version__,
    }
    folder = release.installed_folder()
    try:
        os.makedirs(folder, mode=0o755, exist_ok=True)
        if why := written_by_others(folder):
            raise _refused(folder, f"not used: {why}")
        _write(f"{serial}.tar", content)
        _write(f"{serial}.packed", pack(replace(ruleset, index=index_of(ruleset))))
        _write_state(fields)
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror or error}; nothing was imported") from error
    return f"{_said(path, found, state)}\nimported; scans use it from now on"


def rollback() -> str:
    """Goes back to the pack before the one that counts, or to the shipped rules, and says what was done.

    Raises:
        Failure: there is none, or the folder cannot be written.
    """
    state = _state()
    current, before = release.number(state), release.number(state, "previous")
    if not current:
        raise Failure("no imported rules to go back from")
    fields: dict[str, object] = {key: state[key] for key in ("highest", "keys-from") if key in state}
    folder = release.installed_folder()
    if before:
        from phaseout.rules.packs import PackError, read_manifest, read_members, rule_files

        try:
            content = _kept(f"{before}.tar")
            manifest = read_manifest(read_members(content)["manifest.json"])
            ruleset = load(rule_files(content, f"pack {before}"))
        except (OSError, PackError, RuleError, KeyError) as error:
            raise Failure(f"pack {before} cannot be used again: {error}") from error
        fields |= {"serial": before, "made": manifest.made, "review-by": manifest.review_by, "digest": ruleset.digest}
        fields["tool"] = state.get("tool", "")
    try:
        _write_state(fields)
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror or error}; nothing was changed") from error
    return f"rules {current} are out of use; scans use {release.described()}"


def written_by_others(place: str) -> str:
    """Who could have written configuration that directs a privileged scan; empty if only the administrator."""
    from phaseout.host.ownership import privileged, writable_by_others

    if not privileged():
        return ""
    try:
        return writable_by_others(place)
    except OSError as error:
        return f"it is not known who can write it ({error.strerror or error})"


def _verified(path: str, content: bytes, state: dict[str, str]) -> "tuple[Pack, Ruleset]":
    from phaseout.rules.packs import PackError, rule_files, verified
    from phaseout.rules.self_check import check_rules

    try:
        found = verified(content, _keys(state), __version__)
        ruleset = load(rule_files(content, f"pack {found.manifest.serial}"))
    except PackError as error:
        raise _refused(path, str(error)) from None
    except RuleError as error:
        raise _refused(path, "\n       ".join(map(visible, ["its rules have errors", *error.errors]))) from None
    clean = os.path.join(release.shipped_folder(), "clean.csv")
    if wrong := list(check_rules(ruleset, {clean: _content(clean)})):
        raise _refused(path, "\n       ".join(map(visible, ["its rules do not pass the check", *wrong[:20]])))
    return found, ruleset


def _same_as_kept(path: str, serial: int, content: bytes, state: dict[str, str]) -> None:
    """Refuses another pack with a serial that is in use: it would replace the first before everything is written.

    What makes a pack is its manifest, which has the digest of every rule file. So the pack itself can be imported again
    where the kept one was damaged.
    """
    from phaseout.rules.packs import PackError, read_members

    if serial in (release.number(state, key) for key in ("serial", "previous", "keys-from")):
        own = read_members(content)["manifest.json"]
        try:
            kept = read_members(_kept(f"{serial}.tar"))["manifest.json"]
        except (OSError, PackError, KeyError):
            return  # it is gone or damaged, and this one mends that
        if kept != own:
            raise _refused(path, f"is not the pack {serial} that was imported before")


def _keys(state: dict[str, str]) -> "Keys":
    """The pinned keys, or those that an imported pack brought, whichever are later."""
    from phaseout.rules import pinned_keys
    from phaseout.rules.packs import PackError, read_manifest, read_members

    pinned = pinned_keys.PINNED
    source = release.number(state, "keys-from")
    if not source or not pinned.keys:
        return pinned
    place = os.path.join(release.installed_folder(), f"{source}.tar")
    try:
        brought = read_manifest(read_members(_kept(f"{source}.tar"))["manifest.json"]).keys
    except (OSError, PackError, KeyError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise Failure(
            f"{place}: the keys that pack {source} brought cannot be read: {why}; copy that pack there again"
        ) from error
    return brought if brought is not None and brought.version > pinned.version else pinned


def _state() -> dict[str, str]:
    try:
        state = release.installed()
        why = written_by_others(os.path.join(release.installed_folder(), release.INSTALLED)) if state else ""
    except OSError as error:
        raise Failure(f"{release.installed_folder()}: {error.strerror or error}") from error
    if why:
        raise _refused(release.installed_folder(), f"not used: {why}")
    return state


def _said(path: str, found: "Pack", state: dict[str, str]) -> str:
    manifest = found.manifest
    older = manifest.serial <= max(release.number(state, "highest"), release.number(release.shipped()))
    return (
        f"{visible(path)}: rules {manifest.serial} of {manifest.made}, to be reviewed by {manifest.review_by}, "
        f"signed by {' and '.join(found.signed_by)}" + ("; not newer than those here" if older else "")
    )


def _read_pack(path: str) -> bytes:
    try:
        return _content(path)
    except OSError as error:
        raise Failure(f"{visible(path)}: {error.strerror or error}") from error


def _content(path: str) -> bytes:
    """The content of a regular file, cut after the limit.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "not a regular file", path)
        return file.read(_LIMIT)


def _kept(name: str) -> bytes:
    """The content of a file in the folder, if only the administrator can have written it.

    Raises:
        OSError: it cannot be read, or must not be used.
    """
    path = os.path.join(release.installed_folder(), name)
    content = _content(path)
    if why := written_by_others(path):
        raise OSError(errno.EPERM, why, path)
    return content


def _write(name: str, content: bytes) -> None:
    from phaseout.cli.output_file import SHARED, writing

    path = os.path.join(release.installed_folder(), name)
    with writing(path, SHARED) as write:
        write(content)
    os.chmod(path, 0o644)  # ordinary users scan with these rules, too, whatever the umask of the administrator


def _write_state(fields: dict[str, object]) -> None:
    """Lets the release count, and then deletes the packs that nothing names any more."""
    _write(release.INSTALLED, "".join(f"{key} {value}\n" for key, value in fields.items()).encode())
    kept = {str(fields.get(key)) for key in ("serial", "previous", "keys-from")}
    folder = release.installed_folder()
    for name in os.listdir(folder):
        serial, _, ending = name.partition(".")
        if serial.isdigit() and ending in ("tar", "packed") and serial not in kept:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def _refused(place: str, why: str) -> Failure:
    return Failure(f"{visible(place)}: {why}")
