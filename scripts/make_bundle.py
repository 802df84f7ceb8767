"""Makes a folder from which phaseout is installed without a network: wheels, checksums and a bill of materials.

    .venv/bin/python scripts/make_bundle.py phaseout-bundle         # for machines like this one
    .venv/bin/python scripts/make_bundle.py phaseout-bundle --platform win_amd64 --python 3.13     # for others

`--platform` and `--python` may be repeated. The folder is also packed as one file, phaseout-bundle.tar. To install it:

    sh phaseout-bundle/install                                      # Linux and macOS
    pip install --isolated --no-index --find-links phaseout-bundle --require-hashes -r phaseout-bundle/requirements.txt

What goes in is what `scripts/locked/bundle.txt` names, with the hashes that it names. The same wheels give the same
bytes: the bundle does not say when or where it was made.

References:
    https://pip.pypa.io/en/stable/topics/secure-installs/; https://cyclonedx.org/docs/1.6/json/;
    https://packaging.python.org/en/latest/specifications/core-metadata/;
    https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

import argparse
import base64
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKED = ROOT / "scripts/locked"
SBOM = "phaseout.cdx.json"
REQUIREMENTS = "requirements.txt"
SUMS = "SHA256SUMS"


def main() -> None:
    """Fills the folder named on the command line; a failure leaves nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", action="append", default=[], help="as pip names it: win_amd64, macosx_11_0_arm64")
    parser.add_argument("--python", action="append", default=[], help="Python version of the machines: 3.12")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        parser.error(f"{folder} is not an empty folder")
    if subprocess.run([sys.executable, "-m", "pip", "--version"], check=False, capture_output=True).returncode:
        sys.exit(
            f"make_bundle: {sys.executable} has no pip. Run it with the Python of the virtual environment: "
            f".venv/bin/python {sys.argv[0]} {folder}"
        )
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "bundle"
        made.mkdir()
        shutil.copy(build(Path(temporary)), made)
        for target in targets(arguments.platform, arguments.python):
            command = ["download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(made)]
            pip(*command, *target, "-r", str(LOCKED / "bundle.txt"))
        shutil.copy(ROOT / "scripts/unix/install", made)
        write_requirements(made)
        write_sbom(made)
        write_sums(made)
        shutil.copytree(made, folder, dirs_exist_ok=True)
    write_tar(folder)
    print(f"{folder}: {len(list(folder.glob('*.whl')))} wheels, {REQUIREMENTS}, {SBOM}, {SUMS}")


def build(temporary: Path) -> Path:
    """The wheel of phaseout, built by the locked versions of its build tools."""
    tools, output = temporary / "tools", temporary / "built"
    lock = str(LOCKED / "build.txt")
    pip("install", "--no-deps", "--require-hashes", "--only-binary=:all:", "--target", str(tools), "-r", lock)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(tools)}
    result = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"make_bundle: building the wheel failed:\n{result.stderr}")
    (wheel,) = output.glob("phaseout-*.whl")
    return wheel


def targets(platforms: list[str], versions: list[str]) -> list[list[str]]:
    """The arguments of pip for each kind of machine."""
    found = []
    for platform in platforms or [""]:
        for version in versions or [""]:
            named = ["--platform", platform] if platform else []
            named += ["--python-version", version] if version else []
            found.append(named)
    return found


def pip(*arguments: str) -> None:
    """Runs pip of this Python, which prints its own errors."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", arguments[0], "-q", *arguments[1:]]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"make_bundle: pip {arguments[0]} failed")


def write_requirements(folder: Path) -> None:
    """What the installer asks pip for: every package but pip itself, with the hashes of its wheels in the folder."""
    hashes: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.whl")):
        found = metadata(path)
        hashes.setdefault(f"{canonical(found['Name'])}=={found['Version']}", []).append(sha256(path))
    lines = [
        " \\\n    ".join([pinned, *(f"--hash=sha256:{one}" for one in found)]) + "\n"
        for pinned, found in hashes.items()
        if not pinned.startswith("pip==")
    ]
    (folder / REQUIREMENTS).write_text("".join(lines), encoding="ascii", newline="\n")


def write_sbom(folder: Path) -> None:
    """CycloneDX 1.6 of the wheels in the folder: versions, licences, hashes, files, and dependencies."""
    wheels = {path: metadata(path) for path in sorted(folder.glob("*.whl"))}
    components = {path: component(path, one) for path, one in wheels.items()}
    (main_wheel,) = (path for path, one in wheels.items() if one["Name"] == "phaseout")
    names = {path: canonical(one["Name"]) for path, one in wheels.items()}
    depends = []
    for path, one in wheels.items():
        needed = {canonical(line) for line in one.get_all("Requires-Dist", []) if "extra ==" not in line}
        depends.append({"ref": path.name, "dependsOn": [other.name for other in wheels if names[other] in needed]})
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**components.pop(main_wheel), "type": "application"}},
        "components": list(components.values()),
        "dependencies": depends,
    }
    (folder / SBOM).write_text(json.dumps(bom, indent=1) + "\n", encoding="utf-8")


def component(path: Path, found: Message) -> dict[str, Any]:
    """One wheel. Its reference is its file name: the same package may be there for several platforms."""
    name, version = canonical(found["Name"]), found["Version"]
    expression, free = found["License-Expression"], found["License"]
    classified = [one for one in found.get_all("Classifier", []) if one.startswith("License :: ")]
    licence = (classified or [free or "unknown"])[0].rsplit(" :: ", maxsplit=1)[-1].splitlines()[0]
    described = {
        "type": "library",
        "bom-ref": path.name,
        "name": name,
        "version": version,
        "scope": "required",
        "purl": f"pkg:pypi/{name}@{version}?file_name={path.name}",
        "hashes": [{"alg": "SHA-256", "content": sha256(path)}],
        "licenses": [{"expression": expression}] if expression else [{"license": {"name": licence}}],
    }
    if name == "pip":  # installs the others and is not itself installed
        return {**described, "scope": "excluded"}
    return {**described, "components": contents(path)}


def contents(wheel: Path) -> list[dict[str, Any]]:
    """Every file of a wheel with its SHA-256, which must be the one that the wheel's RECORD gives."""
    found = []
    with zipfile.ZipFile(wheel) as archive:
        record = {path: digest for path, digest, _ in csv.reader(read(archive, "RECORD").decode().splitlines())}
        for name in sorted(name for name in archive.namelist() if not name.endswith("/")):
            digest = hashlib.sha256(archive.read(name))
            stated = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
            if not name.endswith(".dist-info/RECORD") and record.get(name) != f"sha256={stated}":
                sys.exit(f"make_bundle: {name} in {wheel.name} is not what its RECORD says")
            content = [{"alg": "SHA-256", "content": digest.hexdigest()}]
            found.append({"type": "file", "bom-ref": f"{wheel.name}#{name}", "name": name, "hashes": content})
    return found


def metadata(wheel: Path) -> Message:
    """The core metadata of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return BytesParser().parsebytes(read(archive, "METADATA"))


def read(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of the wheel's `.dist-info` folder."""
    (path,) = (one for one in archive.namelist() if re.fullmatch(rf"[^/]+\.dist-info/{name}", one))
    return archive.read(path)


def canonical(requirement: str) -> str:
    """The normalised name at the beginning of a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()


def write_sums(folder: Path) -> None:
    """The digests as `sha256sum -c` reads them."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    text = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
    (folder / SUMS).write_text(text, encoding="ascii", newline="\n")


def write_tar(folder: Path) -> None:
    """The folder as one file."""
    with tarfile.open(f"{folder}.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.iterdir()):
            entry = tarfile.TarInfo(f"{folder.name}/{path.name}")
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)


def sha256(path: Path) -> str:
    """The digest of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
