"""Programs that App-V has published."""

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.trees import WindowsTree

PACKAGE, VERSION = "11111111-aaaa-4444-8888-000000000001", "22222222-bbbb-4444-8888-000000000002"
FOLDER = rf"C:\ProgramData\App-V\{PACKAGE}\{VERSION}"
KEY = rf"HKLM\SOFTWARE\Microsoft\AppV\Client\Packages\{PACKAGE}\Versions\{VERSION}"
MANIFEST = (
    '<Package><Identity Name="KL.Console" Publisher="CN=Kaspersky" Version="8.0.0.1"/>'
    "<Properties><DisplayName>Console</DisplayName><PublisherDisplayName>Kaspersky</PublisherDisplayName></Properties>"
    "</Package>"
)
MADE = executable({ENGLISH: {"CompanyName": "Kaspersky Lab", "ProductName": "Kaspersky Kit"}}, [("Kaspersky Lab", "K")])


def test_a_registered_package(windows_tree: WindowsTree) -> None:
    windows_tree.key(KEY, {"Name": "Kaspersky Admin Kit Console"})
    windows_tree.key(rf"{KEY}\Catalog", {"Folder": FOLDER})
    program = rf"{FOLDER}\Root\VFS\ProgramFilesX86\Kaspersky Lab\Console\console.exe"
    windows_tree.write(program, MADE)
    windows_tree.write(program.replace("console.exe", "other.exe"), MADE)
    windows_tree.write(rf"{FOLDER}\AppxManifest.xml", MANIFEST)
    result = run("app_v", windows_tree.host())
    assert [(item.name, item.vendor, item.version, item.path, item.state) for item in result.items] == [
        ("Kaspersky Admin Kit Console", "Kaspersky", "8.0.0.1", FOLDER, "installed"),
        ("Kaspersky Kit", "Kaspersky Lab", "", program, "installed"),
    ]
    assert result.one("Kaspersky Kit").signer == "Kaspersky Lab"
    assert result.run.left_out == {"part of another item": 1}


def test_packages_that_only_one_side_knows(windows_tree: WindowsTree) -> None:
    windows_tree.key(KEY, {"Name": "Gone"})
    other = rf"C:\ProgramData\App-V\{VERSION}\{PACKAGE}"
    windows_tree.write(rf"{other}\AppxManifest.xml", MANIFEST)
    items = run("app_v", windows_tree.host()).items
    assert [(item.name, item.path, item.state) for item in items] == [
        ("Console", other, "installed"),
        ("Gone", FOLDER, "leftover"),
    ]


def test_a_store_elsewhere_and_damage(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        r"HKLM\SOFTWARE\Microsoft\AppV\Client\Streaming", {"PackageInstallationRoot": r"%ProgramData%\App-V\x"}
    )
    folder = rf"C:\ProgramData\App-V\x\{PACKAGE}\{VERSION}"
    windows_tree.write(rf"{folder}\AppxManifest.xml", "no XML")
    result = run("app_v", windows_tree.host())
    assert [(item.name, item.path) for item in result.items] == [(VERSION, folder)]
    assert [problem.where for problem in result.problems] == [rf"{folder}\AppxManifest.xml"]


def test_a_package_without_a_program_has_libraries(windows_tree: WindowsTree) -> None:
    windows_tree.key(KEY, {"Name": "Console", "Folder": FOLDER})
    library = rf"{FOLDER}\Root\VFS\ProgramFilesX86\kit.dll"
    windows_tree.write(library, MADE)
    assert [item.path for item in run("app_v", windows_tree.host()).items] == [FOLDER, library]


def test_packages_whose_files_stay_on_a_server_are_named(windows_tree: WindowsTree) -> None:
    key = r"HKLM\SOFTWARE\Microsoft\AppV\Client\Streaming"
    windows_tree.key(key, {"SharedContentStoreMode": 1, "PackageSourceRoot": r"\\server\packages"})
    (problem,) = run("app_v", windows_tree.host()).problems
    assert (problem.cause, problem.hides) == ("mount", True)
    assert r"\\server\packages" in problem.why
