"""Writes the bill of materials of a release, as CycloneDX 1.6: its files, and everything that is in the executables.

    python scripts/release/sbom.py RELEASE VERSION > phaseout.cdx.json

RELEASE is a folder that `scripts/make_release` fills. What an executable holds is read from its LICENCES.txt, which
names all of it, or it could not have been built. SOURCE_DATE_EPOCH is the time that the document states.

References:
    https://cyclonedx.org/docs/1.6/json/; https://github.com/package-url/purl-spec
"""

import datetime as dt
import hashlib
import json
import os
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

TITLE = re.compile(r"={80}\n(?P<name>\S+) (?P<version>\S+)(?P<debian> \(Debian\))?\n={80}\n")


def main() -> None:
    """Prints the bill of materials of the release that the command line names."""
    release, version = Path(sys.argv[1]), sys.argv[2]
    inside: dict[str, dict[str, object]] = {}
    for path in sorted((release / "work/exe").glob("*/folder/phaseout/LICENCES.txt")):
        for one in libraries(path):
            places = inside.setdefault(str(one["purl"]), {**one, "properties": []})["properties"]
            assert isinstance(places, list)
            places.append({"name": "phaseout:executable", "value": path.parts[-4]})
    files = [one for one in sorted(release.iterdir()) if one.is_file() and one.name != "SHA256SUMS"]
    program: dict[str, object] = {"type": "application", "bom-ref": "phaseout", "name": "phaseout", "version": version}
    program |= {"licenses": [{"license": {"id": "Apache-2.0"}}], "components": [described(one) for one in files]}
    moment = dt.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), dt.UTC)
    content = json.dumps([program, inside], sort_keys=True)
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, content).urn,
        "version": 1,
        "metadata": {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": program},
        "components": list(inside.values()),
        "dependencies": [{"ref": "phaseout", "dependsOn": list(inside)}],
    }
    print(json.dumps(bom, indent=1))


def libraries(path: Path) -> Iterator[dict[str, object]]:
    """What the LICENCES.txt of an executable names, but for phaseout."""
    for found in TITLE.finditer(path.read_text(encoding="utf-8")):
        name, version = found["name"], found["version"]
        if name == "phaseout":
            continue
        kind = "deb/debian" if found["debian"] else "generic" if name == "Python" else "pypi"
        known = name if found["debian"] else name.lower().replace("_", "-")
        purl = f"pkg:{kind}/{quote(known)}@{quote(version, safe='')}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def described(path: Path) -> dict[str, object]:
    """A file of the release with its digest."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    hashes = [{"alg": "SHA-256", "content": digest}]
    return {"type": "file", "bom-ref": f"file {path.name}", "name": path.name, "hashes": hashes}


if __name__ == "__main__":
    main()
