"""Where rules and policy lie: the files that are shipped, those that the user names, and the operator's own."""

import errno
import os
import stat
import sys
from collections.abc import Sequence
from typing import NamedTuple

import msgspec.structs

from phaseout import release
from phaseout.cli import Failure, rule_store
from phaseout.cli.choices import unknown
from phaseout.cli.rule_folders import RuleFolders
from phaseout.cli.rule_store import written_by_others as _written_by_others
from phaseout.model.quoting import quoted
from phaseout.model.rules import Defaults, Policy, Ruleset
from phaseout.report.safe import visible
from phaseout.rules.load import ROLES, RuleError, check_names, load, load_policy, unpack

_LIMIT = 1 << 20
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
PACKED = "packed"
_FOLDERS = ("vendors", "measures")
_SHIPPED, _NO_POLICY = RuleFolders(), Policy()


class OwnPolicy(NamedTuple):
    """The operator's policy: where it lies (empty: there is none), what it says, and why another one does not count."""

    place: str
    policy: Policy
    cautions: tuple[str, ...] = ()


def shipped() -> str:
    """The folder of the shipped rules, in an installed wheel or in a checkout."""
    return release.shipped_folder()


def read_rules(
    folders: RuleFolders = _SHIPPED,
    policy: Policy = _NO_POLICY,
    cautions: tuple[str, ...] = (),
    *,
    guarded: bool = False,
) -> Ruleset:
    """The shipped rules or newer ones of a pack, or those that are named instead; and those that are added to them.

    Args:
        folders: those that the user names.
        policy: names more.
        cautions: what belongs beside every verdict.
        guarded: whether those of the policy count only if nobody but the administrator can write them.

    Raises:
        RuleError: with every error of every file.
    """
    files: dict[str, bytes] = {}
    errors: list[str] = []
    added = (*folders.added, *policy.rules)
    base = rule_store.Base({}, {}) if folders.only else rule_store.newest()
    files |= base.files
    for folder in (*(folders.only or (() if files else (shipped(),))), *folders.added):
        _collect(folder, files, errors)
    for folder in policy.rules:
        own: dict[str, bytes] = {}
        _collect(folder, own, errors)
        if guarded:
            errors += (f"{place}: not used: {why}" for place in (folder, *own) if (why := _written_by_others(place)))
        files |= own
    if errors:
        raise RuleError(errors)
    packed = b"" if folders.only or added else base.packed or (b"" if base.files else _packed())
    ruleset = (unpack(packed, files) if packed else None) or load(files)
    return msgspec.structs.replace(
        ruleset,
        added=added,
        replaced=folders.only,
        serial=release.number(base.release),
        made=base.release.get("made", ""),
        review_by=base.release.get("review-by", ""),
        cautions=(*base.cautions, *cautions),
    )


def read_policy(path: str | None) -> OwnPolicy:
    """The policy that is named, else that of the platform's configuration place, else an empty one.

    One in the configuration place that others can have written is not even read: a caution says so. It must neither
    decide anything nor keep a machine from being scanned.

    Raises:
        RuleError: it cannot be read or has errors.
    """
    cautions: tuple[str, ...] = ()
    for place in [path] if path else _policy_places():
        if not path and os.path.lexists(place) and (why := _written_by_others(place)):
            cautions += (f"the policy was not used: {why}",)
            continue
        try:
            content = _policy_content(place)
            policy = load_policy(place, content)
            _check_defaults(place, content, policy.defaults)
            beside = os.path.dirname(os.path.abspath(place))
            rules = tuple(os.path.join(beside, folder) for folder in policy.rules)
            return OwnPolicy(place, msgspec.structs.replace(policy, rules=rules) if rules else policy, cautions)
        except FileNotFoundError:
            if path:
                raise RuleError([f"{place}: no such file"]) from None
        except OSError as error:
            if path or not _anothers_home(place):
                raise RuleError([f"{place}: {error.strerror or error}"]) from error
    return OwnPolicy("", Policy(), cautions)


def rules_and_policy(folders: RuleFolders = _SHIPPED, policy_path: str | None = None) -> tuple[Ruleset, Policy]:
    """Both, or the end of the command with every error and exit status 2."""
    try:
        own = read_policy(policy_path)
        ruleset = read_rules(folders, own.policy, own.cautions, guarded=policy_path is None)
        check_names(own.place, own.policy, ruleset)
    except RuleError as error:
        raise broken(error) from error
    return ruleset, own.policy


def read_files(paths: Sequence[str]) -> dict[str, bytes]:
    """Name → content of files that the user names.

    Raises:
        RuleError: with every one that cannot be read.
    """
    files: dict[str, bytes] = {}
    errors: list[str] = []
    for path in paths:
        _add(path, files, errors)
    if errors:
        raise RuleError(errors)
    return files


def broken(error: RuleError) -> Failure:
    """The errors of rules or policy as the end of the command."""
    return Failure("\n       ".join(map(visible, error.errors)))


def _check_defaults(place: str, content: bytes, defaults: Defaults) -> None:
    from phaseout.report import FORMATS, format_of_file

    names = [one.name for one in FORMATS]
    errors: list[tuple[str, str]] = []
    if defaults.format and defaults.format not in names:
        errors.append(("defaults.format", unknown(defaults.format, names, "format")))
    for path in defaults.output:
        if path != "-" and not os.path.isabs(path):
            errors.append(("defaults.output", f"{quoted(path)} must be a whole path, or - for standard output"))
        elif path != "-" and format_of_file(path) is None:
            errors.append(("defaults.output", f"the ending of {quoted(path)} names no format"))
    if errors:
        from phaseout.rules.places import line_of, lines_of

        lines = lines_of(content.decode("utf-8-sig"))
        raise RuleError([f"{place}: line {line_of(lines, where)}: {where}: {why}" for where, why in errors])


def _collect(folder: str, files: dict[str, bytes], errors: list[str]) -> None:
    if not os.path.isdir(folder):
        errors.append(f"{folder}: no such folder of rules")
        return
    found = False
    for kind in _FOLDERS:
        try:
            names = sorted(os.listdir(os.path.join(folder, kind)))
        except FileNotFoundError:
            continue
        except OSError as error:
            errors.append(f"{folder}/{kind}: {error.strerror or error}")
            continue
        for name in names:
            if name.endswith(".toml") and not name.startswith("."):
                found = True
                _add(f"{folder}/{kind}/{name}", files, errors)
    if os.path.exists(os.path.join(folder, ROLES)):
        found = True
        _add(f"{folder}/{ROLES}", files, errors)
    if not found:
        errors.append(f"{folder}: holds no rules (no roles.toml, and no .toml file in vendors or measures)")


def _add(path: str, files: dict[str, bytes], errors: list[str]) -> None:
    shown = path.replace(shipped(), "rules", 1)
    try:
        content = _content(path)
    except OSError as error:
        errors.append(f"{shown}: {'not a regular file' if os.path.isdir(path) else error.strerror or error}")
        return
    if content is None:
        errors.append(f"{shown}: not a regular file")
    else:
        files[shown] = content


def _policy_content(path: str) -> bytes:
    """The content of a file, or what is written into a pipe, such as `<(command)` of a shell.

    Raises:
        OSError: it cannot be read, is of another kind, or nobody writes into the pipe.
    """
    if stat.S_ISFIFO(os.stat(path).st_mode):
        descriptor = os.open(path, _READ)
        with open(descriptor, "rb") as file:
            if hasattr(os, "set_blocking"):
                os.set_blocking(descriptor, True)
            content = file.read(_LIMIT + 1) or None
    else:
        content = _content(path)
    if content is None:
        raise OSError(errno.EINVAL, "neither a regular file nor a pipe with a policy")
    return content


def _content(path: str) -> bytes | None:
    """A file's content, with one byte more than the limit if it is too large; `None` if it is not a regular file.

    Without a file object, which would take most of the time that a hundred small files need at the start of each scan.
    """
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        content = b""
        while len(content) <= _LIMIT and (part := os.read(descriptor, min(status.st_size + 1, _LIMIT + 1))):
            content += part
        return content
    finally:
        os.close(descriptor)


def _packed() -> bytes:
    """The checked form of the shipped rules that lies in an installed wheel; a checkout has none."""
    try:
        with open(os.path.join(shipped(), PACKED), "rb") as file:
            return file.read(_LIMIT << 4)
    except OSError:
        return b""


def _policy_places() -> list[str]:
    """The system's place first. A place that an ordinary user can write to does not count for a privileged scan."""
    if sys.platform == "win32":
        return [os.path.join(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "phaseout", "phaseout.toml")]
    system = "/Library/Application Support" if sys.platform == "darwin" else "/etc"
    places = [f"{system}/phaseout/phaseout.toml"]
    if os.geteuid() != 0:
        home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        places.append(f"{home}/phaseout/phaseout.toml")
    return places


def _anothers_home(place: str) -> bool:
    """Whether a place lies in a home that is not the user's: HOME left over from another one (`sudo -u`)."""
    home = os.path.expanduser("~")
    if sys.platform == "win32" or not place.startswith(home):
        return False
    try:
        return os.stat(home).st_uid != os.geteuid()
    except OSError:
        return True
