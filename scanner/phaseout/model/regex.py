"""Regular expressions that are compiled when they are first used: of two hundred, a scan needs some fifty."""

import re
from typing import Any, AnyStr, cast

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, but not yet compiled: an error in the pattern shows when it is first used."""
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))


class _Late:
    """A pattern that is compiled when it is first asked for anything, and is as fast as any other from then on."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._of = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._of)
        self.__dict__.update((method, getattr(compiled, method)) for method in _METHODS)
        return getattr(compiled, name)
