"""App packages: whose they are, what they are called, and those that nobody has."""

import lzma
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Evidence, Problem
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.regf_writer import hive
from tests.support.trees import WindowsTree

ADA = rf"HKU\{WindowsTree.ADA}_Classes\Local Settings"
PACKAGES = rf"{ADA}\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
STORE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore"
APPS = r"C:\Program Files\WindowsApps"
HASH = "8wekyb3d8bbwe"
PUBLISHER = "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US"


def manifest(name: str, shown: str, maker: str, publisher: str = PUBLISHER) -> str:
    return (
        f'<Package><Identity Name="{name}" Publisher="{publisher}" Version="1.0.0.0" ProcessorArchitecture="x64"/>'
        f"<Properties><DisplayName>{shown}</DisplayName><PublisherDisplayName>{maker}</PublisherDisplayName></Properties>"
        "</Package>"
    )


def full(name: str, resource: str = "", architecture: str = "x64") -> str:
    return f"{name}_1.0.0.0_{architecture}_{resource}_{HASH}"


def test_a_whole_package(windows_tree: WindowsTree) -> None:
    root = rf"{APPS}\{full('Some.App')}"
    windows_tree.write(rf"{root}\AppxManifest.xml", manifest("Some.App", "ms-resource:AppName", "Some Maker"))
    windows_tree.key(rf"{PACKAGES}\{full('Some.App')}", {"DisplayName": "@{x?ms-resource://Some.App/Resources/AppName}",
                                                        "PackageRootFolder": root})  # fmt: skip
    windows_tree.key(
        rf"{ADA}\MrtCache\C:%5Cx.pri\1d3\fae", {"@{x?ms-resource://some.app/resources/AppName}": "Приложение"}
    )
    windows_tree.key(rf"{STORE}\{WindowsTree.ADA}\{full('Some.App')}", {"Path": rf"{root}\AppxManifest.xml"})
    windows_tree.key(rf"{PACKAGES}\{full('Some.App', 'split.language-de')}")
    result = run("appx_packages", windows_tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.vendor, item.version, item.user) == (
        "app", "Приложение", "Some Maker", "1.0.0.0", "ada",
    )  # fmt: skip
    assert (item.path, item.state) == (root, "installed")
    assert item.ids == {"package_family": f"Some.App_{HASH}"}
    assert item.details == {"package": full("Some.App"), "publisher": PUBLISHER, "arch": "x64"}
    assert [one.where for one in item.evidence] == [
        rf"{PACKAGES}\{full('Some.App')}",
        rf"{STORE}\{WindowsTree.ADA}\{full('Some.App')}",
    ]
    assert result.run.left_out == {"part of another item": 1}


def test_names_and_makers(windows_tree: WindowsTree) -> None:
    for name, shown, maker, publisher in (
        ("Literal", "From the manifest", "ms-resource:Maker", PUBLISHER),
        ("Reference", "ms-resource:Name", "", PUBLISHER),
        ("Foreign", "Somebody else", "Somebody", "CN=Somebody"),
        ("Told", "From the manifest", "Maker", PUBLISHER),
    ):
        root = rf"{APPS}\{full(name)}"
        windows_tree.write(rf"{root}\AppxManifest.xml", manifest(name, shown, maker, publisher).encode("utf-16"))
        shown_by_registry = {"DisplayName": "From the registry"} if name == "Told" else {}
        windows_tree.key(rf"{PACKAGES}\{full(name)}", {"PackageRootFolder": root, **shown_by_registry})
    found = {item.details["package"].partition("_")[0]: (item.name, item.vendor)
             for item in run("appx_packages", windows_tree.host()).items}  # fmt: skip
    assert found == {
        "Literal": ("From the manifest", "Microsoft Corporation"),
        "Reference": ("Reference", "Microsoft Corporation"),
        "Foreign": ("Foreign", ""),  # the publisher is not that of the package's name
        "Told": ("From the registry", "Maker"),
    }


def test_who_has_a_package(windows_tree: WindowsTree) -> None:
    bundle = rf"{APPS}\{full('Provisioned', '~', 'neutral')}\AppxMetadata\AppxBundleManifest.xml"
    windows_tree.write(
        bundle, f'<Bundle><Identity Name="Provisioned" Publisher="{PUBLISHER}" Version="1.0.0.0"/></Bundle>'
    )
    windows_tree.key(rf"{STORE}\Applications\{full('Provisioned', '~', 'neutral')}", {"Path": bundle})
    windows_tree.key(
        rf"{STORE}\InboxApplications\{full('Inbox')}", {"Path": rf"{APPS}\{full('Inbox')}\AppxManifest.xml"}
    )
    windows_tree.key(rf"{STORE}\S-1-5-21-9\{full('Other')}")
    windows_tree.key(rf"{STORE}\Staged\{full('Other')}")
    windows_tree.key(rf"{STORE}\Staged\{full('Staged')}")
    windows_tree.key(rf"{STORE}\Deprovisioned\Removed_{HASH}")
    windows_tree.write(rf"{APPS}\{full('Lying')}\AppxManifest.xml", manifest("Lying", "Lying there", "Maker"))
    windows_tree.folder(rf"{APPS}\Deleted")
    windows_tree.folder(rf"{APPS}\{full('Lying', 'split.scale-100')}")
    family = rf"C:\Windows\SystemApps\System_{HASH}"
    windows_tree.write(rf"{family}\AppxManifest.xml", manifest("System", "System app", "Microsoft"))
    result = run("appx_packages", windows_tree.host())
    assert {item.name: (item.user, item.state, item.details.get("note", "")) for item in result.items} == {
        "Provisioned": ("", "installed", "provisioned for new users"),
        "Inbox": ("", "leftover", "provisioned for new users"),  # its folder is not there
        "Other": ("S-1-5-21-9", "installed", ""),
        "Staged": ("", "leftover", "no user has it"),
        "Lying there": ("", "leftover", "no user has it"),
        "System app": ("", "leftover", "no user has it"),
    }
    assert result.one("Provisioned").vendor == "Microsoft Corporation"
    assert result.one("System app").ids == {"package_family": f"System_{HASH}"}
    assert result.run.left_out == {
        "part of another item": 1,
        "not a package": 1,
        "listed as another item": 1,
    }
    assert result.run.status == "ok"


def test_damaged(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{PACKAGES}\not a package")
    windows_tree.key(
        rf"{PACKAGES}\{full('Bad')}", {"PackageRootFolder": rf"{APPS}\{full('Bad')}", "DisplayName": b"\1"}
    )
    windows_tree.write(rf"{APPS}\{full('Bad')}\AppxManifest.xml", '<!DOCTYPE x [<!ENTITY a "b">]><Package/>')
    windows_tree.key(rf"{PACKAGES}\{full('Elsewhere')}", {"PackageRootFolder": r"C:\Users\ada\secret"})
    result = run("appx_packages", windows_tree.host())
    assert {item.name: item.state for item in result.items} == {"Bad": "installed", "Elsewhere": "leftover"}
    assert result.run.left_out == {"damaged": 1}
    assert {problem.where for problem in result.problems} == {
        rf"{PACKAGES}\not a package",
        rf"{PACKAGES}\{full('Bad')}",
        rf"{APPS}\{full('Bad')}\AppxManifest.xml",
    }
    assert Problem(rf"{PACKAGES}\not a package", "not the name of a package", "damaged") in result.problems


def test_a_real_user(corpora: Path, windows_tree: WindowsTree) -> None:
    """The 86 packages of a Windows 10 user; of 51 names that are references Windows had shown nine."""
    real = corpora / "hives" / "regipy" / "regipy_tests" / "data" / "UsrClass.dat.xz"
    classes = r"C:\Users\ada\AppData\Local\Microsoft\Windows\UsrClass.dat"
    windows_tree.write(classes, lzma.decompress(real.read_bytes()))
    software = {path[14:]: values for path, values in windows_tree.keys.items()}
    windows_tree.write(r"C:\Windows\System32\config\SOFTWARE", hive(software))
    items = run("appx_packages", offline_host(str(windows_tree.root))).items
    references = [item for item in items if item.evidence[0].what.startswith("@{")]
    resolved = [item for item in references if item.name != item.details["package"].partition("_")[0]]
    assert (len(items), len(references), len(resolved)) == (86, 51, 9)
    weather = next(item for item in items if item.ids["package_family"] == "Microsoft.BingWeather_8wekyb3d8bbwe")
    assert (weather.version, weather.user, weather.evidence[0]) == (
        "4.23.10923.0",
        "ada",
        Evidence(weather.evidence[0].where, weather.evidence[0].what),
    )
    assert "Microsoft Store" in {item.name for item in resolved}


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
KEY = st.sampled_from([rf"{PACKAGES}\{full('A')}", rf"{STORE}\Staged\{full('A')}", rf"{STORE}\Applications\x", STORE])
NAME = st.sampled_from(["Path", "DisplayName", "PackageRootFolder", ""])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEY, st.dictionaries(NAME, VALUE)))
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    profile = rf"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\{WindowsTree.ADA}"
    registry = registry_in_memory({**keys, profile: {"ProfileImagePath": r"C:\Users\ada"}}, files)
    run("appx_packages", windows_host(registry, files, r"C:\Windows", root="/nonexistent"))


def test_what_another_maker_has_put_into_a_package(windows_tree: WindowsTree) -> None:
    """Wherever the package lies: on another drive, or in any folder that the store names."""
    texts = {ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductName": "Kit"}}
    name = "Contoso.Pack_1.0.0.0_x64__abcdefghjkmnp"
    root = rf"C:\Store\Packages\{name}"
    program = rf"{root}\VFS\ProgramFilesX64\Lab\Kit 12\avp.exe"
    windows_tree.write(program, executable(texts, [("AO Kaspersky Lab", "K")]))
    windows_tree.write(rf"{root}\AppxManifest.xml", manifest("Contoso.Pack", "Pack", "Contoso", "CN=Contoso"))
    windows_tree.key(rf"{STORE}\{WindowsTree.ADA}\{name}", {"Path": rf"{root}\AppxManifest.xml"})
    items = run("appx_packages", windows_tree.host()).items
    assert [(item.kind, item.path, item.signer) for item in items] == [
        ("app", root, ""),
        ("program", program, "AO Kaspersky Lab"),
    ]
    assert items[1].details["inside"] == "Contoso.Pack"


def test_packages_of_microsoft_are_not_searched(windows_tree: WindowsTree) -> None:
    root = rf"{APPS}\{full('Some.App')}"
    windows_tree.write(rf"{root}\tool.exe", executable({ENGLISH: {"CompanyName": "Made", "ProductName": "Tool"}}))
    windows_tree.key(rf"{PACKAGES}\{full('Some.App')}", {"PackageRootFolder": root})
    assert [item.kind for item in run("appx_packages", windows_tree.host()).items] == ["app"]
