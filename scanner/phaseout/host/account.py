"""The account that this process runs as, and whether it is an administrator's: an auditor asks who scanned.

References:
    geteuid(2); Microsoft, "GetUserNameW" (winbase.h), "IsUserAnAdmin" (shlobj_core.h): elevated, not only a member of
    the group.
"""

import os
import sys

from phaseout.model.nouns import Account

_NAME = 257  # UNLEN + 1


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
        """Name and privilege; the number where the system knows no name."""
        number = os.geteuid()
        try:
            import pwd

            name = pwd.getpwuid(number).pw_name
        except (ImportError, KeyError):
            name = str(number)
        return Account(user=name, administrator=number == 0)
