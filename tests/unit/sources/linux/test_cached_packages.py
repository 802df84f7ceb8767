"""Package files that package managers keep."""

from tests.support.harness import run
from tests.support.trees import Tree

ARCHIVES = "/var/cache/apt/archives"


def test_files_of_packages_that_are_not_installed(tree: Tree) -> None:
    for name in ("kesl_12.1.0-1543_amd64.deb", "bash_5.2-1_amd64.deb", "x_1%3a2_all.deb", "odd.deb", "lock"):
        tree.write(f"{ARCHIVES}/{name}")
    tree.folder(f"{ARCHIVES}/partial")
    tree.write("/var/lib/dpkg/info/bash:amd64.list")
    tree.write("/var/cache/dnf/updates-1/packages/klnagent64-15.1.0-20.x86_64.rpm")
    tree.write("/var/cache/dnf/updates-1/repodata/x.xml")
    result = run("cached_packages", tree.host())
    found = [(item.kind, item.name, item.version, item.state) for item in result.items]
    assert found == [
        ("package", "kesl", "12.1.0-1543", "leftover"),
        ("package", "klnagent64", "15.1.0-20", "leftover"),
        ("package", "x", "1:2", "leftover"),
    ]
    assert result.run.left_out == {"listed as another item": 1, "not a package": 2}
    assert result.items[0].details["arch"] == "amd64"


def test_absent(tree: Tree) -> None:
    assert run("cached_packages", tree.host()).run.rows == 0


def test_packages_that_people_fetched(tree: Tree) -> None:
    for path in (
        "/root/kesl_12.1.0-1543_amd64.deb",
        "/home/ada/Téléchargements/klnagent64_15.1_amd64.deb",
        "/tmp/kess-3.3.0-1.x86_64.rpm",
        "/opt/installers/kics-2.0-1.x86_64.rpm",
    ):
        tree.write(path)
    tree.write("/home/ada/notes.deb", "")
    result = run("cached_packages", tree.host())
    assert {(item.name, item.user) for item in result.items} == {
        ("kesl", "root"),
        ("klnagent64", "ada"),
        ("kess", ""),
        ("kics", ""),
    }
    assert {item.details["type"] for item in result.items} == {"package file"}
    assert result.run.left_out == {"not a package": 1}


def test_installers_that_bear_a_version(tree: Tree) -> None:
    for name in ("klnagent64_15.1.0-20748_amd64.sh", "kesl-12.1.0.tar.gz", "backup.sh", "photos-2024.tar.gz"):
        tree.write(f"/root/{name}", "x")
    items = run("cached_packages", tree.host()).items
    assert [(item.name, item.version) for item in items] == [("kesl", "12.1.0"), ("klnagent64", "15.1.0-20748_amd64")]
