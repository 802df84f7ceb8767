"""Lists of RPM packages in images without a database."""

from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.host import Host

from tests.support.harness import run
from tests.support.trees import Tree

LINE = "kesl\t12.1.0-1543\t1653816591\t1653753130\tAO Kaspersky Lab\t(none)\t580\tx86_64\t{epoch}\tkesl.src.rpm\n"
MANIFEST = "/var/lib/rpmmanifest/container-manifest-2"


def test_a_line_is_a_package(tree: Tree) -> None:
    tree.write(MANIFEST, LINE.format(epoch="0") + LINE.format(epoch="2") + "gpg-pubkey\tx\nshort\tline\n")
    result = run("rpm_manifest", tree.host())
    assert [item.version for item in result.items] == ["12.1.0-1543", "2:12.1.0-1543"]
    assert result.items[0].vendor == "AO Kaspersky Lab"
    assert result.items[0].details["installed"] == "2022-05-29T09:29:51Z"
    assert result.run.left_out == {"a public key": 1, "damaged": 1}


def test_the_plain_list_where_there_is_no_other(tree: Tree) -> None:
    tree.write("/var/lib/rpmmanifest/container-manifest-1", "kesl-12.1.0-1543.x86_64\n")
    (item,) = run("rpm_manifest", tree.host()).items
    assert (item.name, item.version, item.details["arch"]) == ("kesl", "12.1.0-1543", "x86_64")


def test_a_real_capture(corpora: Path, as_host: Callable[[Path], Host]) -> None:
    root = corpora / "captures" / "azure-rpmmanifest"
    if not root.is_dir():
        pytest.skip(f"not here: {root}")
    result = run("rpm_manifest", as_host(root))
    assert result.one("glibc").vendor == "Microsoft Corporation"
    assert result.run.status == "ok"
