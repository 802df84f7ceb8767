"""What `scripts/make_release` makes: built, checked by the tools of each system, installed and removed for real.

The executables are those of PHASEOUT_EXE. Packages of Linux are installed in a fresh Debian, made by debootstrap.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from phaseout import __version__
from phaseout.cli import COMMANDS

from tests.support.namespaces import can_unshare
from tests.support.trees import KESL, Tree

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/make_release"
EXE = Path(os.environ.get("PHASEOUT_EXE", "/none"))
NAMES = {"PHASEOUT_MAINTAINER": "Pat Packager <pat@phaseout.invalid>"}

pytestmark = pytest.mark.slow


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [one for one in programs if not shutil.which(one)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=600, env=variables)


def make(folder: Path, *forms: str, **environment: str) -> Path:
    """The files of these forms in a folder."""
    if not (EXE / "linux/folder/phaseout/phaseout").is_file():
        pytest.skip("no executable: scripts/build_exe FOLDER makes it, and PHASEOUT_EXE names that folder")
    result = run(SCRIPT, folder, *forms, **{**NAMES, **environment})
    if "is not installed" in result.stderr:
        pytest.skip(result.stderr.strip())
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("release"), "deb", "rpm")


Inside = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a Debian in which nothing was installed."""
    if not shutil.which("debootstrap") or not can_unshare("--mount", "--pid", "--fork"):
        pytest.skip("needs to be root with namespaces, and debootstrap")
    root = tmp_path_factory.mktemp("debian") / "root"
    mirrors = run("apt-get", "indextargets", "--format", "$(SITE)").stdout.split()
    result = run("unshare", "--mount", "debootstrap", "--variant=minbase", "bookworm", root, *mirrors[:1])
    if result.returncode:
        pytest.skip(f"no Debian can be made here: {result.stdout[-200:]}")
    return root


@pytest.fixture
def inside(debian: Path) -> Inside:
    """Runs a command line in that Debian."""
    script = (
        'mount --make-rprivate / && mount -t proc proc "$0/proc" && '
        'exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 sh -c "$1"'
    )
    around = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, debian)
    return lambda line: run(*around, line)


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_what_is_missing_is_said_before_anything_is_made(tmp_path: Path) -> None:
    result = run(SCRIPT, tmp_path / "out", "deb", "dep", PHASEOUT_MAINTAINER="")
    assert result.returncode == 2
    assert "PHASEOUT_MAINTAINER must say who answers for it" in result.stderr
    assert "there is no form dep" in result.stderr
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    result = run(SCRIPT, tmp_path, "rpm")
    assert (result.returncode, "is not empty" in result.stderr or "not installed" in result.stderr) == (2, True)


@needs("sha256sum")
def test_sums_and_nothing_else(packages: Path) -> None:
    result = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=packages, capture_output=True, text=True, check=True)
    listed = {line.partition(":")[0] for line in result.stdout.splitlines()}
    assert listed == {path.name for path in packages.iterdir()} - {"SHA256SUMS", "work"}
    assert {"NOTES.md", f"phaseout-{__version__}.cdx.json"} <= listed


def test_the_same_bytes_again(packages: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "again", "deb", "rpm")
    assert (again / "SHA256SUMS").read_text() == (packages / "SHA256SUMS").read_text()


@needs("lintian")
def test_lintian_finds_nothing(packages: Path) -> None:
    result = run("lintian", "--allow-root", "--fail-on", "error,warning", one(packages, "*.deb"))
    assert (result.returncode, result.stdout) == (0, "")


@needs("rpmlint")
def test_rpmlint_finds_nothing(packages: Path) -> None:
    result = run("rpmlint", "-c", ROOT / "scripts/release/rpm/rpmlint.toml", one(packages, "*.rpm"))
    if "No module" in result.stderr:
        pytest.skip("rpmlint does not run here")
    assert "0 errors, 0 warnings" in result.stdout, result.stdout


@needs("objdump")
def test_libraries_search_no_folder_of_the_builder(packages: Path) -> None:
    files = [path for path in (packages / "work/tree/opt/phaseout").rglob("*") if path.is_file()]
    about = run("objdump", "-p", *files).stdout
    assert len(re.findall(r"NEEDED", about)) > 10
    assert re.findall(r"(?:RPATH|RUNPATH) +/.*", about) == []


def test_a_page_for_each_command(packages: Path) -> None:
    pages = {path.name for path in (packages / "work/man").iterdir()}
    assert {f"phaseout-{name}.1.gz" for name in COMMANDS} | {"phaseout.1.gz", "phaseout-rules-import.1.gz"} <= pages
    text = gzip.decompress((packages / "work/man/phaseout-scan.1.gz").read_bytes()).decode()
    assert r"\fB\-\-root DIR\fR" in text


@needs("mandoc")
def test_the_pages_are_well_formed(packages: Path) -> None:
    for page in (packages / "work/man").iterdir():
        command = ["mandoc", "-Tlint", "-Wwarning"]
        text = gzip.decompress(page.read_bytes())
        result = subprocess.run(command, check=False, capture_output=True, input=text)
        assert (result.returncode, result.stdout + result.stderr) == (0, b""), page.name


COMPLETE = {
    "bash": "COMP_WORDS=(phaseout sca) COMP_CWORD=1; _phaseout_completion phaseout; printf '%s\\n' ${COMPREPLY[@]}",
    "fish": "complete -C 'phaseout sca'",
    "zsh": "echo $_comps[phaseout]",
}


@pytest.mark.parametrize("shell", COMPLETE)
def test_completion(shell: str, packages: Path) -> None:
    """In bash and fish it completes; zsh completes on a terminal only, and there it is registered."""
    if not shutil.which(shell):
        pytest.skip(f"not installed: {shell}")
    begin = "autoload -U compinit; compinit -u -D; " if shell == "zsh" else ""
    lines = f"{begin}source {packages / 'work/completion'}/phaseout.{shell}; {COMPLETE[shell]}"
    path = f"{packages / 'work/tree/opt/phaseout'}:{os.environ['PATH']}"
    result = run(shell, "-c", lines, PATH=path)
    expected = "_phaseout_completion" if shell == "zsh" else "scan"
    assert result.stdout.split()[:1] == [expected], result.stderr


CHECK = """
phaseout scan -f line > /tmp/line; echo "$? $(cut -c 1-28 /tmp/line)"
test ! -e /etc/systemd/system/timers.target.wants/phaseout.timer && echo off
stat -c '%a %U %n' /etc/phaseout/phaseout.toml /var/lib/phaseout
"""


def test_deb(packages: Path, debian: Path, inside: Inside, tmp_path: Path) -> None:
    """Installed, upgraded, removed and purged. The scan of the new system is clean with the policy of the package."""
    package = one(packages, "*.deb")
    shutil.copy(package, debian / "first.deb")
    newer = tmp_path / "newer"
    run("dpkg-deb", "-R", package, newer)
    control = newer / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"{__version__}-1", f"{__version__}-2"))
    run("dpkg-deb", "-b", "--root-owner-group", newer, debian / "second.deb")

    assert inside("dpkg -i /first.deb").returncode == 0
    assert inside("phaseout --version").stdout.splitlines()[0] == f"phaseout {__version__}"
    assert inside(CHECK).stdout.splitlines() == [
        "0 CLEAN (all sources complete)"[:30],
        "off",
        "644 root /etc/phaseout/phaseout.toml",
        "711 root /var/lib/phaseout",
    ]
    found = inside("phaseout inventory -f csv").stdout
    assert f"phaseout,{__version__}-1" in found

    policy = debian / "etc/phaseout/phaseout.toml"
    policy.write_text('roles = ["us_contractor"]\n')
    result = inside("dpkg -i /second.deb && phaseout scan -f line")
    assert (result.returncode, policy.read_text()) == (0, 'roles = ["us_contractor"]\n'), result.stderr
    policy.chmod(0o666)
    result = inside("phaseout scan -f line")
    assert "the policy was not used: /etc/phaseout/phaseout.toml: every user can write it" in result.stdout, result

    assert inside("/opt/phaseout/bin/phaseout_report /var/lib/phaseout; dpkg -r phaseout").returncode == 0
    assert not (debian / "usr/bin/phaseout").is_symlink()
    assert not (debian / "opt/phaseout").exists()
    assert policy.exists()
    assert inside("dpkg -P phaseout").returncode == 0
    assert [place for place in ("etc/phaseout", "var/lib/phaseout") if (debian / place).exists()] == []


@needs("rpm")
def test_rpm(packages: Path, debian: Path, inside: Inside) -> None:
    """Installed and erased by rpm in the same root. It cannot know Debian's libraries, so it is asked for them."""
    package = one(packages, "*.rpm")
    needed = {line.split("(")[0] for line in run("rpm", "-qpR", package).stdout.split() if "(" in line}
    assert needed == {"libc.so.6", "libz.so.1", "rpmlib"}
    rpm = ("rpm", f"--root={debian}", "--nodeps")
    run("rpm", f"--root={debian}", "--initdb")
    assert run(*rpm, "-i", package).returncode == 0
    assert run(*rpm, "-V", "phaseout").stdout == ""
    assert inside(CHECK).stdout.splitlines()[:2] == ["0 CLEAN (all sources complete)"[:30], "off"]
    policy = debian / "etc/phaseout/phaseout.toml"
    policy.write_text('roles = ["us_contractor"]\n')
    assert run(*rpm, "-U", "--force", package).returncode == 0
    assert policy.read_text() == 'roles = ["us_contractor"]\n'
    assert run(*rpm, "-e", "phaseout").returncode == 0
    assert not (debian / "opt/phaseout").exists()
    assert policy.with_suffix(".toml.rpmsave").exists()


@pytest.fixture(scope="session")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (EXE / "windows/folder/phaseout/LICENCES.txt").is_file():
        pytest.skip("no phaseout.exe: scripts/build_exe FOLDER makes it, and PHASEOUT_EXE names that folder")
    return make(tmp_path_factory.mktemp("release"), "msi")


def table(file: Path, name: str) -> list[list[str]]:
    """The rows of a table of an installer."""
    lines = run("msiinfo", "export", file, name).stdout.replace("\r", "").splitlines()
    return [line.split("\t") for line in lines[3:]]


@needs("msiinfo")
def test_what_the_installer_says(installer: Path) -> None:
    file = one(installer, "*.msi")
    properties = dict(row for row in table(file, "Property") if len(row) == 2)
    assert properties["ProductVersion"] == __version__
    assert properties["UpgradeCode"] == "{97C2B8FD-E565-407A-B260-9A59A2391AC9}", "it must never change"
    assert properties["Manufacturer"] == "The phaseout authors"
    assert properties["ALLUSERS"] == "1"
    assert ["path", "=-*PATH", "[~];[INSTALLDIR]"] in [row[:3] for row in table(file, "Environment")]
    assert ["INSTALLDIR", "ProgramFiles64Folder"] in [row[:2] for row in table(file, "Directory")]
    names = {row[2].rpartition("|")[2] for row in table(file, "File")}
    assert {"phaseout.exe", "LICENCES.txt", "python313.dll"} <= names
    actions = {row[0]: int(row[2]) for row in table(file, "InstallExecuteSequence")}
    assert actions["RemoveExistingProducts"] < actions["InstallFiles"] < actions["WriteEnvironmentStrings"]
    assert table(file, "CustomAction") == [], "nothing runs while it is installed"


def test_the_scripts_of_windows_run_what_the_installer_installs() -> None:
    scripts = [*(ROOT / "scripts/intune").glob("*.ps1"), *(ROOT / "scripts/configmgr").glob("*.ps1")]
    assert len(scripts) > 5
    assert [path.name for path in scripts if r'"$env:ProgramFiles\phaseout\phaseout.exe"' not in path.read_text()] == []


def test_the_same_installer_again(installer: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "again", "msi")
    assert (again / "SHA256SUMS").read_text() == (installer / "SHA256SUMS").read_text()


@needs("wine")
def test_msi(installer: Path, tmp_path: Path) -> None:
    """Installed without a word, run, and removed by Windows Installer under Wine."""
    wine = {"WINEPREFIX": str(tmp_path / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"}
    if run("wine", "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f", **wine).returncode:
        pytest.skip("Wine does not run here")
    programs = tmp_path / "prefix/drive_c/Program Files"
    (tmp_path / "phaseout.msi").symlink_to(one(installer, "*.msi"))
    file = "Z:" + str(tmp_path / "phaseout.msi").replace("/", "\\")
    environment = r"HKLM\System\CurrentControlSet\Control\Session Manager\Environment"
    try:
        result = run("wine", "msiexec", "/i", file, "/qn", **wine)
        assert result.returncode == 0, result.stderr
        program = programs / "phaseout/phaseout.exe"
        assert run("wine", program, "--version", **wine).stdout.splitlines()[0] == f"phaseout {__version__}"
        assert r"C:\Program Files\phaseout" in run("wine", "reg", "query", environment, "/v", "PATH", **wine).stdout
        found = run("wine", program, "inventory", "-f", "csv", "--source", "uninstall", **wine).stdout
        assert re.search(rf"phaseout,{re.escape(__version__)}", found), found
        assert run("wine", "msiexec", "/x", file, "/qn", **wine).returncode == 0
        assert not (programs / "phaseout").exists()
        assert "phaseout" not in run("wine", "reg", "query", environment, "/v", "PATH", **wine).stdout
    finally:
        run("wineserver", "-k", **wine)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not can_unshare("--mount"):
        pytest.skip("needs to be root with mount namespaces")
    return make(tmp_path_factory.mktemp("release"), "image")


def test_what_the_image_says(image: Path) -> None:
    """An OCI layout: what runs, as whom, and nothing but the program and the libraries that it needs."""
    with tarfile.open(one(image, "*-image-*.tar")) as archive:

        def document(digest: str) -> dict[str, Any]:
            content = archive.extractfile(f"./blobs/{digest.replace(':', '/')}")
            assert content
            found: dict[str, Any] = json.load(content)
            return found

        index = archive.extractfile("./index.json")
        assert index
        manifest = document(json.load(index)["manifests"][0]["digest"])
        config = document(manifest["config"]["digest"])
        (layer,) = manifest["layers"]
        blob = archive.extractfile(f"./blobs/{layer['digest'].replace(':', '/')}")
        with tarfile.open(fileobj=blob, mode="r:*") as files:
            names = {name for name in files.getnames() if not name.startswith("opt/phaseout/")}
            times = {int(member.mtime) for member in files if member.isfile()}
    assert config["config"]["Entrypoint"] == ["/opt/phaseout/phaseout"]
    assert config["config"]["User"] == "65534:65534"
    assert config["config"]["Labels"]["org.opencontainers.image.version"] == __version__
    folders = {"opt", "lib", "lib64", "usr", "usr/share", "usr/share/doc", "usr/share/doc/libc6"}
    others = {name for name in names - folders if not re.fullmatch(r"opt/phaseout|lib/[\w-]+|.*\.so[.\d]*", name)}
    assert others <= {"usr/share/doc/libc6/copyright"}
    assert len(times) == 1, "that of the last commit"


def test_the_image_scans_a_mounted_root(image: Path, tree: Tree) -> None:
    """Its files alone run, with a root mounted below them, by chroot: that needs no container engine."""
    tree.write("/var/lib/dpkg/status", KESL)
    script = """
    mount --make-rprivate / && mkdir -p "$0/host" "$0/proc" "$0/dev" && mount --rbind -o ro "$1" "$0/host" || exit 9
    mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev" || exit 9
    shift && exec chroot "$0" "$@"
    """
    command = ("/opt/phaseout/phaseout", "scan", "--root", "/host", "-f", "line")
    result = run("unshare", "--mount", "sh", "-c", script, image / "work/image", tree.root, *command)
    assert (result.returncode, result.stdout[:8]) == (1, "REPLACE "), result.stderr


def test_podman_runs_the_image(image: Path, tree: Tree, tmp_path: Path) -> None:
    """As nobody, and as root of the container, who reads what only root may read."""
    tree.write("/var/lib/dpkg/status", KESL)
    with tempfile.TemporaryDirectory() as runroot:  # podman takes no path of more than 50 characters
        podman = ("podman", "--root", tmp_path / "store", "--runroot", runroot, "--storage-driver", "vfs")
        runs_the_image(image, tree, podman)


def runs_the_image(image: Path, tree: Tree, podman: tuple[str | Path, ...]) -> None:
    assert run(*podman, "load", "-i", one(image, "*-image-*.tar")).returncode == 0
    name = f"localhost/phaseout:{__version__}"
    result = run(*podman, "run", "--rm", "--network=none", name, "--version")
    if "OCI" in result.stderr or "cgroup" in result.stderr.lower():
        pytest.skip(f"podman runs no container here: {result.stderr[-200:]}")
    assert result.stdout.splitlines()[0] == f"phaseout {__version__}"
    options = ("--rm", "--network=none", "--user", "0", "--volume", f"{tree.root}:/host:ro")
    result = run(*podman, "run", *options, name, "scan", "--root", "/host", "-f", "line")
    assert (result.returncode, result.stdout[:8]) == (1, "REPLACE "), result.stderr
