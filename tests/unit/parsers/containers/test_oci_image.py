"""What container images say of themselves."""

import json

import pytest
from phaseout.parsers.containers.oci_image import (
    Reference,
    StoredImage,
    blob,
    manifest,
    operating_system,
    references,
    saved_images,
)


def test_images_of_docker_save() -> None:
    listed = [
        {"Config": "a.json", "RepoTags": ["alpine:3", 7], "Layers": ["x/layer.tar", None]},
        {"Config": "b.json", "RepoTags": None, "Layers": []},
        {"name": "of something else"},
    ]
    assert saved_images(json.dumps(listed).encode()) == (
        StoredImage("a.json", ("x/layer.tar",), ("alpine:3", "7")),
        StoredImage("b.json", ()),
    )


def test_an_index() -> None:
    one = {
        "digest": "sha256:00ff",
        "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
        "annotations": {"org.opencontainers.image.ref.name": "1"},
    }
    two = {"digest": "sha256:11", "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    assert references(json.dumps({"manifests": [one, two, "x"]}).encode()) == (
        Reference("blobs/sha256/00ff", "1", "linux/arm64/v8", about=False),
        Reference("blobs/sha256/11", "", "", about=True),
        Reference("", "", "", about=False),
    )


def test_a_manifest() -> None:
    found = {"config": {"digest": "sha256:aa"}, "layers": [{"digest": "sha256:bb"}, {"digest": "../../etc/passwd"}]}
    assert manifest(json.dumps(found).encode()) == StoredImage("blobs/sha256/aa", ("blobs/sha256/bb", ""))
    assert manifest(b'{"manifests": []}') is None


@pytest.mark.parametrize("digest", ["", None, 7, "sha256", "sha256:", "sha256:../x", "sha256:a/b", "SHA256:aa"])
def test_no_digest_leads_elsewhere(digest: object) -> None:
    assert blob(digest) == ""


def test_damaged_documents() -> None:
    for read in (saved_images, references, manifest, operating_system):
        for data in (b"", b"{", b"[]" if read is not saved_images else b"{}"):
            with pytest.raises(ValueError):
                read(data)
    with pytest.raises(ValueError, match="without layers"):
        manifest(b"{}")
