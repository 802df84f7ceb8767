"""Plugins of JetBrains' editors: folders, archives, what is off, bombs and damage."""

import io
import zipfile

from phaseout.model.nouns import Evidence

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree

IDEA = "/home/ada/.local/share/JetBrains/IntelliJIdea2024.1"


def xml(id_: str = "com.example.p", **more: str) -> str:
    values = {"name": "Example", "version": "1.2", "vendor": "Example Ltd"} | more
    inside = "".join(f"<{tag}>{value}</{tag}>" for tag, value in values.items())
    return f"<idea-plugin><id>{id_}</id>{inside}</idea-plugin>"


def jar(description: str | bytes | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        archive.writestr("../../../META-INF/plugin.xml", "<x/>")
        if description is not None:
            archive.writestr("META-INF/plugin.xml", description)
    return buffer.getvalue()


def test_a_whole_plugin(tree: Tree) -> None:
    tree.write(f"{IDEA}/Example/lib/a-library.jar", jar())
    tree.write(f"{IDEA}/Example/lib/example-1.2.jar", jar(xml()))
    tree.folder("/home/ada/.local/share/JetBrains/Toolbox/apps")
    tree.write(f"{IDEA}/.hidden", "x")
    result = run("jetbrains_plugins", tree.host())
    (item,) = result.items
    assert (item.name, item.vendor, item.version, item.state) == ("Example", "Example Ltd", "1.2", "installed")
    assert (item.path, item.user, item.ids) == (f"{IDEA}/Example", "ada", {"extension_id": "com.example.p"})
    assert item.details == {"editor": "IntelliJIdea2024.1", "enabled": "yes"}
    assert item.evidence == (Evidence(f"{IDEA}/Example/lib/example-1.2.jar", "com.example.p 1.2"),)
    assert (result.run.status, result.run.left_out) == ("ok", {})


def test_single_archives_unpacked_plugins_and_those_switched_off(tree: Tree) -> None:
    tree.write(f"{IDEA}/one.jar", jar(xml("one", name="One")))
    tree.write(f"{IDEA}/two/META-INF/plugin.xml", xml("two", name="Two"))
    tree.write(f"{IDEA}/note.txt", "x")
    tree.folder(f"{IDEA}/no plugin")
    tree.write("/home/ada/.config/JetBrains/IntelliJIdea2024.1/disabled_plugins.txt", "two\r\nother\r\n")
    tree.write("/home/ada/.local/share/Google/AndroidStudio2023.1.1/three/lib/x.jar", jar(xml("three", name="Three")))
    result = run("jetbrains_plugins", tree.host())
    assert [(item.name, item.details["enabled"], item.details["editor"]) for item in result.items] == [
        ("One", "yes", "IntelliJIdea2024.1"),
        ("Three", "yes", "AndroidStudio2023.1.1"),
        ("Two", "no", "IntelliJIdea2024.1"),
    ]
    assert result.run.left_out == {"not an extension": 1}


def test_damage_and_bombs_cost_one_problem_each(tree: Tree) -> None:
    entities = '<!DOCTYPE x [<!ENTITY a "b">]><idea-plugin><id>&a;</id></idea-plugin>'
    for name, content in (("bomb", b" " * (8 << 20)), ("entities", entities.encode()), ("other", b"<html/>")):
        tree.write(f"{IDEA}/{name}/lib/{name}.jar", jar(content))
    tree.write(f"{IDEA}/broken/lib/broken.jar", b"PK")
    tree.write(f"{IDEA}/mixed/lib/mixed.jar", b"PK")
    tree.write(f"{IDEA}/mixed/lib/whole.jar", jar(xml("mixed", name="Mixed")))
    tree.fifo(f"{IDEA}/fifo/lib/fifo.jar")
    result = run("jetbrains_plugins", tree.host())
    assert result.names() == ["Mixed", "bomb", "broken", "entities", "fifo", "other"]
    assert {problem.where.rpartition("/")[2] for problem in result.problems} == {
        "bomb.jar",
        "broken.jar",
        "entities.jar",
        "fifo.jar",
        "other.jar",
    }


def test_macos(mac_tree: MacTree) -> None:
    top = "/Users/ada/Library/Application Support/JetBrains/PyCharm2023.3"
    mac_tree.write(f"{top}/plugins/example/lib/example.jar", jar(xml()))
    mac_tree.write(f"{top}/disabled_plugins.txt", "com.example.p\n")
    (item,) = run("jetbrains_plugins", mac_tree.host()).items
    assert (item.name, item.user, item.details["enabled"]) == ("Example", "ada", "no")


def test_windows(windows_tree: WindowsTree) -> None:
    top = r"C:\Users\ada\AppData\Roaming\JetBrains\GoLand2024.2"
    windows_tree.write(rf"{top}\plugins\example\lib\example.jar", jar(xml()))
    (item,) = run("jetbrains_plugins", windows_tree.host()).items
    assert (item.name, item.path) == ("Example", rf"{top}\plugins\example")
    assert item.evidence[0].where == rf"{top}\plugins\example\lib\example.jar"


def test_beside_a_program_of_the_first_toolbox_and_of_remote_projects(tree: Tree) -> None:
    top = "/home/ada/.local/share/JetBrains"
    tree.write(f"{top}/Toolbox/apps/IDEA-U/ch-0/233.1.plugins/one/META-INF/plugin.xml", xml("one", name="One"))
    tree.write(f"{top}/RemoteDev-IU/_home_ada_x/two/META-INF/plugin.xml", xml("two", name="Two"))
    result = run("jetbrains_plugins", tree.host())
    assert [(item.name, item.details["editor"]) for item in result.items] == [
        ("One", "IDEA-U"),
        ("Two", "RemoteDev-IU"),
    ]
