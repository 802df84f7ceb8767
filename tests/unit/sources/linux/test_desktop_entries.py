"""Desktop entries of the system, of users, and those that start with the desktop."""

from pathlib import Path

import pytest
from phaseout.host.opening import live_host
from phaseout.model.nouns import Evidence, Problem

from tests.support.harness import run
from tests.support.trees import Tree

MENU = "/usr/share/applications"
KESL = """\
# made by the vendor
[Desktop Entry]
Type=Application
Name=Kaspersky Endpoint Security
Name[de]=Kaspersky Endpoint Security
Name[fr]=Sécurité
Name[ru]=Антивирус Касперского
Comment=Protects
Exec="/opt/kaspersky/kesl gui/kesl-gui" %U
[Desktop Action New]
Name=Another
Exec=/bin/other
"""


def test_application(tree: Tree) -> None:
    tree.write(f"{MENU}/kde/kesl-gui.desktop", KESL)
    tree.write("/opt/kaspersky/kesl gui/kesl-gui")
    (item,) = run("desktop_entries", tree.host()).items
    assert (item.kind, item.name, item.state) == ("app", "Kaspersky Endpoint Security", "installed")
    assert item.path == "/opt/kaspersky/kesl gui/kesl-gui"
    assert item.command == '"/opt/kaspersky/kesl gui/kesl-gui" %U'
    assert item.details == {
        "id": "kesl-gui.desktop",
        "names": "Антивирус Касперского; Sécurité",
        "comment": "Protects",
    }
    assert item.evidence == (Evidence(f"{MENU}/kde/kesl-gui.desktop", 'Exec="/opt/kaspersky/kesl gui/kesl-gui" %U'),)


def test_application_whose_program_is_gone(tree: Tree) -> None:
    tree.write("/bin/there")
    tree.write(f"{MENU}/exec.desktop", "[Desktop Entry]\nName=a\nExec=/opt/gone/x\n")
    tree.write(f"{MENU}/try.desktop", "[Desktop Entry]\nName=b\nExec=/bin/there\nTryExec=/opt/gone/x\n")
    tree.write(f"{MENU}/env.desktop", "[Desktop Entry]\nName=c\nExec=env A=b /bin/there\nTryExec=there\n")
    tree.link(f"{MENU}/link.desktop", "/var/lib/flatpak/app/x/link.desktop")
    states = {item.name: item.state for item in run("desktop_entries", tree.host()).items}
    assert states == {"a": "leftover", "b": "installed", "c": "installed", "link": "leftover"}


def test_entry_without_a_plain_name(tree: Tree) -> None:
    tree.write(f"{MENU}/a.desktop", "[Desktop Entry]\nName[fr]=Garde\nName[ru]=Страж\nExec=x\n")
    tree.write(f"{MENU}/b.desktop", "[Desktop Entry]\nExec=x\n")
    result = run("desktop_entries", tree.host())
    assert {(item.name, item.details["id"]) for item in result.items} == {("Страж", "a.desktop"), ("b", "b.desktop")}


def test_autostart_and_users(tree: Tree) -> None:
    entry = "[Desktop Entry]\nType=Application\nName=KESL\nExec=kesl-gui\n"
    tree.write("/etc/xdg/autostart/kesl.desktop", entry)
    tree.write("/home/ada/.config/autostart/kesl.desktop", entry + "X-GNOME-Autostart-enabled=false\n")
    tree.write("/home/ada/.local/share/applications/kesl.desktop", entry)
    tree.write("/root/.local/share/applications/kesl.desktop", entry + "NoDisplay=true\n")
    result = run("desktop_entries", tree.host())
    assert {
        (item.kind, item.user, item.details.get("enabled", ""), item.details.get("shown", "")) for item in result.items
    } == {
        ("task", "", "", ""),
        ("task", "ada", "no", ""),
        ("app", "ada", "", ""),
        ("app", "root", "", "no"),
    }


def test_what_is_no_application_is_counted(tree: Tree) -> None:
    tree.write(f"{MENU}/link.desktop", "[Desktop Entry]\nType=Link\nName=a\nURL=http://x\n")
    tree.write(f"{MENU}/hidden.desktop", "[Desktop Entry]\nType=Application\nName=b\nHidden=true\n")
    tree.write(f"{MENU}/broken.desktop", "Name=c\n")
    tree.write(f"{MENU}/mimeinfo.cache", "[MIME Cache]\n")
    result = run("desktop_entries", tree.host())
    assert [(item.name, item.state, item.details["enabled"]) for item in result.items] == [("b", "leftover", "no")]
    assert result.run.left_out == {
        "not a program": 1,
        "damaged": 1,
    }
    assert result.problems == (Problem(f"{MENU}/broken.desktop", "no group [Desktop Entry]", "damaged"),)


def test_hostile_entries_cost_nothing_but_themselves(tree: Tree) -> None:
    tree.write(f"{MENU}/binary.desktop", bytes(range(256)) * 9)
    tree.write(f"{MENU}/nul.desktop", b'[Desktop Entry]\nName=\xff\nExec=/opt/\0x "\n')
    tree.write(f"{MENU}/large.desktop", b"#" * (2 << 20))
    tree.link(f"{MENU}/loop.desktop", "loop.desktop")
    tree.link(f"{MENU}/folder", ".")
    tree.fifo("/usr/share/applications/fifo.desktop")
    tree.write(f"{MENU}/good.desktop", "\ufeff[Desktop Entry]\r\nName=Good\r\nExec=x\r\n")
    result = run("desktop_entries", tree.host())
    assert result.names() == ["Good", "\\xff", "fifo", "large", "loop"]
    assert [problem.where.rpartition("/")[2] for problem in result.problems] == [
        "binary.desktop",
        "fifo.desktop",
        "large.desktop",
        "loop.desktop",
    ]


def test_every_entry_of_this_machine_is_accounted_for() -> None:
    entries = sum(1 for _ in Path(MENU).rglob("*.desktop"))
    if not entries:
        pytest.skip("this machine has no desktop entries")
    result = run("desktop_entries", live_host())
    seen = [item for item in result.items if item.evidence[0].where.startswith(f"{MENU}/")]
    assert entries <= len(seen) + sum(result.run.left_out.values())
    assert {item.name for item in seen}.isdisjoint({""})


def test_shortcuts_on_a_desktop(tree: Tree) -> None:
    tree.write("/root/Desktop/tool.desktop", "[Desktop Entry]\nName=Tool\nExec=/opt/tool/tool\n")
    tree.write("/root/Desktop/notes.desktop", "no entry\n")
    result = run("desktop_entries", tree.host())
    assert [item.name for item in result.items] == ["Tool"]
    assert (result.run.status, result.run.left_out) == ("ok", {"not a program": 1})
