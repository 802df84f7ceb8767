"""winget's databases of what it installed."""

import sqlite3
from pathlib import Path

from tests.support.harness import run
from tests.support.trees import WindowsTree

SYSTEM = r"AppData\Local\Packages\Microsoft.DesktopAppInstaller_8wekyb3d8bbwe\LocalState"
DATABASE = rf"C:\Users\ada\{SYSTEM}\Microsoft.Winget.Source_8wekyb3d8bbwe\installed.db"
KEYS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
LISTS = {"norm_publishers": "norm_publisher", "productcodes": "productcode", "pfns": "pfn"}
Row = tuple[str, str, str, dict[str, tuple[str, ...]]]


def database(path: Path, rows: list[Row], *, lists: bool = True) -> None:
    """As winget makes it; the first version had no lists."""
    with sqlite3.connect(path) as one:
        one.execute("CREATE TABLE metadata (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
        one.execute("CREATE TABLE manifest (rowid INTEGER PRIMARY KEY, id INT64, name INT64, version INT64)")
        for table, column in {"ids": "id", "names": "name", "versions": "version", **(LISTS if lists else {})}.items():
            one.execute(f"CREATE TABLE {table} (rowid INTEGER PRIMARY KEY, {column} TEXT NOT NULL)")
            if table in LISTS:
                one.execute(f"CREATE TABLE {table}_map (manifest INT64 NOT NULL, {column} INT64 NOT NULL)")
        for at, (identifier, name, version, more) in enumerate(rows, 1):
            one.execute("INSERT INTO manifest VALUES (?, ?, ?, ?)", (at, at, at, at))
            for table, value in (("ids", identifier), ("names", name), ("versions", version)):
                one.execute(f"INSERT INTO {table} VALUES (?, ?)", (at, value))
            for table, values in more.items():
                for value in values:
                    row = one.execute(f"INSERT INTO {table} ({LISTS[table]}) VALUES (?)", (value,)).lastrowid
                    one.execute(f"INSERT INTO {table}_map VALUES (?, ?)", (at, row))
    one.close()


CODE = "{90120000-0010-0409-0000-0000000ff1ce}"
FREE: Row = (
    "Kaspersky.KasperskyFree",
    "Kaspersky Free",
    "21.3.10.391",
    {"norm_publishers": ("kaspersky",), "productcodes": ("installwix_x", CODE), "pfns": ("a_b", "c_d")},
)


def test_a_whole_entry(windows_tree: WindowsTree) -> None:
    database(windows_tree.write(DATABASE), [FREE, ("Other.Other", "Other", "1", {})])
    other, item = sorted(run("winget", windows_tree.host()).items, key=lambda item: item.name, reverse=True)
    assert (item.kind, item.name, item.vendor, item.version, item.user, item.state) == (
        "package",
        "Kaspersky Free",
        "kaspersky",
        "21.3.10.391",
        "ada",
        "installed",
    )
    assert item.ids == {
        "purl": "pkg:winget/Kaspersky.KasperskyFree@21.3.10.391",
        "product_code": CODE.upper(),
        "registry_key": "installwix_x",
        "package_family": "a_b",
    }
    assert item.details == {
        "winget_id": "Kaspersky.KasperskyFree",
        "winget_source": "Microsoft.Winget.Source_8wekyb3d8bbwe",
    }
    assert (other.name, other.vendor) == ("Other", "")


def test_an_entry_whose_uninstall_key_is_gone_is_a_leftover(windows_tree: WindowsTree) -> None:
    database(windows_tree.write(DATABASE), [FREE, ("Other.Other", "Other", "1", {})])
    windows_tree.key(rf"{KEYS}\something else")
    states = {item.name: item.state for item in run("winget", windows_tree.host()).items}
    assert states == {"Kaspersky Free": "installed", "Other": "installed"}  # the user's own keys were not seen
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\Software")
    states = {item.name: item.state for item in run("winget", windows_tree.host()).items}
    assert states == {"Kaspersky Free": "leftover", "Other": "installed"}
    windows_tree.key(rf"HKU\{WindowsTree.ADA}\Software\Microsoft\Windows\CurrentVersion\Uninstall\{CODE.upper()}")
    states = {item.name: item.state for item in run("winget", windows_tree.host()).items}
    assert states == {"Kaspersky Free": "installed", "Other": "installed"}


def test_every_database(windows_tree: WindowsTree) -> None:
    unpackaged = r"C:\Users\ada\AppData\Local\Microsoft\WinGet\State\defaultState\StoreEdgeFD\installed.db"
    system = (
        r"C:\Windows\System32\config\systemprofile\AppData\Local\Microsoft\WinGet\State\defaultState\x\installed.db"
    )
    for path in (unpackaged, system):
        database(windows_tree.write(path), [(*FREE[:3], {})], lists=False)
    result = run("winget", windows_tree.host())
    assert [(item.user, item.details["winget_source"]) for item in result.items] == [
        ("SYSTEM", "x"),
        ("ada", "StoreEdgeFD"),
    ]


def test_damage(windows_tree: WindowsTree) -> None:
    folder = rf"C:\Users\ada\{SYSTEM}"
    windows_tree.write(rf"{folder}\text\installed.db", "hello" * 1000)
    windows_tree.write(rf"{folder}\empty\installed.db")
    other = windows_tree.write(rf"{folder}\other\installed.db")
    with sqlite3.connect(other) as one:
        one.execute("CREATE TABLE x (y)")
    one.close()
    holes = windows_tree.write(rf"{folder}\holes\installed.db")
    database(holes, [FREE, ("A.A", "A", "1", {}), ("B.B", "B", "2", {})])
    with sqlite3.connect(holes) as one:
        one.execute("DELETE FROM names WHERE rowid = 2")
        one.execute("DELETE FROM versions WHERE rowid = 2")
        one.execute("DELETE FROM ids WHERE rowid = 3")
        one.execute("DELETE FROM names WHERE rowid = 3")
        one.execute("UPDATE ids SET id = CAST(x'ff41' AS TEXT) WHERE rowid = 1")
    one.close()
    half = windows_tree.write(rf"{folder}\half\installed.db")
    half.write_bytes(holes.read_bytes()[:5000])
    result = run("winget", windows_tree.host())
    assert [(item.name, item.version, item.details["winget_id"]) for item in result.items] == [
        ("A.A", "", "A.A"),
        ("Kaspersky Free", "21.3.10.391", "\ufffdA"),
    ]
    assert result.run.left_out == {"damaged": 1}
    assert {problem.where.split("\\")[-2] for problem in result.problems} == {"text", "empty", "other", "holes", "half"}
