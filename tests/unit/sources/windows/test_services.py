"""Services and drivers: how little makes one, where its file is, and what is left of one that is gone."""

import lzma
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.opening import offline_host
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Evidence
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import Result, run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.regf_writer import hive
from tests.support.trees import WindowsTree

SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"


def of(tree: WindowsTree) -> Result:
    moved = {path.replace("CurrentControlSet", "ControlSet001"): values for path, values in tree.keys.items()}
    tree.keys = {**moved, r"HKLM\SYSTEM\Select": {"Current": 1}}
    return run("services", tree.host())


def test_a_whole_service(windows_tree: WindowsTree) -> None:
    command = r'"C:\Program Files (x86)\Kaspersky Lab\KES.12.1.0\avp.exe" -r'
    windows_tree.write(r"C:\Program Files (x86)\Kaspersky Lab\KES.12.1.0\avp.exe")
    windows_tree.key(
        rf"{SERVICES}\AVP.KES.21.9",
        {
            "Type": 0x110,
            "Start": 2,
            "DelayedAutostart": 1,
            "ImagePath": command,
            "DisplayName": "@oem1.inf,%x%;Kaspersky Endpoint Security Service",
            "Description": "Protects.",
            "ObjectName": "LocalSystem",
            "LaunchProtected": 3,
        },
    )
    (item,) = of(windows_tree).items
    assert (item.kind, item.name, item.state) == ("service", "AVP.KES.21.9", "installed")
    assert item.path == r"C:\Program Files (x86)\Kaspersky Lab\KES.12.1.0\avp.exe"
    assert item.command == command
    assert item.details == {
        "display_name": "@oem1.inf,%x%;Kaspersky Endpoint Security Service",
        "description": "Protects.",
        "type": "own process, interactive",
        "start": "automatic, delayed",
        "account": "LocalSystem",
        "protected": "antimalware light",
    }
    assert item.evidence == (
        Evidence(r"HKLM\SYSTEM\CurrentControlSet\Services\AVP.KES.21.9", f"ImagePath: {command}, Start: 2"),
    )


def test_files_of_drivers(windows_tree: WindowsTree) -> None:
    images = {
        "one": r"\SystemRoot\System32\drivers\a.sys",
        "two": r"system32\DRIVERS\a.sys",
        "three": r"\??\C:\Windows\System32\drivers\a.sys",
        "four": r"drivers\a.sys",
        "a": "",
        "five": r'"C:\Windows\System32\drivers\a.sys"',
        "none": r"\Driver\a",
        "spaced": r"\??\C:\Program Files\A B\a.sys",
    }
    for name, image in images.items():
        windows_tree.key(rf"{SERVICES}\{name}", {"Type": 1, **({"ImagePath": image} if image else {})})
    windows_tree.key(rf"{SERVICES}\adapter", {"Type": 4})
    found = {item.name: item.path for item in of(windows_tree).items}
    assert found == {
        **dict.fromkeys(("one", "three", "five", "a"), r"C:\Windows\System32\drivers\a.sys"),
        "two": r"C:\Windows\system32\DRIVERS\a.sys",
        "four": r"C:\Windows\drivers\a.sys",
        "none": "",
        "adapter": "",
        "spaced": r"C:\Program Files\A B\a.sys",
    }


def test_minifilters(windows_tree: WindowsTree) -> None:
    for name, below, default in (
        ("klif", "Instances", "klif Instance"),
        ("new", r"Parameters\Instances", "new Instance"),
        ("several", "Instances", ""),
        ("wrong", "Instances", "not there"),
    ):
        windows_tree.key(rf"{SERVICES}\{name}", {"Type": 2, "Group": "FSFilter Anti-Virus"})
        windows_tree.key(rf"{SERVICES}\{name}\{below}", {"DefaultInstance": default})
        windows_tree.key(rf"{SERVICES}\{name}\{below}\{name} Instance", {"Altitude": "320500"})
    windows_tree.key(rf"{SERVICES}\several\Instances\zz", {"Altitude": 5})
    windows_tree.key(rf"{SERVICES}\rest\Instances\x", {"Altitude": "320510"})
    found = {item.name: (item.kind, item.details.get("altitude")) for item in of(windows_tree).items}
    assert found == {
        "klif": ("driver", "320500"),
        "new": ("driver", "320500"),
        "several": ("driver", "320500, 5"),
        "wrong": ("driver", "320500"),
        "rest": ("driver", "320510"),
    }


def test_shared_services_tell_their_library(windows_tree: WindowsTree) -> None:
    shared: dict[str, Value] = {"Type": 0x20, "ImagePath": r"%SystemRoot%\System32\svchost.exe -k x"}
    windows_tree.write(r"C:\Windows\System32\svchost.exe")
    windows_tree.write(r"C:\Windows\System32\here.dll")
    for name, dll in (("here", r"%SystemRoot%\System32\here.dll"), ("gone", r"%SystemRoot%\System32\gone.dll")):
        windows_tree.key(rf"{SERVICES}\{name}", shared)
        windows_tree.key(rf"{SERVICES}\{name}\Parameters", {"ServiceDll": dll})
    windows_tree.key(rf"{SERVICES}\old", {**shared, "ServiceDll": r"C:\Windows\System32\here.dll"})
    found = {item.name: (item.details["service_dll"], item.state) for item in of(windows_tree).items}
    assert found == {
        "here": (r"C:\Windows\System32\here.dll", "installed"),
        "gone": (r"C:\Windows\System32\gone.dll", "leftover"),
        "old": (r"C:\Windows\System32\here.dll", "installed"),
    }


def test_what_is_left_of_services(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Windows\System32\drivers\klif.sys")
    windows_tree.key(rf"{SERVICES}\klif", {"Type": 2})
    windows_tree.key(rf"{SERVICES}\klgse", {"Type": 2})
    windows_tree.key(rf"{SERVICES}\AVP21.25", {"Type": 16, "Start": 4})
    windows_tree.key(rf"{SERVICES}\only a start", {"Start": 3})
    windows_tree.key(rf"{SERVICES}\going", {"Type": 16, "ImagePath": r"C:\Windows\x.exe", "DeleteFlag": 1})
    windows_tree.write(r"C:\Windows\x.exe")
    windows_tree.key(rf"{SERVICES}\other drive", {"Type": 16, "ImagePath": r"D:\x.exe"})
    windows_tree.key(rf"{SERVICES}\network", {"Type": 16, "ImagePath": r"\\server\share\x.exe"})
    windows_tree.key(rf"{SERVICES}\short", {"Type": 16, "ImagePath": r"C:\PROGRA~1\x.exe"})
    windows_tree.key(rf"{SERVICES}\no path", {"Type": 16, "ImagePath": r"x.exe -y"})
    windows_tree.key(rf"{SERVICES}\ESENT\Performance", {"Library": "x.dll"})
    windows_tree.key(rf"{SERVICES}\empty")
    result = of(windows_tree)
    left = {item.name for item in result.items if item.state == "leftover"}
    assert left == {"klgse", "AVP21.25", "only a start", "going"}
    assert result.one("going").details["note"] == "marked for deletion"
    assert result.run.left_out == {"a setting": 2}
    assert [(problem.where, problem.cause) for problem in result.problems] == [("D:\\", "missing")]


def test_without_files_nothing_but_the_entry_itself_tells(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{SERVICES}\klif", {"Type": 2})
    windows_tree.key(rf"{SERVICES}\x", {"Type": 16})
    (windows_tree.root / "Program Files").rmdir()
    result = of(windows_tree)
    assert [(item.name, item.state) for item in result.items] == [("klif", "installed"), ("x", "leftover")]


def test_an_ending_that_is_left_out_is_found(windows_tree: WindowsTree) -> None:
    tool = executable({ENGLISH: {"CompanyName": "AO Kaspersky Lab"}}, [("AO Kaspersky Lab", "K")])
    windows_tree.write(r"C:\Windows\System32\acmesvc.exe")
    windows_tree.write(r"C:\Tools\KL\tool.exe", tool)
    windows_tree.write(r"C:\Program Files\A B\my tool 2.exe", tool)
    images = {
        "bare": r"C:\Windows\system32\acmesvc",
        "quoted": r'"C:\Tools\KL\tool" -r',
        "blanks": r"C:\Program Files\A B\my tool 2 -r",
        "gone": r'"C:\Tools\KL\gone" -r',
    }
    for name, image in images.items():
        windows_tree.key(rf"{SERVICES}\{name}", {"Type": 16, "ImagePath": image})
    assert {item.name: (item.path, item.state, item.signer) for item in of(windows_tree).items} == {
        "bare": (r"C:\Windows\system32\acmesvc.exe", "installed", ""),
        "quoted": (r"C:\Tools\KL\tool.exe", "installed", "AO Kaspersky Lab"),
        "blanks": (r"C:\Program Files\A B\my tool 2.exe", "installed", "AO Kaspersky Lab"),
        "gone": (r"C:\Tools\KL\gone", "leftover", ""),
    }


def test_the_program_behind_a_wrapper(windows_tree: WindowsTree) -> None:
    behind = r"C:\Tools\KL\x.exe"
    windows_tree.write(behind, executable({}, [("AO Kaspersky Lab", "K")]))
    for name in ("nssm", "srvany", "shawl", "winsw", "plain"):
        windows_tree.write(rf"C:\Tools\{name}.exe", executable({ENGLISH: {"CompanyName": "Wrapper"}}))
        windows_tree.key(rf"{SERVICES}\{name}", {"Type": 16, "ImagePath": rf"C:\Tools\{name}.exe"})
    windows_tree.key(rf"{SERVICES}\nssm\Parameters", {"Application": "x.exe", "AppDirectory": r"C:\Tools\KL"})
    windows_tree.key(rf"{SERVICES}\srvany\Parameters", {"Application": behind, "AppParameters": "-s"})
    windows_tree.key(rf"{SERVICES}\shawl", {"ImagePath": rf"C:\Tools\shawl.exe run --name x -- {behind} -s"})
    windows_tree.key(rf"{SERVICES}\launched", {"Type": 16, "ImagePath": rf"C:\Windows\System32\cmd.exe /c {behind} -s"})
    windows_tree.key(rf"{SERVICES}\plain\Parameters", {"Application": "Kaspersky"})
    windows_tree.write(
        r"C:\Tools\winsw.xml",
        "<service><id>x</id><executable>%BASE%\\KL\\x.exe</executable><arguments>-s</arguments></service>",
    )
    found = {item.name: (item.path, item.signer, item.details.get("wrapper", "")) for item in of(windows_tree).items}
    assert found == {
        **{
            name: (behind, "AO Kaspersky Lab", rf"C:\Tools\{name}.exe") for name in ("nssm", "srvany", "shawl", "winsw")
        },
        "launched": (behind, "AO Kaspersky Lab", ""),
        "plain": (r"C:\Tools\plain.exe", "", ""),
    }


def test_variables_of_the_machine(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\KL\kl.exe", executable({}, [("AO Kaspersky Lab", "K")]))
    windows_tree.key(
        r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment", {"KL_HOME": r"%SystemDrive%\KL"}
    )
    windows_tree.key(rf"{SERVICES}\kl", {"Type": 16, "ImagePath": r"%KL_HOME%\kl.exe"})
    (item,) = of(windows_tree).items
    assert (item.path, item.signer) == (r"C:\KL\kl.exe", "AO Kaspersky Lab")


@pytest.mark.slow
def test_real_hives(corpora: Path, tmp_path: Path) -> None:
    """Services, drivers, minifilters of four machines, and what only holds settings; and what a damaged hive shows."""
    counts = {}
    for name in ("corrupted_system_hive", "SYSTEM", "SYSTEM_2", "SYSTEM_B", "SYSTEM_WIN_10_1709"):
        config = tmp_path / name / "Windows" / "System32" / "config"
        config.mkdir(parents=True)
        packed = corpora / "hives" / "regipy" / "regipy_tests" / "data" / f"{name}.xz"
        (config / "SYSTEM").write_bytes(lzma.decompress(packed.read_bytes()))
        (config / "SOFTWARE").write_bytes(hive({}))
        result = run("services", offline_host(str(tmp_path / name)))
        if name == "corrupted_system_hive":
            assert result.problems
            continue
        kinds = Counter(item.kind for item in result.items)
        filters = sum("altitude" in item.details for item in result.items)
        counts[name] = (kinds["service"], kinds["driver"], filters, sum(result.run.left_out.values()))
        assert all(item.path or not item.command for item in result.items if item.kind == "driver")
        if name == "SYSTEM_WIN_10_1709":
            monitor = result.one("PROCMON24")  # its service was deleted, its instances were not
            assert (monitor.kind, monitor.state, monitor.details["altitude"]) == ("driver", "leftover", "385200")
    assert counts == {
        "SYSTEM": (160, 257, 5, 50),
        "SYSTEM_2": (168, 255, 8, 46),
        "SYSTEM_B": (252, 356, 19, 47),
        "SYSTEM_WIN_10_1709": (290, 393, 21, 54),
    }


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
NAME = st.sampled_from(["Type", "Start", "ImagePath", "DisplayName", "ObjectName", "LaunchProtected", "DeleteFlag", ""])
KEY = st.sampled_from(["", "\\Parameters", "\\Instances", "\\Instances\\x"])


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(KEY, st.dictionaries(NAME | st.sampled_from(["ServiceDll", "Altitude", "DefaultInstance"]), VALUE))
)
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    tree = {rf"HKLM\SYSTEM\ControlSet001\Services\x{name}": values for name, values in keys.items()}
    run("services", windows_host(registry_in_memory(tree, files), files, r"C:\Windows", root="/nonexistent"))


def test_programs_say_who_made_them(windows_tree: WindowsTree) -> None:
    made = executable(
        {ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductVersion": "12.1"}}, [("Kaspersky Lab", "K")]
    )
    places = {
        "agent": r"C:\Program Files\Agent\agent.exe",
        "hosted": r"C:\Program Files\Agent\hosted.dll",
        "klif": r"C:\Windows\System32\drivers\klif.sys",
    }
    for path in places.values():
        windows_tree.write(path, made)
    windows_tree.write(r"C:\Windows\System32\svchost.exe")
    windows_tree.key(rf"{SERVICES}\agent", {"Type": 16, "ImagePath": places["agent"]})
    windows_tree.key(rf"{SERVICES}\hosted", {"Type": 32, "ImagePath": r"%SystemRoot%\System32\svchost.exe -k x"})
    windows_tree.key(rf"{SERVICES}\hosted\Parameters", {"ServiceDll": places["hosted"]})
    windows_tree.key(rf"{SERVICES}\klif", {"Type": 1})
    told = {item.name: (item.vendor, item.version, item.signer) for item in of(windows_tree).items}
    whole = ("AO Kaspersky Lab", "12.1", "Kaspersky Lab")
    assert told == {"agent": whole, "hosted": whole, "klif": whole}
    host = windows_tree.host()
    host.deep = True
    assert run("services", host).one("klif").signer == "Kaspersky Lab"


def test_a_registry_without_services_is_not_whole(windows_tree: WindowsTree) -> None:
    (problem,) = of(windows_tree).problems
    assert (problem.where, problem.cause) == (SERVICES, "missing")
    windows_tree.key(SERVICES)
    assert of(windows_tree).run.status == "ok"


def test_a_driver_in_the_folder_of_windows_may_be_another_makers(windows_tree: WindowsTree) -> None:
    """Its name says nothing, nor does its title, which may stand in any file."""
    texts = {ENGLISH: {"CompanyName": "AO Kaspersky Lab", "ProductName": "Core"}}
    made = executable(texts, [("AO Kaspersky Lab", "K")])
    windows_tree.write(r"C:\Windows\System32\drivers\hidflt.sys", made)
    windows_tree.write(r"C:\Windows\System32\hosted.dll", made)
    windows_tree.key(rf"{SERVICES}\hidflt", {"Type": 1, "Start": 1, "ImagePath": r"System32\drivers\hidflt.sys"})
    windows_tree.key(rf"{SERVICES}\hosted", {"Type": 32, "ImagePath": r"%SystemRoot%\System32\svchost.exe -k x"})
    windows_tree.key(rf"{SERVICES}\hosted\Parameters", {"ServiceDll": r"%SystemRoot%\System32\hosted.dll"})
    assert {(item.name, item.vendor) for item in of(windows_tree).items} == {
        ("hidflt", "AO Kaspersky Lab"),
        ("hosted", "AO Kaspersky Lab"),
    }
    windows_tree.keys = {
        path: {**values, "DisplayName": "@%SystemRoot%\\System32\\x.dll,-100"} if path.endswith("hidflt") else values
        for path, values in windows_tree.keys.items()
    }
    assert of(windows_tree).one("hidflt").vendor == "AO Kaspersky Lab"
