"""Moments counted in seconds since 1970, as package managers note them.

References:
    https://www.rfc-editor.org/rfc/rfc3339
"""

import time

_LAST = 253402300799  # the end of the year 9999; RFC 3339 goes no further


def rfc3339(seconds: float | str) -> str:
    """`2023-11-27T08:24:55Z` of `1701073495`; empty where it is not between 1970 and 9999."""
    try:
        moment = int(seconds)
    except (ValueError, OverflowError):
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) if 0 < moment <= _LAST else ""
