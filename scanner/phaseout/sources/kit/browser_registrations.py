r"""What makes a browser install an extension for everybody: its policies, and where the registry has them.

Chromium's and Mozilla's browsers keep the same policies in JSON files, in managed preferences of macOS, and in keys of
the Windows registry, for the machine and for each user.

References:
    https://chromeenterprise.google/policies/; https://mozilla.github.io/policy-templates/;
    https://learn.microsoft.com/windows/win32/winprog64/shared-registry-keys (WOW6432Node)
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import LeftOut, Problem
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.property_lists import dictionary

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key
    from phaseout.parsers.browsers.chrome_policy import Brought

_MACHINE = (r"HKLM\SOFTWARE", r"HKLM\SOFTWARE\WOW6432Node")
_USER = (r"Software", r"Software\WOW6432Node")
VIEWS = (*_MACHINE, *(rf"HKU\*\{view}" for view in _USER))  # as patterns of `Source.reads`
_LIMIT = 16 << 20


class Registration(NamedTuple):
    """An extension that a browser is made to install: for whom, from where, how, and the file or key that says so."""

    user: str
    id: str
    how: str
    where: str
    url: str = ""
    version: str = ""
    path: str = ""


def software_keys(host: Host) -> Iterator[tuple[str, "Key"]]:
    """The keys `Software` of the machine (user "") and of each user, in both views; none without a registry."""
    if host.registry is None:
        return
    tops = [("", view) for view in _MACHINE]
    tops += [(user.name, rf"HKU\{user.sid}\{view}") for user in host.users if user.sid for view in _USER]
    for user, top in tops:
        key = host.registry.key(top)
        if key is not None:
            yield user, key


def policy_file(host: Host, path: str, *inside: str) -> Iterator[Registration | Problem | LeftOut]:
    """The extensions of a policy file in JSON; `inside` names the member that holds the policies."""
    data = host.files.read(path, _LIMIT)
    if data is None:
        return
    from phaseout.parsers.encodings.lenient_json import decode, member

    try:
        policies = member(decode(data), *inside)
    except ValueError as error:
        yield from damaged(path, f"is damaged: {error}")
        return
    yield from policies_of("", path, policies)


def managed_preferences(host: Host, user: str, path: str) -> Iterator[Registration | Problem | LeftOut]:
    """The extensions of a property list that a management server has set on macOS."""
    policies = yield from dictionary(host, path, _LIMIT)
    yield from policies_of(user, path, policies)


def managed_preference(host: Host, path: str, name: str) -> str:
    """One text of such a property list; empty where there is none, or the list is damaged, which is said elsewhere."""
    from phaseout.parsers.encodings.property_list import mapping

    values = mapping(host.files.read(path, _LIMIT) or b"") or {}
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def policies_of(user: str, where: str, policies: Any) -> Iterator[Registration | Problem | LeftOut]:
    """The extensions that policies name; a policy that installs none is counted."""
    from phaseout.parsers.browsers.chrome_policy import brought

    try:
        yield from _registrations(user, where, brought(policies))
    except ValueError as error:
        yield from damaged(where, f"ExtensionSettings is damaged: {error}")


def forced(user: str, where: str, entries: Any) -> Iterator[Registration | Problem | LeftOut]:
    """The extensions of a list `identifier;address`."""
    from phaseout.parsers.browsers.chrome_policy import forcelist

    yield from _registrations(user, where, forcelist(entries))


def _registrations(user: str, where: str, found: "Iterator[Brought]") -> Iterator[Registration | LeftOut]:
    for one in found:
        if one.installs:
            how = "forced by policy" if one.mode == "force_installed" else "installed by policy"
            yield Registration(user, one.id, how, where, one.url)
        else:
            yield LeftOut("a setting")
