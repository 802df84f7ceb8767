r"""What files of group policies set: they are applied again and again, so what they bring comes back after a removal.

Read are the local policy, those for single users and groups, the copies that Windows keeps of the domain's, and the
folder SYSVOL of a domain controller. Listed are keys of makers other than Microsoft, extensions that browsers must
install, proxies, and programs that start at log-on; other settings are counted.

References:
    [MS-GPREG]; [MS-GPOL] 2.2.3 (the folders of a policy); "Multiple Local Group Policy objects" (GroupPolicyUsers);
    for browsers see `phaseout.parsers.browsers.chrome_policy` and `phaseout.parsers.browsers.proxies`
"""

from collections.abc import Iterator, Mapping
from typing import Any

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut, Problem
from phaseout.parsers.browsers.proxies import of_chromium_policies, of_mozilla_policies
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.proxy_settings import ProxySettings
from phaseout.parsers.windows.registry_pol import values
from phaseout.parsers.windows.registry_values import Value
from phaseout.sources.kit.browser_registrations import Registration, forced, policies_of
from phaseout.sources.kit.parsed import damaged
from phaseout.sources.kit.proxy_items import Proxies
from phaseout.sources.kit.user_data import homes
from phaseout.sources.source import Source, Trace

_FILE = "Registry.pol"
_LOCAL = r"%systemroot%\System32\GroupPolicy"
_OF_USERS = r"%systemroot%\System32\GroupPolicyUsers"
_DOMAINS = (rf"{_LOCAL}\DataStore\0\SysVol", r"%systemroot%\SYSVOL\sysvol", r"%systemroot%\SYSVOL")
_APPLIED = "ntuser.pol"  # what was applied, in the home of a user and of the machine
_SIZE = 16 << 20
_FILES = 5_000
_VALUES = 50_000  # of one file
_EFFECT = "the policy sets it again and again: take it out of the policy before the product is removed"
_RUNS = (r"\currentversion\run", r"\policies\explorer\run")
_INTERNET = r"\currentversion\internet settings"
_TOPS = ("software\\policies\\", "software\\wow6432node\\", "software\\")


def collect(host: Host) -> Iterator[Trace]:
    """An item for every key of a maker, extension, proxy and program to start that a policy sets."""
    proxies = Proxies(host)
    seen: set[tuple[str, str, str, str]] = set()
    for count, (hive, user, path) in enumerate(_files(host), 1):
        if count > _FILES:
            yield Problem(path, f"more than {_FILES:,} files of policies: the rest was not read", "limit")
            return
        data = host.files.read(path, _SIZE)
        keys: dict[str, dict[str, Value]] = {}
        yield from _read(path, data or b"", keys)
        for key, found in keys.items():
            mark = hive, user, key.lower(), repr(sorted(found.items(), key=repr))
            if mark in seen:
                yield LeftOut("listed as another item")
                continue
            seen.add(mark)
            traces = [*_of_key(proxies, rf"{hive}\{key}", found, user, path)]
            yield from traces or [LeftOut("a setting")]


def _files(host: Host) -> Iterator[tuple[str, str, str]]:
    """The hive that a file is for, the user (empty: all, or not known), and the file."""
    local, users = (absolute(path, host.variables) for path in (_LOCAL, _OF_USERS))
    folders = [local]
    for top in (absolute(path, host.variables) for path in _DOMAINS):
        for domain in host.files.list(top):
            policies = rf"{top}\{domain.name}\Policies"
            folders += [rf"{policies}\{one.name}" for one in host.files.list(policies)]
    found = [("HKLM", "", rf"{folder}\Machine\{_FILE}") for folder in folders]
    found += [("HKCU", "", rf"{folder}\User\{_FILE}") for folder in folders]
    named = {one.sid: one.name for one in host.users}
    for one in host.files.list(users):
        found.append(("HKCU", named.get(one.name, one.name), rf"{users}\{one.name}\User\{_FILE}"))
    found.append(("HKLM", "", rf"{host.variables.get('programdata', '')}\{_APPLIED}"))
    found += [("HKCU", user, rf"{home}\{_APPLIED}") for user, home in homes(host)]
    yield from (one for one in found if host.files.is_file(one[2]))


def _read(path: str, data: bytes, keys: dict[str, dict[str, Value]]) -> Iterator[Trace]:
    """Fills in the values of a file, by key; a damaged file is used as far as it goes."""
    if not data:
        return
    try:
        for count, one in enumerate(values(data), 1):
            if count > _VALUES:
                yield Problem(path, f"more than {_VALUES:,} values: the rest was not read", "limit")
                return
            keys.setdefault(one.key, {})[one.name] = one.value
    except ValueError as error:
        yield from damaged(path, f"is damaged: {error}")


def _of_key(proxies: Proxies, key: str, found: Mapping[str, Value], user: str, path: str) -> Iterator[Trace]:
    where = f"{path}, {key}"
    low = key.lower()
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    yield from _extensions(low, texts, user, where)
    yield from _proxies(proxies, low, found, user, where)
    if low.endswith(_RUNS):
        for name, command in texts.items():
            yield Item(
                kind="task",
                name=name,
                user=user,
                command=command,
                details={"type": "program that a group policy starts", "place": "Run", "effect": _EFFECT},
                evidence=(Evidence(where, command),),
            )
    maker = _maker(key.partition("\\")[2])
    if maker and maker.lower() not in ("microsoft", "policies", "classes"):
        yield Item(
            kind="setting",
            name=maker,
            state="leftover",
            user=user,
            ids={"registry_key": key},
            details={"type": "policy", "effect": _EFFECT},
            evidence=(Evidence(where, ", ".join([*found][:5])),),
        )


def _maker(key: str) -> str:
    """The name below `Software` or its policies, which is that of a maker."""
    top = next((top for top in _TOPS if key.lower().startswith(top)), "")
    return key[len(top) :].partition("\\")[0] if top else ""


def _extensions(low: str, texts: Mapping[str, str], user: str, where: str) -> Iterator[Trace]:
    registrations: list[Registration | Problem | LeftOut] = []
    if low.endswith(r"\extensioninstallforcelist"):
        registrations += forced(user, where, tuple(texts.values()))
    if low.endswith(r"\extensions\install"):
        registrations += policies_of(user, where, {"Extensions": {"Install": list(texts.values())}})
    if texts.get("ExtensionSettings"):
        registrations += policies_of(user, where, {"ExtensionSettings": texts["ExtensionSettings"]})
    for one in registrations:
        if isinstance(one, Registration):
            yield Item(
                kind="extension",
                name=one.id or one.url.rpartition("/")[2] or one.url,
                state="leftover",
                user=user,
                ids={"extension_id": one.id},
                details={"location": one.how, "store": one.url, "effect": _EFFECT},
                evidence=(Evidence(where, f"{one.id};{one.url}".strip(";")),),
            )
        else:
            yield one


def _proxies(proxies: Proxies, low: str, found: Mapping[str, Value], user: str, where: str) -> Iterator[Trace]:
    policies: dict[str, Any] = dict(found)
    try:
        if low.endswith(_INTERNET):
            server = policies.get("ProxyServer") if policies.get("ProxyEnable") else ""
            script = policies.get("AutoConfigURL")
            settings = ProxySettings(*(one if isinstance(one, str) else "" for one in (server, script)))
        elif low.endswith(r"\mozilla\firefox\proxy"):
            settings = of_mozilla_policies({"Proxy": policies})
        else:
            settings = of_chromium_policies(policies)
    except ValueError as error:
        yield from damaged(where, f"ProxySettings is damaged: {error}")
        return
    if settings.proxy or settings.script:
        yield from proxies.items(settings, user, where)


_PATTERNS = (rf"C:\Windows\System32\GroupPolicy\**\{_FILE}", rf"C:\Windows\System32\GroupPolicyUsers\*\User\{_FILE}")
SOURCE = Source(
    name="policy_files",
    title="What files of group policies set",
    platforms=("windows",),
    kinds=("setting", "extension", "task"),
    needs=(),
    reads=(
        *_PATTERNS,
        rf"C:\Windows\SYSVOL\**\{_FILE}",
        rf"C:\ProgramData\{_APPLIED}",
        rf"~\{_APPLIED}",
    ),
    limits="Policies that were not applied on this machine are not read, unless it is a domain controller.",
    collect=collect,
)
