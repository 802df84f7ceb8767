"""Proxies of single browsers."""

from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree

PAC = "file:///opt/kaspersky/made/proxy.pac"
MODE = '"ProxyMode": "pac_script", "ProxyPacUrl"'


def test_policies_and_profiles_of_linux(tree: Tree) -> None:
    tree.write("/etc/opt/chrome/policies/managed/p.json", f'{{{MODE}: "{PAC}"}}')
    tree.write("/etc/opt/chrome/policies/managed/q.json", "{")
    tree.write("/etc/firefox/policies/policies.json", '{"policies": {"Proxy": {"Mode": "manual", "HTTPProxy": "a:1"}}}')
    profile = '{"proxy": {"mode": "fixed_servers", "server": "http://ada:pw@b:2"}}'
    tree.write("/home/ada/.config/google-chrome/Default/Preferences", profile)
    tree.write("/home/ada/.config/google-chrome/Profile 1/Preferences", "{}")
    tree.write(
        "/home/ada/.mozilla/firefox/x/prefs.js",
        'user_pref("network.proxy.type", 1);\nuser_pref("network.proxy.socks", "c");\n',
    )
    result = run("browser_proxies", tree.host())
    found = {item.name: item for item in result.items}
    assert {name: item.user for name, item in found.items()} == {
        PAC: "",
        "http=a:1": "",
        "http://b:2": "ada",
        "socks=c:": "ada",
    }
    assert (found[PAC].path, found[PAC].state, found[PAC].details["type"]) == (
        "/opt/kaspersky/made/proxy.pac",
        "leftover",
        "proxy script",
    )
    assert [one.cause for one in result.problems] == ["damaged"]


def test_keys_of_windows(windows_tree: WindowsTree) -> None:
    script = "file:///C:/ProgramData/Kaspersky%20Lab/made/proxy.pac"
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Google\Chrome", {"ProxyMode": "pac_script", "ProxyPacUrl": script})
    edge = rf"HKU\{WindowsTree.ADA}\Software\Policies\Microsoft\Edge"
    windows_tree.key(edge, {"ProxySettings": '{"ProxyMode": "fixed_servers", "ProxyServer": "127.0.0.1:1"}'})
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Chromium", {"ProxySettings": "{"})
    firefox = {"Mode": "autoConfig", "AutoConfigURL": "http://wpad/x.pac"}
    windows_tree.key(r"HKLM\SOFTWARE\Policies\Mozilla\Firefox\Proxy", firefox)
    result = run("browser_proxies", windows_tree.host())
    assert {(item.name, item.user, item.path) for item in result.items} == {
        (script, "", r"C:\ProgramData\Kaspersky Lab\made\proxy.pac"),
        ("127.0.0.1:1", "ada", ""),
        ("http://wpad/x.pac", "", ""),
    }
    assert [one.cause for one in result.problems] == ["damaged"]


def test_managed_preferences_of_macos(mac_tree: MacTree) -> None:
    policies = {"ProxyMode": "fixed_servers", "ProxyServer": "p:1"}
    mac_tree.plist("/Library/Managed Preferences/com.google.Chrome.plist", policies)
    mac_tree.plist("/Library/Preferences/org.mozilla.firefox.plist", {"Proxy": {"Mode": "manual", "SSLProxy": "q:1"}})
    assert run("browser_proxies", mac_tree.host()).names() == ["p:1", "ssl=q:1"]


def test_what_an_administrator_sets_for_all_profiles_of_firefox(tree: Tree, windows_tree: WindowsTree) -> None:
    lock = (
        "// the first line is not read\nlockPref('network.proxy.type', 2);\nlockPref('network.proxy.autoconfig_url', '"
    )
    shifted = bytes((one + 13) % 256 for one in f"{lock}http://wpad/x.pac');\n".encode())
    tree.write("/usr/lib/firefox/defaults/pref/autoconfig.js", 'pref("general.config.filename", "firefox.cfg");\n')
    tree.write("/usr/lib/firefox/firefox.cfg", shifted)
    tree.write("/usr/lib/firefox/defaults/pref/channel-prefs.js", 'pref("app.update.channel", "release");\n')
    result = run("browser_proxies", tree.host())
    assert [(item.name, item.user) for item in result.items] == [("http://wpad/x.pac", "")]
    program = "C:/Program Files/Mozilla Firefox"
    names = 'pref("general.config.filename", "mozilla.cfg");\npref("general.config.obscure_value", 0);\n'
    windows_tree.write(f"{program}/defaults/pref/a.js", names)
    windows_tree.write(f"{program}/mozilla.cfg", f"{lock}{PAC}');\n")
    windows_tree.write(
        f"{program}/distribution/policies.json", '{"policies": {"Proxy": {"Mode": "manual", "HTTPProxy": "a:1"}}}'
    )
    assert run("browser_proxies", windows_tree.host()).names() == [PAC, "http=a:1"]
