"""Maker, product, version and signer in executables of Windows, read from a small part of each file.

The signer's name is the one in the signature. Only the live Windows can check whether the signature is valid, which
reads the whole file and is done only for a deep scan. Files that Windows signs in its catalogs have no signature of
their own; they, too, are recognised only then. Nothing goes over the network.

References:
    Microsoft, "Hard links and junctions", "Manage the component store": a file of Windows itself is one in `WinSxS`,
    and what lies in `System32` is another name of it.
"""

import sys
from typing import NamedTuple

from phaseout.host.filesystem.files import Files
from phaseout.model.nouns import Problem
from phaseout.parsers.windows import pe
from phaseout.parsers.windows.authenticode import Signer, signers
from phaseout.parsers.windows.version_resource import Version, version

_LARGEST = 1 << 40
_ATTESTING = "Microsoft Corporation"  # signs drivers and the like of other makers, beside them


class Identity(NamedTuple):
    """What an executable says of itself; empty what it does not say.

    Attributes:
        company: the maker, from the version resource.
        product: the product that it belongs to.
        description: what it is in that product.
        version: of the product, else of the file.
        original_name: the file name that the maker gave it.
        signer: the organisation that signed it, or else the person. Where Microsoft attests what another maker signed
            as well, it is that maker.
        signature: what is known of the signature, in words.
        machine: `x86`, `x64`, `ARM64`, …
        details: further facts for `Item.details`.
    """

    company: str
    product: str
    description: str
    version: str
    original_name: str
    signer: str
    signature: str
    machine: str
    details: dict[str, str]


class Executables:
    """The one reader of executables of a host; every file is read once.

    Args:
        files: the files of the target.
        windows: the folder of Windows.
        trust: asks the live Windows of every signature whether it is sound.
    """

    def __init__(self, files: Files, windows: str = r"C:\Windows", *, trust: bool = False) -> None:
        self._files = files
        self._windows = windows.lower() + "\\"
        self._trust = trust
        self._known: dict[str, Identity | None] = {}

    def identity(self, path: str) -> Identity | None:
        """What the file at a path says of itself; `None` where it is not there or no Windows executable."""
        folded = path.lower()
        if folded not in self._known:
            self._known[folded] = self._identity(path)
        return self._known[folded]

    def of_windows(self, path: str) -> bool:
        """Whether a file surely is a part of Windows itself, as a second name of a file in its store of components.

        What others install beside them has one name. Where the number of names is not known, the answer is no.
        """
        if self._trust or not path.lower().startswith(self._windows):
            return False
        found = self._files.stat(path)
        return found is not None and found.links > 1

    def _identity(self, path: str) -> Identity | None:
        file = self._files.open(path, _LARGEST)
        if file is None:
            return None

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        try:
            image = pe.image(read)
            if image is None:
                return None
            resources = [found for data in pe.version_resources(read, image) if (found := version(data)) is not None]
            table = pe.certificate_table(read, image)
        except OSError as error:
            self._files.problems.append(Problem(path, error.strerror or str(error), "error"))
            return None
        finally:
            file.close()
        return _identity(image, resources, signers(table), self._signature(path, image, table))

    def _signature(self, path: str, image: pe.Image, table: bytes) -> str:
        if self._trust and sys.platform == "win32":
            from phaseout.host.windows.trust import signature

            return signature(path)
        if table:
            return "not verified"
        return "too large to be read" if image.certificates[1] else "none in the file; catalogs were not asked"


def _identity(image: pe.Image, resources: list[Version], found: tuple[Signer, ...], signature: str) -> Identity:
    def text(name: str) -> str:
        return next((text for one in resources if (text := one.text(name))), "")

    resources.sort(key=lambda one: not any(language & 0x3FF == 0x09 for language in one.tables))  # English first
    made = [signer for signer in found if signer.organisation != _ATTESTING]
    signer = (made or list(found) or [Signer("", "", "")])[0]
    others = dict.fromkeys(_name(one) for one in found if _name(one) != _name(signer))
    details = {
        "arch": image.machine,
        "description": text("FileDescription"),
        "original_name": text("OriginalFilename"),
        "signature": signature,
        "certificate": signer.name if signer.name != _name(signer) else "",
        "certificate_issuer": signer.issuer,
        "also_signed_by": ", ".join(others),
        "framework": ".NET" if image.managed else "",
    }
    numbers = next((number for one in resources if (number := one.product or one.file)), "")
    return Identity(
        company=text("CompanyName"),
        product=text("ProductName"),
        description=details["description"],
        version=_version(text("ProductVersion")) or _version(text("FileVersion")) or numbers,
        original_name=details["original_name"],
        signer=_name(signer),
        signature=signature,
        machine=image.machine,
        details=details,
    )


def _name(signer: Signer) -> str:
    return signer.organisation or signer.name


def _version(text: str) -> str:
    """`1, 2, 0, 4` is how older compilers wrote 1.2.0.4."""
    return text.replace(", ", ".").replace(",", ".") if "," in text else text
