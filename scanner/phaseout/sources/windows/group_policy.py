r"""Software that group policies install, and the scripts of the local policy: they bring a removed product back.

Scripts of policies that the registry lists are read by `autostart`. Of a script that lies on this machine, each line
that runs an installer from a share is an item.

References:
    [MS-GPSI] (Deployment Name, GPO Name, Product ID); [MS-GPSCR] 2.2.2 (scripts.ini: `0CmdLine`, `0Parameters`)
"""

import re
from collections.abc import Iterator

from phaseout.host import Host
from phaseout.host.registry.base import Key
from phaseout.model.nouns import Evidence, IdType, Item, LeftOut
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.packed_guid import guid
from phaseout.sources.kit.browser_registrations import VIEWS, software_keys
from phaseout.sources.kit.limited import limited
from phaseout.sources.kit.windows_registry import subkeys
from phaseout.sources.source import Source, Trace

_DEPLOYED = r"Microsoft\Windows\CurrentVersion\Group Policy\AppMgmt"
_LOCAL = r"System32\GroupPolicy"
_LISTS = tuple(rf"{who}\Scripts\{name}" for who in ("Machine", "User") for name in ("scripts.ini", "psscripts.ini"))
_LINE = re.compile(r"^\s*(\d{1,6})(CmdLine|Parameters)\s*=(.*)$", re.MULTILINE)
_FROM_SHARE = re.compile(r"\\\\[^\\\s\"']+\\[^\s\"']*\\?[^\"'\r\n]*\.(?:msi|exe)\b", re.IGNORECASE)
_SIZE = 1 << 18
_MOST = 1_000  # scripts
_EFFECT = "the policy installs it again: take it out of the policy before the product is removed"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every deployed product, every script of the local policy, and every installer that one runs."""
    for user, software in software_keys(host):
        for key in subkeys(software.key(_DEPLOYED)):
            yield _deployed(key, user)
    windows = host.variables.get("systemroot", r"C:\Windows")
    for name in _LISTS:
        path = rf"{windows}\{_LOCAL}\{name}"
        yield from _scripts(host, path, _text(host.files.read(path, _SIZE)))


def _deployed(key: Key, user: str) -> Item:
    name = key.text("Deployment Name")
    policy = key.text("GPO Name")
    ids: dict[IdType, str] = {"product_code": guid(key.text("Product ID"))}
    return Item(
        kind="setting",
        name=name or key.name,
        user=user,
        ids=ids,
        details={"type": "software that a group policy installs", "policy": policy, "effect": _EFFECT},
        evidence=(Evidence(key.path, f"Deployment Name: {name}, GPO Name: {policy}"),),
    )


def _scripts(host: Host, path: str, text: str) -> Iterator[Trace]:
    parts: dict[str, dict[str, str]] = {}
    for number, what, value in limited(host, path, _LINE.findall(text), _MOST):
        parts.setdefault(number, {})[what.lower()] = value.strip()
    for part in parts.values():
        command = f"{part.get('cmdline', '')} {part.get('parameters', '')}".strip()
        if not command:
            yield LeftOut("an empty entry")
            continue
        yield _task(command, path, "")
        script = absolute(part.get("cmdline", ""), host.variables)
        if script[1:3] == ":\\":
            shares = _FROM_SHARE.findall(_text(host.files.read(script, _SIZE)))
            for line in limited(host, script, shares, _MOST):
                yield _task(line, path, script)


def _task(command: str, where: str, script: str) -> Item:
    share = next(iter(_FROM_SHARE.findall(command)), "")
    name = (share or command).rpartition("\\")[2]
    return Item(
        kind="task",
        name=name,
        path=share,
        command=command,
        details={"type": "script of a group policy", "place": "Group Policy", "effect": _EFFECT if share else ""},
        evidence=(Evidence(script or where, command),),
    )


def _text(data: bytes | None) -> str:
    """The text of a list or script: UTF-16 with its mark, else one byte for each character."""
    if not data:
        return ""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


SOURCE = Source(
    name="group_policy",
    title="Software and scripts of group policies",
    platforms=("windows",),
    kinds=("setting", "task"),
    needs=("registry",),
    reads=(
        *(rf"{view}\{_DEPLOYED}" for view in VIEWS),
        *(rf"C:\Windows\{_LOCAL}\{name}" for name in _LISTS),
        *(rf"C:\**\*.{ending}" for ending in ("cmd", "bat", "ps1", "vbs", "js")),
    ),
    limits="Scripts that lie on a share are not read, nor policies that were not applied on this machine.",
    collect=collect,
)
