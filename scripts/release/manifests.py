"""Writes what package managers ask for: a formula for Homebrew, and manifests for winget, Chocolatey and Scoop.

    python scripts/release/manifests.py RELEASE VERSION

RELEASE is a folder with the files of a release; the manifests go to `manifests` in it, with the digests of these files.
PHASEOUT_DOWNLOADS is the web address of the folder that holds the files, PHASEOUT_HOMEPAGE the page of the project,
PHASEOUT_PUBLISHER who publishes.

References:
    https://docs.brew.sh/Formula-Cookbook; https://github.com/ScoopInstaller/Scoop/wiki/App-Manifests;
    https://github.com/microsoft/winget-cli/tree/master/schemas/JSON/manifests/v1.10.0;
    https://docs.chocolatey.org/en-us/create/create-packages/
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

SUMMARY = "Finds software of restricted vendors: what must be replaced, by when"
LICENCE = "Apache-2.0"
WINGET = "1.10.0"


def main() -> None:
    """Writes all manifests of the release that the command line names."""
    release, version = Path(sys.argv[1]), sys.argv[2]
    homepage, publisher = os.environ["PHASEOUT_HOMEPAGE"], os.environ["PHASEOUT_PUBLISHER"]
    downloads = os.environ["PHASEOUT_DOWNLOADS"].rstrip("/")
    for variable, address in (("PHASEOUT_HOMEPAGE", homepage), ("PHASEOUT_DOWNLOADS", downloads)):
        if not re.fullmatch(r"https://[\w.~:/?#@!$&()*+,;=%-]+", address, re.ASCII):
            sys.exit(f"manifests: {variable} is not an address that begins with https://: {address}")
    msi, archive, bundle = (
        f"phaseout-{version}-{ending}" for ending in ("x64.msi", "windows-x64.zip", "macos-bundle.tar")
    )
    digests = {name: hashlib.sha256((release / name).read_bytes()).hexdigest() for name in (msi, archive, bundle)}
    product = re.search(r'<Product [^>]*Id="([^"]+)"', (release / "work/phaseout.wxs").read_text(encoding="utf-8"))
    assert product
    files = {
        "homebrew/phaseout.rb": formula(homepage, f"{downloads}/{bundle}", version, digests[bundle]),
        "scoop/phaseout.json": scoop(homepage, f"{downloads}/{archive}", version, digests[archive]),
        "chocolatey/phaseout.nuspec": nuspec(homepage, publisher, version),
        "chocolatey/tools/chocolateyinstall.ps1": choco(f"{downloads}/{msi}", digests[msi]),
    }
    identifier = f"{re.sub(r'[^A-Za-z0-9]', '', publisher)}.phaseout"
    parts = winget(identifier, publisher, homepage, f"{downloads}/{msi}", version, digests[msi], product[1])
    files |= {f"winget/{identifier}{ending}.yaml": text for ending, text in parts.items()}
    for name, text in files.items():
        path = release / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def formula(homepage: str, url: str, version: str, digest: str) -> str:
    """The formula for a tap of one's own: it installs the wheels of the bundle, without a network."""
    return f"""\
class Phaseout < Formula
  desc "{SUMMARY}"
  homepage "{homepage}"
  url "{url}"
  version "{version}"
  sha256 "{digest}"
  license "{LICENCE}"

  depends_on "python@3.13"

  def install
    ENV["PYTHON"] = Formula["python@3.13"].opt_bin/"python3.13"
    system "sh", "install", libexec
    bin.install_symlink libexec/"bin/phaseout"
    generate_completions_from_executable(bin/"phaseout", shell_parameter_format: :click)
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/phaseout --version")
  end
end
"""


def scoop(homepage: str, url: str, version: str, digest: str) -> str:
    """The manifest of Scoop. It installs for one user; use the MSI for a machine."""
    manifest = {
        "version": version,
        "description": SUMMARY,
        "homepage": homepage,
        "license": LICENCE,
        "architecture": {"64bit": {"url": url, "hash": digest}},
        "extract_dir": "phaseout",
        "bin": "phaseout.exe",
    }
    return json.dumps(manifest, indent=4) + "\n"


def nuspec(homepage: str, publisher: str, version: str) -> str:
    """The description of the package of Chocolatey; `choco pack` makes it."""
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">
  <metadata>
    <id>phaseout</id>
    <version>{version}</version>
    <title>phaseout</title>
    <authors>{escape(publisher)}</authors>
    <projectUrl>{escape(homepage)}</projectUrl>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <summary>{SUMMARY}</summary>
    <description>{SUMMARY}, and whether everything was seen. It opens no network connection.</description>
    <tags>phaseout compliance inventory security</tags>
  </metadata>
  <files>
    <file src="tools\\**" target="tools" />
  </files>
</package>
"""


def choco(url: str, digest: str) -> str:
    """What Chocolatey runs to install. To remove, it finds the MSI by itself."""
    return f"""\
$ErrorActionPreference = 'Stop'
$arguments = @{{
    packageName    = 'phaseout'
    fileType       = 'msi'
    url64bit       = '{url.replace("'", "''")}'
    checksum64     = '{digest}'
    checksumType64 = 'sha256'
    silentArgs     = '/qn /norestart'
    validExitCodes = @(0, 3010, 1641)
}}
Install-ChocolateyPackage @arguments
"""


def winget(
    identifier: str, publisher: str, homepage: str, url: str, version: str, digest: str, product: str
) -> dict[str, str]:
    """The three files of winget, by the ending of their names. JSON strings are YAML as well."""
    head = {"PackageIdentifier": identifier, "PackageVersion": version}
    installer = head | {
        "Platform": ["Windows.Desktop"],
        "InstallerType": "wix",
        "Scope": "machine",
        "UpgradeBehavior": "install",
        "Commands": ["phaseout"],
        "ProductCode": product,
        "Installers": [{"Architecture": "x64", "InstallerUrl": url, "InstallerSha256": digest.upper()}],
        "ManifestType": "installer",
    }
    locale = head | {
        "PackageLocale": "en-US",
        "Publisher": publisher,
        "PackageName": "phaseout",
        "PackageUrl": homepage,
        "License": LICENCE,
        "ShortDescription": SUMMARY,
        "ManifestType": "defaultLocale",
    }
    top = head | {"DefaultLocale": "en-US", "ManifestType": "version"}
    return {"": _yaml(top), ".installer": _yaml(installer), ".locale.en-US": _yaml(locale)}


def _yaml(manifest: Mapping[str, object]) -> str:
    manifest = {**manifest, "ManifestVersion": WINGET}
    kind = manifest["ManifestType"]
    first = f"# yaml-language-server: $schema=https://aka.ms/winget-manifest.{kind}.{WINGET}.schema.json\n"
    return first + "".join(f"{key}: {json.dumps(value)}\n" for key, value in manifest.items())


if __name__ == "__main__":
    main()
