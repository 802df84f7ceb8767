r"""A policy of Wazuh's Security Configuration Assessment: for each product one check, which fails where it is found.

A check looks for folders, files, processes, keys, services and packages by their whole names: a policy has no patterns
for them. Patterns with a star are therefore left out, unless the star ends a folder.

References:
    https://documentation.wazuh.com/current/user-manual/capabilities/sec-config-assessment/creating-custom-policies.html,
    https://documentation.wazuh.com/current/user-manual/ruleset/ruleset-xml-syntax/regex.html (`\.` is any character)
"""

import zlib
from collections.abc import Collection, Iterator

from phaseout.export import LeftOutBlock, elsewhere, in_words, products
from phaseout.export.yaml_text import Value, comment, yaml_text
from phaseout.model.nouns import Platform
from phaseout.model.rules import Product, Ruleset, Vendor
from phaseout.rules.matcher import Block
from phaseout.rules.patterns import Texts

_FIRST, _MANY = 7_000_000, 900_000  # ids of checks: far from those of Wazuh's own policies
_HKLM = "HKEY_LOCAL_MACHINE\\"
_SOFTWARE = (f"{_HKLM}SOFTWARE\\", f"{_HKLM}SOFTWARE\\WOW6432Node\\")
_UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall\\"
_SERVICES = f"{_HKLM}SYSTEM\\CurrentControlSet\\Services\\"
_PROGRAM_FOLDERS = ("C:\\Program Files\\", "C:\\Program Files (x86)\\", "C:\\ProgramData\\")
_MANAGERS = {"": "there", "c:dpkg ": "installed by dpkg", "c:rpm ": "installed by rpm"}
_THERE: dict[Platform, tuple[str, str]] = {  # what shows the platform, and its name
    "linux": ("f:/proc/version", "Linux"),
    "macos": ("f:/System/Library/CoreServices/SystemVersion.plist", "macOS"),
    "windows": (f"r:{_HKLM}SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "Windows"),
}


def export(ruleset: Ruleset, platforms: Collection[Platform]) -> str:
    """The policy for one platform as YAML; what was left out stands in comments at its head."""
    (platform,) = platforms
    checks: list[Value] = []
    used: set[int] = set()
    left_out: list[LeftOutBlock] = []
    for vendor, product in products(ruleset, platforms):
        rules: list[str] = []  # of all blocks
        for match in product.match:
            block = Block(match, vendor, product)
            found = list(_rules(block, platform))
            rules += found
            if not found and not elsewhere(block, platforms):
                left_out.append(LeftOutBlock(product.id, in_words(block), _reason(block)))
        # A rule that asks a package manager which is not there makes the whole check "not applicable".
        for manager, title in _MANAGERS.items():
            mine = [rule for rule in dict.fromkeys(rules) if _manager(rule) == manager]
            if mine:
                checks.append(_check(vendor, product, title, mine, used, platform))
    rule, name = _THERE[platform]
    policy: dict[str, Value] = {
        "policy": {
            "id": f"phaseout_{platform}",
            "file": f"phaseout_{platform}.yml",
            "name": f"Software of restricted vendors on {name}",
            "description": f"Folders, processes and packages of phaseout's rules {ruleset.digest[:12]}.",
        },
        "requirements": {
            "title": f"The machine runs {name}",
            "description": f"The checks look for what the products leave on {name}.",
            "condition": "all",
            "rules": [rule],
        },
        "checks": checks,
    }
    head = comment("Policy of phaseout. Left out, since no rule of a policy can say it:")
    head += "".join(comment(f"{one.product}: {one.block} ({one.reason})") for one in left_out)
    return head + yaml_text(policy)


def _manager(rule: str) -> str:
    return next((manager for manager in _MANAGERS if manager and rule.startswith(manager)), "")


def _check(
    vendor: Vendor, product: Product, title: str, rules: list[str], used: set[int], platform: Platform
) -> dict[str, Value]:
    number = _FIRST + zlib.crc32(f"{product.id}{title}".encode()) % _MANY
    while number in used:
        number += 1
    used.add(number)
    steps = [step.text for step in product.remove or vendor.remove if step.platform in ("", platform)]
    return {
        "id": number,
        "title": f"{product.name} is not {title}",
        "description": f"{product.name} of {vendor.name}, product {product.id} of phaseout's rules.",
        **({"remediation": " ".join(f"{step.rstrip('.')}." for step in steps)} if steps else {}),
        "condition": "none",
        "rules": list(rules),
    }


def _rules(block: Block, platform: Platform) -> Iterator[str]:
    """The rules of a block; none if the policy language cannot express one of its fields."""
    fields = {field: texts.patterns for field, texts in block.fields if isinstance(texts, Texts)}
    if len(fields) < len(block.fields):
        return
    if set(fields) == {"path"} and (not block.kinds or block.kinds & {"file", "app", "process", "driver"}):
        for pattern in fields["path"]:
            yield from _place(pattern, platform)
    elif set(fields) == {"name"}:
        for name in fields["name"]:
            yield from _name(name, block.kinds, platform)
    elif set(fields) == {"name", "vendor"} and platform == "linux" and "package" in block.kinds:
        for name in fields["name"]:
            for vendor in _telling(fields["vendor"]):
                yield from _package(name, vendor)
    elif set(fields) == {"ids.registry_key"} and platform == "windows":
        for pattern in fields["ids.registry_key"]:
            yield from _key(pattern)


def _name(name: str, kinds: frozenset[str], platform: Platform) -> Iterator[str]:
    if "*" in name or (platform != "windows" and name.lower().endswith((".exe", ".sys"))):
        return
    if "process" in kinds:
        yield f"p:{name}"
    if platform == "windows" and kinds & {"service", "driver"}:
        yield f"r:{_SERVICES}{name}"
    if platform == "linux" and "package" in kinds:
        yield f"c:dpkg -s {name} -> r:^Package: {_literal(name)}$"
        yield f"c:rpm -q {name} -> r:^{_literal(name)}-\\d"
    if platform == "macos" and "app" in kinds:
        yield f"d:/Applications/{name}.app"


def _telling(vendors: tuple[str, ...]) -> list[str]:
    """The names that contain none of the others: `Kaspersky` also finds `Kaspersky Lab`."""
    return [one for one in vendors if not any(other in one for other in vendors if other != one)]


def _package(name: str, vendor: str) -> Iterator[str]:
    """A package whose maintainer or vendor contains the name, with or without legal forms."""
    if "*" not in name + vendor:
        yield f"c:dpkg -s {name} -> r:^Maintainer:\\.*{_literal(vendor)}"
        yield f"c:rpm -qi {name} -> r:^Vendor\\s*:\\.*{_literal(vendor)}"


def _place(pattern: str, platform: Platform) -> Iterator[str]:
    """The folder that a pattern ends in, and if it names no folder, the file."""
    places = [pattern]
    if platform == "windows":
        rest = pattern[2:].replace("/", "\\")
        if pattern.startswith("/") or pattern[:2] not in {"*\\", "*/"}:
            return
        root = rest.startswith(("Program Files", "ProgramData"))
        places = ["C:\\" + rest] if root else [folder + rest for folder in _PROGRAM_FOLDERS]
    elif not pattern.startswith("/"):
        return
    for place in places:
        whole = place.rstrip("*").rstrip("/\\")
        if "*" in whole:
            continue
        yield f"d:{whole}"
        if not place.endswith("*"):
            yield f"f:{whole}"


def _key(pattern: str) -> Iterator[str]:
    if pattern.upper().startswith("HKLM\\SOFTWARE\\"):
        rest = pattern[len("HKLM\\SOFTWARE\\") :]
        places = [software + rest[1:] for software in _SOFTWARE] if rest.startswith("*") else [_SOFTWARE[0] + rest]
    elif "\\" not in pattern:
        places = [software + _UNINSTALL + pattern for software in _SOFTWARE]
    else:
        return
    for place in places:
        whole = place.rstrip("*").rstrip("\\")
        if "*" not in whole:
            yield f"r:{whole}"


def _literal(text: str) -> str:
    """A text for OSRegex, where these alone have a meaning of their own."""
    return "".join(f"\\{char}" if char in "$()\\|<" else char for char in text)


def _reason(block: Block) -> str:
    stars = all(
        "*" in pattern for field, texts in block.fields if field in {"name", "path"} for pattern in texts.patterns
    )
    if {field for field, _ in block.fields} <= {"name", "path"} and stars:
        return "a policy knows no patterns in names"
    kinds = " or ".join(sorted(block.kinds)).replace("_", " ") or "anything"
    return f"a policy cannot ask for {' and '.join(field for field, _ in block.fields)} of {kinds} here"
