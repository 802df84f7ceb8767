r"""Libraries that Windows, Explorer and Office load because a key names them: at log-on, for every window, in menus.

What Winlogon starts and `AppInit_DLLs` are read by `autostart`. A library in the folder of Windows is left out if
Microsoft made it; all that a place names without a path is in System32.

References:
    https://learn.microsoft.com/windows/win32/secauthn/credential-providers-in-windows, "Notification Packages",
    "Network Provider" (ProviderOrder), https://learn.microsoft.com/windows/win32/amsi/ (Providers);
    https://learn.microsoft.com/windows/win32/shell/reg-shell-exts (shellex);
    https://learn.microsoft.com/visualstudio/vsto/registry-entries-for-vsto-add-ins (LoadBehavior, Manifest)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut, Problem
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import guid
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.windows_drivers import SERVICES
from phaseout.sources.kit.windows_registry import registry_of, subkeys
from phaseout.sources.source import Source, Trace

_CONTROL = r"HKLM\SYSTEM\CurrentControlSet\Control"
_LSA = rf"{_CONTROL}\Lsa"
_PACKAGES = ("Security Packages", "Authentication Packages", "Notification Packages")
_ORDER = rf"{_CONTROL}\NetworkProvider\Order"
_CERTIFIED = rf"{_CONTROL}\Session Manager\AppCertDLLs"
# Keys below whose subkeys one value names a library, what that is, and what is lost with it.
_BELOW = (
    (rf"{_CONTROL}\Print\Monitors", "Driver", "print monitor", "the spooler looks for it"),
    (rf"{_CONTROL}\Print\Providers", "Name", "print provider", "the spooler looks for it"),
    (
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders",
        "DllName",
        "time provider",
        "the clock is not set",
    ),
)
_VERSION = r"Microsoft\Windows\CurrentVersion"
_LOGON = rf"{_VERSION}\Authentication"
# Keys below Software whose subkeys are classes, what they are, and what is lost with the library.
_BY_NAME = (  # the name of the subkey is the class
    (rf"{_LOGON}\Credential Providers", "credential provider", "a way to log on is missing"),
    (rf"{_LOGON}\Credential Provider Filters", "credential provider filter", "it can hide every way to log on"),
    (rf"{_LOGON}\PLAP Providers", "credential provider", "a way to log on is missing"),
    (r"Microsoft\AMSI\Providers", "AMSI provider", "scripts are not scanned by it"),
    (rf"{_VERSION}\Explorer\Browser Helper Objects", "browser helper object", "Internet Explorer looks for it"),
)
_BY_VALUE = (  # the default value of the subkey is the class
    (rf"{_VERSION}\Explorer\ShellIconOverlayIdentifiers", "icon overlay", "Explorer looks for it"),
)
_SHELL = tuple(  # below them are lists of handlers, whose subkeys have the class as their default value
    rf"Classes\{top}\shellex"
    for top in ("*", "Directory", r"Directory\Background", "Drive", "Folder", "AllFilesystemObjects")
)
_HANDLERS = ("ContextMenuHandlers", "PropertySheetHandlers", "DragDropHandlers", "CopyHookHandlers")
_OFFICE = r"Microsoft\Office"
_OFFICE_PROGRAMS = ("Outlook", "Excel", "Word", "PowerPoint", "Access", "OneNote", "MS Project", "Visio")
_CLICK_TO_RUN = (
    r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\REGISTRY\MACHINE\Software",
    r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\REGISTRY\MACHINE\Software\Wow6432Node",
)
_CLASSES = (r"HKLM\SOFTWARE\Classes", r"HKLM\SOFTWARE\Classes\WOW6432Node")
_OF_WINDOWS = frozenset(
    (
        *("scecli.dll", "msv1_0.dll", "kerberos.dll", "schannel.dll", "wdigest.dll", "tspkg.dll", "pku2u.dll"),
        *("cloudap.dll", "negoexts.dll", "shell32.dll", "ntshrui.dll", "authui.dll", "credprovs.dll", "cscui.dll"),
        *("credprovhost.dll", "smartcardcredentialprovider.dll", "facecredentialprovider.dll", "ngccredprov.dll"),
        *("rasplap.dll", "wlidcredprov.dll", "certcredprovider.dll", "biocredprov.dll", "cngcredui.dll", "syncui.dll"),
        *("ntlanman.dll", "davclnt.dll", "drprov.dll", "p9np.dll", "twext.dll", "zipfldr.dll", "mydocs.dll"),
        *("appresolver.dll", "windows.storage.dll", "playtomenu.dll", "workfoldersshell.dll", "ehstorshell.dll"),
        *(
            "fvewiz.dll",
            "bdeunlock.exe",
            "rshx32.dll",
            "shlext.dll",
            "docprop.dll",
            "deskadp.dll",
            "windows.ui.shell.dll",
        ),
    )
)
_MOST = 2_000  # entries of one key
_SHOWN = 10  # places of one library


@dataclass
class _Named:
    """A library that keys name: what it is there for, for whom, and where it is named."""

    name: str
    path: str
    user: str
    kind: str
    effect: str
    clsid: str = ""
    evidence: list[Evidence] = field(default_factory=list)


def collect(host: Host) -> Iterator[Trace]:
    """An item for every library that a program other than its maker's loads."""
    reader = _Reader(host)
    yield from reader.of_system()
    for user, software in software_keys(host):
        yield from reader.of_software(user, software)
    for path in _CLICK_TO_RUN:
        key = registry_of(host).key(path)
        if key is not None:
            yield from reader.add_ins("", key)
    yield from reader.items()


class _Reader:
    """Reads the keys of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._registry = registry_of(host)
        self._missing = MissingFiles(host)
        self._windows = host.variables.get("systemroot", r"C:\Windows")
        self._found: dict[tuple[str, str, str], _Named] = {}
        self._classes: dict[str, str] = {}

    def items(self) -> Iterator[Trace]:
        """An item for every library, with all its places."""
        for one in self._found.values():
            if self._is_of_windows(one.path):
                yield LeftOut("part of the operating system")
                continue
            if not one.path and (guid(one.name) or not one.name):
                yield LeftOut("names nothing that is there")
                continue
            state, notes = self._missing.state(one.path)
            identity = self._host.executables.identity(one.path) if one.path and state != "leftover" else None
            ids: dict[IdType, str] = {"clsid": guid(one.clsid)}
            yield Item(
                kind="setting",
                name=one.name,
                state=state,
                vendor=identity.company if identity else "",
                version=identity.version if identity else "",
                path=one.path,
                user=one.user,
                signer=identity.signer if identity else "",
                ids=ids,
                details={"type": one.kind, "effect": f"with its file gone, {one.effect}: delete the entry first"},
                notes=notes,
                evidence=tuple(one.evidence),
            )

    def of_system(self) -> Iterator[Trace]:
        """What stands below `SYSTEM`: packages of the local security authority, network providers, AppCertDLLs."""
        for path in (_LSA, rf"{_LSA}\OSConfig"):
            key = self._registry.key(path)
            for value in _PACKAGES if key is not None else ():
                for name in _names(key, value):
                    yield from self._system(name, "security package", "log-on reports an error", rf"{path}\{value}")
        order = self._registry.key(_ORDER)
        for name in filter(None, (order.text("ProviderOrder") if order is not None else "").split(",")):
            provider = self._registry.key(rf"{SERVICES}\{name.strip()}\NetworkProvider")
            library = provider.text("ProviderPath") if provider is not None else ""
            effect = "log-on waits, and drives are not connected"
            yield from self._system(library or name, "network provider", effect, _ORDER, name.strip())
        certified = self._registry.key(_CERTIFIED)
        for name in certified.values() if certified is not None else ():
            library = certified.text(name) if certified is not None else ""
            yield from self._system(library, "AppCertDLLs", "programs look for it at each start", _CERTIFIED)
        for path, value, kind, effect in _BELOW:
            for one in self._limited(self._registry.key(path)):
                library = one.text(value)
                if library:
                    yield from self._system(library, kind, effect, one.path, one.name)

    def of_software(self, user: str, software: Key) -> Iterator[Trace]:
        """What stands below `Software` of the machine or of a user."""
        for path, kind, effect in _BY_NAME:
            for key in self._limited(software.key(path)):
                yield from self._class(key, key.name, user, kind, effect)
        for path, kind, effect in _BY_VALUE:
            yield from self._classes_of(software.key(path), user, kind, effect)
        for path in _SHELL:
            shell = software.key(path)
            for name in _HANDLERS if shell is not None else ():
                handlers = shell.child(name) if shell is not None else None
                effect = "Explorer looks for it, and may show a dead entry"
                yield from self._classes_of(handlers, user, "shell extension", effect)
        yield from self.add_ins(user, software)

    def add_ins(self, user: str, software: Key) -> Iterator[Trace]:
        """The add-ins of Office."""
        office = software.key(_OFFICE)
        for program in _OFFICE_PROGRAMS if office is not None else ():
            for key in self._limited(office.key(rf"{program}\Addins") if office is not None else None):
                manifest = key.text("Manifest").partition("|")[0]
                library = self._of_url(manifest) if manifest else ""
                clsid = "" if manifest else self._class_of(key.name)
                library = library or (self._library(clsid) if clsid else "")
                effect = "Office looks for it at each start"
                yield from self._take(key.name, library, user, "Office add-in", effect, key.path, clsid)

    def _limited(self, key: Key | None) -> Iterator[Key]:
        for count, one in enumerate(subkeys(key)):
            if count == _MOST:
                self._host.files.problems.append(
                    Problem(one.path, f"more than {_MOST} keys: this one and those behind it were not read", "limit")
                )
                return
            yield one

    def _classes_of(self, top: Key | None, user: str, kind: str, effect: str) -> Iterator[Trace]:
        """The libraries of the classes that are the default values of the keys below one."""
        for key in self._limited(top):
            value = key.text("")
            yield from self._class(key, value if guid(value) else key.name, user, kind, effect)

    def _class(self, key: Key, clsid: str, user: str, kind: str, effect: str) -> Iterator[Trace]:
        library = self._library(clsid)
        name = key.name if not guid(key.name) else key.text("") or library.rpartition("\\")[2] or key.name
        yield from self._take(name, library, user, kind, effect, key.path, clsid)

    def _system(self, library: str, kind: str, effect: str, where: str, name: str = "") -> Iterator[Trace]:
        """A library that is named as for the loader of the system: without a path it is in System32."""
        library = library.strip().strip('"').strip()
        if not library:
            yield LeftOut("an empty entry")
            return
        path = absolute(library, self._host.variables)
        if not path:
            file = library if library.lower().endswith(".dll") else f"{library}.dll"
            path = rf"{self._windows}\System32\{file}"
        yield from self._take(name or library.rpartition("\\")[2], path, "", kind, effect, where)

    def _take(
        self, name: str, path: str, user: str, kind: str, effect: str, where: str, clsid: str = ""
    ) -> Iterator[LeftOut]:
        key = (user, kind, (path or name).lower())
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = _Named(name, path, user, kind, effect, clsid)
        else:
            yield LeftOut("listed as another item")
        if len(known.evidence) < _SHOWN:
            known.evidence.append(Evidence(where, name))

    def _library(self, clsid: str) -> str:
        """The library of a class; empty where it has none."""
        folded = clsid.lower()
        if folded not in self._classes:
            path = ""
            for top in _CLASSES if guid(clsid) else ():
                server = self._registry.key(rf"{top}\CLSID\{clsid}\InprocServer32")
                path = path or (absolute(server.text(""), self._host.variables) if server is not None else "")
            self._classes[folded] = path
        return self._classes[folded]

    def _class_of(self, identifier: str) -> str:
        """The class of a programmatic identifier."""
        for top in _CLASSES:
            key = self._registry.key(rf"{top}\{identifier}\CLSID")
            if key is not None and guid(key.text("")):
                return key.text("")
        return ""

    def _of_url(self, url: str) -> str:
        scheme, colon, rest = url.partition(":")
        if colon and scheme.lower() == "file":
            return absolute(unquote(rest).lstrip("/"), self._host.variables)
        return absolute(url, self._host.variables)

    def _is_of_windows(self, path: str) -> bool:
        """Whether it is a library below the folder of Windows that Microsoft made."""
        if not path.lower().startswith(self._windows.lower() + "\\"):
            return False
        if path.rpartition("\\")[2].lower() in _OF_WINDOWS:
            return True
        identity = self._host.executables.identity(path)
        return identity is not None and identity.company.lower().startswith("microsoft")


def _names(key: Key | None, value: str) -> Iterator[str]:
    found = key.value(value) if key is not None else None
    for name in found if isinstance(found, tuple) else (found,) if isinstance(found, str) else ():
        if name.strip().strip('"'):
            yield name


SOURCE = Source(
    name="loaded_libraries",
    title="Libraries that Windows, Explorer and Office load",
    platforms=("windows",),
    kinds=("setting",),
    needs=("registry",),
    reads=(
        *(
            rf"{view}\{path}"
            for view in VIEWS
            for path in (*(one for one, *_ in (*_BY_NAME, *_BY_VALUE)), *_SHELL, _OFFICE)
        ),
        *(rf"{top}\{below}" for top in _CLASSES for below in (r"CLSID\*\InprocServer32", r"*\CLSID")),
        *(
            _LSA,
            rf"{_LSA}\OSConfig",
            _ORDER,
            _CERTIFIED,
            *(path for path, *_ in _BELOW),
            *_CLICK_TO_RUN,
            rf"{SERVICES}\*\NetworkProvider",
        ),
        r"C:\**\*.dll",
    ),
    limits="Menus of single file types, and what is registered for one user's classes, are not listed.",
    collect=collect,
)
