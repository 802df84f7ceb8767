"""What a user, an image or a package does to hide a product from a scan: it is found, or the host is incomplete.

Each case makes what its name says; docs/security.md lists what no scan can see.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import phaseout
from tests.support.trees import Tree

EXTENSION = "amkpcclbbgegoafihnpgomddadjhcadd"
RECORD = (
    f'"{EXTENSION}":{{"path":"/x","location":4,"state":1,"manifest":{{"name":"Kaspersky Protection","version":"2"}}}}'
)
STATUS = "Status: install ok installed\nArchitecture: amd64\n"
KESL = f"Package: kesl\n{STATUS}Maintainer: Kaspersky Lab <a@b.c>\nVersion: 12\n\n"
ENTRY = "Type=Application\nName=Kaspersky VPN\nExec=/usr/bin/kvpn\n"


def extension(profile: Path) -> None:
    folder = profile / "Extensions" / EXTENSION / "2.0_0"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"name":"Kaspersky Protection","version":"2.0","manifest_version":3}')
    (profile / "Preferences").write_text("{}")


def sparse_preferences(root: Path) -> None:
    extension(root / "home/bob/.config/google-chrome/Default")
    os.truncate(root / "home/bob/.config/google-chrome/Default/Preferences", 1 << 36)


def loop_of_links(root: Path) -> None:
    (root / "home/bob/.config").mkdir(parents=True)
    (root / "home/bob/.config/google-chrome").symlink_to("google-chrome")


def closed_folders(root: Path) -> None:
    extension(root / "home/bob/.config/google-chrome/Default")
    (root / "home/bob/.config/google-chrome/Default").chmod(0)


def long_comment(root: Path) -> None:
    folder = root / "home/bob/.local/share/applications"
    folder.mkdir(parents=True)
    (folder / "k.desktop").write_text(f"[Desktop Entry]\n#{'x' * (2 << 20)}\n{ENTRY}")


def hidden_entry(root: Path) -> None:
    folder = root / "home/bob/.local/share/applications"
    folder.mkdir(parents=True)
    (folder / "k.desktop").write_text(f"[Desktop Entry]\n{ENTRY}NoDisplay=true\nHidden=true\n")


def section_twice(root: Path) -> None:
    folder = root / "home/bob/.local/share/applications"
    folder.mkdir(parents=True)
    (folder / "k.desktop").write_text(f"[Desktop Entry]\n{ENTRY}[Desktop Entry]\nName=Game\nExec=/bin/true\n")


def flood_of_profiles(root: Path) -> None:
    folder = root / "home/bob/.config/google-chrome"
    for number in range(1_000):
        (folder / f"Profile {number}").mkdir(parents=True)
    extension(folder / "Profile 99999")


def name_of_control_characters(root: Path) -> None:
    extension(root / "home/bob/.config/google-chrome/Pro\nfile\x1b[2J")


def deep_json(root: Path) -> None:
    folder = root / "home/bob/.config/google-chrome/Default"
    folder.mkdir(parents=True)
    deep = "[" * 100_000 + "]" * 100_000
    (folder / "Preferences").write_text(f'{{"x":{deep},"extensions":{{"settings":{{{RECORD}}}}}}}')


def odd_json(root: Path) -> None:
    folder = root / "home/bob/.config/google-chrome/Default"
    folder.mkdir(parents=True)
    record = f'\ufeff{{"n":NaN,"extensions":{{"settings":{{{RECORD}}}}}}}'
    (folder / "Preferences").write_bytes(record.encode() + b"\xff")


def member_twice(root: Path) -> None:
    """Chromium takes the last one."""
    folder = root / "home/bob/.config/google-chrome/Default"
    folder.mkdir(parents=True)
    (folder / "Preferences").write_text(f'{{"extensions":{{}},"extensions":{{"settings":{{{RECORD}}}}}}}')


def manifest_is_a_device(root: Path) -> None:
    extension(root / "home/bob/.config/google-chrome/Default")
    manifest = root / f"home/bob/.config/google-chrome/Default/Extensions/{EXTENSION}/2.0_0/manifest.json"
    manifest.unlink()
    manifest.symlink_to("/dev/null")


def large_unit(root: Path) -> None:
    folder = root / "home/bob/.config/systemd/user"
    folder.mkdir(parents=True)
    program = "/opt/kaspersky/klnagent64/sbin/klnagent"
    (folder / "update.service").write_text(f"[Service]\n#{'x' * (2 << 20)}\nExecStart={program}\n")


def large_crontab(root: Path) -> None:
    folder = root / "var/spool/cron/crontabs"
    folder.mkdir(parents=True)
    (folder / "bob").write_text(f"{'#' * (2 << 20)}\n@reboot /opt/kaspersky/klnagent64/sbin/klnagent\n")


def huge_account(root: Path) -> None:
    (root / "etc/passwd").write_text(f"root:x:0:0:{'x' * (5 << 20)}:/root:/bin/sh\nbob:x:1:1::/srv/bob:/bin/sh\n")
    extension(root / "srv/bob/.config/google-chrome/Default")


def home_through_dots(root: Path) -> None:
    (root / "home/bob").rmdir()
    (root / "home/bob").symlink_to("/home/../srv/real")
    extension(root / "srv/real/.config/google-chrome/Default")


def fields_twice(root: Path) -> None:
    _status(root, f"Package: bash\n{KESL}")


def carriage_returns(root: Path) -> None:
    _status(root, KESL.replace("\n", "\r\n"))


def lower_case_fields(root: Path) -> None:
    _status(root, "".join(line[:1].lower() + line[1:] for line in KESL.splitlines(keepends=True)))


def folder_named_like_an_exception(root: Path) -> None:
    program = root / "home/bob/.config/google-chrome/Default"
    program.mkdir(parents=True)
    folder = "/home/bob/{a} Applications.localized/Kaspersky Lab/Kaspersky Anti-Virus Server"
    record = RECORD.replace('"/x"', json.dumps(folder))
    (program / "Preferences").write_text(f'{{"extensions":{{"settings":{{{record}}}}}}}')


def _status(root: Path, added: str) -> None:
    with (root / "var/lib/dpkg/status").open("a") as file:
        file.write(added)


@pytest.mark.slow
@pytest.mark.parametrize(
    "attack",
    [
        *(sparse_preferences, loop_of_links, closed_folders, long_comment, hidden_entry, section_twice),
        *(flood_of_profiles, name_of_control_characters, deep_json, odd_json, member_twice, manifest_is_a_device),
        *(large_unit, large_crontab, huge_account, home_through_dots, fields_twice, carriage_returns),
        *(lower_case_fields, folder_named_like_an_exception),
    ],
)
def test_found_or_incomplete(attack: Callable[[Path], None], tree: Tree) -> None:
    root = Path(tree.root)
    tree.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/bash\n")
    tree.write("/etc/os-release", 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n')
    tree.write(
        "/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n"
    )
    (root / "home/bob").mkdir(parents=True)
    clean = phaseout("scan", "--root", str(tree.root), "--os", "linux", "-f", "line")
    assert clean.returncode == 0, clean.stdout
    attack(root)
    result = phaseout("scan", "--root", str(tree.root), "--os", "linux", "-f", "line")
    assert result.returncode in {1, 3}, result.stdout
    assert result.stdout.isascii()
    assert result.stdout.count("\n") == 1
