"""Makes a folder from which phaseout is installed where there is no network: wheels, checksums and a bill of materials.

    python scripts/make_bundle.py phaseout-bundle                              # for machines like this one
    python scripts/make_bundle.py phaseout-bundle --platform win_amd64 --python 3.13      # for others; both repeatable

The same files lie beside it as one, phaseout-bundle.tar,
and on the machine

    sh phaseout-bundle/install                                                 # Linux and macOS
    pip install --no-index --find-links phaseout-bundle phaseout               # Windows, in an environment of its own

The same wheels give the same bytes: nothing in it tells when or where it was made.

References:
    https://pip.pypa.io/en/stable/cli/pip_download/; https://cyclonedx.org/docs/1.6/json/;
    https://packaging.python.org/en/latest/specifications/core-metadata/
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SBOM = "phaseout.cdx.json"
SUMS = "SHA256SUMS"


def main() -> None:
    """Fills the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", action="append", default=[], help="as pip names it: win_amd64, macosx_11_0_arm64")
    parser.add_argument("--python", action="append", default=[], help="version of the machines' Python: 3.12")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    if folder.exists() and any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("phaseout-*.whl")
    for target in targets(arguments.platform, arguments.python):
        pip("download", "--only-binary=:all:", "--dest", str(folder), *target, str(wheel), "pip")
    shutil.copy(ROOT / "scripts/unix/install", folder)
    write_sbom(folder)
    write_sums(folder)
    write_tar(folder)
    print(f"{folder}: {len(list(folder.glob('*.whl')))} wheels, {SBOM}, {SUMS}")


def targets(platforms: list[str], versions: list[str]) -> list[list[str]]:
    """The arguments of pip for each kind of machine."""
    found = []
    for platform in platforms or [""]:
        for version in versions or [""]:
            named = ["--platform", platform] if platform else []
            named += ["--python-version", version] if version else []
            # pip judges `platform_system == "Windows"` by the machine it runs on: click's dependency there is named.
            found.append([*named, *(["colorama"] if platform.startswith("win") else [])])
    return found


def pip(*arguments: str) -> None:
    """Runs pip of this Python; its own words are the error."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", arguments[0], "-q", *arguments[1:]]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"make_bundle: pip {arguments[0]} failed")


def write_sbom(folder: Path) -> None:
    """CycloneDX 1.6 of the wheels in the folder: versions, licences, hashes, and who needs whom."""
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
    """One wheel; its file name is its reference, for a package may lie there for several platforms."""
    name, version = canonical(found["Name"]), found["Version"]
    expression, free = found["License-Expression"], found["License"]
    classified = [one for one in found.get_all("Classifier", []) if one.startswith("License :: ")]
    licence = (classified or [free or "unknown"])[0].rsplit(" :: ", maxsplit=1)[-1].splitlines()[0]
    return {
        "type": "library",
        "bom-ref": path.name,
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}?file_name={path.name}",
        "hashes": [{"alg": "SHA-256", "content": sha256(path)}],
        "licenses": [{"expression": expression}] if expression else [{"license": {"name": licence}}],
    }


def metadata(wheel: Path) -> Message:
    """The core metadata of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
        return BytesParser().parsebytes(archive.read(name))


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
