"""Real traces of Kaspersky on Windows become the right products, whatever source shows them."""

import json
import re
from pathlib import Path

from phaseout.cli.rule_files import read_rules
from phaseout.model.nouns import Item
from phaseout.rules.matcher import Matcher

from tests.support.harness import run
from tests.support.trees import WindowsTree
from tests.unit.parsers.windows.test_shell_link import header, info

SOURCES = (
    *("uninstall", "msi_products", "appx_packages", "services", "scheduled_tasks"),
    *("autostart", "security_products", "vendor_keys"),
)
SERVICES = r"HKLM\SYSTEM\ControlSet001\Services"
CENTER = r"HKLM\SOFTWARE\Microsoft\Security Center\Provider\Av"
LAB = r"C:\Program Files (x86)\Kaspersky Lab"


def items_of(tree: WindowsTree) -> list[Item]:
    tree.key(r"HKLM\SYSTEM\Select", {"Current": 1})
    return [item for source in SOURCES for item in run(source, tree.host()).items]


def products(items: list[Item]) -> dict[str, set[tuple[str, str]]]:
    """Product → source and name of what shows it."""
    found: dict[str, set[tuple[str, str]]] = {}
    for hit in Matcher(read_rules()).match(items):
        item = items[hit.item]
        found.setdefault(hit.product.id, set()).add((item.source, item.name))
    return found


def test_lines_of_real_logs(windows_tree: WindowsTree, corpora: Path) -> None:
    excerpts = (corpora / "kaspersky" / "real_host_excerpts.jsonl").read_text().splitlines()
    lines = [line for excerpt in excerpts for line in json.loads(excerpt)["lines"]]
    registered = [found for line in lines if (found := re.fullmatch(r"AV: (.*?) [(*].*[)*] (\{.*\})", line))]
    running = [line for line in lines if line.startswith("C:\\")]
    assert (len(registered), len(running)) == (2, 1)
    for found in registered:
        windows_tree.key(rf"{CENTER}\{found[2]}", {"DISPLAYNAME": found[1], "GUID": found[2], "STATE": 0x41000})
    windows_tree.key(rf"{SERVICES}\AVP20.0", {"Type": 16, "Start": 2, "ImagePath": f'"{running[0]}" -r'})
    windows_tree.write(running[0])
    items = items_of(windows_tree)
    assert products(items) == {
        "kaspersky-home-windows": {
            ("security_products", "Kaspersky Anti-Virus"),
            ("security_products", "Kaspersky Internet Security"),
            ("services", "AVP20.0"),
        }
    }
    assert {item.state for item in items if item.source in {"services", "security_products"}} == {"installed"}


def test_an_endpoint_with_everything(windows_tree: WindowsTree, corpora: Path) -> None:
    records = (corpora / "kaspersky" / "real_records.jsonl").read_text().splitlines()
    record = json.loads(records[0])["record"]
    folder = record["FilePath"].rstrip("\\")
    agent = rf"{LAB}\NetworkAgent\klnagent.exe"
    for path in (rf"{folder}\avp.exe", agent, r"C:\Windows\System32\drivers\klif.sys"):
        windows_tree.write(path)
    packed = "EFA2107E79BDB8B459319EC8C0A3CA3E"
    windows_tree.key(
        rf"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products\{packed}\InstallProperties",
        {"DisplayName": record["DisplayName"], "DisplayVersion": record["ProdVersion"], "Publisher": "AO Kaspersky Lab",
         "InstallLocation": record["FilePath"]},
    )  # fmt: skip
    windows_tree.key(rf"{SERVICES}\AVP.KES.21.9", {"Type": 16, "Start": 2, "ImagePath": f'"{folder}\\avp.exe" -r'})
    windows_tree.key(rf"{SERVICES}\klnagent", {"Type": 16, "Start": 2, "ImagePath": f'"{agent}"'})
    windows_tree.key(
        rf"{SERVICES}\KLIF", {"Type": 2, "Start": 1, "ImagePath": r"\SystemRoot\System32\drivers\klif.sys"}
    )
    windows_tree.key(rf"{SERVICES}\KLIF\Instances", {"DefaultInstance": "KLIF"})
    windows_tree.key(rf"{SERVICES}\KLIF\Instances\KLIF", {"Altitude": "320510"})
    windows_tree.key(rf"{SERVICES}\klupd_KES-21-9_arkmon", {"Type": 1})
    windows_tree.key(rf"{CENTER}\{{B41C7598-35F6-4D89-7D0E-7ADE69B4047B}}", {"DISPLAYNAME": record["DisplayName"]})
    lab = r"HKLM\SOFTWARE\WOW6432Node\KasperskyLab"
    windows_tree.key(rf"{lab}\protected\KES11\settings")
    windows_tree.key(rf"{lab}\Components\34\1103\1.0.0.0")
    windows_tree.key(r"HKLM\SOFTWARE\Microsoft\Windows Defender\Exclusions\Paths", {LAB: 0})
    startup = r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs\Startup"
    windows_tree.write(rf"{startup}\Tray.lnk", header(2) + info(rf"{folder}\avp.exe"))
    packages = r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
    shell = "Kaspersky.ShellEx22_22.0.0.0_x64__8wekyb3d8bbwe"
    windows_tree.key(rf"HKU\{WindowsTree.ADA}_Classes\{packages}\{shell}")
    found = products(items_of(windows_tree))
    assert found == {
        "kaspersky-endpoint-security-windows": {
            ("msi_products", record["DisplayName"]),
            ("services", "AVP.KES.21.9"),
            ("services", "klupd_KES-21-9_arkmon"),
            ("security_products", record["DisplayName"]),
            ("vendor_keys", "KES11"),
            ("vendor_keys", "settings"),
            ("autostart", "Tray"),
        },
        "kaspersky-network-agent": {("services", "klnagent"), ("vendor_keys", "1103")},
        "kaspersky-drivers-windows": {("services", "KLIF")},
        "kaspersky-home-windows": {("appx_packages", "Kaspersky.ShellEx22")},
        "kaspersky-other": {
            *(("vendor_keys", name) for name in ("KasperskyLab", "Components", "34", "protected")),
            ("security_products", "Kaspersky Lab"),
        },
    }


def test_an_exclusion_rolled_out_to_all_is_no_trace(windows_tree: WindowsTree) -> None:
    """Neither is the name that Windows XP lists; an ordinary machine shows nothing."""
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Exclusions\Paths", {LAB: "0"})
    windows_tree.key(r"HKLM\SOFTWARE\Microsoft\Security Center\Monitoring\KasperskyAntiVirus")
    windows_tree.key(rf"{SERVICES}\KslD", {"Type": 1, "ImagePath": r"system32\drivers\wd\KslD.sys"})
    windows_tree.key(rf"{SERVICES}\AVP", {"Type": 16, "ImagePath": r"C:\Program Files\Audio Video Player\avp.exe"})
    windows_tree.key(r"HKLM\SOFTWARE\Contoso\Kaspersky migration")
    assert products(items_of(windows_tree)) == {}


RESIDUES = (
    "driver_filters",
    "filtering_platform",
    "loaded_libraries",
    "proxies",
    "network_settings",
    "certificate_stores",
)


def test_what_a_removal_leaves(windows_tree: WindowsTree, corpora: Path) -> None:
    """Nothing is installed any more, and everything that the system is still set to is named."""
    windows_tree.key(r"HKLM\SYSTEM\Select", {"Current": 1})
    for name in ("ndis", "wfp", "proxies", "firewall", "winsock", "systemcertificates"):
        windows_tree.export((corpora / "residues" / "windows" / f"{name}.reg").read_bytes())
    theirs = "S-1-5-21-1000-2000-3000-1001"
    windows_tree.keys = {path.replace(theirs, windows_tree.ADA): values for path, values in windows_tree.keys.items()}
    items = [item for source in RESIDUES for item in run(source, windows_tree.host()).items]
    found = {trace for traces in products(items).values() for trace in traces}
    assert found >= {
        ("driver_filters", "klim6"),
        ("driver_filters", "klkbdflt"),
        ("filtering_platform", "AVP99.9"),
        ("proxies", "file:///C:/ProgramData/Kaspersky%20Lab/made/proxy.pac"),
        ("network_settings", "klnagent.exe"),
        ("network_settings", "lsp.dll"),
        ("certificate_stores", "Kaspersky Anti-Virus Personal Root Certificate"),
    }
    # The addresses of proxies, a rule that has the word in its name, and a certificate of somebody else.
    others = {(item.source, item.name) for item in items} - found
    assert ("proxies", "127.0.0.1:8080") in others
    assert not any("example" in name.lower() for _, name in found)
