"""Programs that JetBrains Toolbox has installed: both layouts, moved ones, and damage."""

import json

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree

TOP = "/home/ada/.local/share/JetBrains/Toolbox"


def info(name: str = "IntelliJ IDEA", version: str = "2024.1", **more: str) -> str:
    return json.dumps({"name": name, "version": version, "buildNumber": "241.1", "productCode": "IU", **more})


def test_both_layouts_and_the_program_itself(tree: Tree) -> None:
    tree.write(f"{TOP}/apps/intellij-idea-ultimate/product-info.json", info())
    tree.write(
        f"{TOP}/apps/AndroidStudio/ch-0/231.1/product-info.json", info("Android Studio", "2023.1", productCode="AI")
    )
    tree.write(f"{TOP}/bin/jetbrains-toolbox", b"\x7fELF", 0o755)
    tree.write("/home/ada/.cache/JetBrains/RemoteDev/dist/x_ideaIU-2023.3/product-info.json", info(version="2023.3"))
    result = run("jetbrains_programs", tree.host())
    assert sorted((item.name, item.version, item.vendor, item.user) for item in result.items) == [
        ("Android Studio", "2023.1", "Google", "ada"),
        ("IntelliJ IDEA", "2023.3", "JetBrains", "ada"),
        ("IntelliJ IDEA", "2024.1", "JetBrains", "ada"),
        ("JetBrains Toolbox", "", "JetBrains", "ada"),
    ]
    assert result.run.status == "ok"


def test_programs_that_were_put_elsewhere(tree: Tree) -> None:
    tools = [{"toolId": "GoLand", "installLocation": "/data/jb/GoLand"}, {"toolId": "CLion"}, "odd"]
    tree.write(f"{TOP}/state.json", json.dumps({"version": 1, "tools": tools}))
    tree.write(f"{TOP}/.settings.json", '{"install_location": "/srv/jb"}')
    tree.write("/data/jb/GoLand/product-info.json", info("GoLand"))
    tree.write("/srv/jb/apps/rider/product-info.json", info("Rider"))
    result = run("jetbrains_programs", tree.host())
    assert [(item.name, item.path) for item in result.items] == [
        ("GoLand", "/data/jb/GoLand"),
        ("Rider", "/srv/jb/apps/rider"),
    ]


def test_damage(tree: Tree) -> None:
    tree.write(f"{TOP}/apps/clion/product-info.json", "{")
    tree.write(f"{TOP}/state.json", "[")
    result = run("jetbrains_programs", tree.host())
    assert result.names() == ["clion"]
    assert [(problem.where.rpartition("/")[2], problem.hides) for problem in result.problems] == [
        ("state.json", True),
        ("product-info.json", False),
    ]


def test_macos(mac_tree: MacTree) -> None:
    top = "/Users/ada/Library/Application Support/JetBrains/Toolbox/apps/PyCharm-P/ch-0/231.1"
    mac_tree.write(f"{top}/PyCharm.app/Contents/Resources/product-info.json", info("PyCharm"))
    (item,) = run("jetbrains_programs", mac_tree.host()).items
    assert (item.name, item.path) == ("PyCharm", f"{top}/PyCharm.app")


def test_windows(windows_tree: WindowsTree) -> None:
    top = r"C:\Users\ada\AppData\Local\JetBrains\Toolbox"
    windows_tree.write(rf"{top}\apps\IDEA-U\ch-0\233.1\product-info.json", info())
    windows_tree.write(rf"{top}\bin\jetbrains-toolbox.exe", b"MZ")
    assert run("jetbrains_programs", windows_tree.host()).names() == ["IntelliJ IDEA", "JetBrains Toolbox"]
