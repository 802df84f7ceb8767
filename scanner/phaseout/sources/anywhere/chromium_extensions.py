r"""Extensions of Chrome, Chromium, Edge, Brave, Vivaldi, Opera, Arc and related browsers, in all profiles of all users.

The settings of a profile say what is installed, and the manifest on disk has its name and version. An extension that
is set up but whose files are gone is a leftover, and so is a version in the profile that its settings do not name. What
policies, files beside the browser, and registry keys make the browser install is listed on its own as a leftover: a
registration that brings the extension back.

References:
    https://chromium.googlesource.com/chromium/src/+/main/docs/user_data_dir.md;
    https://developer.chrome.com/docs/extensions/how-to/distribute/install-extensions (files and registry keys);
    https://www.chromium.org/administrators/linux-quick-start/ (policies on Linux), …/mac-quick-start;
    https://chromeenterprise.google/policies/#ExtensionInstallForcelist, …/#UserDataDir;
    https://www.chromium.org/administrators/policy-list-3/user-data-directory-variables/
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem, State
from phaseout.model.quoting import quoted
from phaseout.model.regex import regex
from phaseout.sources.kit.browser_registrations import (
    VIEWS,
    Registration,
    forced,
    managed_preference,
    managed_preferences,
    policies_of,
    policy_file,
    software_keys,
)
from phaseout.sources.kit.chromium_policies import FAMILIES, LEVELS, MANAGED, Family, managed
from phaseout.sources.kit.parsed import damaged, parsed
from phaseout.sources.kit.user_data import CHROMIUM, UserData, homes, join, present, reads
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key
    from phaseout.parsers.browsers.chrome_manifest import Manifest
    from phaseout.parsers.browsers.chrome_preferences import Setting

_SETTINGS = ("Preferences", "Secure Preferences")
_PROFILES = 200  # folders of a browser that may be profiles
_LARGEST = 16 << 20  # bytes; decoded, it takes ten times that
_MOST = 20_000  # extensions of one profile
_PARTS = regex(r"[\\/]+")
_VERSION = regex(r"[\\/](\d[\d.]*)_\d+$")  # of a folder below that of the extension
_ABSOLUTE = regex(r"/|[A-Za-z]:\\|\\\\")


_USER_DATA = "UserDataDir"
_POLICY_VARIABLE = regex(r"\$\{([a-z_]+)\}")
_EXTERNAL = "External Extensions"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every extension of every profile, and one for every registration."""
    registrations: list[tuple[str, Registration]] = []
    for trace in _registrations(host):
        if isinstance(trace, tuple):
            registrations.append(trace)
        else:
            yield trace
    policies = {(family, one.id): one.where for family, one in registrations if one.how == "forced by policy"}
    names: dict[str, str] = {}
    for place in (*present(host, CHROMIUM), *(yield from _moved(host))):
        for name, folder in (yield from _profiles(host, place.folder)):
            for found in _profile(host, place, name, folder, policies):
                if isinstance(found, Item) and "extension_id" in found.ids:
                    names.setdefault(found.ids["extension_id"], found.name)
                yield found
    for family, one in registrations:
        yield _registered(family, one, names.get(one.id, ""))


def _moved(host: Host) -> Generator[Problem, None, list[UserData]]:
    """The folders of profiles that a policy has moved (`UserDataDir`), for each user."""
    found: dict[str, UserData] = {}
    for family, owner, folder in _user_data_dirs(host):
        for user, home in homes(host):
            if owner not in ("", user):
                continue
            path = _expanded(host, folder, user, home)
            if "${" in path:
                why = f"a policy keeps the profiles of {family} there, and for whom is not known"
                yield Problem(folder, why, "unsupported")
            elif host.files.is_dir(path):
                real = host.files.real(path) or path
                found.setdefault(real, UserData(family, "" if path == folder else user, path))
    return list(found.values())


def _user_data_dirs(host: Host) -> Iterator[tuple[str, str, str]]:
    """Family, user (empty: everybody) and folder of every policy that moves profiles."""
    for family in FAMILIES:
        for user, software in software_keys(host):
            key = software.key(family.policy_key)
            if key is not None and (folder := key.text(_USER_DATA)):
                yield family.name, user, folder.replace("/", "\\").rstrip("\\")
        for user, path in managed(host, family) if host.info.platform == "macos" else ():
            folder = managed_preference(host, path, _USER_DATA)
            if folder:
                yield family.name, user, folder.rstrip("/")


def _expanded(host: Host, folder: str, user: str, home: str) -> str:
    """The folder with the variables that the policy may use; unknown ones stay."""
    known = {
        "user_name": user,
        "machine_name": host.info.name,
        "profile": home,
        "documents": join(host, home, "Documents"),
        "users": "/Users",
        "windows": host.variables.get("systemroot", ""),
        "program_files": host.variables.get("programfiles", ""),
        "global_app_data": host.variables.get("programdata", ""),
        "local_app_data": rf"{home}\AppData\Local",
        "roaming_app_data": rf"{home}\AppData\Roaming",
    }
    path = _POLICY_VARIABLE.sub(lambda name: known.get(name[1]) or name[0], folder)
    return home + path[1:] if path.startswith("~/") else path


def _profiles(host: Host, top: str) -> Generator[Problem, None, list[tuple[str, str]]]:
    """Name and folder of the profiles; Opera's folder is one itself, in older versions."""
    folders = [("", top)]
    folders += [(one.name, join(host, top, one.name)) for one in host.files.list(top) if one.kind in ("dir", "link")]
    if len(folders) > _PROFILES:
        yield Problem(top, f"more than {_PROFILES} folders: the rest was not read", "limit")
    return [
        (name, folder)
        for name, folder in folders[:_PROFILES]
        if any(host.files.exists(join(host, folder, file)) for file in _SETTINGS)
        or (name and host.files.is_dir(join(host, folder, "Extensions")))
    ]


def _profile(
    host: Host, place: UserData, profile: str, folder: str, policies: dict[tuple[str, str], str]
) -> Iterator[Trace]:
    from phaseout.parsers.browsers import chrome_preferences
    from phaseout.parsers.browsers.chrome_manifest import is_id

    settings: dict[str, tuple[Setting, str]] = {}
    seen = unread = False
    for file in _SETTINGS:
        path = join(host, folder, file)
        data = host.files.read(path, _LARGEST)
        if data is None:
            unread = unread or not host.files.gone(path)
            continue
        try:
            for name, setting in chrome_preferences.settings(data):
                if len(settings) >= _MOST:
                    yield Problem(path, f"more than {_MOST:,} extensions: the rest was not read", "limit")
                    unread = True
                    break
                if setting is None:
                    yield from damaged(path, f"the settings of {quoted(name)} are damaged")
                elif setting.path or name not in settings:
                    settings[name] = setting, path
            seen = True
        except ValueError as error:
            yield Problem(path, f"is damaged: {error}", "damaged")
            unread = True
    extensions = join(host, folder, "Extensions")
    on_disk = {
        join(host, extensions, name, version.name): name
        for name in (entry.name for entry in host.files.list(extensions) if entry.kind in ("dir", "link"))
        if is_id(name)
        for version in host.files.list(join(host, extensions, name))
        if version.kind in ("dir", "link")
    }
    for name, (setting, path) in settings.items():
        if setting.location in chrome_preferences.COMPONENT:
            yield LeftOut("part of the browser")
            continue
        if not setting.path:
            yield LeftOut("known but not installed")
            continue
        where = _absolute(host, extensions, setting.path)
        on_disk.pop(where, None)
        yield from _extension(host, place, profile, name, where, setting, path, policies)
    for where, name in on_disk.items():
        status = "a version that the browser does not use" if seen and not unread else ""
        yield from _extension(host, place, profile, name, where, None, where, policies, status)


def _absolute(host: Host, extensions: str, path: str) -> str:
    if _ABSOLUTE.match(path):
        return path
    return join(host, extensions, *(part for part in _PARTS.split(path) if part not in ("", ".", "..")))


def _extension(
    host: Host,
    place: UserData,
    profile: str,
    name: str,
    folder: str,
    setting: "Setting | None",
    evidence: str,
    policies: dict[tuple[str, str], str],
    status: str = "",
) -> Iterator[Trace]:
    from phaseout.parsers.browsers.chrome_manifest import store

    state: State = "leftover" if status else "installed"
    found, title, problem = _manifest(host, folder)
    if problem is not None:
        yield problem
    if found is None:
        if host.files.gone(folder):
            state, status = "leftover", "its files are gone"
        found = _remembered(setting)
        title = "" if "__MSG_" in found.name else found.name
    details = {
        "browser": place.program,
        "profile": profile,
        "type": "" if found.kind == "extension" else found.kind,
        "store": store(found.update_url),
        "status": status,
    }
    if setting is not None:
        details |= {
            "enabled": "yes" if setting.enabled else "no",
            "disabled": setting.reasons,
            "location": setting.place,
            "brought_by": "the browser"
            if setting.by_default
            else "the maker of the computer"
            if setting.by_maker
            else "",
            "installed": setting.installed,
            "updated": setting.updated,
        }
        if setting.from_store and not details["store"]:
            details["store"] = "yes"
    family = next((one.name for one in FAMILIES if place.program.startswith(one.name)), "")
    details["policy"] = policies.get((family, name), "")
    version = found.version or "".join(_VERSION.findall(folder))
    yield Item(
        kind="extension",
        name=title or name,
        state=state,
        vendor=found.vendor,
        version=version,
        path=folder,
        user=place.user,
        ids={"extension_id": name},
        details=details,
        evidence=(Evidence(evidence, f"{name} {version}".strip()),),
    )


def _manifest(host: Host, folder: str) -> tuple["Manifest | None", str, Problem | None]:
    """The manifest of a folder, and the name in the author's language; a name that cannot be resolved is empty."""
    from phaseout.parsers.browsers.chrome_manifest import NONE, manifest
    from phaseout.parsers.browsers.extension_locales import is_message, message

    path = join(host, folder, "manifest.json")
    data = host.files.read(path)
    if data is None:
        return None, "", None
    try:
        found = manifest(data)
    except ValueError as error:
        return NONE, "", Problem(path, f"is damaged: {error}", "damaged")
    if not is_message(found.name) and not is_message(found.vendor):
        return found, found.name, None
    for locale in dict.fromkeys((found.locale, "en", "en_US")):
        if not locale or _PARTS.search(locale) or locale == "..":
            continue
        path = join(host, folder, "_locales", locale, "messages.json")
        messages = host.files.read(path)
        if messages is None:
            continue
        try:
            name, vendor = message(found.name, messages), message(found.vendor, messages)
        except ValueError as error:
            return found, "", Problem(path, f"is damaged: {error}", "damaged")
        if not is_message(name):
            return found._replace(vendor="" if is_message(vendor) else vendor), name, None
    return found, "", None


def _remembered(setting: "Setting | None") -> "Manifest":
    """The manifest as the settings of the profile keep it."""
    from phaseout.parsers.browsers.chrome_manifest import NONE, manifest

    try:
        return manifest(setting.manifest) if setting is not None and setting.manifest else NONE
    except ValueError:
        return NONE


def _registrations(host: Host) -> Iterator[tuple[str, Registration] | Item | Problem | LeftOut]:
    """What makes each browser install an extension; with the family of the browser."""
    for family in FAMILIES:
        for trace in _of_family(host, family):
            yield (family.name, trace) if isinstance(trace, Registration) else trace
    for user, software in software_keys(host):
        for family in FAMILIES:
            for trace in _of_keys(family, user, software):
                yield (family.name, trace) if isinstance(trace, Registration) else trace


def _of_family(host: Host, family: Family) -> Iterator[Registration | Item | Problem | LeftOut]:
    if host.info.platform == "linux":
        for folder in (f"{top}/{level}" for top in family.policies for level in LEVELS):
            for entry in host.files.list(folder):
                if entry.name.endswith(".json"):
                    yield from policy_file(host, f"{folder}/{entry.name}")
        for folder in family.extensions:
            yield from _external(host, "", folder)
            yield from _for_everybody(host, family, folder)
    elif host.info.platform == "macos":
        for user, path in managed(host, family):
            yield from managed_preferences(host, user, path)
        below = f"/Library/Application Support/{family.library}/{_EXTERNAL}"
        for user, home in (("", ""), *homes(host)):
            yield from _external(host, user, home + below)


def _of_keys(family: Family, user: str, software: "Key") -> Iterator[Registration | Problem | LeftOut]:
    """Policies are lists of numbered values, and settings in one value as JSON or in a key for each extension."""
    policies = software.key(family.policy_key)
    if policies is not None:
        numbered = policies.child("ExtensionInstallForcelist")
        if numbered is not None:
            yield from forced(user, numbered.path, tuple(numbered.values().values()))
        settings: Any = policies.text("ExtensionSettings")
        if not settings:
            each = policies.child("ExtensionSettings")
            settings = {
                one.name: {"installation_mode": one.text("installation_mode"), "update_url": one.text("update_url")}
                for one in (each.subkeys() if each is not None else ())
            }
        yield from policies_of(user, rf"{policies.path}\ExtensionSettings", {"ExtensionSettings": settings})
    registered = software.key(family.extensions_key)
    for one in registered.subkeys() if registered is not None else ():
        url, version, path = (one.text(name) for name in ("update_url", "version", "path"))
        yield Registration(user, one.name, "registered in the registry", one.path, url, version, path)


def _external(host: Host, user: str, folder: str) -> Iterator[Registration | Problem | LeftOut]:
    """Files `ID.json`, each for one extension, or one file with the identifiers as members."""
    for entry in host.files.list(folder):
        if not entry.name.endswith(".json"):
            continue
        from phaseout.parsers.encodings.lenient_json import decode, member, text

        path = join(host, folder, entry.name)
        value = yield from parsed(host, path, decode)
        name = entry.name.removesuffix(".json")
        many = value.items() if name == "external_extensions" and isinstance(value, dict) else ((name, value),)
        for id_, one in many if value is not None else ():
            fields = ("external_update_url", "external_version", "external_crx")
            yield Registration(user, id_, "registered in a file", path, *(text(member(one, field)) for field in fields))


def _for_everybody(host: Host, family: Family, folder: str) -> Iterator[Item | Problem | LeftOut]:
    """Unpacked extensions beside the browser, which distributions make it load."""
    for entry in host.files.list(folder):
        if entry.kind not in ("dir", "link"):
            continue
        from phaseout.parsers.browsers.chrome_manifest import is_id, store

        path = f"{folder}/{entry.name}"
        found, title, problem = _manifest(host, path)
        if problem is not None:
            yield problem
        if found is None:
            yield LeftOut("not an extension")
            continue
        name = found.id or (entry.name if is_id(entry.name) else "")
        yield Item(
            kind="extension",
            name=title or entry.name,
            vendor=found.vendor,
            version=found.version,
            path=path,
            ids={"extension_id": name},
            details={
                "browser": family.name,
                "location": "loaded for every user",
                "store": store(found.update_url),
                "type": "" if found.kind == "extension" else found.kind,
            },
            evidence=(Evidence(f"{path}/manifest.json", f"{found.name} {found.version}".strip()),),
        )


def _registered(family: str, one: Registration, name: str) -> Item:
    from phaseout.parsers.browsers.chrome_manifest import store

    return Item(
        kind="extension",
        name=name or one.id,
        state="leftover",
        version=one.version,
        path=one.path,
        user=one.user,
        ids={"extension_id": one.id},
        details={"browser": family, "location": one.how, "store": store(one.url)},
        evidence=(Evidence(one.where, f"{one.id};{one.url}".rstrip(";")),),
    )


SOURCE = Source(
    name="chromium_extensions",
    title="Extensions of Chrome and related browsers",
    platforms=("linux", "macos", "windows"),
    kinds=("extension",),
    needs=(),
    reads=(
        *reads(CHROMIUM, "*Preferences", "Extensions/*/*", "*/*Preferences", "*/Extensions/*/*"),
        *("/**/*Preferences", r"C:\**\*Preferences"),  # of profiles that a policy has moved
        "/**/manifest.json",  # of extensions that a profile loads from elsewhere
        "/**/_locales/*/messages.json",
        r"C:\**\manifest.json",
        r"C:\**\_locales\*\messages.json",
        *(f"{top}/{level}/*.json" for family in FAMILIES for top in family.policies for level in LEVELS),
        *(f"{folder}/*.json" for family in FAMILIES for folder in family.extensions),
        *(f"{MANAGED}{user}/{family.domain}.plist" for family in FAMILIES for user in ("", "/*")),
        *(
            f"{home}/Library/Application Support/{family.library}/{_EXTERNAL}/*.json"
            for family in FAMILIES
            for home in ("", "~")
        ),
        *(
            rf"{top}\{key}"
            for family in FAMILIES
            for top in VIEWS
            for key in (rf"{family.policy_key}\**", rf"{family.extensions_key}\*")
        ),
    ),
    limits=(
        "A profile that the browser was given on its command line is in none of the usual folders and is not found; of "
        "an extension that is only registered the name is not known."
    ),
    collect=collect,
)
