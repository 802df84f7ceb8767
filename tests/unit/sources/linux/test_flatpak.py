"""Flatpaks: installations, versions, developers, damage, and flatpak itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from phaseout.model.nouns import Problem
from phaseout.sources.linux.flatpak import SOURCE

from tests.support.harness import run
from tests.support.observer import ObservedFiles, undeclared
from tests.support.trees import Tree

SYSTEM = "/var/lib/flatpak"
USER = "/home/ada/.local/share/flatpak"
ID = "org.example.Hello"
METADATA = f"[Application]\nname={ID}\nruntime=org.example.Platform/x86_64/1\n"
METAINFO = """\
<component type="desktop"><id>x</id><name>Hello</name><developer_name>Example AG</developer_name>
<releases><release version="1.2" timestamp="1700000000"/></releases></component>"""
# origin "hub", commit "c0", no subpaths, 0 bytes, {"appdata-version": "1.3"}
DEPLOY = b"hub\0" + b"c0\0" + bytes(9) + b"appdata-version\0" + b"1.3\0\0s" + b"\x10" + b"\x17" + bytes([7, 7, 4])


def deployed(tree: Tree, folder: str, name: str = ID, kind: str = "app", branch: str = "stable") -> str:
    place = f"{folder}/{kind}/{name}/x86_64/{branch}"
    tree.write(f"{place}/c0/metadata", METADATA.replace("Application", "Application" if kind == "app" else "Runtime"))
    tree.write(f"{place}/c0/deploy", DEPLOY)
    tree.write(f"{place}/c0/export/share/metainfo/{name}.metainfo.xml", METAINFO)
    tree.link(f"{place}/active", "c0")
    tree.link(f"{folder}/{kind}/{name}/current", f"x86_64/{branch}")
    return place


def test_system_user_and_further_installations(tree: Tree) -> None:
    tree.write("/etc/flatpak/installations.d/extra.conf", '[Installation "extra"]\nPath=/srv/flatpak/\n')
    place = deployed(tree, SYSTEM)
    deployed(tree, SYSTEM, "org.example.Platform", "runtime", "1")
    deployed(tree, USER)
    deployed(tree, "/srv/flatpak", branch="beta")
    result = run("flatpak", tree.host())
    assert [(item.name, item.details["installation"], item.user, item.details["branch"]) for item in result.items] == [
        (ID, "user", "ada", "stable"),
        (ID, "extra", "", "beta"),
        (ID, "system", "", "stable"),
        ("org.example.Platform", "system", "", "1"),
    ]
    item = result.items[2]
    assert (item.version, item.vendor, item.path, item.state) == ("1.3", "Example AG", place, "installed")
    assert item.details.pop("installed").startswith("20")
    assert item.details == {
        "arch": "x86_64",
        "branch": "stable",
        "commit": "c0",
        "installation": "system",
        "origin": "hub",
        "runtime": "org.example.Platform/x86_64/1",
        "title": "Hello",
        "type": "app",
    }
    assert result.run.status == "ok"


def test_reads_no_more_than_the_places_it_names(tree: Tree) -> None:
    deployed(tree, SYSTEM)
    deployed(tree, USER)
    host = tree.host()
    host.files = files = ObservedFiles(host.files)
    assert len(list(SOURCE.collect(host))) == 2
    assert undeclared(files.touched, [place for place in SOURCE.reads if not place.startswith("/**")], host) == []


def test_an_installation_that_is_no_path(tree: Tree) -> None:
    path = "/etc/flatpak/installations.d/odd.conf"
    tree.write(path, '[Installation "a"]\nPath=srv\n[Installation "b"]\n[Other]\nPath=/x\n')
    assert run("flatpak", tree.host()).problems == (
        Problem(path, 'Installation "a": not an absolute Path: "srv"', "damaged"),
        Problem(path, 'Installation "b": not an absolute Path: ""', "damaged"),
    )


def test_what_is_not_active_is_a_leftover(tree: Tree) -> None:
    place = f"{SYSTEM}/app/{ID}/x86_64/stable"
    tree.folder(f"{place}/c0/files")
    tree.link(f"{place}/active", "c1")
    tree.folder(f"{SYSTEM}/app/{ID}/x86_64/beta")
    (item,) = run("flatpak", tree.host()).items
    assert (item.name, item.state, item.version, item.details["branch"]) == (ID, "leftover", "", "stable")


def test_a_branch_whose_files_are_gone_is_a_leftover(tree: Tree) -> None:
    """Also if no other deployment of it is there: the link says that there was one."""
    place = deployed(tree, SYSTEM)
    shutil.rmtree(tree.root / place[1:] / "c0")
    (item,) = run("flatpak", tree.host()).items
    assert (item.name, item.state) == (ID, "leftover")


def test_damaged_files_cost_a_problem_each(tree: Tree) -> None:
    active = f"{deployed(tree, SYSTEM)}/active"
    tree.write(f"{SYSTEM}/app/{ID}/x86_64/stable/c0/deploy", b"\xff" * 40)
    tree.write(f"{SYSTEM}/app/{ID}/x86_64/stable/c0/metadata", b"\xff\0")
    tree.write(f"{SYSTEM}/app/{ID}/x86_64/stable/c0/export/share/metainfo/{ID}.metainfo.xml", "<a>")
    tree.write(f"{SYSTEM}/app/{ID}/x86_64/stable/c0/files/share/appdata/{ID}.appdata.xml", METAINFO)
    result = run("flatpak", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.vendor) == (ID, "1.2", "Example AG")
    assert result.problems == (
        Problem(f"{active}/deploy", "is not what flatpak writes there", "damaged"),
        Problem(f"{active}/export/share/metainfo/{ID}.metainfo.xml", "is not XML", "damaged"),
    )


@pytest.mark.parametrize(
    ("capture", "version", "title", "vendor", "problems"),
    [
        ("valid.xml", "2.10.38", "GNU Image Manipulation Program", "The GIMP team", 0),
        ("noname.xml", "2.10.38", "", "The GIMP team", 0),
        ("noversion.xml", "", "GNU Image Manipulation Program", "The GIMP team", 0),
        ("bad.xml", "", "", "", 1),
        ("empty.xml", "", "", "", 1),
    ],
)
def test_captured_metainfo(
    tree: Tree, corpora: Path, capture: str, version: str, title: str, vendor: str, problems: int
) -> None:
    place = f"{SYSTEM}/app/org.gimp.GIMP/x86_64/stable"
    tree.write(f"{place}/c0/deploy", b"hub\0" + b"c0\0" + bytes(9) + bytes([7, 7, 4]))
    tree.link(f"{place}/active", "c0")
    tree.copy(
        f"{place}/c0/export/share/metainfo/org.gimp.GIMP.metainfo.xml",
        corpora / "packages/osv-scalibr/extractor/filesystem/os/flatpak/testdata" / capture,
    )
    result = run("flatpak", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.details.get("title", ""), item.vendor, item.details["origin"]) == (
        "org.gimp.GIMP",
        version,
        title,
        vendor,
        "hub",
    )
    assert len(result.problems) == problems


@pytest.mark.slow
def test_agrees_with_flatpak(tree: Tree, tmp_path: Path) -> None:
    flatpak = shutil.which("flatpak")
    if flatpak is None:
        pytest.skip("flatpak is not installed")
    home = tree.folder("/home/ada")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_RUNTIME_DIR": str(tmp_path)}

    def do(*arguments: str) -> str:
        done = subprocess.run(
            [flatpak, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    runtime, app = tmp_path / "runtime", tmp_path / "app"
    for folder in ("files", "usr"):
        (runtime / folder).mkdir(parents=True)
    (runtime / "metadata").write_text("[Runtime]\nname=org.example.Platform\nruntime=org.example.Platform/x86_64/1\n")
    (app / "files/share/metainfo").mkdir(parents=True)
    (app / "files/share/metainfo" / f"{ID}.metainfo.xml").write_text(METAINFO)
    (app / "files/share/app-info/xmls").mkdir(parents=True)
    (app / "var").mkdir()
    (app / "metadata").write_text(METADATA + "command=hello\n")
    composed = tmp_path / f"{ID}.xml"
    newer = METAINFO.replace("<id>x</id>", f"<id>{ID}</id>").replace("1.2", "1.3")
    composed.write_text(f"<components>{newer}</components>")
    subprocess.run(["gzip", "-n", composed], check=True)
    shutil.move(f"{composed}.gz", app / f"files/share/app-info/xmls/{ID}.xml.gz")
    do("build-export", "--arch=x86_64", "--runtime", "repo", "runtime", "1")
    do("build-finish", "app")
    do("build-export", "--arch=x86_64", "repo", "app", "stable")
    do("--user", "remote-add", "--no-gpg-verify", "hub", f"file://{tmp_path}/repo")
    do("--user", "install", "-y", "--noninteractive", "--arch=x86_64", "hub", ID)
    listed = do("--user", "list", "--columns=application,version,arch,branch,origin,installation")
    result = run("flatpak", tree.host())
    assert [
        "\t".join(
            (item.name, item.version, *(item.details[key] for key in ("arch", "branch", "origin", "installation")))
        )
        for item in result.items
    ] == sorted(listed.splitlines())
    hello = result.one(ID)
    assert (hello.user, hello.vendor, hello.version) == ("ada", "Example AG", "1.3")
    assert do("--user", "info", "--show-commit", ID).strip() == hello.details["commit"]
    assert result.run.status == "ok"
