"""The main job with the real tools: packages really built, and installed into roots of the tests' own."""

import csv
import io
import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.host.opening import live_host
from phaseout.model.nouns import Item
from phaseout.rules.matcher import Matcher

from tests.support.command import phaseout
from tests.support.harness import run
from tests.support.places import CORPORA

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def rows(*arguments: str) -> list[dict[str, str]]:
    result = phaseout("scan", "-f", "csv", *arguments)
    assert result.returncode in {0, 1}, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.slow
@needs("dpkg-query")
def test_items_are_those_of_dpkg_query() -> None:
    form = "${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n"
    output = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True).stdout
    expected = sorted(tuple(line.split("\t")) for line in output.splitlines() if not line.endswith("\tnot-installed"))
    items = run("dpkg", live_host()).items
    found = sorted((one.name, one.version, one.details["arch"], one.details["status"].split()[2]) for one in items)
    assert found == expected


@pytest.fixture
def debian_root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "usr/bin", "root"):
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(
        "Package: base-files\nStatus: install ok installed\nArchitecture: all\nVersion: 12\n"
        "Maintainer: Debian <debian@example.org>\nDescription: a database with nothing in it would be damaged\n\n"
    )
    (root / "var/lib/dpkg/info/base-files.list").write_text("/.\n")
    (root / "usr/bin/true").touch()  # every system has files there, and an account
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc/os-release").write_text('NAME="Debian GNU/Linux"\nVERSION_ID="12"\n')
    return root


def build_deb(folder: Path, name: str) -> Path:
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "opt/kaspersky/kesl/bin").mkdir(parents=True)
    (folder / "opt/kaspersky/kesl/bin/kesl-control").write_text("#!/bin/sh\n")
    (folder / "etc/kesl").mkdir(parents=True)
    (folder / "etc/kesl/kesl.ini").write_text("[General]\n")
    (folder / "DEBIAN/conffiles").write_text("/etc/kesl/kesl.ini\n")
    (folder / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 12.1.0-1543\nArchitecture: all\n"
        "Maintainer: AO Kaspersky Lab <support@kaspersky.com>\nDescription: Kaspersky Endpoint Security\n"
    )
    package = folder.parent / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", folder, package], check=True, capture_output=True)
    return package


@ROOT_ONLY
@needs("dpkg", "dpkg-deb")
@pytest.mark.slow
def test_real_deb_installed_and_removed_without_purge(debian_root: Path, tmp_path: Path) -> None:
    package = build_deb(tmp_path / "kesl", "kesl")
    dpkg = ["dpkg", f"--root={debian_root}", "--force-all", "--log=/dev/null"]
    subprocess.run([*dpkg, "--install", package], check=True, capture_output=True)
    installed = [row for row in rows("--root", str(debian_root)) if row["kind"] == "package"]
    assert [(row["name"], row["state"], row["confidence"], row["verdict"]) for row in installed] == [
        ("kesl", "installed", "certain", "replace")
    ]
    subprocess.run([*dpkg, "--remove", "kesl"], check=True, capture_output=True)
    left = [row for row in rows("--root", str(debian_root)) if row["kind"] == "package"]
    assert [(row["name"], row["state"]) for row in left] == [("kesl", "leftover")]
    subprocess.run([*dpkg, "--purge", "kesl"], check=True, capture_output=True)
    assert [row["verdict"] for row in rows("--root", str(debian_root))] == ["clean"]


@ROOT_ONLY
@needs("rpm", "rpmbuild")
@pytest.mark.slow
def test_real_rpm_installed(tmp_path: Path) -> None:
    spec = tmp_path / "klnagent64.spec"
    spec.write_text(
        textwrap.dedent("""\
        Name: klnagent64
        Version: 15.1.0
        Release: 20
        Summary: Kaspersky Network Agent
        License: Proprietary
        Vendor: AO Kaspersky Lab
        BuildArch: noarch
        %description
        Agent.
        %files
        """)
    )
    build = ["rpmbuild", "-bb", "--define", f"_topdir {tmp_path}/build", str(spec)]
    subprocess.run(build, check=True, capture_output=True)
    (package,) = (tmp_path / "build").rglob("*.rpm")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("NAME=Fedora\nVERSION_ID=42\n")
    install = ["rpm", "--root", str(root), "--dbpath", "/var/lib/rpm", "--nodeps", "-i", str(package)]
    subprocess.run(install, check=True, capture_output=True)
    (row,) = [row for row in rows("--root", str(root)) if row["kind"] == "package"]
    assert (row["name"], row["version"], row["state"], row["vendor"], row["verdict"]) == (
        "klnagent64",
        "15.1.0-20",
        "installed",
        "Kaspersky",
        "replace",
    )


def matcher() -> Matcher:
    return Matcher(read_rules())


@pytest.mark.slow
def test_debian_package_names_are_no_hits() -> None:
    """All names of the distribution, as its package lists have them."""
    if not shutil.which("apt-cache"):
        pytest.skip("not installed: apt-cache")
    output = subprocess.run(
        ["apt-cache", "dumpavail"], capture_output=True, text=True, check=True, errors="replace"
    ).stdout
    items = []
    for stanza in output.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in stanza.splitlines() if line[:1].strip())
        if "Package" in fields:
            maintainer = fields.get("Maintainer", "").partition(" <")[0]
            items.append(Item(kind="package", name=fields["Package"], vendor=maintainer))
    if len(items) < 1000:
        pytest.skip("apt has no package lists: run apt-get update")
    hits = [(items[hit.item].name, hit.product.id) for hit in matcher().match(items)]
    assert hits == []


def test_traps_are_no_hits() -> None:
    traps = CORPORA.parent / "knowledge" / "false_positive_traps.csv"
    if not traps.is_file():
        pytest.skip(f"the list of traps is not here: {traps}")
    with traps.open(newline="") as file:
        names = [
            name.strip()
            for row in csv.DictReader(file)
            if row["kind"] == "linux-package"
            for name in row["value"].split(",")
        ]
    assert len(names) >= 11
    assert matcher().match([Item(kind="package", name=name) for name in names]) == []
