r"""Files of certificates that developers' tools are set to trust: Node.js, npm, pip, requests, curl, git and others.

The setting stays when the file goes, and then some tools fail at every connection. What the file holds is read as well:
a file with any name may hold a vendor's certificate. Of a settings file, nothing but the one path is kept, since
passwords and tokens stand beside it.

References:
    https://nodejs.org/api/cli.html (NODE_EXTRA_CA_CERTS); npm config (cafile); pip configuration (`cert`);
    requests (REQUESTS_CA_BUNDLE); curl(1) (`cacert`); git-config(1) (http.sslCAInfo); environment(5), environment.d(5)
"""

import re
from collections.abc import Iterator, Mapping

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Platform
from phaseout.model.regex import regex
from phaseout.parsers.linux.shell_script import literals
from phaseout.parsers.windows.image_path import absolute, for_user
from phaseout.sources.kit.missing_files import VOLUME_LISTS, MissingFiles
from phaseout.sources.kit.trust_anchors import TrustAnchors
from phaseout.sources.kit.user_data import homes, join
from phaseout.sources.source import Source, Trace

_VARIABLES = (
    *("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT", "GIT_SSL_CAINFO"),
    *("AWS_CA_BUNDLE", "DENO_CERT", "CARGO_HTTP_CAINFO", "NIX_SSL_CERT_FILE"),
)
_MACHINE_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
# Files of settings, below the home and of the machine, and how the path stands there.
_INI = regex(
    r"^[ \t]*(?:cafile|cert|cacert|sslcainfo)[ \t]*[:= ][ \t]*(\S[^\n]{0,4000})$", re.MULTILINE | re.IGNORECASE
)
_HOME: dict[Platform, tuple[str, ...]] = {
    "linux": (".npmrc", ".gitconfig", ".config/git/config", ".config/pip/pip.conf", ".pip/pip.conf", ".curlrc"),
    "macos": (".npmrc", ".gitconfig", ".config/git/config", "Library/Application Support/pip/pip.conf", ".curlrc"),
    "windows": (".npmrc", ".gitconfig", ".config/git/config", "AppData/Roaming/pip/pip.ini", "pip/pip.ini", "_curlrc"),
}
_SHELLS = (".profile", ".bashrc", ".bash_profile", ".zshrc", ".zshenv", ".zprofile")
_MACHINE: dict[Platform, tuple[str, ...]] = {
    "linux": ("/etc/gitconfig", "/etc/pip.conf", "/etc/npmrc"),
    "macos": ("/private/etc/gitconfig", "/Library/Application Support/pip/pip.conf"),
    "windows": (r"C:\ProgramData\pip\pip.ini", r"C:\Program Files\Git\etc\gitconfig"),
}
_ENVIRONMENT = "/etc/environment"
_SHARED = (
    *("/etc/ssl/", "/etc/pki/", "/usr/share/ca-certificates/", "/usr/local/share/ca-certificates/"),
    *("/var/lib/ca-certificates/", "/etc/ca-certificates/"),
)
_SIZE = 1 << 20
_BUNDLE = 16 << 20
_EFFECT = "once this file is gone, the tool fails at every secure connection or goes on without it: delete the setting"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every file that a setting names, and for every certificate in one that the system does not share."""
    anchors = TrustAnchors()
    missing = MissingFiles(host)
    seen: set[tuple[str, str]] = set()
    for user, path, where, name in _settings(host):
        if (user, path) in seen:
            yield LeftOut("listed as another item")
            continue
        seen.add((user, path))
        if path.startswith(_SHARED):
            yield LeftOut("part of the operating system")
            continue
        state, notes = missing.state(path)
        yield Item(
            kind="setting",
            name=path.replace("\\", "/").rpartition("/")[2],
            state=state,
            path=path,
            user=user,
            details={"type": f"trusted file of {name}", "effect": _EFFECT},
            notes=notes,
            evidence=(Evidence(where, name),),
        )
        data = host.files.read(path, _BUNDLE) if host.files.is_file(path) else None
        if data is not None:
            yield from anchors.add_file(data, path, name, user)
    yield from anchors.items()


def _settings(host: Host) -> Iterator[tuple[str, str, str, str]]:
    """User, path, where it is set, and by which name."""
    platform = host.info.platform
    for path in _MACHINE[platform]:
        yield from _of_file(host, "", path, host.variables)
    if platform == "windows":
        yield from _of_key(host, "", _MACHINE_KEY, host.variables)
    else:
        yield from _of_script(host, "", _ENVIRONMENT, "")
    for user, home in homes(host):
        variables = for_user(host.variables, home) if platform == "windows" else host.variables
        for name in _HOME[platform]:
            yield from _of_file(host, user, join(host, home, name), variables, home)
        for name in _SHELLS if platform != "windows" else ():
            yield from _of_script(host, user, join(host, home, name), home)
    for one in host.users if platform == "windows" else ():
        if one.sid:
            variables = for_user(host.variables, one.home) if one.home else host.variables
            yield from _of_key(host, one.name, rf"HKU\{one.sid}\Environment", variables)


def _of_file(
    host: Host, user: str, path: str, variables: Mapping[str, str], home: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    text = host.files.text(path, _SIZE) if host.files.is_file(path) else None
    for found in _INI.findall(text or ""):
        if place := _place(host, found, variables, home):
            yield user, place, path, path.replace("\\", "/").rpartition("/")[2]


def _of_script(host: Host, user: str, path: str, home: str) -> Iterator[tuple[str, str, str, str]]:
    text = host.files.text(path, _SIZE) if host.files.is_file(path) else None
    if not text or not any(name in text for name in _VARIABLES):
        return
    found = literals(f"HOME={home}\n{text}")
    for name in _VARIABLES:
        if place := _place(host, found.get(name, ""), {}, home):
            yield user, place, path, name


def _of_key(host: Host, user: str, path: str, variables: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    key = host.registry.key(path) if host.registry is not None else None
    for name in _VARIABLES if key is not None else ():
        if key is not None and (place := _place(host, key.text(name), variables, "")):
            yield user, place, path, name


def _place(host: Host, text: str, variables: Mapping[str, str], home: str) -> str:
    """The path that a setting names; empty where it names none."""
    text = text.strip().strip("\"'").strip()
    if home and text.startswith("~/"):
        text = join(host, home, text[2:])
    if host.info.platform == "windows":
        return absolute(text.replace("\\\\", "\\"), variables)
    return text if text.startswith("/") else ""


SOURCE = Source(
    name="developer_trust",
    title="Files of certificates that developers' tools trust",
    platforms=("linux", "macos", "windows"),
    kinds=("setting", "certificate"),
    needs=(),
    reads=(
        *(f"~/{name}" for name in (*dict.fromkeys((*_HOME["linux"], *_HOME["macos"])), *_SHELLS)),
        *(f"~/{name}".replace("/", "\\") for name in _HOME["windows"]),
        *(path for paths in _MACHINE.values() for path in paths),
        *(_ENVIRONMENT, _MACHINE_KEY, r"HKU\*\Environment", *VOLUME_LISTS),
        *("/**/*.pem", "/**/*.crt", "/**/*.cer", r"C:\**\*.pem", r"C:\**\*.crt", r"C:\**\*.cer"),
    ),
    limits="Settings of single projects, and variables that a script computes, are not read.",
    collect=collect,
)
