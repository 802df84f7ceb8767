r"""One registry that is written down once and then read from memory, from text, from hive files and from Windows.

`seen` is all that a registry shows of it; `main` prints it for a program that runs under Wine.
"""

import json
import sys
from collections.abc import Mapping

from phaseout.host.registry.base import Key, Registry
from phaseout.scan.worker import run_source
from phaseout.sources import load

from tests.support.regf_writer import Raw, Value, stored

BOB = "S-1-5-21-9-9-9-1009"
TOP = r"HKLM\SOFTWARE\phaseout contract"
TREE: dict[str, dict[str, Value]] = {
    TOP: {},
    rf"{TOP}\Values": {
        "": "the default",
        "Text": 'a "quoted" C:\\path',
        "Ünïcode Ж": "Яндекс",
        "Number": 4294967295,
        "Zero": 0,
        "Long": 1 << 40,
        "Bytes": b"\x00\x01\xff",
        "Many bytes": bytes(range(256)) * 80,
        "No bytes": b"",
        "List": ("one", "", "three"),
        "Empty list": (),
        "Expand": Raw(2, "%SystemRoot%\\x\0".encode("utf-16-le")),
        "After a NUL": Raw(1, "seen\0not seen\0".encode("utf-16-le")),
        "Without NUL": Raw(1, "open".encode("utf-16-le")),
        "Odd": Raw(1, b"a\0b\0c"),
        "Big end": Raw(5, b"\x00\x00\x00\x07"),
        "Of no type": Raw(0, b"x"),
        "Of a type nobody knows": Raw(0x1234, b"xyz"),
        "Half": Raw(1, b"a\0\x00\xd8\0\0"),
    },
    rf"{TOP}\zeta": {},
    rf"{TOP}\Alpha": {"same": "1"},
    rf"{TOP}\beta\deep\Deeper": {"": "x"},
    rf"{TOP}\Ж": {},
    rf"{TOP}\Ä": {"a": "b"},
    r"HKLM\SOFTWARE\WOW6432Node\phaseout contract": {"view": "32"},
    rf"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\{BOB}": {"ProfileImagePath": r"C:\users\bob"},
    r"HKLM\SYSTEM\ControlSet001\Services\phaseout contract": {"Start": 2},
    r"HKLM\SYSTEM\Select": {"Current": 1},
}
OF_BOB: dict[str, dict[str, Value]] = {r"Software\Bob's": {"mine": "yes"}}


def part(prefix: str, tree: Mapping[str, Mapping[str, Value]] = TREE) -> dict[str, Mapping[str, Value]]:
    """The keys below a path, named from there."""
    return {path[len(prefix) :].strip("\\"): values for path, values in tree.items() if path.startswith(prefix)}


def export(tree: Mapping[str, Mapping[str, Value]]) -> bytes:
    """The tree as regedit would export it."""
    lines = ["Windows Registry Editor Version 5.00", ""]
    for path, values in tree.items():
        lines.append(f"[{path.replace('HKLM', 'HKEY_LOCAL_MACHINE').replace('HKU', 'HKEY_USERS')}]")
        lines += [_line(name, value) for name, value in values.items()]
        lines.append("")
    return b"\xff\xfe" + "\r\n".join(lines).encode("utf-16-le", "surrogatepass")


def _line(name: str, value: Value) -> str:
    left = f'"{_escaped(name)}"' if name else "@"
    if isinstance(value, str):
        return f'{left}="{_escaped(value)}"'
    kind, data = stored(value)
    if isinstance(value, int) and kind == 4:
        return f"{left}=dword:{value:08x}"
    digits = [f"{byte:02x}," for byte in data]
    parts = ["".join(digits[at : at + 20]) for at in range(0, len(digits), 20)] or [""]
    return f"{left}=hex{'' if kind == 3 else f'({kind:x})'}:" + "\\\r\n  ".join(parts).rstrip(",")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def seen(registry: Registry) -> dict[str, object]:
    """What a registry shows of the tree."""
    top = registry.key(TOP.upper())
    assert top is not None
    values = registry.key(rf"{TOP}\values")
    assert values is not None
    alpha, wow = registry.key(rf"{TOP}\ALPHA"), registry.key(r"hklm\software\wow6432node\PHASEOUT contract")
    service = registry.key(r"HKLM\SYSTEM\CurrentControlSet\Services\phaseout contract")
    bob = registry.key(rf"HKU\{BOB}\Software\bob's")
    assert alpha is not None
    assert wow is not None
    assert service is not None
    everything = {name: repr(value) for name, value in sorted(values.values().items())}
    return {
        "subkeys": [key.name for key in top.subkeys()],
        "below": _below(top, TOP),
        "values": everything,
        "folded": [repr(values.value("TEXT")), repr(values.value("none")), repr(values.value(""))],
        "texts": [values.text(name) for name in ("number", "list", "nothing", "half", "")],
        "numbers": [values.number(name) for name in ("number", "text", "nothing")],
        "views": [wow.text("view"), wow.path.lower()],
        "control set": [service.number("start"), service.path, service.name],
        "absent": [
            registry.key(path) is None
            for path in (
                *(rf"{TOP}\nowhere", rf"{TOP}\zeta\nowhere\else", r"HKCU\Software", "", "\\", "HKLM2"),
                *(rf"{TOP}\a{chr(0)}b", rf"{TOP}\{chr(0xD800)}", "HKLM" + r"\x" * 600),
            )
        ],
        "relative": [key is not None for key in (top.key(r"BETA\deep\deeper"), top.key("beta\\deep\\none"))],
        "bob": bob.text("mine") if bob is not None else "",
        "modified": all(key.modified is None or key.modified > 130000000000000000 for key in (top, alpha)),
    }


def _below(key: Key, path: str) -> list[str]:
    found = []
    for child in key.subkeys():
        assert child.path.lower() == f"{path}\\{child.name}".lower()
        found += [child.path[len(TOP) :], *_below(child, child.path)]
    return found


def main() -> None:
    """Prints what the live registry shows, and what it could not read."""
    from phaseout.host.opening import live_host

    host = live_host()
    assert host.registry is not None
    shown = seen(host.registry)
    user = next(user for user in host.users if user.sid == BOB)
    files = host.files
    shown_files = [
        files.is_dir(r"c:\windows\System32"),
        files.gone(r"C:\nowhere\at all"),
        files.gone("Q:\\"),
        files.real("c:/users/BOB/./x/../NTUSER.DAT") is not None,
        (files.head(r"C:\users\bob\NTUSER.DAT", 4) or b"").decode(),
        [entry.kind for entry in files.list(r"C:\users\bob") if entry.name == "NTUSER.DAT"],
        files.read(r"C:\windows") is None,
        files.read(r"\\server\share\file") is None,
        [next(files.walk("C:\\users\\", 8))[0]],
    ]
    problems = [[problem.where, problem.why] for problem in (*files.problems, *host.registry.problems)]
    files.problems.clear()
    host.registry.problems.clear()
    runs = [run_source(source, host, lambda _: None) for source in load("windows") if source.name == "uninstall"]
    shown_runs = [[run.source, run.status, run.reason] for run in runs]
    result = {"seen": shown, "user": list(user), "files": shown_files, "runs": shown_runs, "problems": problems}
    sys.stdout.write("\n@@" + json.dumps(result) + "@@\n")


if __name__ == "__main__":
    main()
