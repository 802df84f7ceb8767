"""Kernel modules: loaded, on disk, and known to DKMS."""

from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import HostInfo, Problem

from tests.support.harness import run
from tests.support.trees import Tree
from tests.unit.parsers.linux.test_modinfo import module


def test_loaded_modules(tree: Tree) -> None:
    tree.write(
        "/proc/modules",
        "kl_flt 49152 2 - Live 0x0000000000000000 (OE)\nnf_nat 57344 1 nft_nat, Live 0x0000000000000000\nbad\n",
    )
    tree.write("/sys/module/kl_flt/version", "12.1\n")
    tree.write("/sys/module/nf_nat/version", "not asked for\n")
    assert run("kernel_modules", tree.host()).items == ()
    result = run("kernel_modules", Host(HostInfo(name="live", platform="linux"), PosixFiles(str(tree.root))))
    item = result.one("kl_flt")
    assert (item.kind, item.state, item.version, item.details) == (
        "driver",
        "running",
        "12.1",
        {"size": "49152", "taint": "OE"},
    )
    assert (result.one("nf_nat").version, result.one("nf_nat").details["used_by"]) == ("", "nft_nat")
    assert result.problems == (Problem("/proc/modules:3", "not a line of this file", "damaged"),)
    assert result.run.left_out == {"damaged": 1}


def test_modules_on_disk(tree: Tree) -> None:
    tree.link("/lib", "usr/lib")
    top = "/usr/lib/modules/6.1.0-18-amd64"
    info = b"version=12.1\0author=Kaspersky Lab <a@b>\0description=File filter\0license=GPL\0"
    tree.write(f"{top}/extra/kaspersky/kl-flt.ko", module(info))
    tree.write(f"{top}/updates/dkms/packed.ko.xz", b"xz")
    tree.write(f"{top}/kernel/fs/ext4.ko", module(info))
    tree.link("/usr/lib/modules/6.1.0-19-amd64/weak-updates/kl-flt.ko", f"{top}/extra/kaspersky/kl-flt.ko")
    tree.link("/usr/lib/modules/6.1.0-19-amd64/weak-updates/lost.ko", f"{top}/extra/lost.ko")
    tree.write(f"{top}/extra/README")
    result = run("kernel_modules", tree.host())
    assert [(item.name, item.state, item.vendor, item.version, item.path) for item in result.items] == [
        (
            "kl_flt",
            "installed",
            "Kaspersky Lab",
            "12.1",
            "/lib/modules/6.1.0-18-amd64/extra/kaspersky/kl-flt.ko",
        ),
        ("kl_flt", "installed", "Kaspersky Lab", "12.1", "/lib/modules/6.1.0-19-amd64/weak-updates/kl-flt.ko"),
        ("lost", "leftover", "", "", "/lib/modules/6.1.0-19-amd64/weak-updates/lost.ko"),
        ("packed", "installed", "", "", "/lib/modules/6.1.0-18-amd64/updates/dkms/packed.ko.xz"),
    ]
    assert result.items[0].details == {"kernel": "6.1.0-18-amd64", "description": "File filter", "license": "GPL"}
    assert result.run.left_out == {"not a kernel module": 1}


def test_dkms(tree: Tree) -> None:
    tree.link("/var/lib/dkms/kav/2.0/source", "/usr/src/kav-2.0")
    tree.folder("/var/lib/dkms/kav/2.0/6.1.0-18-amd64/x86_64/module")
    tree.folder("/var/lib/dkms/kav/2.0/build")
    tree.link("/var/lib/dkms/old/1.0/source", "/usr/src/old-1.0")
    tree.folder("/var/lib/dkms/empty")
    tree.write("/var/lib/dkms/dkms_dbversion", "2.0.0")
    tree.write("/usr/src/kav-2.0/dkms.conf", 'PACKAGE_NAME="kav"\nPACKAGE_VERSION="2.0"\nAUTOINSTALL=yes\n')
    tree.write("/usr/src/bare-3.1/dkms.conf", "# nothing\n")
    tree.folder("/usr/src/linux-headers-6.1.0-18-amd64")
    result = run("kernel_modules", tree.host())
    assert {(item.name, item.version, item.state, item.path) for item in result.items} == {
        ("kav", "2.0", "installed", "/var/lib/dkms/kav/2.0"),
        ("old", "1.0", "leftover", "/var/lib/dkms/old/1.0"),
        ("empty", "", "leftover", "/var/lib/dkms/empty"),
        ("kav", "2.0", "installed", "/usr/src/kav-2.0"),
        ("bare", "3.1", "installed", "/usr/src/bare-3.1"),
    }
    (registered,) = (item for item in result.items if item.path == "/var/lib/dkms/kav/2.0")
    assert registered.details["kernels"] == "6.1.0-18-amd64"


def test_hostile_modules_cost_nothing_but_themselves(tree: Tree) -> None:
    top = "/lib/modules/6.1/extra"
    tree.write(f"{top}/a.ko", b"\x7fELF" + bytes(range(256)) * 9)
    tree.write(f"{top}/b.ko", b"")
    tree.write(f"{top}/c.ko", module(b"version=\xff\xfe\0author=\xd0\x9a\0"))
    tree.fifo(f"{top}/d.ko")
    tree.link(f"{top}/loop", ".")
    tree.write("/usr/src/x-1/dkms.conf", bytes(range(256)) * 9)
    result = run("kernel_modules", tree.host())
    assert result.names() == ["a", "b", "c", "d", "x"]
    assert (result.one("c").version, result.one("c").vendor) == ("\\xff\\xfe", "К")
    assert [problem.where for problem in result.problems] == [f"{top}/d.ko"]
