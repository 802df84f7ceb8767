"""Package URLs of a distribution's packages, with the namespace that the specification asks for."""

import pytest
from phaseout.sources.kit.system_purl import system_purl

from tests.support.harness import run
from tests.support.trees import Tree

packageurl = pytest.importorskip("packageurl")


@pytest.mark.parametrize(
    ("os_release", "kind", "url"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "deb", "pkg:deb/debian/x@1%2B2?arch=amd64&distro=debian-12&epoch=1"),
        ("ID=alpine\nVERSION_ID=3.19.1\n", "apk", "pkg:apk/alpine/x@1%2B2?arch=amd64&distro=alpine-3.19.1&epoch=1"),
        ("ID=fedora\nVERSION_ID=40\n", "rpm", "pkg:rpm/fedora/x@1%2B2?arch=amd64&distro=fedora-40&epoch=1"),
        ('ID="rhel"\nVERSION_ID="9.4"\n', "rpm", "pkg:rpm/redhat/x@1%2B2?arch=amd64&distro=rhel-9.4&epoch=1"),
        ('ID="opensuse-leap"\n', "rpm", "pkg:rpm/opensuse/x@1%2B2?arch=amd64&distro=opensuse-leap&epoch=1"),
        ("ID=arch\n", "alpm", "pkg:alpm/arch/x@1%2B2?arch=amd64&distro=arch&epoch=1"),
        ("NAME=Odd\n", "deb", "pkg:deb/x@1%2B2?arch=amd64&epoch=1"),
        ("", "deb", "pkg:deb/x@1%2B2?arch=amd64&epoch=1"),
    ],
)
def test_namespace_and_distribution(tree: Tree, os_release: str, kind: str, url: str) -> None:
    tree.write("/etc/os-release", os_release)
    made = system_purl(tree.host(), kind, "x", "1+2", arch="amd64", epoch="1")
    assert made == url
    assert packageurl.PackageURL.from_string(made).to_string() == made


def test_a_source_uses_it(tree: Tree) -> None:
    tree.write("/etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n")
    tree.write("/lib/apk/db/installed", "P:musl\nV:1.2.4-r4\nA:x86_64\n\n")
    assert run("apk", tree.host()).one("musl").ids == {
        "purl": "pkg:apk/alpine/musl@1.2.4-r4?arch=x86_64&distro=alpine-3.19.1"
    }
