"""What a release tells package managers and auditors, and the installer for macOS with a stand-in for Apple's tool."""

import hashlib
import json
import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from phaseout import __version__

ROOT = Path(__file__).parents[3]
PARTS = ROOT / "scripts/release"
SCHEMAS = Path(os.environ.get("PHASEOUT_SCHEMAS", "/none"))
NAMES = {
    "PHASEOUT_HOMEPAGE": "https://phaseout.invalid/",
    "PHASEOUT_DOWNLOADS": "https://phaseout.invalid/files/",
    "PHASEOUT_PUBLISHER": "Example & Co",
    "SOURCE_DATE_EPOCH": "1700000000",
}
LICENCES = f"""\
{"=" * 80}
Jinja2 3.1.6
{"=" * 80}

text

{"=" * 80}
Python 3.13.2
{"=" * 80}

text

{"=" * 80}
libffi8 3.4.4-1 (Debian)
{"=" * 80}

text

{"=" * 80}
phaseout {__version__}
{"=" * 80}
"""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **NAMES, **environment}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=variables)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder with the files that are named, of no content."""
    for ending in ("x64.msi", "windows-x64.zip", "macos-bundle.tar"):
        (tmp_path / f"phaseout-{__version__}-{ending}").write_text(ending)
    for system in ("linux", "windows"):
        folder = tmp_path / f"work/exe/{system}/folder/phaseout"
        folder.mkdir(parents=True)
        (folder / "LICENCES.txt").write_text(LICENCES)
    text = run(sys.executable, PARTS / "msi/wxs.py", tmp_path / "work/exe", __version__, "Example & Co").stdout
    (tmp_path / "work/phaseout.wxs").write_text(text)
    return tmp_path


def digest(release: Path, ending: str) -> str:
    return hashlib.sha256((release / f"phaseout-{__version__}-{ending}").read_bytes()).hexdigest()


@pytest.fixture
def manifests(release: Path) -> Path:
    result = run(sys.executable, PARTS / "manifests.py", release, __version__)
    assert result.returncode == 0, result.stderr
    return release / "manifests"


def schema(name: str) -> dict[str, Any]:
    if not (SCHEMAS / name).is_file():
        pytest.skip(f"no {name}: PHASEOUT_SCHEMAS names a folder with the published schemas of winget and Scoop")
    found: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8-sig"))
    return found


def test_an_address_that_is_none_is_refused(release: Path) -> None:
    for address in ('https://a.invalid/" + evil + "', "http://a.invalid", "files"):
        result = run(sys.executable, PARTS / "manifests.py", release, __version__, PHASEOUT_DOWNLOADS=address)
        assert (result.returncode, "PHASEOUT_DOWNLOADS is not an address" in result.stderr) == (1, True), address


def test_winget(release: Path, manifests: Path) -> None:
    found = {}
    for path in (manifests / "winget").iterdir():
        text = path.read_text()
        document = yaml.safe_load(text)
        assert text.startswith("# yaml-language-server: $schema=https://aka.ms/winget-manifest.")
        found[document["ManifestType"]] = document
    assert set(found) == {"version", "installer", "defaultLocale"}
    (installer,) = found["installer"]["Installers"]
    assert installer["InstallerUrl"] == f"https://phaseout.invalid/files/phaseout-{__version__}-x64.msi"
    assert installer["InstallerSha256"].lower() == digest(release, "x64.msi")
    product = ET.fromstring((release / "work/phaseout.wxs").read_text())[0]
    assert found["installer"]["ProductCode"] == product.get("Id")
    assert found["defaultLocale"]["Publisher"] == "Example & Co"


@pytest.mark.parametrize("kind", ["version", "installer", "defaultLocale"])
def test_winget_by_its_schema(kind: str, manifests: Path) -> None:
    wanted = schema(f"manifest.{kind}.1.10.0.json")
    import jsonschema

    (document,) = (
        one
        for one in (yaml.safe_load(path.read_text()) for path in (manifests / "winget").iterdir())
        if one["ManifestType"] == kind
    )
    jsonschema.validate(document, wanted)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "PackageVersion": ""}, wanted)


def test_scoop(release: Path, manifests: Path) -> None:
    document = json.loads((manifests / "scoop/phaseout.json").read_text())
    assert document["architecture"]["64bit"]["hash"] == digest(release, "windows-x64.zip")
    wanted = schema("schema.json")
    import jsonschema

    jsonschema.validate(document, wanted)


def test_chocolatey(release: Path, manifests: Path) -> None:
    package = ET.fromstring((manifests / "chocolatey/phaseout.nuspec").read_text())
    space = "{http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd}"
    values = {element.tag.removeprefix(space): element.text for element in package[0]}
    assert (values["id"], values["version"], values["authors"]) == ("phaseout", __version__, "Example & Co")
    script = (manifests / "chocolatey/tools/chocolateyinstall.ps1").read_text()
    assert f"checksum64     = '{digest(release, 'x64.msi')}'" in script


def test_homebrew(release: Path, manifests: Path) -> None:
    formula = manifests / "homebrew/phaseout.rb"
    assert digest(release, "macos-bundle.tar") in formula.read_text()
    if not shutil.which("ruby"):
        pytest.skip("not installed: ruby")
    assert run("ruby", "-wc", formula).stdout == "Syntax OK\n"


@pytest.mark.slow
def test_bill_of_materials(release: Path) -> None:
    """By the schema, with the files, and with what is inside, once for both systems."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = run(sys.executable, PARTS / "sbom.py", release, __version__).stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert [one["purl"] for one in document["components"]] == [
        "pkg:pypi/jinja2@3.1.6",
        "pkg:generic/python@3.13.2",
        "pkg:deb/debian/libffi8@3.4.4-1",
    ]
    assert [one["value"] for one in document["components"][0]["properties"]] == ["linux", "windows"]
    assert {one["name"] for one in document["metadata"]["component"]["components"]} == {
        path.name for path in release.iterdir() if path.is_file()
    }


def test_macos_installer(tmp_path: Path) -> None:
    """The layout and what Apple's tool is called with; the tool itself exists on a Mac only."""
    program = tmp_path / "folder/phaseout"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    tools = tmp_path / "tools"
    tools.mkdir()
    script = '#!/bin/sh\nprintf "%s\\n" "$@" > "$RECORD/arguments"\ncp -R "$2" "$RECORD/root"\n'
    (tools / "pkgbuild").write_text(script)
    (tools / "pkgbuild").chmod(0o755)
    around = {"PATH": f"{tools}:{os.environ['PATH']}", "RECORD": str(tmp_path), "PHASEOUT_SIGNER": "Ada"}
    result = run(PARTS / "macos_pkg", program.parent, tmp_path / "phaseout.pkg", **around)
    assert result.returncode == 0, result.stderr
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[0] == "--root"
    assert arguments[2:] == [
        *("--identifier", "org.phaseout.phaseout", "--version", __version__, "--install-location", "/"),
        *("--ownership", "recommended", "--sign", "Ada", "--timestamp", str(tmp_path / "phaseout.pkg")),
    ]
    root = tmp_path / "root"
    assert (root / "opt/phaseout/phaseout").read_text() == "#!/bin/sh\n"
    assert (root / "usr/local/bin/phaseout").readlink() == Path("/opt/phaseout/phaseout")
    job = plistlib.loads((root / "opt/phaseout/share/org.phaseout.scan.plist").read_bytes())
    assert (root / job["ProgramArguments"][0].lstrip("/")).is_file()
    assert not (root / "Library").exists(), "the job is off"
    result = run(PARTS / "macos_pkg", tmp_path, tmp_path / "phaseout.pkg", **around)
    assert (result.returncode, "no program phaseout in" in result.stderr) == (2, True)
