"""Proxies and proxy scripts."""

from pathlib import Path

from phaseout.parsers.windows.registry_values import Value

from tests.support.gvdb_writer import database
from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree
from tests.unit.parsers.windows.test_proxy_settings import winhttp, wininet

INTERNET = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
ADA = rf"HKU\{WindowsTree.ADA}\{INTERNET}"
MACHINE = rf"HKLM\{INTERNET}"
SCRIPT = "file:///C:/ProgramData/Kaspersky%20Lab/made/proxy.pac"
PREFERENCES = "/Library/Preferences/SystemConfiguration/preferences.plist"


def test_a_script_in_the_folder_of_a_vendor(windows_tree: WindowsTree) -> None:
    windows_tree.key(ADA, {"ProxyEnable": 0, "ProxyServer": "127.0.0.1:8080", "AutoConfigURL": SCRIPT})
    windows_tree.key(rf"{ADA}\Connections", {"DefaultConnectionSettings": wininet(5, "", SCRIPT), "x": "text"})
    result = run("proxies", windows_tree.host())
    (item,) = result.items
    assert (item.kind, item.user, item.state) == ("setting", "ada", "leftover")
    assert item.path == r"C:\ProgramData\Kaspersky Lab\made\proxy.pac"
    assert result.run.left_out == {"listed as another item": 1, "a setting": 1}


def test_secrets_are_not_kept(windows_tree: WindowsTree) -> None:
    values: dict[str, Value] = {"ProxyEnable": 1, "ProxyServer": "http=http://ada:pw@proxy:1;https=ada:pw@proxy:2"}
    windows_tree.key(ADA, {**values, "AutoConfigURL": "http://ada:pw@wpad/x.pac?token=1"})
    assert run("proxies", windows_tree.host()).names() == ["http://wpad/x.pac", "http=http://proxy:1;proxy:2"]


def test_the_services_of_windows_and_a_damaged_record(windows_tree: WindowsTree) -> None:
    records = {"WinHttpSettings": winhttp(3, "127.0.0.1:8080"), "VPN": wininet(2, "p:1")[:-40]}
    windows_tree.key(rf"{MACHINE}\Connections", records)
    result = run("proxies", windows_tree.host())
    assert (result.names(), [one.cause for one in result.problems]) == (["127.0.0.1:8080"], ["damaged"])
    assert result.items[0].state == "installed"


def test_a_mac(mac_tree: MacTree) -> None:
    script = {
        "ProxyAutoConfigEnable": 1,
        "ProxyAutoConfigURLString": "file:///Library/Application%20Support/Made/a.pac",
    }
    on = {"HTTPEnable": 1, "HTTPProxy": "127.0.0.1", "HTTPPort": 8080, "SOCKSEnable": 0, "SOCKSProxy": "x"}
    services = {"1": {"Proxies": {**script, **on}}, "2": {"Proxies": {"ProxyAutoConfigEnable": 0}}, "3": {}, "4": "x"}
    mac_tree.plist(PREFERENCES, {"NetworkServices": services})
    result = run("proxies", mac_tree.host())
    named = [(item.name, item.path, item.state) for item in result.items]
    path = "/Library/Application Support/Made/a.pac"
    assert named == [(script["ProxyAutoConfigURLString"], path, "leftover"), ("http=127.0.0.1:8080", "", "installed")]
    assert result.run.left_out == {"a setting": 3}


def test_a_real_layout(mac_tree: MacTree, corpora: Path) -> None:
    mac_tree.copy(PREFERENCES, corpora / "residues" / "macos" / "preferences.plist")
    assert run("proxies", mac_tree.host()).items


PAC = "file:///opt/kaspersky/made/proxy.pac"


def test_variables_of_machine_and_users(tree: Tree) -> None:
    tree.write("/etc/environment", 'https_proxy="http://ada:pw@127.0.0.1:3128"\nHTTP_PROXY=http://proxy:1\n')
    tree.write("/etc/profile.d/x.sh", "export http_proxy=http://proxy:1\n")
    tree.write("/home/ada/.bashrc", "# all_proxy=http://off:1\nexport ALL_PROXY=socks5://127.0.0.1:1080\n")
    tree.write("/home/ada/.config/environment.d/p.conf", "FTP_PROXY=http://ftp:1\n")
    result = run("proxies", tree.host())
    assert sorted((item.user, item.name) for item in result.items) == [
        ("", "http://127.0.0.1:3128"),
        ("", "http://proxy:1"),
        ("ada", "http://ftp:1"),
        ("ada", "socks5://127.0.0.1:1080"),
    ]
    assert result.run.left_out == {"listed as another item": 1}


def test_package_managers(tree: Tree) -> None:
    off = '// Acquire::http::Proxy "http://off:1";\n'
    tree.write("/etc/apt/apt.conf.d/95proxies", off + 'Acquire::http::Proxy "http://a:3142";\nAcquire::Retries 3;\n')
    tree.write("/etc/apt/apt.conf", 'Acquire { http { Proxy "http://b:1/"; }; };\n')
    tree.write("/etc/dnf/dnf.conf", "[main]\n#proxy=http://off:2\nproxy=http://ada:pw@c:1\nproxy_username=x\n")
    assert run("proxies", tree.host()).names() == ["http://a:3142", "http://b:1/", "http://c:1"]


def test_desktops(tree: Tree) -> None:
    script = f"[system/proxy]\nmode='auto'\nautoconfig-url='{PAC}'\n"
    tree.write("/etc/dconf/db/local.d/00-proxy", f"{script}[system/proxy/http]\nhost='unused'\nport=1\n")
    schema = "[org.gnome.system.proxy]\nmode='manual'\n[org.gnome.system.proxy.https:GNOME]\nhost='p'\nport=8080\n"
    tree.write("/usr/share/glib-2.0/schemas/90_x.gschema.override", schema)
    tree.write("/home/ada/.config/kioslaverc", "[Proxy Settings]\nProxyType=1\nhttpProxy=http://k 3128\n")
    tree.write("/etc/xdg/kioslaverc", f"[Proxy Settings]\nProxyType=0\nProxy Config Script={PAC}\n")
    found = {item.name: item for item in run("proxies", tree.host()).items}
    assert set(found) == {PAC, "https=p:8080", "http=http://k:3128"}
    assert (found[PAC].path, found[PAC].state) == ("/opt/kaspersky/made/proxy.pac", "leftover")


def test_a_fresh_system_sets_none(tree: Tree) -> None:
    tree.write("/etc/environment", 'PATH="/usr/bin"\n')
    tree.write("/etc/apt/apt.conf.d/01autoremove", 'APT { NeverAutoRemove { "^firmware-linux.*"; }; };\n')
    tree.write("/home/ada/.config/kioslaverc", "[Proxy Settings]\nProxyType=4\n")
    assert run("proxies", tree.host()).items == ()


def test_what_a_user_sets_in_the_desktop(tree: Tree) -> None:
    path = "/home/ada/.config/dconf/user"
    tree.write(
        path, database({"/system/proxy/mode": "auto", "/system/proxy/autoconfig-url": "http://acme.example/a.pac"})
    )
    manual: dict[str, str | int | bool] = {
        "/system/proxy/mode": "manual",
        "/system/proxy/http/host": "10.0.0.1",
        "/system/proxy/http/port": 3128,
    }
    tree.write("/etc/dconf/db/local", database(manual))
    tree.write("/etc/dconf/db/site", database({"/org/gnome/name": "x"}))
    found = {
        (item.user, item.name, *(one.where for one in item.evidence)) for item in run("proxies", tree.host()).items
    }
    assert found == {("ada", "http://acme.example/a.pac", path), ("", "http=10.0.0.1:3128", "/etc/dconf/db/local")}


def test_a_damaged_database_of_a_desktop(tree: Tree) -> None:
    tree.write("/home/ada/.config/dconf/user", b"GVariant")
    (problem,) = run("proxies", tree.host()).problems
    assert problem.where == "/home/ada/.config/dconf/user"


def test_environments_of_services(tree: Tree) -> None:
    folder = "/etc/systemd/system"
    tree.write(
        f"{folder}/docker.service.d/proxy.conf",
        '[Service]\nEnvironment="HTTP_PROXY=http://127.0.0.1:1" \\\n "NO_PROXY=localhost"\n',
    )
    tree.write(f"{folder}/own.service", "[Service]\n# Environment=HTTP_PROXY=http://not:1\nExecStart=/x\n")
    tree.write("/etc/systemd/system.conf", "[Manager]\nDefaultEnvironment=https_proxy=http://127.0.0.1:2 A=b\n")
    tree.write("/home/ada/.config/systemd/user/x.service", "[Service]\nEnvironment=ALL_PROXY=socks5://127.0.0.1:3\n")
    assert {(item.user, item.name) for item in run("proxies", tree.host()).items} == {
        ("", "http://127.0.0.1:1"),
        ("", "http://127.0.0.1:2"),
        ("ada", "socks5://127.0.0.1:3"),
    }
