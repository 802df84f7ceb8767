r"""Add-ons of Firefox, Thunderbird and related programs, in all profiles of all users, and those of the whole machine.

`extensions.json` of a profile lists its add-ons; one whose file is gone is a leftover. Add-ons in a folder that are not
in that list are read themselves. What policies and registry keys make the browser
install is listed on its own as a leftover: a registration that brings the add-on back.

References:
    https://support.mozilla.org/kb/profiles-where-firefox-stores-user-data, https://kb.mozillazine.org/Profiles.ini_file;
    https://searchfox.org/mozilla-central/source/toolkit/mozapps/extensions/internal/XPIProvider.sys.mjs (the folders);
    https://extensionworkshop.com/documentation/enterprise/ (distribution, registry); https://mozilla.github.io/policy-templates/
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.sources.kit.browser_registrations import (
    VIEWS,
    Registration,
    managed_preferences,
    policies_of,
    policy_file,
    software_keys,
)
from phaseout.sources.kit.mozilla_profiles import mozilla_profiles
from phaseout.sources.kit.mozilla_programs import DOMAINS, POLICIES, PROGRAMS
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.user_data import MOZILLA, UserData, homes, join, present, reads
from phaseout.sources.source import Source, Trace

if TYPE_CHECKING:
    from phaseout.host.registry.base import Key
    from phaseout.parsers.browsers.chrome_manifest import Manifest
    from phaseout.parsers.browsers.mozilla_addons import Addon

_APPLICATIONS = {
    "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}": "Firefox",
    "{3550f703-e582-4d05-9a08-453d09bdfdc6}": "Thunderbird",
    "{92650c4d-4b8e-4d2a-b7eb-24ecf4f63a41}": "SeaMonkey",
}
_FOR_EVERYBODY = {
    "linux": tuple(f"/usr/{place}/mozilla/extensions" for place in ("share", "lib", "lib64")),
    "macos": ("/Library/Application Support/Mozilla/Extensions",),
    "windows": (),
}
_OF_USER = {
    "linux": ".mozilla/extensions",
    "macos": "Library/Application Support/Mozilla/Extensions",
    "windows": "AppData/Roaming/Mozilla/Extensions",
}
_NOT_ADDONS = frozenset(("staged", "staged-xpis", "trash"))
_LARGEST = 16 << 20  # bytes; decoded, it takes ten times that
_ARCHIVE = 512 << 20
_NAMES = 500  # entries of a folder that may be add-ons


def collect(host: Host) -> Iterator[Trace]:
    """An item for every add-on of every profile and of the machine, and one for every registration."""
    for place in present(host, MOZILLA):
        for profile in (yield from mozilla_profiles(host, place.folder, "extensions.json")):
            yield from _profile(host, place, profile)
    for folder in _FOR_EVERYBODY[host.info.platform]:
        yield from _applications(host, folder, "", "folder of the system")
    for user, home in homes(host):
        yield from _applications(host, join(host, home, _OF_USER[host.info.platform]), user, "folder of the user")
    for folder, program in PROGRAMS[host.info.platform].items():
        if host.files.is_dir(folder):
            place = UserData(program, "", join(host, folder, "distribution/extensions"))
            yield from _unlisted(host, place, "", "folder of the program")
            path = join(host, folder, "distribution/policies.json")
            yield from _registrations(program, policy_file(host, path, "policies"))
    if host.info.platform == "linux":
        for path, program in POLICIES.items():
            yield from _registrations(program, policy_file(host, path, "policies"))
    elif host.info.platform == "macos":
        for path, program in DOMAINS.items():
            yield from _registrations(program, managed_preferences(host, "", path))
    for user, software in software_keys(host):
        for program in ("Firefox", "Thunderbird"):
            yield from _registrations(program, _of_keys(program, user, software))


def _profile(host: Host, place: UserData, profile: str) -> Iterator[Trace]:
    from phaseout.parsers.browsers.mozilla_addons import addons

    name = profile.replace("\\", "/").rpartition("/")[2]
    path = join(host, profile, "extensions.json")
    folder = join(host, profile, "extensions")
    data = host.files.read(path, _LARGEST)
    listed: set[str] = set()
    if data is not None:
        try:
            for addon in addons(data):
                if addon is None:
                    yield from damaged(path, "an add-on in the list is damaged")
                elif addon.built_in:
                    yield LeftOut("part of the browser")
                else:
                    listed.add(addon.id)
                    yield _listed(host, place, name, folder, path, addon)
        except ValueError as error:
            yield Problem(path, f"is damaged: {error}", "damaged")
    yield from _unlisted(host, UserData(place.program, place.user, folder), name, "profile", frozenset(listed))


def _listed(host: Host, place: UserData, profile: str, folder: str, evidence: str, addon: "Addon") -> Item:
    path = addon.path
    gone = bool(path) and host.files.gone(path)
    if gone and addon.location == "profile":  # the profile may have been moved here
        for other in (f"{addon.id}.xpi", addon.id):
            if "/" not in other and "\\" not in other and not host.files.gone(join(host, folder, other)):
                path, gone = join(host, folder, other), False
                break
    return Item(
        kind="extension",
        name=addon.name or addon.id,
        state="leftover" if gone else "installed",
        vendor=addon.vendor,
        version=addon.version,
        path=path,
        user=place.user,
        ids={"extension_id": addon.id},
        details={
            "browser": place.program,
            "profile": profile,
            "type": "" if addon.kind == "extension" else addon.kind,
            "enabled": "yes" if addon.enabled else "no",
            "disabled": addon.reasons,
            "location": addon.location,
            "store": "addons.mozilla.org" if "://addons.mozilla.org/" in addon.url else addon.url,
            "brought_by": "another program" if addon.foreign else "",
            "installed": addon.installed,
            "updated": addon.updated,
            "status": "its files are gone" if gone else "",
        },
        evidence=(Evidence(evidence, f"{addon.id} {addon.version}".strip()),),
    )


def _applications(host: Host, folder: str, user: str, location: str) -> Iterator[Trace]:
    """Folders of add-ons, one for each application."""
    for entry in host.files.list(folder):
        if entry.kind in ("dir", "link"):
            program = _APPLICATIONS.get(entry.name.lower(), entry.name)
            yield from _unlisted(host, UserData(program, user, join(host, folder, entry.name)), "", location)


def _unlisted(
    host: Host, place: UserData, profile: str, location: str, listed: frozenset[str] = frozenset()
) -> Iterator[Trace]:
    """The add-ons of a folder that no list names; the name of each is its identifier."""
    entries = [entry for entry in host.files.list(place.folder) if entry.name not in _NOT_ADDONS]
    if len(entries) > _NAMES:
        yield Problem(place.folder, f"more than {_NAMES} entries: the rest was not read", "limit")
    for entry in entries[:_NAMES]:
        name = entry.name.removesuffix(".xpi")
        if name in listed:
            continue
        path = join(host, place.folder, entry.name)
        found, title, problem = _packed(host, path) if name != entry.name else _unpacked(host, path)
        if problem is not None:
            yield problem
        if found is None and problem is None and "@" not in name and not name.startswith("{"):
            yield LeftOut("not an extension")
            continue
        yield Item(
            kind="extension",
            name=title or name,
            vendor=found.vendor if found is not None else "",
            version=found.version if found is not None else "",
            path=path,
            user=place.user,
            ids={"extension_id": (found.id if found is not None else "") or name},
            details={
                "browser": place.program,
                "profile": profile,
                "location": location,
                "type": found.kind if found is not None and found.kind != "extension" else "",
                "status": "not in the list of the profile" if profile else "",
            },
            evidence=(Evidence(path, f"{name} {found.version if found is not None else ''}".strip()),),
        )


def _packed(host: Host, path: str) -> tuple["Manifest | None", str, Problem | None]:
    from phaseout.parsers.browsers.chrome_manifest import manifest
    from phaseout.parsers.browsers.extension_locales import is_message
    from phaseout.parsers.encodings.zip_archive import Archive

    file = host.files.open(path, _ARCHIVE)
    if file is None:
        return None, "", None
    with file:
        try:
            archive = Archive(file)
            data = archive.read("manifest.json")
            if data is None:  # an add-on of the old kind, with install.rdf
                return None, "", None
            found = manifest(data)
            messages = None
            if is_message(found.name) or is_message(found.vendor):
                messages = archive.read(f"_locales/{found.locale}/messages.json")
            return _named(found, messages)
        except (ValueError, OSError) as error:
            return None, "", Problem(path, f"is damaged: {error}", "damaged")


def _unpacked(host: Host, path: str) -> tuple["Manifest | None", str, Problem | None]:
    from phaseout.parsers.browsers.chrome_manifest import manifest
    from phaseout.parsers.browsers.extension_locales import is_message

    where = join(host, path, "manifest.json")
    data = host.files.read(where)
    if data is None:
        return None, "", None
    try:
        found = manifest(data)
        messages = None
        if (is_message(found.name) or is_message(found.vendor)) and not set(found.locale) & set("/\\."):
            messages = host.files.read(join(host, path, "_locales", found.locale, "messages.json"))
        return _named(found, messages)
    except ValueError as error:
        return None, "", Problem(where, f"is damaged: {error}", "damaged")


def _named(found: "Manifest", messages: bytes | None) -> tuple["Manifest", str, None]:
    from phaseout.parsers.browsers.extension_locales import is_message, message

    name, vendor = found.name, found.vendor
    if messages is not None:
        name, vendor = message(name, messages), message(vendor, messages)
    return found._replace(vendor="" if is_message(vendor) else vendor), "" if is_message(name) else name, None


def _registrations(program: str, found: Iterator[Registration | Problem | LeftOut]) -> Iterator[Trace]:
    for trace in found:
        yield _registered(program, trace) if isinstance(trace, Registration) else trace


def _of_keys(program: str, user: str, software: "Key") -> Iterator[Registration | Problem | LeftOut]:
    """Add-ons and policies of one program in the registry."""
    key = software.key(rf"Mozilla\{program}\Extensions")
    for name, path in (key.values() if key is not None else {}).items():
        if key is not None and name and isinstance(path, str):
            yield Registration(user, name, "registered in the registry", key.path, path=path)
        else:
            yield LeftOut("not an extension")
    policies = software.key(rf"Policies\Mozilla\{program}")
    if policies is not None:
        settings = {"ExtensionSettings": policies.text("ExtensionSettings") or None}
        yield from policies_of(user, rf"{policies.path}\ExtensionSettings", settings)
        install = policies.key(r"Extensions\Install")
        urls = list(install.values().values()) if install is not None else []
        yield from policies_of(user, rf"{policies.path}\Extensions\Install", {"Extensions": {"Install": urls}})


def _registered(program: str, one: Registration) -> Item:
    return Item(
        kind="extension",
        name=one.id or one.url.rstrip("/").rpartition("/")[2] or one.url,
        state="leftover",
        path=one.path,
        user=one.user,
        ids={"extension_id": one.id},
        details={"browser": program, "location": one.how, "store": one.url},
        evidence=(Evidence(one.where, f"{one.id};{one.path or one.url}".strip(";")),),
    )


_INSTALLED = ("extensions/*.xpi", "extensions/*/manifest.json", "extensions/*/_locales/*/messages.json")
SOURCE = Source(
    name="firefox_addons",
    title="Add-ons of Firefox, Thunderbird and related programs",
    platforms=("linux", "macos", "windows"),
    kinds=("extension",),
    needs=(),
    reads=(
        *reads(
            MOZILLA,
            "profiles.ini",
            *(f"{profile}/{inside}" for profile in ("*", "Profiles/*") for inside in ("extensions.json", *_INSTALLED)),
        ),
        "/**/extensions.json",  # of profiles that lie elsewhere, as profiles.ini says
        r"C:\**\extensions.json",
        *(
            f"{folder}/*/*/{inside}"
            for folder in (
                *_FOR_EVERYBODY["linux"],
                *_FOR_EVERYBODY["macos"],
                *(f"~/{_OF_USER[platform]}" for platform in ("linux", "macos")),
            )
            for inside in ("manifest.json", "_locales/*/messages.json")
        ),
        *(
            rf"~\AppData\Roaming\Mozilla\Extensions\*\*\{inside}"
            for inside in ("manifest.json", r"_locales\*\messages.json")
        ),
        *(
            f"{folder}/distribution/{inside}"
            for platform in ("linux", "macos")
            for folder in PROGRAMS[platform]
            for inside in ("policies.json", "extensions/*/manifest.json", "extensions/*/_locales/*/messages.json")
        ),
        *(
            rf"{folder}\distribution\{inside}"
            for folder in PROGRAMS["windows"]
            for inside in ("policies.json", r"extensions\*\manifest.json")
        ),
        *POLICIES,
        *DOMAINS,
        *(
            rf"{top}\{key}"
            for top in VIEWS
            for program in ("Firefox", "Thunderbird")
            for key in (rf"Mozilla\{program}\Extensions", rf"Policies\Mozilla\{program}\Extensions\Install")
        ),
    ),
    limits=(
        "A profile that the browser was given on its command line is found in none of the usual folders, and of an "
        "add-on of before 2017 only the identifier is known unless the profile lists it."
    ),
    collect=collect,
)
