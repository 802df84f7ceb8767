"""Asks the live Windows whether the signature of a file is sound, in the file or in a catalog, without going online.

Nothing is fetched: no revocation lists, no missing certificates. A signature whose chain Windows cannot complete from
what the machine has is therefore not called valid.

References:
    Microsoft, "WinVerifyTrust", "WINTRUST_DATA", "WINTRUST_CATALOG_INFO", "CryptCATAdminCalcHashFromFileHandle2",
    "CryptCATAdminEnumCatalogFromHash" (wintrust.h, mscat.h); results: winerror.h (TRUST_E_…, CERT_E_…).
"""

import sys

_RESULTS = {
    0x800B0100: "none",  # TRUST_E_NOSIGNATURE
    0x80096010: "invalid: the file was changed",  # TRUST_E_BAD_DIGEST
    0x800B0109: "invalid: its root is not trusted",  # CERT_E_UNTRUSTEDROOT
    0x800B010A: "not verified: its chain of certificates is not complete on this machine",  # CERT_E_CHAINING
    0x800B0101: "invalid: its certificate has expired",  # CERT_E_EXPIRED
    0x800B010C: "invalid: its certificate was revoked",  # CERT_E_REVOKED
    0x800B0111: "invalid: explicitly distrusted",  # TRUST_E_EXPLICIT_DISTRUST
}

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _GENERIC_VERIFY = bytes.fromhex("6bc5aa0044cdd0118cc200c04fc295ee")  # {00AAC56B-CD44-11d0-8CC2-00C04FC295EE}
    _NO_UI, _NO_REVOCATION, _FILE, _CATALOG, _VERIFY, _CLOSE = 2, 0, 1, 2, 1, 2
    _FLAGS = 0x10 | 0x1000  # WTD_REVOCATION_CHECK_NONE, WTD_CACHE_ONLY_URL_RETRIEVAL
    _INVALID = wintypes.HANDLE(-1).value

    class _File(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("path", wintypes.LPCWSTR),
            ("handle", wintypes.HANDLE),
            ("subject", ctypes.c_void_p),
        )

    class _Catalog(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("version", wintypes.DWORD),
            ("catalog", wintypes.LPCWSTR),
            ("tag", wintypes.LPCWSTR),
            ("path", wintypes.LPCWSTR),
            ("handle", wintypes.HANDLE),
            ("hash", ctypes.c_void_p),
            ("hash_size", wintypes.DWORD),
            ("context", ctypes.c_void_p),
            ("admin", wintypes.HANDLE),
        )

    class _Data(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("policy", ctypes.c_void_p),
            ("subject", ctypes.c_void_p),
            ("ui", wintypes.DWORD),
            ("revocation", wintypes.DWORD),
            ("choice", wintypes.DWORD),
            ("chosen", ctypes.c_void_p),
            ("action", wintypes.DWORD),
            ("state", wintypes.HANDLE),
            ("url", wintypes.LPCWSTR),
            ("flags", wintypes.DWORD),
            ("context", wintypes.DWORD),
            ("settings", ctypes.c_void_p),
        )

    class _CatalogInfo(ctypes.Structure):
        _fields_ = (("size", wintypes.DWORD), ("path", wintypes.WCHAR * 260))

    def signature(path: str) -> str:
        """What Windows says of the signature of a file, in words: `valid`, `none`, `invalid: …`, `not verified: …`."""
        verdict = _words(_verify(_FILE, _File(ctypes.sizeof(_File), path, None, None)))
        if verdict != "none":
            return verdict
        try:
            return _in_catalog(path)
        except (OSError, AttributeError) as error:
            return f"none in the file; catalogs could not be asked ({error})"

    def _words(result: int) -> str:
        return _RESULTS.get(result, f"not verified: {result:#010x}") if result else "valid"

    def _verify(choice: int, chosen: ctypes.Structure) -> int:
        data = _Data(
            size=ctypes.sizeof(_Data),
            ui=_NO_UI,
            revocation=_NO_REVOCATION,
            choice=choice,
            chosen=ctypes.addressof(chosen),
            action=_VERIFY,
            flags=_FLAGS,
        )
        verify = ctypes.windll.wintrust.WinVerifyTrust
        verify.argtypes = (wintypes.HANDLE, ctypes.c_char_p, ctypes.c_void_p)
        result: int = verify(_INVALID, _GENERIC_VERIFY, ctypes.addressof(data)) & 0xFFFFFFFF
        data.action = _CLOSE
        verify(_INVALID, _GENERIC_VERIFY, ctypes.addressof(data))
        return result

    def _in_catalog(path: str) -> str:
        """The same of a file whose hash is in one of Windows' catalogs."""
        wintrust = ctypes.WinDLL("wintrust", use_last_error=True)
        acquire, release = wintrust.CryptCATAdminAcquireContext2, wintrust.CryptCATAdminReleaseContext
        hashed, first = wintrust.CryptCATAdminCalcHashFromFileHandle2, wintrust.CryptCATAdminEnumCatalogFromHash
        inform, done = wintrust.CryptCATCatalogInfoFromContext, wintrust.CryptCATAdminReleaseCatalogContext
        pointer, number = ctypes.c_void_p, wintypes.DWORD
        acquire.argtypes = (pointer, pointer, wintypes.LPCWSTR, pointer, number)
        release.argtypes = (pointer, number)
        hashed.argtypes = (pointer, pointer, pointer, pointer, number)
        first.argtypes, first.restype = (pointer, pointer, number, number, pointer), pointer
        inform.argtypes = (pointer, pointer, number)
        done.argtypes = (pointer, pointer, number)
        admin = pointer()
        if not acquire(ctypes.addressof(admin), None, "SHA256", None, 0):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            import msvcrt

            size = number(64)
            digest = (ctypes.c_ubyte * size.value)()
            with open(path, "rb") as file:
                handle = msvcrt.get_osfhandle(file.fileno())
                if not hashed(admin, handle, ctypes.addressof(size), ctypes.addressof(digest), 0):
                    raise ctypes.WinError(ctypes.get_last_error())
            found = first(admin, ctypes.addressof(digest), size.value, 0, None)
            if not found:
                return "none, in no catalog either"
            info = _CatalogInfo(size=ctypes.sizeof(_CatalogInfo))
            known = inform(found, ctypes.addressof(info), 0)
            done(admin, found, 0)
            if not known:
                raise ctypes.WinError(ctypes.get_last_error())
            tag = bytes(digest[: size.value]).hex().upper()
            verdict = _verify(
                _CATALOG,
                _Catalog(
                    size=ctypes.sizeof(_Catalog),
                    catalog=info.path,
                    tag=tag,
                    path=path,
                    hash=ctypes.addressof(digest),
                    hash_size=size.value,
                    admin=admin.value,
                ),
            )
            return f"{_words(verdict)} (in the catalog {info.path})"
        finally:
            release(admin, 0)
