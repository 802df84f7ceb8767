r"""Environment variables that the registry sets, for the machine (`Session Manager\Environment`) or a user.

References:
    Microsoft, "Environment Variables" (Win32 processes), "Recognized Environment Variables".
"""

from collections.abc import Mapping

from phaseout.host.registry.base import Key
from phaseout.parsers.windows.image_path import expand

_COUNT = 2_000  # variables of one key
_LENGTH = 32_767  # characters of a value, Windows' own limit


def environment(key: Key | None, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a key in addition to those already known, which it does not replace; names in lower case.

    A value may use those that are known and those that stand in the key without variables of their own.
    """
    values = {
        name.lower(): value
        for name, value in list(key.values().items() if key is not None else ())[:_COUNT]
        if isinstance(value, str) and name
    }
    found = {name: value for name, value in values.items() if "%" not in value} | dict(variables)
    expanded = {name: expand(value, found)[:_LENGTH] for name, value in values.items() if name not in found}
    return expanded | found
