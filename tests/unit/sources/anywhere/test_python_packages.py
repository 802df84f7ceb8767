"""Python packages: places of the system, users and tools, forms of metadata, damage, and pip's own answers."""

import json
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import HostInfo, Item
from phaseout.scan.worker import run_source
from phaseout.sources.anywhere import python_packages

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree
from tests.unit.parsers.languages.test_python_metadata import OPENTIP

SYSTEM = "/usr/lib/python3/dist-packages"


def test_opentip_with_its_author(tree: Tree) -> None:
    tree.write("/home/ada/.local/lib/python3.11/site-packages/opentip-1.2.dist-info/METADATA", OPENTIP)
    (item,) = run("python_packages", tree.host()).items
    assert (item.kind, item.name, item.version, item.vendor) == ("library", "opentip", "1.2", "Kaspersky Lab")
    assert item.ids == {"purl": "pkg:pypi/opentip@1.2"}
    assert item.user == "ada"
    assert item.path == "/home/ada/.local/lib/python3.11/site-packages/opentip-1.2.dist-info"
    assert item.details == {"homepage": "https://github.com/KasperskyLab/OpenTIP-scanner", "language": "Python"}
    assert item.evidence[0].where == f"{item.path}/METADATA"


@pytest.mark.parametrize(
    ("site", "user"),
    [
        (SYSTEM, ""),
        ("/usr/local/lib/python3.12/dist-packages", ""),
        ("/usr/lib/python3.12/site-packages", ""),
        ("/usr/lib64/python3.12/site-packages", ""),
        ("/opt/tool/lib/python3.12/site-packages", ""),
        ("/opt/conda/lib/python3.12/site-packages", ""),
        ("/opt/miniconda3/envs/work/lib/python3.12/site-packages", ""),
        ("/opt/homebrew/lib/python3.12/site-packages", ""),
        ("/Library/Frameworks/Python.framework/Versions/3.12/lib/python3.12/site-packages", ""),
        ("/home/ada/.local/share/pipx/venvs/tool/lib/python3.12/site-packages", "ada"),
        ("/home/ada/.local/pipx/venvs/tool/lib/python3.12/site-packages", "ada"),
        ("/home/ada/.local/share/uv/tools/tool/lib/python3.12/site-packages", "ada"),
        ("/home/ada/.pyenv/versions/3.12.1/lib/python3.12/site-packages", "ada"),
        ("/home/ada/miniforge3/envs/work/lib/python3.12/site-packages", "ada"),
        ("/home/ada/Library/Python/3.12/lib/python/site-packages", "ada"),
        ("/root/.local/lib/python3.12/site-packages", "root"),
    ],
)
def test_places(tree: Tree, site: str, user: str) -> None:
    tree.write(f"{site}/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n")
    tree.write(f"{site}/x/__init__.py")
    (item,) = run("python_packages", tree.host()).items
    assert (item.name, item.user) == ("x", user)


@pytest.mark.parametrize(
    ("site", "user"),
    [
        (r"C:\Python312\Lib\site-packages", ""),
        (r"C:\Program Files\Python312\Lib\site-packages", ""),
        (r"C:\ProgramData\miniconda3\envs\work\Lib\site-packages", ""),
        (r"C:\Users\ada\AppData\Local\Programs\Python\Python312\lib\site-packages", "ada"),
        (r"C:\Users\ada\AppData\Roaming\Python\Python312\site-packages", "ada"),
        (r"C:\Users\ada\AppData\Roaming\uv\tools\x\Lib\site-packages", "ada"),
        (r"C:\Users\ada\.pyenv\pyenv-win\versions\3.12.1\Lib\site-packages", "ada"),
    ],
)
def test_places_of_windows(windows_tree: WindowsTree, site: str, user: str) -> None:
    windows_tree.write(rf"{site}\x-1.dist-info\METADATA", "Name: x\nVersion: 1\n")
    (item,) = run("python_packages", windows_tree.host()).items
    assert (item.name, item.user) == ("x", user)
    assert item.path.lower() == rf"{site}\x-1.dist-info".lower()


def test_eggs_and_folders_without_metadata(tree: Tree) -> None:
    tree.write(f"{SYSTEM}/a-1.egg-info", "Name: A\nVersion: 1\n")
    tree.write(f"{SYSTEM}/b-2-py3.11.egg-info/PKG-INFO", "Name: B\nVersion: 2\n")
    tree.write(f"{SYSTEM}/c-3-py3.11.egg/EGG-INFO/PKG-INFO", "Name: C\nVersion: 3\n")
    tree.write(f"{SYSTEM}/d-4-py3.11.egg", b"PK\x03\x04Name: no\n")
    tree.folder(f"{SYSTEM}/e-5.dist-info")
    tree.write(f"{SYSTEM}/f-6.dist-info/METADATA", b"\xff\xfe\0\0")
    tree.folder(f"{SYSTEM}/.dist-info")
    tree.link(f"{SYSTEM}/g-7.dist-info", "/srv/g")
    tree.write("/srv/g/METADATA", "Name: g\nVersion: 7\n")
    result = run("python_packages", tree.host())
    told = [f"{item.name} {item.version}" for item in result.items]
    assert told == [".dist-info ", "A 1", "B 2", "C 3", "d 4", "e 5", "f 6", "g 7"]
    assert result.run.status == "ok"


def test_what_cannot_be_read_is_an_item_and_a_problem(tree: Tree) -> None:
    tree.fifo(f"{SYSTEM}/x-1.dist-info/METADATA")
    result = run("python_packages", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("x", "1")]
    assert [problem.where for problem in result.problems] == [f"{SYSTEM}/x-1.dist-info/METADATA"]


def test_a_long_description_is_not_read(tree: Tree) -> None:
    tree.write(f"{SYSTEM}/x-1.dist-info/METADATA", b"Name: x\nVersion: 1\n\n" + b"y" * (20 << 20))
    assert run("python_packages", tree.host()).names() == ["x"]


def test_a_site_with_two_names_is_one(tree: Tree) -> None:
    tree.write("/usr/lib/python3.11/site-packages/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n")
    tree.link("/usr/lib64", "lib")
    tree.link("/usr/local/lib", "../lib")
    assert run("python_packages", tree.host()).names() == ["x"]


def test_records_of_conda(tree: Tree) -> None:
    tree.write("/home/ada/miniconda3/conda-meta/python-3.12.2-h955ad1f_0.json", b"\0 long, and not read")
    tree.write("/home/ada/miniconda3/conda-meta/ca-certificates-2024.3.11-h06a4308_0.json")
    tree.write("/home/ada/miniconda3/conda-meta/odd.json")
    tree.write("/home/ada/miniconda3/conda-meta/history")
    tree.write("/home/ada/miniconda3/lib/python3.12/site-packages/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n")
    result = run("python_packages", tree.host())
    packages = [
        (item.name, item.version, item.details.get("build", "")) for item in result.items if item.kind == "package"
    ]
    assert packages == [
        ("ca-certificates", "2024.3.11", "h06a4308_0"),
        ("odd", "", ""),
        ("python", "3.12.2", "h955ad1f_0"),
    ]
    assert [item.name for item in result.items if item.kind == "library"] == ["x"]


def test_a_home_full_of_other_things_is_not_walked(tree: Tree) -> None:
    for number in range(50):
        tree.write(f"/home/ada/project/node_modules/p{number}/lib/python3.11/site-packages/x-1.dist-info/METADATA")
    assert run("python_packages", tree.host()).items == ()


@pytest.mark.slow
def test_as_importlib_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that runs the tests, read as if its packages were those of a system."""
    site = sysconfig.get_paths()["purelib"]
    monkeypatch.setattr(python_packages, "_SITES", (site,))
    found: list[Item] = []
    outcome = run_source(
        python_packages.SOURCE, Host(HostInfo(name="here", platform="linux"), PosixFiles("/")), found.append
    )
    assert outcome.status == "ok", outcome.problems
    told = sorted((one.metadata["Name"], one.version) for one in distributions(path=[site]))
    assert len(told) > 5
    assert sorted((item.name, item.version) for item in found if item.path.startswith(site + "/")) == told
    wanted = {one.metadata["Name"]: one.metadata.json.get("author") for one in distributions(path=[site])}
    for item in found:
        author = wanted[item.name]
        if isinstance(author, str) and author != "UNKNOWN":
            assert item.vendor == author.splitlines()[0].strip()


@pytest.mark.slow
def test_as_pip_lists_a_folder(tmp_path: Path) -> None:
    """Pip's own list of the system's packages."""
    site = Path(SYSTEM)
    python = shutil.which("python3") or sys.executable
    if not site.is_dir():
        pytest.skip("no Python packages of Debian here")
    answer = subprocess.run(
        [python, "-m", "pip", "list", "--path", SYSTEM, "--format", "json", "--disable-pip-version-check"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    if answer.returncode:
        pytest.skip("no pip here")
    told = {(one["name"].lower(), one["version"]) for one in json.loads(answer.stdout)}
    items: list[Item] = []
    run_source(python_packages.SOURCE, Host(HostInfo(name="here", platform="linux"), PosixFiles("/")), items.append)
    found = {(item.name.lower(), item.version) for item in items if item.path.startswith(SYSTEM + "/")}
    assert told <= found


@pytest.mark.slow
def test_a_link_of_another_user_hides_no_package(tree: Tree) -> None:
    tree.write("/etc/passwd", "bob:x:1:1::/home/bob:/bin/sh\neve:x:2:2::/home/eve:/bin/sh\n")
    tree.write("/home/bob/.local/lib/python3.11/site-packages/opentip-1.0.dist-info/METADATA", OPENTIP)
    tree.write("/home/bob/miniconda3/conda-meta/kesl-1-0.json")
    tree.link("/home/eve/miniconda3/conda-meta", "/home/bob/.local/lib/python3.11/site-packages")
    tree.link("/home/eve/.local/lib/python3.11/site-packages", "/home/bob/miniconda3/conda-meta")
    result = run("python_packages", tree.host())
    assert [(item.name, item.user) for item in result.items] == [("opentip", "bob"), ("kesl", "bob")]


def test_what_is_linked_as_records_of_conda_is_read_as_what_it_is(tree: Tree) -> None:
    tree.write("/opt/tool/lib/python3.11/site-packages/opentip-1.0.dist-info/METADATA", OPENTIP)
    tree.link("/opt/conda/conda-meta", "/opt/tool/lib/python3.11/site-packages")
    tree.write("/home/ada/miniconda3/conda-meta/kesl-1-0.json")
    tree.link("/home/ada/.local/lib/python3.11/site-packages", "/home/ada/miniconda3/conda-meta")
    assert run("python_packages", tree.host()).names() == ["opentip", "kesl"]


@pytest.mark.parametrize(
    "prefix",
    ["/home/ada/.local/share/mamba/envs/e", "/home/ada/.pixi/envs/tool", "/opt/mambaforge", "/srv/own/env"],
)
def test_environments_of_mamba_and_pixi_and_those_that_conda_noted(tree: Tree, prefix: str) -> None:
    tree.write(f"{prefix}/conda-meta/kesl-12.1.0-0.json", "{}")
    tree.write(f"{prefix}/lib/python3.12/site-packages/demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\n")
    tree.write("/home/ada/.conda/environments.txt", "/srv/own/env\nrelative\n/gone\n/srv/*\n")
    result = run("python_packages", tree.host())
    assert {(item.name, item.version) for item in result.items} == {("kesl", "12.1.0"), ("demo", "1.0")}
    assert result.run.status == "ok"


def test_what_an_interrupted_pip_left_is_a_leftover(tree: Tree) -> None:
    site = "/home/ada/.local/lib/python3.11/site-packages"
    for folder in ("requests-2.31", "~equests-2.0", "~-quests-1.0"):
        tree.write(f"{site}/{folder}.dist-info/METADATA", f"Name: requests\nVersion: {folder[-3:]}\n")
    states = {item.path.rpartition("/")[2][:2]: item.state for item in run("python_packages", tree.host()).items}
    assert states == {"re": "installed", "~e": "leftover", "~-": "leftover"}


def test_a_package_that_is_used_from_its_project(tree: Tree) -> None:
    site = "/home/ada/.local/lib/python3.11/site-packages"
    tree.write(f"{site}/my-tool.egg-link", "/home/ada/src\n.\n")
    tree.write("/home/ada/src/my_tool.egg-info/PKG-INFO", "Name: my-tool\nVersion: 1.5\n")
    tree.write(f"{site}/far.egg-link", "/gone\n.\n")
    items = run("python_packages", tree.host()).items
    assert {(item.name, item.version, item.user) for item in items} == {("my-tool", "1.5", "ada"), ("far", "", "ada")}


@pytest.mark.parametrize(
    "prefix", ["/opt/app/venv", "/srv/app/.venv", "/root/venv", "/root/.cache/pypoetry/virtualenvs/x"]
)
def test_environments_of_applications_and_tools(tree: Tree, prefix: str) -> None:
    metadata = f"{prefix}/lib/python3.11/site-packages/demo-1.0.dist-info/METADATA"
    tree.write(metadata, "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
    assert [item.name for item in run("python_packages", tree.host()).items] == ["demo"]
