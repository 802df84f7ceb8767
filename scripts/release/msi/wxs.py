r"""Writes what `wixl` makes an installer for Windows of: the folder with `phaseout.exe`, in Program Files.

    python scripts/release/msi/wxs.py FOLDER VERSION PUBLISHER > phaseout.wxs; cd FOLDER; wixl -a x64 phaseout.wxs

`UPGRADE` stays the same for ever: by it, Windows knows that another version is there, and replaces it. The other
identifiers follow from the names and the contents of the files, so the same folder gives the same installer.

References:
    https://learn.microsoft.com/windows/win32/msi/productversion
    https://learn.microsoft.com/windows/win32/msi/preparing-an-application-for-future-major-upgrades
    https://learn.microsoft.com/windows/win32/msi/changing-the-component-code
"""

import hashlib
import sys
import uuid
from pathlib import Path
from xml.etree import ElementTree as ET

UPGRADE = uuid.UUID("97c2b8fd-e565-407a-b260-9a59a2391ac9")


def main() -> None:
    """Prints the description of the installer of the folder that the command line names."""
    folder, version, publisher = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = hashlib.sha256(version.encode())
    for path in files:
        content.update(path.relative_to(folder).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    wix = ET.Element("Wix", xmlns="http://schemas.microsoft.com/wix/2006/wi")
    product = ET.SubElement(wix, "Product", Name="phaseout", Version=version, Language="1033", Manufacturer=publisher)
    product.attrib |= {"Id": code(content.hexdigest()), "UpgradeCode": written(UPGRADE)}
    package = ET.SubElement(product, "Package", InstallerVersion="500", InstallScope="perMachine", Compressed="yes")
    package.attrib |= {"Manufacturer": publisher, "Description": "Finds software of restricted vendors"}
    ET.SubElement(product, "MajorUpgrade", DowngradeErrorMessage="A newer version of phaseout is installed.")
    ET.SubElement(product, "Media", Id="1", Cabinet="phaseout.cab", EmbedCab="yes")
    for name in ("ARPNOMODIFY", "ARPNOREPAIR"):
        ET.SubElement(product, "Property", Id=name, Value="1")
    target = ET.SubElement(product, "Directory", Id="TARGETDIR", Name="SourceDir")
    programs = ET.SubElement(target, "Directory", Id="ProgramFiles64Folder")
    add(ET.SubElement(programs, "Directory", Id="INSTALLDIR", Name="phaseout"), folder, folder)
    feature = ET.SubElement(product, "Feature", Id="All", Level="1")
    for path in files:
        ET.SubElement(feature, "ComponentRef", Id=f"c{key(path, folder)}")
    ET.indent(wix)
    print(ET.tostring(wix, encoding="unicode", xml_declaration=True))


def add(parent: ET.Element, folder: Path, top: Path) -> None:
    """Adds all that is in a folder. Each file is a component, so that an upgrade replaces each by itself."""
    for path in sorted(folder.iterdir()):
        name, own = path.relative_to(top).as_posix(), key(path, top)
        if path.is_dir():
            add(ET.SubElement(parent, "Directory", Id=f"d{own}", Name=path.name), path, top)
        else:
            component = ET.SubElement(parent, "Component", Id=f"c{own}", Guid=code(name), Win64="yes")
            ET.SubElement(component, "File", Id=f"f{own}", Name=path.name, Source=name, KeyPath="yes")


def key(path: Path, top: Path) -> str:
    """The key of a file or folder in the tables of the installer."""
    return hashlib.sha256(path.relative_to(top).as_posix().encode()).hexdigest()[:32]


def code(name: str) -> str:
    """The GUID of what has this name."""
    return written(uuid.uuid5(UPGRADE, name))


def written(guid: uuid.UUID) -> str:
    """A GUID as Windows writes it."""
    return f"{{{guid}}}".upper()


if __name__ == "__main__":
    main()
