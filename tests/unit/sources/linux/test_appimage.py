"""AppImages: names, magic bytes, integration, links, and other files."""

import pytest
from phaseout.sources.linux import appimage

from tests.support.harness import run
from tests.support.trees import Tree

IMAGE = b"\x7fELF\x02\x01\x01\x00AI\x02" + bytes(100)
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(100)


def test_usual_folders(tree: Tree) -> None:
    tree.write("/opt/Kaspersky-1.2-x86_64.AppImage", IMAGE)
    tree.write("/opt/vendor/nvim.appimage", IMAGE.replace(b"AI\x02", b"AI\x01"))
    tree.write("/usr/local/bin/Tool-3.APPIMAGE", IMAGE)
    tree.write("/home/ada/Downloads/Kaspersky-1.2-x86_64.AppImage", IMAGE)
    tree.write("/opt/vendor/deep/Deep.AppImage", IMAGE)
    result = run("appimage", tree.host())
    assert [(item.name, item.version, item.path, item.user) for item in result.items] == [
        ("Kaspersky", "1.2", "/home/ada/Downloads/Kaspersky-1.2-x86_64.AppImage", "ada"),
        ("Kaspersky", "1.2", "/opt/Kaspersky-1.2-x86_64.AppImage", ""),
        ("Tool", "3", "/usr/local/bin/Tool-3.APPIMAGE", ""),
        ("nvim", "", "/opt/vendor/nvim.appimage", ""),
    ]
    assert [item.details["type"] for item in result.items] == ["2", "2", "2", "1"]
    assert result.items[0].details["arch"] == "x86_64"
    assert result.run.status == "ok"


def test_in_the_folders_of_users_what_may_run_is_looked_at(tree: Tree) -> None:
    tree.write("/home/ada/bin/kesl", IMAGE, 0o755)
    tree.write("/home/ada/bin/not-executable", IMAGE, 0o644)
    tree.write("/home/ada/bin/program", PROGRAM, 0o755)
    tree.write("/home/ada/bin/empty", b"", 0o755)
    tree.write("/usr/local/bin/renamed", IMAGE, 0o755)
    result = run("appimage", tree.host())
    assert result.names() == ["kesl"]
    assert result.run.rows == 1


def test_what_is_called_an_appimage(tree: Tree) -> None:
    tree.write("/home/ada/Downloads/page.AppImage", "<html>")
    tree.write("/home/ada/Downloads/old.AppImage", PROGRAM)
    tree.write("/home/ada/Downloads/new.AppImage.zsync", "zsync")
    tree.folder("/home/ada/Downloads/folder.AppImage")
    tree.link("/home/ada/Downloads/broken.AppImage", "nowhere")
    result = run("appimage", tree.host())
    assert [(item.name, item.details.get("type", "")) for item in result.items] == [("old", "")]
    assert result.run.left_out == {"not a program": 1}
    assert result.run.status == "ok"


def test_several_names_count_once(tree: Tree) -> None:
    tree.write("/home/ada/Applications/Foo-1.0.AppImage", IMAGE, 0o755)
    tree.link("/home/ada/.local/bin/foo", "../../Applications/Foo-1.0.AppImage")
    tree.link("/home/ada/bin", ".local/bin")
    (item,) = run("appimage", tree.host()).items
    assert (item.name, item.version, item.path) == ("Foo", "1.0", "/home/ada/Applications/Foo-1.0.AppImage")


def entry(path: str, name: str) -> str:
    return f"[Desktop Entry]\nType=Application\nName={name}\nTryExec={path}\nX-AppImage-Version=4.5\n"


def test_desktop_entries_made_for_appimages(tree: Tree) -> None:
    applications = "/home/ada/.local/share/applications"
    tree.write("/home/ada/Applications/a.AppImage", IMAGE, 0o755)
    tree.write("/srv/tools/b", IMAGE, 0o755)
    tree.write(
        f"{applications}/appimagekit_1-A.desktop",
        entry("/home/ada/Applications/a.AppImage", "A (4.5)") + "X-AppImage-Old-Name=A\\sProgram\n",
    )
    tree.write(f"{applications}/appimagekit_2-B.desktop", entry("/srv/tools/b", "B"))
    tree.write(f"{applications}/appimagekit_3-C.desktop", entry("/home/ada/gone-1.AppImage", "C"))
    tree.write(f"{applications}/appimagekit_4-D.desktop", b"\xff\0[")
    tree.write(f"{applications}/other.desktop", entry("/srv/tools/b", "other"))
    result = run("appimage", tree.host())
    assert [(item.name, item.version, item.path, item.state) for item in result.items] == [
        ("A Program", "4.5", "/home/ada/Applications/a.AppImage", "installed"),
        ("B", "4.5", "/srv/tools/b", "installed"),
        ("C", "4.5", "/home/ada/gone-1.AppImage", "leftover"),
    ]
    assert {item.user for item in result.items} == {"ada"}


def test_a_full_folder_is_read_within_limits_and_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appimage, "_READ", 2)
    for name in ("a", "b", "c", "d.AppImage"):
        tree.write(f"/home/ada/bin/{name}", IMAGE, 0o755)
    tree.write("/home/ada/bin/0-not-a-program", IMAGE)
    result = run("appimage", tree.host())
    assert result.names() == ["a", "b", "d"]
    assert [(problem.where, problem.cause) for problem in result.problems] == [("/home/ada/bin", "limit")]


def test_nobody_names_what_another_user_has(tree: Tree) -> None:
    tree.write("/etc/passwd", "bob:x:1:1::/home/bob:/bin/sh\neve:x:2:2::/home/eve:/bin/sh\n")
    real, link = "/home/bob/Applications/Kaspersky-1.0.AppImage", "/home/eve/bin/Kaspersky-1.0.AppImage"
    tree.write(real, IMAGE, 0o755)
    tree.write("/home/bob/elsewhere/WeChat", IMAGE, 0o755)
    tree.link(link, real)
    tree.link("/home/eve/bin/WeChat", "/home/bob/elsewhere/WeChat")
    applications = "/home/eve/.local/share/applications"
    for number, path in enumerate((real, link, "/home/bob/elsewhere/WeChat")):
        harmless = entry(path, "harmless") + "X-AppImage-Old-Name=harmless\n"
        tree.write(f"{applications}/appimagekit_{number}.desktop", harmless)
    result = run("appimage", tree.host())
    assert [(item.name, item.path, item.user) for item in result.items] == [
        ("Kaspersky", real, "bob"),
        ("Kaspersky", real, "eve"),
        ("WeChat", "/home/bob/elsewhere/WeChat", "eve"),
        ("harmless", real, "eve"),
        ("harmless", "/home/bob/elsewhere/WeChat", "eve"),
        ("harmless", link, "eve"),
    ]


def test_an_entry_made_for_an_appimage_of_the_system_is_an_item_of_its_own(tree: Tree) -> None:
    tree.write("/opt/Kaspersky-1.AppImage", IMAGE)
    tree.link("/home/ada/bin/tool", "/opt/Kaspersky-1.AppImage")
    applications = "/home/ada/.local/share/applications"
    tree.write(f"{applications}/appimagekit_1.desktop", entry("/opt/Kaspersky-1.AppImage", "mine"))
    items = run("appimage", tree.host()).items
    assert [(item.name, item.user) for item in items] == [("Kaspersky", ""), ("mine", "ada")]


def test_an_entry_for_either_name_of_an_appimage_names_it(tree: Tree) -> None:
    tree.write("/home/ada/Applications/a.AppImage", IMAGE, 0o755)
    tree.write("/home/ada/tools/b", IMAGE, 0o755)
    tree.link("/home/ada/bin/b", "../tools/b")
    applications = "/home/ada/.local/share/applications"
    tree.write(f"{applications}/appimagekit_1.desktop", entry("/home/ada/Applications/a.AppImage", "A"))
    tree.write(f"{applications}/appimagekit_2.desktop", entry("/home/ada/bin/b", "B"))
    tree.write(f"{applications}/appimagekit_3.desktop", entry("/home/ada/tools/b", "also B"))
    assert run("appimage", tree.host()).names() == ["A", "B"]


def test_in_folders_of_a_usual_folder(tree: Tree) -> None:
    for path in ("Applications/games/a.AppImage", "Downloads/2026/11/b.appimage", "Downloads/1/2/3/c.AppImage"):
        tree.write(f"/home/ada/{path}", b"\x7fELF\x02\x01\x01\0AI\x02" + bytes(64), 0o755)
    assert sorted(run("appimage", tree.host()).names()) == ["a", "b"]
