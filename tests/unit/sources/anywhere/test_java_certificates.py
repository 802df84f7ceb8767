"""Certificates that Java trusts."""

from pathlib import Path

from tests.support.certificates import ROOT, x509
from tests.support.harness import run
from tests.support.trees import MacTree, Tree, WindowsTree
from tests.unit.parsers.encodings.test_java_keystore import OURS, jks, trusted

JAVA = "/usr/lib/jvm/java-17"


def test_what_was_added_and_not_what_the_maker_put_there(tree: Tree) -> None:
    tree.write(f"{JAVA}/lib/security/cacerts", jks(trusted("kaspersky root"), trusted("isrg [jdk]", x509("ISRG"))))
    result = run("java_certificates", tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.path) == ("certificate", ROOT, f"{JAVA}/lib/security/cacerts")
    assert item.evidence[0].what == f"Java kaspersky root: {ROOT}"
    assert result.run.left_out == {"part of another item": 1}


def test_one_store_behind_many_links_is_read_once(tree: Tree) -> None:
    tree.write("/etc/ssl/certs/java/cacerts", jks(trusted("a")))
    for name in ("java-11", "java-17"):
        tree.link(f"/usr/lib/jvm/{name}/lib/security/cacerts", "/etc/ssl/certs/java/cacerts")
    result = run("java_certificates", tree.host())
    assert (len(result.items), len(result.items[0].evidence)) == (1, 1)


def test_a_mac(mac_tree: MacTree) -> None:
    mac_tree.write("/Library/Java/JavaVirtualMachines/x.jdk/Contents/Home/lib/security/jssecacerts", jks(trusted("a")))
    assert run("java_certificates", mac_tree.host()).names() == [ROOT]


def test_windows(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Program Files\Java\jdk-21\lib\security\cacerts", jks(trusted("a")))
    windows_tree.write(r"C:\Users\ada\.jdks\temurin-17\lib\security\cacerts", jks(trusted("a")))
    assert {item.user for item in run("java_certificates", windows_tree.host()).items} == {"", "ada"}


def test_what_cannot_be_read_is_said(tree: Tree, corpora: Path) -> None:
    tree.copy(f"{JAVA}/lib/security/cacerts", corpora / "residues" / "java" / "cacerts-p12-changeit")
    tree.write("/usr/lib/jvm/java-8/jre/lib/security/cacerts", jks(trusted("a"))[:-40] + OURS[:1])
    result = run("java_certificates", tree.host())
    assert sorted(one.cause for one in result.problems) == ["damaged", "unsupported"]
    assert any("keytool -list" in one.remedy for one in result.problems)
