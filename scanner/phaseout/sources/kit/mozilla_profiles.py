"""The profiles of Firefox, Thunderbird and related programs.

References:
    https://kb.mozillazine.org/Profiles.ini_file
"""

from collections.abc import Generator

from phaseout.host import Host
from phaseout.model.nouns import Problem
from phaseout.sources.kit.user_data import join

_MOST = 500  # folders beside the profiles that are named


def mozilla_profiles(host: Host, top: str, file: str) -> Generator[Problem, None, list[str]]:
    """The folders that `profiles.ini` names, and those that are there without being named and have this file."""
    from phaseout.parsers.encodings.keyfile import sections

    found: dict[str, None] = {}
    text = host.files.text(join(host, top, "profiles.ini"), 1 << 20)
    for name, keys in sections(text or "").items():
        path = keys.get("Path", "")
        if name.startswith("Profile") and path:
            if keys.get("IsRelative", "1") != "0":
                path = join(host, top, *(part for part in path.split("/") if part not in ("", ".", "..")))
            found[path] = None
    for folder in (top, join(host, top, "Profiles")):
        entries = [one for one in host.files.list(folder) if one.kind in ("dir", "link")]
        if len(entries) > _MOST:
            yield Problem(folder, f"more than {_MOST} folders: the rest was not read", "limit")
        for entry in entries[:_MOST]:
            path = join(host, folder, entry.name)
            if path not in found and host.files.is_file(join(host, path, file)):
                found[path] = None
    return list(found)
