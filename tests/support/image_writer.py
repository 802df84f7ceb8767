"""Writes container images as engines save them."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

# Name → content; `-> target` is a link, `=> target` a hard link, and `None` a folder.
Layer = dict[str, bytes | str | None]


def layer(content: Layer) -> bytes:
    """A layer with these members, in this order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, value in content.items():
            member = tarfile.TarInfo(name)
            if value is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(value, str) and value[:3] in ("-> ", "=> "):
                member.type = tarfile.SYMTYPE if value[0] == "-" else tarfile.LNKTYPE
                member.linkname = value[3:]
            data = value.encode() if isinstance(value, str) else value or b""
            member.size = len(data) if member.isfile() else 0
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def root_layer(folder: Path) -> bytes:
    """A layer with everything that a folder holds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, ".")
    return buffer.getvalue()


def docker_save(images: dict[str, Sequence[bytes]]) -> bytes:
    """What `docker save` writes for images with these layers, the lowest first."""
    files: Layer = {}
    listed = []
    for name, layers in images.items():
        paths = []
        for data in layers:
            paths.append(f"{_digest(data)}/layer.tar")
            files[paths[-1]] = data
        config = json.dumps({"os": "linux", "comment": name}).encode()
        files[f"{_digest(config)}.json"] = config
        listed.append({"Config": f"{_digest(config)}.json", "RepoTags": [name], "Layers": paths})
    return layer({**files, "manifest.json": json.dumps(listed)})


def oci_layout(images: dict[str, Sequence[bytes]], compress: Callable[[bytes], bytes] = gzip.compress) -> Layer:
    """The files of an OCI image layout."""
    files: Layer = {"oci-layout": json.dumps({"imageLayoutVersion": "1.0.0"})}

    def stored(data: bytes) -> dict[str, object]:
        files[f"blobs/sha256/{_digest(data)}"] = data
        return {"digest": f"sha256:{_digest(data)}", "size": len(data)}

    manifests = []
    for name, layers in images.items():
        config = stored(json.dumps({"os": "linux", "comment": name}).encode())
        manifest = {"schemaVersion": 2, "config": config, "layers": [stored(compress(data)) for data in layers]}
        notes = {"org.opencontainers.image.ref.name": name}
        manifests.append({**stored(json.dumps(manifest).encode()), "annotations": notes})
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests})
    return files


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
