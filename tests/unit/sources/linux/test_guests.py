"""Systems in folders of the system: each is opened, or named where it lies in an image."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.host import Host

from tests.support.harness import run
from tests.support.trees import Tree

STATUS = "Package: kesl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.1.0-1543\n\n"


@pytest.mark.parametrize(
    ("root", "name", "user"),
    [
        ("/var/lib/machines/web", "machine web", ""),
        ("/usr/local/lib/machines/web", "machine web", ""),
        ("/var/lib/lxc/web/rootfs", "LXC container web", ""),
        ("/home/ada/.local/share/lxc/web/rootfs", "LXC container web", "ada"),
        ("/var/snap/lxd/common/lxd/storage-pools/default/containers/web/rootfs", "LXD container web", ""),
        ("/var/lib/lxd/storage-pools/default/containers/web/rootfs", "LXD container web", ""),
        ("/var/lib/incus/storage-pools/fast/containers/web/rootfs", "Incus container web", ""),
        ("/srv/chroot/web", "chroot web", ""),
        ("/var/lib/portables/web", "portable service web", ""),
        ("/var/lib/extensions/web", "system extension web", ""),
        ("/etc/extensions/web.v/web_1.2", "system extension web_1.2", ""),
        ("/var/lib/confexts/web", "configuration extension web", ""),
    ],
)
def test_packages_of_every_kind_of_guest(tree: Tree, root: str, name: str, user: str) -> None:
    tree.write(f"{root}/var/lib/dpkg/status", STATUS)
    tree.write(f"{root}/etc/os-release", "ID=debian\n")
    result = run("guests", tree.host())
    item = result.one("kesl")
    assert (item.kind, item.version, item.user, item.details["inside"]) == ("package", "12.1.0-1543", user, name)
    assert result.run.status == "ok"


def test_a_system_extension_brings_units_and_folders(tree: Tree) -> None:
    top = "/var/lib/extensions/kesl"
    tree.write(f"{top}/usr/lib/extension-release.d/extension-release.kesl", "ID=debian\n")
    tree.write(f"{top}/usr/lib/systemd/system/kesl.service", "[Service]\nExecStart=/opt/kaspersky/kesl/bin/kesl\n")
    tree.write(f"{top}/opt/kaspersky/kesl/bin/kesl", "#!/bin/sh\n", 0o755)
    tree.write(f"{top}/usr/lib/dpkg/status", STATUS)
    result = run("guests", tree.host())
    found = {(item.kind, item.name, item.state) for item in result.items}
    assert {("package", "kesl", "installed"), ("service", "kesl.service", "installed")} <= found
    assert ("file", "kaspersky", "installed") in found


def test_where_the_settings_of_lxc_put_a_container(tree: Tree) -> None:
    tree.write("/etc/lxc/lxc.conf", "lxc.lxcpath = /srv/lxc\n")
    tree.write("/srv/lxc/moved/config", "lxc.rootfs.path = dir:/data/root\n")
    tree.write("/data/root/var/lib/dpkg/status", STATUS)
    tree.write("/srv/lxc/clone/config", "lxc.rootfs.path = overlay:/data/root:/srv/lxc/clone/delta\n")
    tree.write("/srv/lxc/clone/delta/etc/hostname", "clone\n")
    tree.write("/srv/lxc/far/config", "lxc.rootfs.path = zfs:tank/far\n")
    result = run("guests", tree.host())
    places = {item.details["inside"] for item in result.items if item.name == "kesl"}
    assert places == {"LXC container moved", "LXC container clone"}
    assert [(problem.where, problem.cause) for problem in result.problems] == [("/srv/lxc/far", "unsupported")]


def test_what_lies_in_an_image_or_a_pool_is_named(tree: Tree) -> None:
    named = {
        "/var/lib/machines/one.raw": "",
        "/var/lib/extensions/two.raw": "",
        "/srv/chroot/three.tar.xz": "",
        "/var/lib/incus/storage-pools/default/virtual-machines/four/root.img": "",
    }
    for path in named:
        tree.write(path)
    tree.link("/var/lib/incus/containers/five", "/var/lib/incus/storage-pools/zfs/containers/five")
    tree.write("/etc/schroot/chroot.d/six", "[six]\ntype=lvm-snapshot\ndevice=/dev/vg0/six\n[seven]\ntype=custom\n")
    result = run("guests", tree.host())
    assert {problem.cause for problem in result.problems} == {"unsupported"}
    assert all(problem.remedy for problem in result.problems)
    assert {problem.where for problem in result.problems} == {
        "/var/lib/machines/one.raw",
        "/var/lib/extensions/two.raw",
        "/srv/chroot/three.tar.xz",
        "/var/lib/incus/storage-pools/default/virtual-machines/four",
        "/var/lib/incus/containers/five",
        "/dev/vg0/six",
        "/etc/schroot/chroot.d/six: seven",
    }


INCUS = """
CREATE TABLE instances (id INTEGER, name TEXT, type INTEGER, project_id INTEGER);
CREATE TABLE projects (id INTEGER, name TEXT);
CREATE TABLE nodes (id INTEGER, name TEXT);
CREATE TABLE instances_devices (id INTEGER, instance_id INTEGER, name TEXT);
CREATE TABLE instances_devices_config (id INTEGER, instance_device_id INTEGER, key TEXT, value TEXT);
INSERT INTO projects VALUES (1, 'default'), (2, 'other');
INSERT INTO nodes VALUES (1, 'none');
INSERT INTO instances VALUES (1, 'here', 0, 1), (2, 'far', 0, 2);
INSERT INTO instances_devices VALUES (5, 2, 'root');
INSERT INTO instances_devices_config VALUES (1, 5, 'type', 'disk'), (2, 5, 'pool', 'tank');
"""


def test_an_instance_that_only_the_database_knows_is_named(tree: Tree) -> None:
    top = "/var/lib/incus"
    tree.write(f"{top}/storage-pools/default/containers/here/rootfs/var/lib/dpkg/status", STATUS)
    file = tree.write(f"{top}/database/global/db.bin")
    with sqlite3.connect(file) as database:
        database.executescript(INCUS)
    database.close()
    result = run("guests", tree.host())
    assert {item.name for item in result.items if item.kind == "app"} == {"here", "other_far"}
    assert [(one.where, one.why) for one in result.problems] == [
        (
            f"{top}/database/global/db.bin",
            'the files of Incus instance other_far are in pool "tank" that is not mounted, and not read',
        )
    ]


def test_the_pools_of_a_cluster_are_on_other_machines(tree: Tree) -> None:
    file = tree.write("/var/lib/incus/database/global/db.bin")
    with sqlite3.connect(file) as database:
        database.executescript(INCUS + "INSERT INTO nodes VALUES (2, 'second');")
    database.close()
    assert run("guests", tree.host()).problems == ()


def test_a_pool_that_is_not_mounted_is_named(tree: Tree) -> None:
    tree.folder("/var/snap/lxd/common/lxd/storage-pools/tank")
    tree.folder("/var/snap/lxd/common/lxd/storage-pools/default/containers")
    (problem,) = run("guests", tree.host()).problems
    assert problem.where == "/var/snap/lxd/common/lxd/storage-pools/tank"


def test_a_chroot_is_one_by_several_names(tree: Tree) -> None:
    tree.write("/srv/chroot/demo/var/lib/dpkg/status", STATUS)
    tree.write("/etc/schroot/schroot.conf", "[demo]\ntype=directory\ndirectory=/srv/chroot/demo\naliases=default\n")
    assert run("guests", tree.host()).one("kesl").details["inside"] == "chroot demo"


def test_an_empty_host_has_none(tree: Tree) -> None:
    assert (run("guests", tree.host()).items, run("guests", tree.host()).run.status) == ((), "ok")


@pytest.mark.parametrize("capture", ["incus-6.0", "lxc-6.0", "systemd-nspawn", "systemd-extensions"])
def test_real_captures(corpora: Path, as_host: Callable[[Path], Host], capture: str) -> None:
    root = corpora / "captures" / capture
    if not root.is_dir():
        pytest.skip(f"not here: {root}")
    result = run("guests", as_host(root))
    assert result.items or result.problems


def test_a_program_that_lies_by_itself(tree: Tree) -> None:
    tree.write("/var/lib/machines/web/etc/os-release", "ID=debian\n")
    tree.write(
        "/var/lib/machines/web/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5\n\n"
    )
    tree.write("/var/lib/machines/web/usr/bin/kesl", b"\x7fELF\x02\x01\x01" + bytes(100), 0o755)
    assert run("guests", tree.host()).one("kesl").kind == "program"
