"""Names in the hosts file, and rules of name resolution."""

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

CACHE = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters"


def test_names_that_lead_anywhere(tree: Tree) -> None:
    tree.write(
        "/etc/hosts",
        "\ufeff127.0.0.1 localhost\n# a comment\n\n192.0.2.7 dnl-01.geo.Kaspersky.com. alias # why\n"
        "0.0.0.0 ads.example.com\n::1 kaspersky.com\nfe80::1%lo0 localhost.localdomain\n"
        "192.0.2.8 dnl-01.geo.kaspersky.com\n",
    )
    result = run("name_resolution", tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.path) == ("setting", "dnl-01.geo.kaspersky.com", "/etc/hosts")
    assert (item.evidence[0].where, item.evidence[0].what) == ("/etc/hosts, line 4", "192.0.2.7")
    assert result.run.left_out == {"a setting": 5, "a comment": 1, "listed as another item": 1}


def test_a_flood_of_names_is_no_silent_end(tree: Tree) -> None:
    tree.write("/etc/hosts", "".join(f"192.0.2.7 host{number}.example\n" for number in range(2_001)))
    result = run("name_resolution", tree.host())
    assert (len(result.items), [one.cause for one in result.problems]) == (2_000, ["limit"])


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        rf"{CACHE}\DnsPolicyConfig\{{1}}", {"Name": (".",), "GenericDNSServers": "127.0.0.1", "Comment": "x"}
    )
    windows_tree.key(rf"{CACHE}\DohWellKnownServers\192.0.2.53", {"Template": "https://dns.example.org/dns-query"})
    windows_tree.write(r"C:\Windows\System32\drivers\etc\hosts", "192.0.2.7 activation.kaspersky.com\r\n")
    result = run("name_resolution", windows_tree.host())
    assert result.names() == ["activation.kaspersky.com", "dns.example.org", "{1}"]
    assert result.one("{1}").evidence[0].what == "Name: ., GenericDNSServers: 127.0.0.1"


def test_a_hosts_file_elsewhere(windows_tree: WindowsTree) -> None:
    windows_tree.key(
        r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", {"DataBasePath": r"%SystemRoot%\moved"}
    )
    windows_tree.write(r"C:\Windows\moved\hosts", "192.0.2.7 a.example\n")
    windows_tree.write(r"C:\Windows\System32\drivers\etc\hosts", "192.0.2.7 b.example\n")
    assert run("name_resolution", windows_tree.host()).names() == ["a.example"]
