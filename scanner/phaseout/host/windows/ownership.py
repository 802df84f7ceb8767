r"""Whether only administrators can have written a file of the live Windows.

Every user may make folders in `C:\ProgramData`, and files in folders that somebody else made there, and owns what
they make. So the owner counts, and who may change, replace or delete what is there; that others may add new files does
not, because each file is asked about.

References:
    Microsoft, "GetNamedSecurityInfoW" (aclapi.h), "ACE_HEADER", "ACCESS_ALLOWED_ACE", "File Access Rights Constants",
    "Well-known SIDs"; [MS-DTYP], section 2.4.4 (ACE types and flags).
"""

import os
import stat
import sys
from collections.abc import Collection, Sequence

_TRUSTED = frozenset(
    (
        "S-1-5-18",  # SYSTEM
        "S-1-5-32-544",  # Administrators
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # TrustedInstaller
        "S-1-3-0",  # CREATOR OWNER: becomes the owner, who is asked about
        "S-1-3-4",  # OWNER RIGHTS
    )
)
_DELETE, _WRITE_DAC, _WRITE_OWNER = 0x10000, 0x40000, 0x80000
_GENERIC_ALL, _GENERIC_WRITE = 0x10000000, 0x40000000
_WRITE_DATA, _APPEND, _DELETE_CHILD = 0x2, 0x4, 0x40
_TAKE = _DELETE | _WRITE_DAC | _WRITE_OWNER | _GENERIC_ALL
_FILE = _TAKE | _GENERIC_WRITE | _WRITE_DATA | _APPEND
_FOLDER = _TAKE | _DELETE_CHILD  # GENERIC_WRITE of a folder is the right to add to it
_ALLOWED, _ALLOWED_CALLBACK = 0, 9  # ACCESS_ALLOWED_ACE_TYPE, ACCESS_ALLOWED_CALLBACK_ACE_TYPE
_WITHOUT_RIGHTS = frozenset((1, 2, 3, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20))  # deny, audit, alarm, label, …
_INHERIT_ONLY = 0x8
Rights = tuple[str, int]  # whose, as a SID (empty: not known), and which, as an access mask


def changed_by(owner: str, entries: Sequence[Rights] | None, *, folder: bool, trusted: Collection[str]) -> str:
    """Who else can change, replace or delete a file, or the files of a folder, in words; empty if nobody can.

    Args:
        owner: as a SID.
        entries: who has which rights; `None` where there is no list, and everybody has all.
        folder: whether it is a folder.
        trusted: SIDs of those who may.
    """
    if owner not in trusted:
        return f"it belongs to {owner}, not to administrators"
    if entries is None:
        return "every user can change it"
    for sid, rights in entries:
        if sid not in trusted and rights & (_FOLDER if folder else _FILE):
            return f"{sid or 'somebody'} can change it"
    return ""


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _FILE_OBJECT, _OWNER, _DACL = 1, 0x1, 0x4
    _TOKEN_QUERY, _TOKEN_USER = 0x8, 1

    def writable_by_others(path: str) -> str:
        """Who besides administrators and the user of this process can change a file, and where; empty if nobody can.

        Args:
            path: absolute.

        Raises:
            OSError: it is not there, or Windows does not say.
        """
        trusted = _TRUSTED | {_own_sid()}
        place = path
        while True:
            attributes = os.lstat(place).st_file_attributes
            if attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
                return f"{place}: it is a link"
            folder = bool(attributes & stat.FILE_ATTRIBUTE_DIRECTORY)
            why = changed_by(*_security(place), folder=folder, trusted=trusted)
            if why:
                return f"{place}: {why}"
            above = os.path.dirname(place)
            if above == place:
                return ""
            place = above

    def _security(path: str) -> tuple[str, list[Rights] | None]:
        """The owner, and who has which rights; `None` where there is no list, and everybody has all."""
        advapi32 = ctypes.WinDLL("advapi32")
        ask = advapi32.GetNamedSecurityInfoW
        pointer = ctypes.c_void_p
        ask.argtypes = (wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD, *[pointer] * 5)
        owner, entries, descriptor = pointer(), pointer(), pointer()
        error = ask(
            path,
            _FILE_OBJECT,
            _OWNER | _DACL,
            ctypes.addressof(owner),
            None,
            ctypes.addressof(entries),
            None,
            ctypes.addressof(descriptor),
        )
        if error:
            raise ctypes.WinError(error)
        try:
            return (_sid(owner.value) if owner.value else "nobody"), _entries(entries.value) if entries.value else None
        finally:
            free = ctypes.WinDLL("kernel32").LocalFree
            free.argtypes = (pointer,)
            free(descriptor)

    def _entries(address: int) -> list[Rights]:
        """Each entry of an ACL that gives rights: to whom, and which; of an unknown kind, to nobody known."""
        found: list[Rights] = []
        count = ctypes.c_uint16.from_address(address + 4).value  # ACL: revision, padding, size, count, padding
        at = address + 8
        for _ in range(count):
            kind = ctypes.c_uint8.from_address(at).value
            flags = ctypes.c_uint8.from_address(at + 1).value
            rights = ctypes.c_uint32.from_address(at + 4).value
            if not flags & _INHERIT_ONLY and kind not in _WITHOUT_RIGHTS:
                found.append((_sid(at + 8) if kind in {_ALLOWED, _ALLOWED_CALLBACK} else "", rights))
            at += ctypes.c_uint16.from_address(at + 2).value
        return found

    def _sid(address: int) -> str:
        """A SID as `S-1-…`."""
        revision, parts = ctypes.string_at(address, 2)
        authority = int.from_bytes(ctypes.string_at(address + 2, 6), "big")
        numbers = (ctypes.c_uint32 * parts).from_address(address + 8)
        return "-".join(("S", str(revision), str(authority), *map(str, numbers)))

    def _own_sid() -> str:
        """The user of this process."""
        kernel32, advapi32 = (ctypes.WinDLL(name, use_last_error=True) for name in ("kernel32", "advapi32"))
        kernel32.GetCurrentProcess.restype = wintypes.HANDLE
        advapi32.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, ctypes.c_void_p)
        advapi32.GetTokenInformation.argtypes = (
            *(wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p),
            *(wintypes.DWORD, ctypes.c_void_p),
        )
        kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)
        token = wintypes.HANDLE()
        if not advapi32.OpenProcessToken(kernel32.GetCurrentProcess(), _TOKEN_QUERY, ctypes.addressof(token)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            buffer = ctypes.create_string_buffer(256)  # TOKEN_USER: a pointer to the SID, attributes, and the SID
            size = wintypes.DWORD()
            address = ctypes.addressof(buffer)
            if not advapi32.GetTokenInformation(token, _TOKEN_USER, address, len(buffer), ctypes.addressof(size)):
                raise ctypes.WinError(ctypes.get_last_error())
            return _sid(ctypes.c_void_p.from_address(address).value or 0)
        finally:
            kernel32.CloseHandle(token)
