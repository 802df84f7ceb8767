"""Extensions of Safari: those from before Safari 13, and those that belong to an app.

Safari's folders are guarded by macOS: without Full Disk Access they are not read, which is a problem.

References:
    https://developer.apple.com/documentation/safariservices/safari-web-extensions;
    https://support.apple.com/guide/deployment/dep38df53c2a (Full Disk Access)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, Problem
from phaseout.parsers.browsers.safari_extensions import SafariExtension, safari_extensions
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.user_data import homes
from phaseout.sources.source import Source, Trace

_LEGACY = "Library/Safari/Extensions"
_SAFARI = (
    "Library/Containers/com.apple.Safari/Data/Library/Safari",
    "Library/Containers/com.apple.SafariTechnologyPreview/Data/Library/SafariTechnologyPreview",
    "Library/Safari",
)
_OF_APPS = ("AppExtensions", "WebExtensions")
_LIST = "Extensions.plist"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every extension of every user."""
    for user, home in homes(host):
        yield from _list(host, user, f"{home}/{_LEGACY}", "")
        for safari in _SAFARI:
            for kind in _OF_APPS:
                yield from _list(host, user, f"{home}/{safari}/{kind}", "")
            profiles = f"{home}/{safari}/Profiles"
            for profile in host.files.list(profiles):
                if profile.kind != "file":
                    for kind in _OF_APPS:
                        yield from _list(host, user, f"{profiles}/{profile.name}/{kind}", profile.name)


def _list(host: Host, user: str, folder: str, profile: str) -> Iterator[Trace]:
    path = f"{folder}/{_LIST}"
    data = host.files.read(path)
    if not data or not data.strip():
        return
    missing = MissingFiles(host)
    try:
        for found in safari_extensions(data):
            if found is None:
                yield from damaged(path, "an extension in the list is damaged")
            else:
                yield _item(user, folder, profile, found, missing)
    except ValueError as error:
        yield Problem(path, f"is damaged: {error}", "damaged")


def _item(user: str, folder: str, profile: str, found: SafariExtension, missing: MissingFiles) -> Item:
    archive = f"{folder}/{found.archive}" if found.archive and "/" not in found.archive else ""
    state, notes = missing.state(archive)
    return Item(
        kind="extension",
        name=found.name,
        state=state,
        path=archive,
        user=user,
        ids={"bundle_id": found.bundle_id, "team_id": found.team_id},
        details={
            "browser": "Safari Technology Preview" if "TechnologyPreview" in folder else "Safari",
            "profile": profile,
            "enabled": "" if found.enabled is None else "yes" if found.enabled else "no",
            "installed": found.installed,
        },
        notes=notes,
        evidence=(Evidence(f"{folder}/{_LIST}", f"{found.bundle_id or found.name} {found.team_id}".strip()),),
    )


SOURCE = Source(
    name="safari_extensions",
    title="Extensions of Safari",
    platforms=("macos",),
    kinds=("extension",),
    needs=(),
    reads=(
        f"~/{_LEGACY}/*",
        *(f"~/{safari}/{below}{kind}/*" for safari in _SAFARI for below in ("", "Profiles/*/") for kind in _OF_APPS),
    ),
    limits=(
        "Version and shown name of an extension are inside its app, and Safari lists one only after it was switched on "
        "or off once."
    ),
    collect=collect,
)
