"""containerd: containers, images and snapshots out of databases that we wrote, and those of real captures."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from phaseout.host.opening import offline_host

from tests.support.bbolt_writer import Tree as Buckets
from tests.support.bbolt_writer import bbolt
from tests.support.harness import run
from tests.support.trees import Tree

ROOT = "/var/lib/containerd"
KESL = (
    "Package: kesl\nStatus: install ok installed\nMaintainer: Kaspersky Lab <a@b>\nArchitecture: amd64\nVersion: 12.1\n"
)
BASH = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n"
BELOW, ABOVE = "sha256:" + "a" * 64, "sha256:" + "b" * 64
CHAIN = "sha256:" + sha256(f"{BELOW} {ABOVE}".encode()).hexdigest()


def blob(tree: Tree, value: object, root: str = ROOT) -> str:
    data = json.dumps(value).encode()
    name = sha256(data).hexdigest()
    tree.write(f"{root}/io.containerd.content.v1.content/blobs/sha256/{name}", data)
    return f"sha256:{name}"


def image(tree: Tree, layers: list[str], root: str = ROOT) -> str:
    labels = {"org.opencontainers.image.vendor": "AO Kaspersky Lab"}
    config = blob(tree, {"architecture": "amd64", "config": {"Labels": labels}, "rootfs": {"diff_ids": layers}}, root)
    manifest = blob(tree, {"config": {"digest": config}, "layers": []}, root)
    return blob(tree, {"manifests": [{"digest": "sha256:" + "0" * 64}, {"digest": manifest}]}, root)


def snapshot(identifier: int, kind: int, parent: str = "") -> Buckets:
    values: Buckets = {"id": bytes((identifier,)), "kind": bytes((kind,))}
    return {**values, "parent": parent.encode()} if parent else values


def store(tree: Tree, snapshots: dict[str, Buckets], snapshotter: str = "overlayfs", root: str = ROOT) -> None:
    data = bbolt({"v1": {"snapshots": {**snapshots}}})
    tree.write(f"{root}/io.containerd.snapshotter.v1.{snapshotter}/metadata.db", data)


def node(tree: Tree, root: str = ROOT) -> None:
    """An image of two layers, a container of it that installed a package, and one snapshot that nobody knows."""
    digest = image(tree, [BELOW, ABOVE], root)
    keys: Buckets = {
        BELOW: {"name": b"k8s.io/1/low"},
        CHAIN: {"name": b"k8s.io/2/high"},
        "c1": {"name": b"k8s.io/3/c1"},
    }
    labels = {
        "io.kubernetes.pod.namespace": b"prod",
        "io.kubernetes.pod.name": b"web-0",
        "io.kubernetes.container.name": b"web",
    }
    container: Buckets = {
        "image": b"example.org/web:2",
        "snapshotter": b"overlayfs",
        "snapshotKey": b"c1",
        "spec": b"x" * 9000,
        "labels": {**labels},
    }
    names = ("example.org/web:2", f"example.org/web@{digest}", "sha256:" + "f" * 64)
    images: Buckets = {name: {"target": {"digest": digest.encode(), "size": b"\x02"}} for name in names}
    namespace: Buckets = {"containers": {"c1": container}, "images": images, "snapshots": {"overlayfs": keys}}
    meta: Buckets = {"v1": {"version": b"\x06", "k8s.io": namespace}}
    tree.write(f"{root}/io.containerd.metadata.v1.bolt/meta.db", bbolt(meta))
    folder = f"{root}/io.containerd.snapshotter.v1.overlayfs/snapshots"
    store(
        tree,
        {
            "k8s.io/1/low": snapshot(1, 3),
            "k8s.io/2/high": snapshot(2, 3, "k8s.io/1/low"),
            "k8s.io/3/c1": snapshot(3, 2, "k8s.io/2/high"),
            "k8s.io/4/lost": snapshot(4, 2, "k8s.io/1/low"),
        },
        root=root,
    )
    tree.write(f"{folder}/1/fs/var/lib/dpkg/status", BASH)
    tree.folder(f"{folder}/2/fs/opt")
    tree.write(f"{folder}/3/fs/var/lib/dpkg/status", f"{BASH}\n{KESL}")
    tree.folder(f"{folder}/4/fs/opt")


@pytest.mark.parametrize("root", [ROOT, "/var/lib/rancher/k3s/agent/containerd", "/srv/containerd"])
def test_a_node(tree: Tree, root: str) -> None:
    if root.startswith("/srv"):
        tree.write("/etc/containerd/config.toml", f'version = 3\nroot = "{root}"\n')
    node(tree, root)
    result = run("containerd", tree.host())
    assert result.run.status == "ok", result.run.problems
    assert [(item.kind, item.name, item.version) for item in result.items if item.source == "containerd"] == [
        ("app", "prod/web-0/web", "2"),
        ("package", "bash", "5.2"),
        ("package", "bash", "5.2"),
        ("package", "example.org/web", "2"),
        ("package", "kesl", "12.1"),
    ]
    assert {item.vendor for item in result.items if "web" in item.name} == {"AO Kaspersky Lab"}


def test_damaged_databases_are_said(tree: Tree) -> None:
    node(tree)
    tree.write(f"{ROOT}/io.containerd.snapshotter.v1.overlayfs/metadata.db", b"no database")
    result = run("containerd", tree.host())
    assert result.run.status == "partial"
    assert any("metadata.db" in problem.where for problem in result.run.problems)
    assert any(problem.cause == "unsupported" for problem in result.run.problems)
    assert "kesl" in {item.name for item in result.items}  # its folder is opened all the same
    tree.write(f"{ROOT}/io.containerd.metadata.v1.bolt/meta.db", b"no database")
    assert "kesl" in {item.name for item in run("containerd", tree.host()).items}


def test_a_container_that_only_its_snapshot_shows(tree: Tree) -> None:
    node(tree)
    tree.write(f"{ROOT}/io.containerd.metadata.v1.bolt/meta.db", bbolt({"v1": {}}))
    result = run("containerd", tree.host())
    assert "kesl" in {item.name for item in result.items}
    assert result.run.status == "ok"


def test_whole_copies_and_other_forms(tree: Tree) -> None:
    node(tree)
    store(tree, {"default/1/c2": snapshot(1, 2)}, "native")
    tree.write(f"{ROOT}/io.containerd.snapshotter.v1.native/snapshots/1/var/lib/dpkg/status", KESL.replace("12.1", "9"))
    tree.write(f"{ROOT}/io.containerd.snapshotter.v1.stargz/snapshots/1/fs/x")
    tree.folder(f"{ROOT}/io.containerd.snapshotter.v1.blockfile")
    result = run("containerd", tree.host())
    assert ("kesl", "9") in {(item.name, item.version) for item in result.items}
    (problem,) = result.run.problems
    assert ("stargz" in problem.why, problem.cause) == (True, "unsupported")


def test_images_that_were_never_unpacked(tree: Tree) -> None:
    digest = image(tree, [BELOW])
    images: Buckets = {"example.org/a:1": {"target": {"digest": digest.encode()}}, "b:1": {"target": {"digest": b"x"}}}
    tree.write(f"{ROOT}/io.containerd.metadata.v1.bolt/meta.db", bbolt({"v1": {"default": {"images": images}}}))
    result = run("containerd", tree.host())
    assert [item.name for item in result.items] == ["b", "example.org/a"]
    assert sorted(problem.cause for problem in result.run.problems) == ["missing", "unsupported"]


@pytest.mark.slow
def test_snapshots_that_run_in_a_circle_end(tree: Tree) -> None:
    node(tree)
    circle = {"k8s.io/3/c1": snapshot(3, 2, "k8s.io/2/high"), "k8s.io/2/high": snapshot(2, 3, "k8s.io/3/c1")}
    store(tree, circle)
    result = run("containerd", tree.host())
    assert any(problem.cause == "limit" for problem in result.run.problems)


def test_docker_that_keeps_its_files_in_containerd(tree: Tree) -> None:
    node(tree, "/srv/docker/containerd/daemon")
    tree.write("/etc/docker/daemon.json", '{"data-root": "/srv/docker"}')
    config = {"ID": "c1", "Name": "/web", "Driver": "overlayfs", "ImageManifest": {"digest": "sha256:1"}}
    tree.write("/srv/docker/containers/c1/config.v2.json", json.dumps(config))
    assert "kesl" in {item.name for item in run("containerd", tree.host()).items}
    docker = run("containers", tree.host())
    assert ([item.name for item in docker.items], docker.run.status) == (["web"], "ok")


def test_settings_that_name_a_folder_that_is_gone(tree: Tree) -> None:
    tree.write("/etc/containerd/config.toml", 'root = "/data/containerd"\n')
    (problem,) = run("containerd", tree.host()).run.problems
    assert (problem.where, problem.cause) == ("/data/containerd", "missing")
    tree.write("/etc/containerd/config.toml", "root = \n")
    assert run("containerd", tree.host()).run.left_out == {"damaged": 1}


def test_absent_and_empty(tree: Tree) -> None:
    assert run("containerd", tree.host()).run.status == "ok"
    tree.folder(f"{ROOT}/io.containerd.snapshotter.v1.overlayfs/snapshots")
    assert run("containerd", tree.host()).items == ()


CAPTURES = Path(os.environ.get("PHASEOUT_CORPORA", "/none")) / "captures"


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no captures of containerd here")
@pytest.mark.parametrize("name", ["containerd-1.7", "docker-containerd-store"])
def test_captures(name: str) -> None:
    result = run("containerd", offline_host(str(CAPTURES / name), "linux"))
    assert ("kesl", "12.1.0-1543", "Kaspersky Lab") in {(one.name, one.version, one.vendor) for one in result.items}
    # The capture is a part of a host, without /etc: its homes are not known, and nothing else is amiss.
    assert [one.where for one in result.run.problems] == ["/etc/passwd"]
