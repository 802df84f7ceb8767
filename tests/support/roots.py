"""Good roots of every platform: whole systems as far as phaseout reads them, with and without a restricted product."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from phaseout.parsers.windows.registry_values import Value

from tests.support.regf_writer import hive
from tests.support.trees import KESL, MacTree, Tree
from tests.unit.parsers.linux.test_rpm_header import written as rpm_header


class Root(NamedTuple):
    """How to make a root.

    Attributes:
        make: fills an empty folder; the second argument says whether the product is installed.
        kept: databases, hives, homes and standard folders, of which none may be lost unnoticed.
    """

    make: Callable[[Path, bool], None]
    kept: tuple[str, ...]


_EXTENSIONS = "/home/ada/.vscode/extensions"
_PROFILE = "/home/ada/.mozilla/firefox/abc.default"
_SNAP = "hello"
_PACKAGES = ("bash", "coreutils", "sed", "tar")


def _linux(folder: Path, identifier: str, *, restricted: bool) -> Tree:
    tree = Tree(folder)
    tree.write("/etc/os-release", f"ID={identifier}\nNAME={identifier.title()}\nVERSION_ID=12\n")
    tree.write("/etc/fstab", "UUID=1 / ext4 defaults 0 1\n")
    tree.folder("/root")
    for name in ("bin", "lib", "sbin"):
        tree.folder(f"/usr/{name}")
        tree.link(f"/{name}", f"usr/{name}")
    tree.folder("/var/log")
    tree.write(
        "/usr/lib/systemd/system/cron.service", "[Unit]\nDescription=Cron\n[Service]\nExecStart=/usr/sbin/cron\n"
    )
    tree.write("/usr/sbin/cron", "")
    tree.write("/home/ada/.bashrc", "")
    if restricted:
        tree.write("/opt/kaspersky/kesl/bin/kesl", "")
    return tree


def _with_homes(tree: Tree) -> None:
    package = {"publisher": "acme", "name": "tool", "version": "1.0.0"}
    tree.write(f"{_EXTENSIONS}/acme.tool-1.0.0/package.json", json.dumps(package))
    listed = {
        "identifier": {"id": "acme.tool"},
        "version": "1.0.0",
        "relativeLocation": "acme.tool-1.0.0",
        "location": {"path": f"{_EXTENSIONS}/acme.tool-1.0.0"},
    }
    tree.write(f"{_EXTENSIONS}/extensions.json", json.dumps([listed]))
    tree.write("/home/ada/.mozilla/firefox/profiles.ini", "[Profile0]\nName=a\nIsRelative=1\nPath=abc.default\n")
    add_on = {
        "id": "a@acme.example",
        "version": "1",
        "type": "extension",
        "location": "app-profile",
        "active": True,
        "path": f"{_PROFILE}/extensions/a@acme.example.xpi",
        "defaultLocale": {"name": "Acme"},
    }
    tree.write(f"{_PROFILE}/extensions.json", json.dumps({"schemaVersion": 36, "addons": [add_on]}))
    tree.write(f"{_PROFILE}/extensions/a@acme.example.xpi", "PK")


def debian(folder: Path, restricted: bool) -> None:
    tree = _linux(folder, "debian", restricted=restricted)
    _with_homes(tree)
    stanza = "Package: {}\nStatus: install ok installed\nMaintainer: Debian\nArchitecture: amd64\nVersion: 5.2-1\n\n"
    stanzas = "".join(map(stanza.format, _PACKAGES))
    tree.write("/var/lib/dpkg/status", stanzas + (KESL + "\n" if restricted else ""))
    for name in _PACKAGES:
        tree.write(f"/var/lib/dpkg/info/{name}.list", f"/.\n/usr/bin/{name}\n")
    if restricted:
        tree.write("/var/lib/dpkg/info/kesl.list", "/.\n/opt/kaspersky/kesl/bin/kesl\n")
    tree.write(f"/snap/{_SNAP}/42/meta/snap.yaml", f"name: {_SNAP}\nversion: '1'\ntype: app\n")
    tree.link(f"/snap/{_SNAP}/current", "42")
    tree.write(f"/var/lib/snapd/snaps/{_SNAP}_42.snap", "hsqs")
    active = "/var/lib/flatpak/app/org.example.Hello/x86_64/stable"
    tree.write(f"{active}/c0/metadata", "[Application]\nname=org.example.Hello\nruntime=x/x86_64/1\n")
    tree.write(
        f"{active}/c0/deploy",
        b"hub\0" + b"c0\0" + bytes(9) + b"appdata-version\0" + b"1.3\0\0s" + b"\x10" + b"\x17" + bytes([7, 7, 4]),
    )
    tree.link(f"{active}/active", "c0")


def fedora(folder: Path, restricted: bool) -> None:
    tree = _linux(folder, "fedora", restricted=restricted)
    file = tree.write("/usr/lib/sysimage/rpm/rpmdb.sqlite")
    names = (*_PACKAGES, *(("kesl",) if restricted else ()))
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        for name in names:
            header = rpm_header(
                name=name, version="1", release="1", arch="x86_64", vendor="Kaspersky" * (name == "kesl")
            )
            database.execute("INSERT INTO Packages (blob) VALUES (?)", (header,))
    tree.write("/usr/bin/rpm", "")


def alpine(folder: Path, restricted: bool) -> None:
    tree = _linux(folder, "alpine", restricted=restricted)
    record = "P:{}\nV:1.0-r0\nA:x86_64\nm:{}\n\n"
    records = "".join(record.format(name, "Alpine") for name in _PACKAGES)
    records += record.format("kesl", "Kaspersky Lab") if restricted else ""
    tree.write("/lib/apk/db/installed", records)
    tree.write("/etc/apk/world", "".join(f"{name}\n" for name in (*_PACKAGES, *(("kesl",) if restricted else ()))))


def arch(folder: Path, restricted: bool) -> None:
    tree = _linux(folder, "arch", restricted=restricted)
    for name in (*_PACKAGES, *(("kesl",) if restricted else ())):
        packager = "Kaspersky Lab <a@example.org>" if name == "kesl" else "Arch"
        desc = f"%NAME%\n{name}\n\n%VERSION%\n1-1\n\n%ARCH%\nx86_64\n\n%PACKAGER%\n{packager}\n\n"
        tree.write(f"/var/lib/pacman/local/{name}-1-1/desc", desc)
    tree.write("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n")
    tree.write("/etc/pacman.conf", "[options]\nHoldPkg = pacman\n")


def windows(folder: Path, restricted: bool) -> None:
    config = "/Windows/System32/config"
    uninstall = r"Microsoft\Windows\CurrentVersion\Uninstall"
    profiles = r"Microsoft\Windows NT\CurrentVersion\ProfileList"
    software: dict[str, dict[str, Value]] = {
        r"Microsoft\Windows NT\CurrentVersion": {"ProductName": "Windows 10 Pro", "CurrentBuild": "19045"},
        rf"{profiles}\S-1-5-18": {"ProfileImagePath": r"%systemroot%\system32\config\systemprofile"},
        rf"{profiles}\S-1-5-21-1-2-3-1001": {"ProfileImagePath": r"C:\Users\ada"},
        rf"{uninstall}\7-Zip": {"DisplayName": "7-Zip 23.01", "Publisher": "Igor Pavlov", "DisplayVersion": "23.01"},
        "WOW6432Node": {},
    }
    services: dict[str, dict[str, Value]] = {
        "Select": {"Current": 1},
        r"ControlSet001\Services\Dhcp": {"ImagePath": r"C:\Windows\System32\svchost.exe -k x", "Start": 2, "Type": 32},
        r"ControlSet001\Control\Session Manager\Environment": {"Path": r"C:\Windows"},
    }
    if restricted:
        software[rf"{uninstall}\KES"] = {
            "DisplayName": "Kaspersky Endpoint Security for Windows",
            "Publisher": "AO Kaspersky Lab",
            "DisplayVersion": "12.1",
        }
    own: dict[str, dict[str, Value]] = {
        r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Own": {"DisplayName": "Own", "DisplayVersion": "1"}
    }
    tree = MacTree.__new__(MacTree)  # only for its `write`
    tree.root = folder
    tree.write(f"{config}/SOFTWARE", hive(software))
    tree.write(f"{config}/SYSTEM", hive(services))
    tree.write(f"{config}/DEFAULT", hive({"Environment": {}}))
    tree.write("/Users/ada/NTUSER.DAT", hive(own))
    tree.write("/Windows/System32/svchost.exe", "MZ")
    for empty in ("/Program Files", "/Program Files (x86)", "/ProgramData", "/Windows/System32/drivers"):
        tree.folder(empty)


def macos(folder: Path, restricted: bool) -> None:
    tree = MacTree(folder)
    tree.app("/Applications/Acme.app", CFBundleIdentifier="com.acme.app", CFBundleShortVersionString="1")
    if restricted:
        tree.app("/Applications/Kaspersky.app", CFBundleIdentifier="com.kaspersky.kav", CFBundleShortVersionString="21")
    for name in ("com.acme.app", *(("com.kaspersky.kav",) if restricted else ())):
        tree.plist(f"/private/var/db/receipts/{name}.plist", {"PackageIdentifier": name, "PackageVersion": "1"})
    tree.plist("/Library/LaunchDaemons/com.acme.plist", {"Label": "com.acme", "ProgramArguments": ["/usr/bin/true"]})
    tree.write("/usr/bin/true", "")


ROOTS = {
    "debian": Root(debian, ("/var/lib/dpkg/status",)),
    "fedora": Root(fedora, ("/usr/lib/sysimage/rpm/rpmdb.sqlite",)),
    "alpine": Root(alpine, ("/usr/lib/apk/db/installed",)),
    "arch": Root(arch, ("/var/lib/pacman/local",)),
    "windows": Root(
        windows,
        ("/Windows/System32/config/SOFTWARE", "/Windows/System32/config/SYSTEM", "/Users/ada/NTUSER.DAT"),
    ),
    "macos": Root(macos, ("/Applications", "/Library", "/private/var/db/dslocal")),
}
