"""Rule files into checked rules: TOML in, `Ruleset` out, and every error of every file at once.

References:
    https://toml.io/en/v1.0.0
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from phaseout.model.quoting import quoted
from phaseout.model.regex import regex
from phaseout.model.rules import Measure, Policy, Role, RoleFile, Ruleset, Vendor
from phaseout.parsers.encodings.sha256 import sha256
from phaseout.rules.checks import check_measure, check_policy, check_references, check_roles, check_vendor

ROLES = "roles.toml"
_SIZE = 1 << 20  # bytes of one rule file; the largest that is shipped has a tenth of it
_FILES = 1000
_ALL = 4 << 20  # bytes of all rule files; those that are shipped have a twelfth of it
_ERRORS = 100  # of one file that are named
_LEVELS = 32  # in one dotted key, which no rule has more than 2 of; the time that tomllib takes grows with their square
_NAME = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_TOO_DEEP = regex(rf"(?<![\w\\-]){_NAME}(?:[ \t]*+\.[ \t]*+{_NAME}){{{_LEVELS}}}", re.ASCII)
_T = TypeVar("_T", bound=msgspec.Struct)


class RuleError(Exception):
    """Rules or a policy that cannot be used; `errors` has one line for each error."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def load(files: Mapping[str, bytes]) -> Ruleset:
    """All rules of some files.

    Args:
        files: name as it is shown in errors → content. The folder `vendors` or `measures` in the name says what the
            file is; `roles.toml` has the roles.

    Raises:
        RuleError: with every error of every file, each with file and place.
    """
    vendors: dict[str, Vendor] = {}
    measures: dict[str, Measure] = {}
    roles: list[Role] = []
    names: dict[str, str] = {}
    errors: list[str] = []
    if len(files) > _FILES:
        raise RuleError([f"{len(files)} rule files: more than {_FILES}"])
    size = 0
    for name in sorted(files):
        size += min(len(files[name]), _SIZE)  # a larger one is refused by itself
        if size > _ALL:
            raise RuleError([f"{name}: with this file, all rules together are larger than {_ALL >> 20} MiB"])
    for name in sorted(files):
        folder = name.replace("\\", "/").rpartition("/")[0].rpartition("/")[2]
        if folder == "vendors":
            vendor = _read(name, files[name], Vendor, errors)
            if vendor is not None:
                errors += _first(name, check_vendor(vendor, name))
                if vendor.id in vendors:
                    errors.append(f"{name}: id: {quoted(vendor.id)} is defined in another file too")
                vendors[vendor.id] = vendor
                names[vendor.id] = name
        elif folder == "measures":
            measure = _read(name, files[name], Measure, errors)
            if measure is not None:
                errors += _first(name, check_measure(measure, name))
                if measure.id in measures:
                    errors.append(f"{name}: id: {quoted(measure.id)} is defined in another file too")
                measures[measure.id] = measure
                names[measure.id] = name
        elif name.replace("\\", "/").rpartition("/")[2] == ROLES:
            read = _read(name, files[name], RoleFile, errors)
            roles += read.role if read is not None else ()
        else:
            errors.append(f"{name}: must be {ROLES}, or lie in a folder named vendors or measures")
    if not errors:
        errors += _first(ROLES, check_roles(roles))
        wrong = check_references(tuple(vendors.values()), tuple(measures.values()), roles)
        errors += (f"{names[identifier]}: {error}" for identifier, error in islice(wrong, _ERRORS))
    if not vendors and not errors:
        errors.append("no vendor files: nothing would ever be found")
    if errors:
        raise RuleError(errors)
    return Ruleset(
        vendors=tuple(vendors.values()),
        measures=tuple(measures.values()),
        roles=tuple(roles),
        digest=_digest(files),
    )


def pack(ruleset: Ruleset) -> bytes:
    """Checked rules as they are shipped beside their files: reading that takes a thirtieth of the time.

    JSON, because MessagePack keeps instants in UTC, and a milestone's own day is lost with its offset.
    """
    return msgspec.json.encode(ruleset)


def unpack(packed: bytes, files: Mapping[str, bytes]) -> Ruleset | None:
    """The rules of a pack made from exactly these files; `None` if it was made from others, or is damaged."""
    try:
        ruleset = msgspec.json.decode(packed, type=Ruleset)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return ruleset if ruleset.digest == _digest(files) else None


def check_names(name: str, policy: Policy, ruleset: Ruleset) -> None:
    """Checks the names in a policy against the rules.

    Raises:
        RuleError: with every unknown role, product and vendor.
    """
    errors = list(_first(name, check_policy(policy, ruleset.vendors, ruleset.roles)))
    if errors:
        raise RuleError(errors)


def load_policy(name: str, content: bytes) -> Policy:
    """The operator's policy file.

    Raises:
        RuleError: with every error, each with its place.
    """
    errors: list[str] = []
    policy = _read(name, content, Policy, errors)
    if policy is None or errors:
        raise RuleError(errors)
    return policy


def _read(name: str, content: bytes, shape: type[_T], errors: list[str]) -> _T | None:
    table = _table(name, content, errors)
    if table is None:
        return None
    try:
        return msgspec.convert(table, shape)
    except (msgspec.ValidationError, RecursionError):
        from phaseout.rules.places import line_of, lines_of
        from phaseout.rules.shape_errors import explain

        lines = lines_of(content.decode("utf-8-sig"))
        for error in _first(name, explain(table, shape)):
            line = line_of(lines, error.removeprefix(f"{name}: ").partition(": ")[0])
            errors.append(error.replace(f"{name}: ", f"{name}: line {line}: ", 1) if line else error)
        return None


def _first(name: str, errors: Iterator[str]) -> Iterator[str]:
    """The errors of a file, each with its name; so many that nobody would read them are not even looked for."""
    for number, error in enumerate(errors):
        if number == _ERRORS:
            yield f"{name}: has more errors than {_ERRORS}; the others are not named"
            return
        yield f"{name}: {error}"


def _digest(files: Mapping[str, bytes]) -> str:
    digest = sha256()
    for name in sorted(files):
        digest.update(name.rpartition("/")[2].encode() + b"\0" + files[name] + b"\0")
    return digest.hexdigest()


def _table(name: str, content: bytes, errors: list[str]) -> dict[str, object] | None:
    import tomllib  # late: the rules of an installed wheel are packed

    if len(content) > _SIZE:
        errors.append(f"{name}: larger than {_SIZE >> 20} MiB")
        return None
    try:
        text = content.decode("utf-8-sig")
        if deep := _TOO_DEEP.search(text):
            line = text.count("\n", 0, deep.start()) + 1
            errors.append(f"{name}: line {line}: more than {_LEVELS} names joined by dots")
            return None
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        errors.append(f"{name}: line {line}: not UTF-8")
    except tomllib.TOMLDecodeError as error:
        errors.append(f"{name}: {error}")
    except ValueError:  # of `int`, which tomllib lets through
        errors.append(f"{name}: a number has more digits than can be read")
    except RecursionError:
        errors.append(f"{name}: nested too deeply")
    return None
