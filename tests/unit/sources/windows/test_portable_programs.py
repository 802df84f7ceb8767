"""Programs in the folders for programs: which are read, and what they say."""

import os
import sys
from pathlib import Path

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.host.filesystem.files import Files, Stat
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Problem
from phaseout.rules.matcher import Matcher

from tests.support.harness import Result, run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree

FILES = r"C:\Program Files"
FILES_32 = r"C:\Program Files (x86)"
LAB = ("AO Kaspersky Lab", "AO Kaspersky Lab")


def program(product: str, company: str = "Acme", version: str = "1.0") -> bytes:
    return executable({ENGLISH: {"CompanyName": company, "ProductName": product, "ProductVersion": version}})


def paths(result: Result) -> list[str]:
    return sorted(item.path for item in result.items)


def test_a_whole_entry(windows_tree: WindowsTree) -> None:
    path = rf"{FILES_32}\Kaspersky Lab\Kaspersky 21.3\avp.exe"
    texts = {
        ENGLISH: {
            "CompanyName": "AO Kaspersky Lab",
            "ProductName": "Kaspersky Anti-Virus",
            "ProductVersion": "21.3.10.391",
            "FileDescription": "Kaspersky Anti-Virus",
        }
    }
    windows_tree.write(path, executable(texts, [LAB], machine="x86"))
    (item,) = run("portable_programs", windows_tree.host()).items
    assert (item.kind, item.name, item.vendor, item.version) == (
        "program",
        "Kaspersky Anti-Virus",
        "AO Kaspersky Lab",
        "21.3.10.391",
    )
    assert (item.path, item.signer, item.user, item.state) == (path, "AO Kaspersky Lab", "", "installed")
    assert (item.details["arch"], item.details["signature"]) == ("x86", "not verified")
    assert item.evidence[0].what == (
        "CompanyName: AO Kaspersky Lab, ProductName: Kaspersky Anti-Virus, ProductVersion: 21.3.10.391, "
        "signer: AO Kaspersky Lab"
    )


@pytest.mark.slow
def test_signer_makes_the_match_certain(windows_tree: WindowsTree) -> None:
    """With a name that no rule knows and in a folder of another name, the signature alone tells the vendor."""
    known = {ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductName": "Kaspersky Anti-Virus"}}
    windows_tree.write(rf"{FILES_32}\Kaspersky Lab\Kaspersky 21.3\avp.exe", executable(known, [LAB]))
    windows_tree.write(rf"{FILES}\Tools\avp.exe", executable({}, [("AO Kaspersky Lab", "Kaspersky Lab JSC")]))
    result = run("portable_programs", windows_tree.host())
    hits = Matcher(read_rules()).match(result.items)
    found = {(result.items[hit.item].path, hit.product.id, hit.confidence) for hit in hits}
    assert found == {
        (rf"{FILES_32}\Kaspersky Lab\Kaspersky 21.3\avp.exe", "kaspersky-home-windows", "certain"),
        (rf"{FILES}\Tools\avp.exe", "kaspersky-other", "certain"),
    }


def test_levels(windows_tree: WindowsTree) -> None:
    """Two levels below a place, and further ones where no program lies above."""
    data = program("P")
    for path in (
        r"top.exe",
        r"One\a.exe",
        r"Two\Deep\b.exe",
        r"Three\Deep\Application\c.exe",
        r"One\Deep\Deeper\not.exe",
        r"Four\Deep\Deeper\Deepest\d.exe",
        r"Five\Deep\Deeper\Deepest\x\y\e.exe",
        r"Six\Deep\Deeper\Deepest\x\y\z\not.exe",
    ):
        windows_tree.write(rf"{FILES}\{path}", data)
    windows_tree.write(rf"{FILES}\One\library.dll", data)
    result = run("portable_programs", windows_tree.host())
    assert [path.removeprefix(FILES + "\\") for path in paths(result)] == [
        r"Five\Deep\Deeper\Deepest\x\y\e.exe",
        r"Four\Deep\Deeper\Deepest\d.exe",
        r"One\a.exe",
        r"Three\Deep\Application\c.exe",
        r"Two\Deep\b.exe",
        "top.exe",
    ]


def test_other_folders_of_a_drive_and_what_users_keep(windows_tree: WindowsTree) -> None:
    """One level below, and further ones where no program lies above."""
    wanted = [
        *(r"C:\top.exe", r"C:\Acme\a.exe", r"C:\Tools\Acme\b.exe", r"C:\Programme\Acme\c.exe"),
        *(r"C:\Users\ada\Desktop\d.exe", r"C:\Users\ada\Downloads\Kit\e.exe", r"C:\Users\Public\Desktop\f.exe"),
        r"C:\Users\ada\AppData\Local\Microsoft\WinGet\Packages\Acme_x\g.exe",
        *(r"C:\Windows\x.exe", r"C:\Windows\Temp\kit\h.exe", r"C:\Users\ada\i.exe", r"C:\Users\ada\tools\j.exe"),
        r"C:\Users\ada\AppData\LocalLow\Acme\k.exe",
        *(r"C:\Intel\a\b\l.exe", r"C:\Windows\System32\m.exe", r"C:\Windows\SysWOW64\n.exe"),
        *(rf"C:\Users\ada\{below}\q.exe" for below in ("Music", r"Favorites\x", "AppData", r"AppData\Local\Temp")),
        *(r"C:\Users\ada\AppData\Local\Temp\kit\r.exe", r"C:\PerfLogs\s.exe", r"C:\Windows\System32\oobe\p.exe"),
        *(r"C:\Users\Public\Kit\l.exe", r"C:\Windows\Tasks\m.exe", r"C:\Acme2\n.scr", r"C:\Acme3\o.com"),
        *(r"C:\$Recycle.Bin\S-1\$RA.exe", r"C:\$WinREAgent\Scratch\p.exe", r"C:\Recovery\q.exe"),
        *(r"C:\Users\ada\tools\a\b\r.exe", r"C:\Users\ada\Documents\a\b\c\d\s.exe", r"C:\Windows\Installer\t.exe"),
        r"C:\Users\ada\AppData\Local\a\b\c\d\u.exe",
    ]
    passed_over = [
        *(r"C:\Acme\Deep\x.exe", r"C:\Tools\Acme\Deep\x.exe", r"C:\System Volume Information\x.exe"),
        *(r"C:\Windows\System32\oobe\Deep\x.exe", r"C:\Windows.old\x.exe"),
    ]
    for path in wanted + passed_over:
        windows_tree.write(path, program(path[-5:]))
    assert paths(run("portable_programs", windows_tree.host())) == sorted(wanted)


def test_libraries_where_no_program_lies(windows_tree: WindowsTree) -> None:
    wanted = [rf"{FILES}\Alone\a.dll", r"C:\ProgramData\x\y\z\b.sys", r"C:\Users\ada\kit\c.ocx"]
    shared = r"C:\Windows\Microsoft.NET\assembly\GAC_MSIL"
    wanted.append(rf"{shared}\Acme.Core\v4.0_1.0.0.0__0123456789abcdef\Acme.Core.dll")
    passed_over = [
        *(rf"{FILES}\With\d.dll", rf"{FILES}\With\lib\e.dll"),
        rf"{shared}\System.Xml\v4.0_4.0.0.0__b77a5c561934e089\System.Xml.dll",
    ]
    for path in (*wanted, *passed_over):
        windows_tree.write(path, program(path[-5:]))
    windows_tree.write(rf"{FILES}\With\program.exe", program("With"))
    found = paths(run("portable_programs", windows_tree.host()))
    assert found == sorted([*wanted, rf"{FILES}\With\program.exe"])


def test_what_was_thrown_away_is_its_users(windows_tree: WindowsTree) -> None:
    host = windows_tree.host()
    sid = next(user.sid for user in host.users if user.name == "ada")
    windows_tree.write(rf"C:\$Recycle.Bin\{sid}\$RABCDE\avp.exe", program("Acme"))
    windows_tree.write(rf"C:\$Recycle.Bin\{sid}\$IABCDE.exe", b"\2\0\0\0")
    (item,) = run("portable_programs", windows_tree.host()).items
    assert (item.name, item.user) == ("Acme", "ada")


def test_places_of_users_and_what_is_passed_over(windows_tree: WindowsTree) -> None:
    local, roaming = r"C:\Users\ada\AppData\Local", r"C:\Users\ada\AppData\Roaming"
    wanted = [
        rf"{local}\Programs\Vendor\Product\a.exe",
        rf"{local}\Discord\app-1.0\b.exe",
        rf"{roaming}\Telegram Desktop\c.exe",
        r"C:\ProgramData\Vendor\Product\d.exe",
        r"C:\ProgramData\Windows Tools\e.exe",
        rf"{FILES}\Common Files\Vendor\k.exe",
        rf"{FILES}\Windows Cleaner\l.exe",
        rf"{local}\Programs\temp\m.exe",
        rf"{roaming}\Packages\n.exe",
        rf"{local}\VirtualStore\Program Files (x86)\Vendor\Product\o.exe",
    ]
    passed_over = [
        rf"{local}\Packages\x\f.exe",
        rf"{local}\Temp\a\b\c\g.exe",
        rf"{FILES}\WindowsApps\x\h.exe",
        rf"{FILES}\ModifiableWindowsApps\i.exe",
        rf"{local}\Microsoft\WindowsApps\j.exe",
        r"C:\ProgramData\Package Cache\{x}\k.exe",
        r"C:\ProgramData\chocolatey\bin\l.exe",
    ]
    for path in wanted + passed_over:
        windows_tree.write(path, program(path[-5:]))
    result = run("portable_programs", windows_tree.host())
    assert paths(result) == sorted(wanted)
    assert {item.path: item.user for item in result.items if item.user} == dict.fromkeys(
        (*wanted[:3], *wanted[7:]), "ada"
    )


def test_one_item_a_product(windows_tree: WindowsTree) -> None:
    folder = rf"{FILES}\Anvil"
    for name in ("anvil", "anvil-gui", "helper", "unins000"):
        windows_tree.write(rf"{folder}\{name}.exe", program("Anvil"))
    for name in ("hammer", "zz1", "zz2"):
        windows_tree.write(rf"{folder}\{name}.EXE", program("Hammer"))
    result = run("portable_programs", windows_tree.host())
    assert paths(result) == [rf"{folder}\anvil.exe", rf"{folder}\zz1.EXE"]
    assert result.run.left_out == {"part of another item": 5}


def test_no_decoy_hides_a_program(windows_tree: WindowsTree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = r"C:\Users\ada\AppData\Local\Programs\x"
    windows_tree.write(rf"{folder}\kasperskyvpn.exe", executable({}, [LAB]))
    for name in "abcdef":
        windows_tree.write(rf"{folder}\{name}.exe", program(name))
    result = run("portable_programs", windows_tree.host())
    assert "AO Kaspersky Lab" in {item.signer for item in result.items}
    assert result.run.status == "ok"
    monkeypatch.setattr("phaseout.sources.windows.portable_programs._READ", 3)
    (problem,) = run("portable_programs", windows_tree.host()).problems
    assert (problem.where, problem.cause, problem.hides) == (folder, "limit", True)


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_links_are_followed_once(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Windows\WinSxS\Lab\avp.exe", program("P"))
    os.symlink("/Windows/WinSxS/Lab", windows_tree.folder(FILES) / "Lab")
    os.symlink("/Windows/WinSxS/Lab", windows_tree.folder(FILES) / "Lab again")
    os.symlink("/Windows/WinSxS/Lab/avp.exe", windows_tree.folder(rf"{FILES}\A") / "avp.exe")
    os.symlink("/ProgramData", windows_tree.folder(r"C:\ProgramData") / "Application Data")
    os.symlink("D:\\Lab", windows_tree.folder(FILES) / "On D")
    result = run("portable_programs", windows_tree.host())
    assert paths(result) == [rf"{FILES}\A\avp.exe", rf"{FILES}\Lab\avp.exe"]


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_files_that_the_mount_cannot_read_are_items_and_problems(windows_tree: WindowsTree) -> None:
    os.symlink("unsupported reparse tag 0x80000017", windows_tree.folder(rf"{FILES}\Lab") / "avp.exe")
    os.symlink("unsupported reparse tag 0x80000013", windows_tree.folder(FILES) / "Folder")
    result = run("portable_programs", windows_tree.host())
    assert [(item.path, item.state, item.notes) for item in result.items] == [
        (rf"{FILES}\Lab\avp.exe", "installed", ("what it says about itself could not be read",))
    ]
    assert {problem.where for problem in result.problems} == {rf"{FILES}\Lab\avp.exe", rf"{FILES}\Folder"}


def test_programs_that_say_nothing_are_items(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{FILES}\A\bare.exe", executable())
    windows_tree.write(rf"{FILES}\A\bare2.exe", executable())
    windows_tree.write(rf"{FILES}\A\broken.exe", executable({ENGLISH: {"ProductName": "X"}})[:300])
    windows_tree.write(rf"{FILES}\B\text.exe", "hello")
    windows_tree.folder(rf"{FILES}\B\folder.exe")
    result = run("portable_programs", windows_tree.host())
    assert result.names() == ["bare.exe", "bare2.exe", "broken.exe", "text.exe"]
    assert {item.details.get("signature", "") for item in result.items} == {
        "",
        "none in the file; catalogs were not asked",
    }
    assert result.run.status == "ok"


def test_a_place_without_end_is_left(windows_tree: WindowsTree) -> None:
    from phaseout.sources.windows import portable_programs

    for at in range(60):
        windows_tree.write(rf"{FILES}\{at:02}\p.exe", program("P"))
    before = portable_programs._ENTRIES
    try:
        portable_programs._ENTRIES = 80
        result = run("portable_programs", windows_tree.host())
    finally:
        portable_programs._ENTRIES = before
    assert len(result.items) == 20
    assert result.problems == (Problem(FILES, "more than 80 entries below: the rest was not read", "limit"),)


def test_other_drives(tmp_path: Path) -> None:
    tree = WindowsTree(tmp_path / "root" / "C")
    tree.write(r"C:\Program Files\A\a.exe", program("A"))
    for path in (r"Program Files\B\b.exe", r"PortableApps\C\c.exe"):
        file = tmp_path / "root" / "D" / path.replace("\\", "/")
        file.parent.mkdir(parents=True)
        file.write_bytes(program(path[-5:]))
    files = WindowsFiles(str(tmp_path / "root"), {"C": "/C", "D": "/D"})
    host = windows_host(registry_in_memory(tree.keys, files), files, r"C:\Windows", root=str(tmp_path / "root"))
    found = paths(run("portable_programs", host))
    assert found == [r"C:\Program Files\A\a.exe", r"D:\PortableApps\C\c.exe", r"D:\Program Files\B\b.exe"]


def test_what_is_a_part_of_windows_is_left_out(windows_tree: WindowsTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows says so of itself, and where the number of names is known, nothing need be read."""
    for name, maker in (("calc", "Microsoft Corporation"), ("agent", "AO Kaspersky Lab"), ("linked", "Anybody")):
        windows_tree.write(rf"C:\Windows\System32\{name}.exe", program(name, maker))
    host = windows_tree.host()
    plain = type(host.files).stat

    def stat(files: Files, path: str) -> Stat | None:
        found = plain(files, path)
        return found._replace(links=2) if found and path.endswith("linked.exe") else found

    monkeypatch.setattr(type(host.files), "stat", stat)
    result = run("portable_programs", host)
    assert [(item.name, item.vendor) for item in result.items] == [("agent", "AO Kaspersky Lab")]
    assert result.run.left_out == {"part of the operating system": 2}


def test_a_search_without_end_is_incomplete(windows_tree: WindowsTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.sources.windows.portable_programs._SEARCHED", 2)
    for number in range(4):
        windows_tree.write(rf"{FILES}\Vendor\a\b\{number}\x\p.exe", program(f"P{number}"))
    result = run("portable_programs", windows_tree.host())
    assert result.items == ()
    (problem,) = result.problems
    assert (problem.where, problem.cause, problem.hides) == (FILES, "limit", True)


def test_a_drive_of_data_is_not_searched_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file server is not incomplete for ever because of what people keep on it."""
    monkeypatch.setattr("phaseout.sources.windows.portable_programs._SEARCHED_IN_DATA", 2)
    for number in range(4):
        (tmp_path / "root" / "D" / "Data" / "a" / "b" / str(number) / "x").mkdir(parents=True)
    (tmp_path / "root" / "C").mkdir()
    files = WindowsFiles(str(tmp_path / "root"), {"C": "/C", "D": "/D"})
    tree = WindowsTree(tmp_path)
    host = windows_host(registry_in_memory(tree.keys), files, r"C:\Windows", root=str(tmp_path / "root"))
    result = run("portable_programs", host)
    (problem,) = result.problems
    assert (problem.where, problem.cause, problem.hides) == ("D:", "limit", False)


def test_other_endings_of_programs(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{FILES}\Vendor\tool.com", program("Command"))
    windows_tree.write(rf"{FILES}\Vendor\saver.SCR", program("Saver"))
    windows_tree.write(rf"{FILES}\Vendor\example.com", "<html>")
    result = run("portable_programs", windows_tree.host())
    assert sorted(result.names()) == ["Command", "Saver"]
    assert result.run.left_out == {"not a program": 1}


@pytest.mark.parametrize(
    "folder",
    [
        *(r"System32\spool\drivers\x64\3", r"System32\spool\drivers\W32X86\3\Acme", r"System32\spool\prtprocs\x64"),
        *(r"System32\drivers", r"System32\Acme", r"SysWOW64\wbem", "Fonts", "debug", "Acme", r"Acme\Agent"),
        *(r"System32\Tasks", r"System32\spool\drivers\color", "Tasks", "tracing"),
    ],
)
def test_folders_in_that_of_windows(windows_tree: WindowsTree, folder: str) -> None:
    windows_tree.write(rf"C:\Windows\{folder}\agent.exe", program("Agent", "AO Kaspersky Lab"))
    windows_tree.write(rf"C:\Windows\{folder}\own.exe", program("Windows", "Microsoft Corporation"))
    result = run("portable_programs", windows_tree.host())
    assert paths(result) == [rf"C:\Windows\{folder}\agent.exe"]
    assert result.run.status == "ok"


def test_libraries_of_printer_drivers(windows_tree: WindowsTree) -> None:
    folder = r"C:\Windows\System32\spool\drivers\x64\3"
    windows_tree.write(rf"{folder}\acmeui.dll", program("Acme Printer"))
    windows_tree.write(rf"{folder}\acmedrv.dll", program("Acme Printer"))
    windows_tree.write(r"C:\Windows\System32\drivers\other.dll", program("Other"))
    result = run("portable_programs", windows_tree.host())
    assert result.names() == ["Acme Printer"]
    assert result.run.left_out == {"part of another item": 1}


def test_packages_of_a_project_are_not_searched_deep(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{FILES}\Vendor\a\b\c\p.exe", program("P"))
    windows_tree.write(rf"{FILES}\Vendor\a\b\node_modules\x\p.exe", program("X"))
    assert run("portable_programs", windows_tree.host()).names() == ["P"]


def test_what_others_put_into_folders_of_windows_among_the_programs(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{FILES}\Windows NT\agent.exe", program("Agent", "AO Kaspersky Lab"))
    windows_tree.write(rf"{FILES}\Windows NT\wordpad.exe", program("Windows", "Microsoft Corporation"))
    result = run("portable_programs", windows_tree.host())
    assert result.names() == ["Agent"]
    assert result.run.left_out == {"part of the operating system": 1}
