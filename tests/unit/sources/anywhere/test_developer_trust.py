"""Files of certificates that developers' tools trust."""

import pytest

from tests.support.certificates import ROOT, pem, x509
from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree

OURS = pem(x509(ROOT, "AO Kaspersky Lab"))
FILE = "/home/ada/certs/corp.pem"


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("/home/ada/.npmrc", f"//registry/:_authToken=secret\ncafile={FILE}\n", ".npmrc"),
        ("/home/ada/.gitconfig", "[http]\n\tsslCAInfo = ~/certs/corp.pem\n", ".gitconfig"),
        ("/home/ada/.config/pip/pip.conf", f"[global]\ncert = {FILE}\n", "pip.conf"),
        ("/home/ada/.curlrc", f'cacert "{FILE}"\n', ".curlrc"),
        ("/home/ada/.bashrc", 'export NODE_EXTRA_CA_CERTS="$HOME/certs/corp.pem"\n', "NODE_EXTRA_CA_CERTS"),
        ("/etc/environment", f"REQUESTS_CA_BUNDLE={FILE}\n", "REQUESTS_CA_BUNDLE"),
    ],
)
def test_a_file_of_any_name_with_a_certificate_of_a_vendor(tree: Tree, path: str, text: str, name: str) -> None:
    tree.write(path, text)
    (gone,) = run("developer_trust", tree.host()).items
    assert (gone.kind, gone.path, gone.state) == ("setting", FILE, "leftover")
    assert gone.details["type"] == f"trusted file of {name}"
    tree.write(FILE, OURS)
    certificate, setting = run("developer_trust", tree.host()).items
    assert (certificate.name, certificate.vendor, setting.state) == (ROOT, "AO Kaspersky Lab", "installed")
    assert "secret" not in repr((certificate, setting))


def test_the_bundle_of_the_system_is_ordinary(tree: Tree) -> None:
    tree.write("/home/ada/.npmrc", "cafile=/etc/ssl/certs/ca-certificates.crt\nstrict-ssl=true\ncertfile=/x\n")
    result = run("developer_trust", tree.host())
    assert (result.items, result.run.left_out) == ((), {"part of the operating system": 1})


def test_windows(windows_tree: WindowsTree) -> None:
    path = r"C:\ProgramData\Kaspersky Lab\made\root.pem"
    key = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
    windows_tree.key(key, {"NODE_EXTRA_CA_CERTS": path})
    windows_tree.key(rf"HKU\{windows_tree.ADA}\Environment", {"SSL_CERT_FILE": r"%USERPROFILE%\ca.pem"})
    windows_tree.write(r"C:\Users\ada\AppData\Roaming\pip\pip.ini", f"[global]\r\ncert = {path}\r\n")
    found = {(item.path, item.user) for item in run("developer_trust", windows_tree.host()).items}
    assert found == {(path, ""), (path, "ada"), (r"C:\Users\ada\ca.pem", "ada")}
