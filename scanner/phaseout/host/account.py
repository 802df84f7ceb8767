"""The account that this process runs as, and whether it is an administrator's: an auditor asks who scanned.

References:
    geteuid(2); Microsoft, "GetUserNameW" (winbase.h), "IsUserAnAdmin" (shlobj_core.h): elevated, not only a member of
    the group.
"""

import os
import sys

from phaseout.model.nouns import Account

_NAME = 257  # UNLEN + 1
_ACCOUNTS, _LIMIT = "/etc/passwd", 4 << 20


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    def current_account() -> Account:
        """Name and privilege; an empty name if Windows does not say."""
        name, length = ctypes.create_unicode_buffer(_NAME), wintypes.DWORD(_NAME)
        known = ctypes.windll.advapi32.GetUserNameW(name, ctypes.byref(length))
        return Account(user=name.value if known else "", administrator=bool(ctypes.windll.shell32.IsUserAnAdmin()))

else:

    def current_account() -> Account:
        """Name and privilege; the number of an account that `/etc/passwd` does not have.

        The system's own look-up would ask nscd, SSSD or a directory on the network, which a scan promises not to do.
        """
        number = os.geteuid()
        return Account(user=_name(number) or str(number), administrator=number == 0)

    def _name(number: int) -> str:
        try:
            with open(_ACCOUNTS, "rb") as file:
                text = file.read(_LIMIT).decode("utf-8", "backslashreplace")
        except OSError:
            return ""
        rows = (line.split(":") for line in text.split("\n"))
        return next((row[0] for row in rows if len(row) > 2 and row[2] == str(number)), "")
