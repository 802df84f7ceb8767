"""What containerd notes of its containers, images and snapshots.

References:
    https://github.com/containerd/containerd: core/metadata/buckets.go (meta.db), core/snapshots/storage/bolt.go
    (metadata.db of a snapshotter); https://github.com/opencontainers/image-spec (index, manifest);
    https://github.com/containerd/containerd/blob/main/internal/cri/labels/labels.go
"""

from typing import Any, NamedTuple

from phaseout.parsers.containers.bbolt import Bucket, Database
from phaseout.parsers.encodings.lenient_json import decode, member, text

_ACTIVE = 2  # of the kinds of snapshots: a writable one
_KUBERNETES = ("io.kubernetes.pod.namespace", "io.kubernetes.pod.name", "io.kubernetes.container.name")


class Container(NamedTuple):
    """A container of a namespace; `snapshot` is the key of its files."""

    id: str
    name: str
    image: str
    snapshotter: str
    snapshot: str
    sandbox: bool


class Namespace(NamedTuple):
    """What a namespace holds.

    Attributes:
        name: as clients call it: `default`, `k8s.io`, `moby`.
        containers: in the order of their ids.
        images: name → digest of the manifest or index.
        snapshots: snapshotter → key → name in the database of the snapshotter.
    """

    name: str
    containers: tuple[Container, ...]
    images: dict[str, str]
    snapshots: dict[str, dict[str, str]]


class Snapshot(NamedTuple):
    """The files of a layer, or what a container changed. `id` is the name of its folder."""

    id: str
    parent: str
    active: bool


def namespaces(data: bytes) -> list[Namespace]:
    """The namespaces of a meta.db.

    Raises:
        ValueError: it is no bbolt database, or damaged.
    """
    top = Database(data).root.bucket("v1")
    return [_namespace(name, bucket) for name, bucket in (top.buckets() if top is not None else ())]


def snapshots(data: bytes) -> dict[str, Snapshot]:
    """Name → snapshot, of the metadata.db of a snapshotter.

    Raises:
        ValueError: it is no bbolt database, or damaged.
    """
    top = Database(data).root.bucket("v1", "snapshots")
    found: dict[str, Snapshot] = {}
    for name, bucket in top.buckets() if top is not None else ():
        values = bucket.values()
        found[name] = Snapshot(
            str(_unsigned(values.get("id", b""))),
            _plain(values.get("parent", b"")),
            _unsigned(values.get("kind", b"")) == _ACTIVE,
        )
    return found


def manifests(data: bytes) -> tuple[list[str], str]:
    """The manifests that an index names, and the configuration that a manifest names, each by its digest.

    Raises:
        ValueError: it is not JSON; the text says why.
    """
    found = decode(data, dict[str, Any])
    listed = member(found, "manifests")
    inner = [text(member(one, "digest")) for one in listed] if isinstance(listed, list) else []
    return [digest for digest in inner if digest], text(member(found, "config", "digest"))


def _namespace(name: str, bucket: Bucket) -> Namespace:
    kept = dict(bucket.buckets())
    containers, images, snapshotters = kept.get("containers"), kept.get("images"), kept.get("snapshots")
    return Namespace(
        name,
        tuple(_container(one, inner) for one, inner in (containers.buckets() if containers is not None else ())),
        {one: _target(inner) for one, inner in (images.buckets() if images is not None else ())},
        {
            one: {key: _plain(snapshot.values().get("name", b"")) for key, snapshot in inner.buckets()}
            for one, inner in (snapshotters.buckets() if snapshotters is not None else ())
        },
    )


def _container(identifier: str, bucket: Bucket) -> Container:
    values = {name: _plain(value) for name, value in bucket.values().items() if name != "spec"}
    inner = bucket.bucket("labels")
    labels = {name: _plain(value) for name, value in inner.values().items()} if inner is not None else {}
    pod = "/".join(filter(None, (labels.get(label, "") for label in _KUBERNETES)))
    return Container(
        identifier,
        labels.get("nerdctl/name", "") or pod or identifier,
        values.get("image", ""),
        values.get("snapshotter", ""),
        values.get("snapshotKey", ""),
        labels.get("io.cri-containerd.kind") == "sandbox",
    )


def _target(image: Bucket) -> str:
    target = image.bucket("target")
    return _plain(target.values().get("digest", b"")) if target is not None else ""


def _plain(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _unsigned(value: bytes) -> int:
    """A number as Go's `binary.PutUvarint` writes it."""
    found = 0
    for number, byte in enumerate(value[:10]):
        found |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            break
    return found
