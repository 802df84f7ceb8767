"""Security Center and the exclusions of Defender."""

from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Evidence
from phaseout.parsers.windows.registry_values import Value

from tests.support.harness import run
from tests.support.trees import WindowsTree

CENTER = r"HKLM\SOFTWARE\Microsoft\Security Center"
EXCLUSIONS = r"HKLM\SOFTWARE\Microsoft\Windows Defender\Exclusions"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Exclusions"
CLSID = "{86367591-4BE4-AE08-2FD9-7FCB8259CD98}"


def test_a_whole_product(windows_tree: WindowsTree) -> None:
    program = r"C:\Program Files (x86)\Kaspersky Lab\Kaspersky 21.3\wmiav.exe"
    windows_tree.write(program)
    windows_tree.key(
        rf"{CENTER}\Provider\Av\{CLSID}",
        {
            "DISPLAYNAME": "Kaspersky Anti-Virus",
            "GUID": CLSID.lower(),
            "PRODUCTEXE": rf'"{program}" /show',
            "REPORTINGEXE": program,
            "STATE": 0x41010,
        },
    )
    (item,) = run("security_products", windows_tree.host()).items
    assert (item.kind, item.name, item.state, item.path) == (
        "security_product", "Kaspersky Anti-Virus", "installed", program,
    )  # fmt: skip
    assert item.ids == {"clsid": CLSID}
    assert item.details == {
        "type": "antivirus",
        "reporting": program,
        "enabled": "yes",
        "up_to_date": "no",
        "state": "0x41010",
    }
    assert item.evidence == (
        Evidence(
            rf"{CENTER}\Provider\Av\{CLSID}", rf'DISPLAYNAME: Kaspersky Anti-Virus, PRODUCTEXE: "{program}" /show'
        ),
    )


def test_what_is_missing_or_gone(windows_tree: WindowsTree) -> None:
    windows_tree.key(rf"{CENTER}\Provider\Av\{CLSID}", {"PRODUCTEXE": r"C:\gone\a.exe", "STATE": 0x62100})
    windows_tree.key(rf"{CENTER}\Provider\As\no guid", {"REPORTINGEXE": "windowsdefender://", "STATE": b"\1"})
    windows_tree.key(rf"{CENTER}\Provider\Fw\{CLSID}", {"DISPLAYNAME": "Фаервол", "STATE": 0x40000})
    result = run("security_products", windows_tree.host())
    assert {item.name: (item.details["type"], item.state, item.details.get("enabled")) for item in result.items} == {
        CLSID: ("antivirus", "leftover", "snoozed"),
        "no guid": ("antispyware", "installed", None),
        "Фаервол": ("firewall", "installed", "no"),
    }


def test_names_that_windows_xp_lists_are_no_products(windows_tree: WindowsTree) -> None:
    for name in ("AhnlabAntiVirus", "KasperskyAntiVirus", "SymantecAntiVirus"):
        windows_tree.key(rf"{CENTER}\Monitoring\{name}")
    windows_tree.key(rf"{CENTER}\Monitoring\SymantecAntiVirus", {"DisableMonitoring": 1})
    result = run("security_products", windows_tree.host())
    assert [(item.name, item.state) for item in result.items] == [("SymantecAntiVirus", "leftover")]
    assert result.run.left_out == {"part of the operating system": 2}


def test_exclusions_of_defender_are_hints(windows_tree: WindowsTree) -> None:
    windows_tree.folder(r"C:\Program Files (x86)\Kaspersky Lab")
    windows_tree.key(
        rf"{EXCLUSIONS}\Paths",
        {"C:\\Program Files (x86)\\Kaspersky Lab\\": 0, r"C:\Program Files\Gone": 0, r"D:\Data": 0, "": 0},
    )
    windows_tree.key(rf"{EXCLUSIONS}\Processes", {"avp.exe": 0, r"%ProgramFiles(x86)%\Kaspersky Lab\*\avp.exe": 0})
    windows_tree.key(rf"{POLICY}\Paths", {"1": r"C:\Program Files (x86)\Kaspersky Lab"})
    windows_tree.key(rf"{EXCLUSIONS}\Extensions", {".avp": 0})
    result = run("security_products", windows_tree.host())
    assert {(item.kind, item.state, item.details["hint"]) for item in result.items} == {
        ("file", "leftover", "excluded from Defender")
    }
    assert sorted((item.name, item.path) for item in result.items) == [
        ("Data", r"D:\Data"),
        ("Kaspersky Lab", r"C:\Program Files (x86)\Kaspersky Lab"),
        ("Kaspersky Lab", r"C:\Program Files (x86)\Kaspersky Lab"),
        ("avp.exe", ""),
        ("avp.exe", ""),
    ]
    assert result.run.left_out == {"names nothing that is there": 1, "an empty entry": 1}


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
KEY = st.sampled_from([rf"{CENTER}\Provider\Av\{CLSID}", rf"{CENTER}\Monitoring\x", rf"{EXCLUSIONS}\Paths"])
NAME = st.sampled_from(["DISPLAYNAME", "GUID", "PRODUCTEXE", "REPORTINGEXE", "STATE"]) | st.text(max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEY, st.dictionaries(NAME, VALUE)))
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    run("security_products", windows_host(registry_in_memory(keys, files), files, r"C:\Windows", root="/nonexistent"))
