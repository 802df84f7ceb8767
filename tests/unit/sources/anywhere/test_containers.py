"""Containers and images on disk: Docker's and Podman's own layouts, what is inside, damage, and a real Podman."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.users import User
from phaseout.model.nouns import HostInfo, Item
from phaseout.parsers.containers.container_storage import config_file
from phaseout.scan.worker import run_source
from phaseout.sources.anywhere import containers

from tests.support.harness import run
from tests.support.trees import Tree

KESL = (
    "Package: kesl\nStatus: install ok installed\nMaintainer: Kaspersky Lab <a@b>\nArchitecture: amd64\nVersion: 12.1\n"
)
BASE = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n"
CONFIG = {"org.opencontainers.image.vendor": "AO Kaspersky Lab"}


def docker(tree: Tree, root: str = "/var/lib/docker") -> None:
    """Two images, the second made of the first, and a container of the second that has installed a package since."""
    store = f"{root}/image/overlay2"
    below, above = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    chain = sha256(f"{below} {above}".encode()).hexdigest()
    names = {"base": {"base:1": "sha256:1"}, "host:5000/made": {"host:5000/made:2": "sha256:2"}}
    tree.write(f"{store}/repositories.json", json.dumps({"Repositories": names}))
    image = {"architecture": "amd64", "rootfs": {"diff_ids": [below]}}
    tree.write(f"{store}/imagedb/content/sha256/1", json.dumps(image))
    image = {"architecture": "amd64", "config": {"Labels": CONFIG}, "rootfs": {"diff_ids": [below, above]}}
    tree.write(f"{store}/imagedb/content/sha256/2", json.dumps(image))
    tree.write(f"{store}/layerdb/sha256/{'a' * 64}/cache-id", "low")
    tree.write(f"{store}/layerdb/sha256/{chain}/cache-id", "high")
    tree.write(f"{store}/layerdb/mounts/c1/mount-id", "top")
    tree.write(f"{root}/overlay2/low/diff/var/lib/dpkg/status", BASE)
    tree.folder(f"{root}/overlay2/high/diff/opt")
    tree.write(f"{root}/overlay2/high/lower", "l/LOW")
    tree.write(f"{root}/overlay2/top/diff/var/lib/dpkg/status", BASE + "\n" + KESL)
    tree.write(f"{root}/overlay2/top/lower", "l/HIGH:l/LOW")
    tree.link(f"{root}/overlay2/l/LOW", "../low/diff")
    tree.link(f"{root}/overlay2/l/HIGH", "../high/diff")
    container = {
        "ID": "c1",
        "Name": "/web",
        "Driver": "overlay2",
        "Image": "sha256:2",
        "Path": "/opt/kaspersky/kesl",
        "Args": ["--start"],
        "Config": {"Image": "host:5000/made:2", "Labels": CONFIG},
        "State": {"Running": True, "StartedAt": "2026-11-21T19:29:24Z"},
    }
    tree.write(f"{root}/containers/c1/config.v2.json", json.dumps(container))


def podman(tree: Tree, root: str, driver: str = "overlay") -> None:
    """An image and a container of it, and another image."""
    containers_ = [
        {"id": "c1", "names": ["web"], "image": "i1", "layer": "top", "metadata": '{"image-name": "made:2"}'}
    ]
    images = [{"id": "i1", "names": ["made:2"], "layer": "low"}, {"id": "i2", "names": ["other:1"], "layer": "other"}]
    tree.write(f"{root}/{driver}-containers/containers.json", json.dumps(containers_))
    tree.write(f"{root}/{driver}-images/images.json", json.dumps(images))
    tree.write(f"{root}/{driver}-images/i1/{config_file('i1')}", json.dumps({"config": {"Labels": CONFIG}}))
    if driver == "vfs":
        tree.write(f"{root}/vfs/dir/top/var/lib/dpkg/status", KESL)
        tree.write(f"{root}/vfs/dir/other/var/lib/dpkg/status", BASE)
        return
    tree.write(f"{root}/overlay/low/diff/var/lib/dpkg/status", KESL)
    tree.write(f"{root}/overlay/other/diff/lib/apk/db/installed", "P:musl\nV:1.2\n\n")
    tree.folder(f"{root}/overlay/top/diff/etc")
    tree.write(f"{root}/overlay/top/lower", "l/LOW")
    tree.link(f"{root}/overlay/l/LOW", "../low/diff")


def test_docker(tree: Tree) -> None:
    docker(tree)
    result = run("containers", tree.host())
    assert [(item.kind, item.name, item.version, item.details.get("inside", "")) for item in result.items] == [
        ("app", "web", "2", ""),
        ("package", "base", "1", ""),
        ("package", "bash", "5.2", "container web"),
        ("package", "bash", "5.2", "image base:1"),
        ("package", "host:5000/made", "2", ""),
        ("package", "kesl", "12.1", "container web"),
    ]
    assert result.run.status == "ok"
    web = result.one("web")
    assert (web.vendor, web.command, web.state) == ("AO Kaspersky Lab", "/opt/kaspersky/kesl --start", "installed")
    assert web.ids == {"purl": "pkg:docker/made@2?repository_url=host:5000"}
    assert (web.details["engine"], web.details["image"], web.details["state"]) == (
        "docker",
        "host:5000/made:2",
        "running",
    )
    kesl = result.one("kesl")
    assert (kesl.vendor, kesl.source, kesl.details["seen_by"]) == ("Kaspersky Lab", "containers", "dpkg")
    assert kesl.evidence[0].where == "container web: /var/lib/dpkg/status"


def test_a_running_container_of_a_live_host_runs(tree: Tree) -> None:
    docker(tree)
    live = Host(HostInfo(name="here", platform="linux"), PosixFiles(str(tree.root)))
    assert run("containers", live).one("web").state == "running"


@pytest.mark.parametrize("driver", ["overlay", "vfs"])
def test_podman(tree: Tree, driver: str) -> None:
    podman(tree, "/var/lib/containers/storage", driver)
    result = run("containers", tree.host())
    inside = {(item.name, item.details["inside"]) for item in result.items if "inside" in item.details}
    other = "musl" if driver == "overlay" else "bash"
    assert inside == {("kesl", "container web"), (other, "image other:1")}
    assert {(item.kind, item.name) for item in result.items if "inside" not in item.details} == {
        ("app", "web"),
        ("package", "made"),
        ("package", "other"),
    }
    assert result.one("web").vendor == "AO Kaspersky Lab"
    assert result.run.status == "ok"


def test_containers_of_a_user_are_his(tree: Tree) -> None:
    podman(tree, "/home/ada/.local/share/containers/storage")
    docker(tree, "/home/ada/.local/share/docker")
    result = run("containers", tree.host())
    assert {item.user for item in result.items} == {"ada"}
    assert [item.name for item in result.items].count("web") == 2


def test_state_from_podmans_database(tree: Tree) -> None:
    root = "/var/lib/containers/storage"
    podman(tree, root)
    with closing(sqlite3.connect(tree.write(f"{root}/db.sql"))) as database, database:
        database.execute(
            "CREATE TABLE ContainerState (ID TEXT PRIMARY KEY NOT NULL, State INTEGER NOT NULL, JSON TEXT)"
        )
        database.executemany("INSERT INTO ContainerState VALUES (?, ?, '')", [("c1", 6), ("c2", 99), (b"x", "y")])
    assert run("containers", tree.host()).one("web").details["state"] == "exited"


def test_an_engine_that_keeps_its_files_elsewhere(tree: Tree) -> None:
    docker(tree, "/srv/docker")
    podman(tree, "/srv/podman")
    tree.write("/etc/docker/daemon.json", '{"data-root": "/srv/docker"}')
    tree.write(
        "/etc/containers/storage.conf",
        '[storage]\ndriver = "overlay"\n# graphroot = "/no"\ngraphroot = "/srv/podman"\n',
    )
    assert run("containers", tree.host()).names().count("kesl") == 2


def test_language_packages_are_seen_inside(tree: Tree) -> None:
    docker(tree)
    diff = "/var/lib/docker/overlay2/top/diff"
    tree.write(f"{diff}/usr/local/lib/python3.12/site-packages/opentip-1.2.dist-info/METADATA", "Name: opentip\n")
    tree.write(f"{diff}/usr/lib/node_modules/@kaspersky/hexa-ui/package.json", '{"name": "@kaspersky/hexa-ui"}')
    found = run("containers", tree.host())
    assert found.one("opentip").details["seen_by"] == "python_packages"
    assert found.one("@kaspersky/hexa-ui").ids == {"purl": "pkg:npm/%40kaspersky/hexa-ui"}


def test_damage_costs_a_problem_each(tree: Tree) -> None:
    docker(tree)
    podman(tree, "/var/lib/containers/storage")
    tree.write("/var/lib/docker/containers/c2/config.v2.json", "{")
    tree.write("/var/lib/docker/containers/c3/config.v2.json", '{"Driver": "btrfs"}')
    tree.write("/var/lib/docker/image/overlay2/imagedb/content/sha256/3", "[]")
    tree.write("/var/lib/docker/overlay2/top/diff/var/lib/dpkg/status", "Version: 1\n\n" + KESL)
    tree.write("/var/lib/containers/storage/overlay-containers/volatile-containers.json", '[{"names": ["x"]}]')
    result = run("containers", tree.host())
    assert result.run.left_out == {"damaged": 4}
    assert {problem.where for problem in result.problems} == {
        "/var/lib/docker/containers/c2/config.v2.json",
        "/var/lib/docker: container c3",
        "container web: /var/lib/dpkg/status:1",
        "/var/lib/docker/image/overlay2/imagedb/content/sha256/3",
        "/var/lib/containers/storage/overlay-containers/volatile-containers.json",
    }
    assert {"web", "c3", "sha256:3", "kesl"} <= set(result.names())
    assert result.run.status == "partial"


@pytest.mark.parametrize(
    ("driver", "folder"), [("btrfs", "btrfs/subvolumes"), ("zfs", "zfs/graph"), ("vfs", "vfs/dir")]
)
def test_docker_with_a_copy_for_each_layer(tree: Tree, driver: str, folder: str) -> None:
    root = "/var/lib/docker"
    store, chain = f"{root}/image/{driver}", "a" * 64
    tree.write(f"{root}/containers/c1/config.v2.json", json.dumps({"ID": "c1", "Name": "/web", "Driver": driver}))
    tree.write(f"{store}/layerdb/mounts/c1/mount-id", "top")
    tree.write(f"{store}/layerdb/mounts/c1/init-id", "top-init")
    tree.write(f"{store}/layerdb/mounts/c1/parent", f"sha256:{chain}")
    tree.write(f"{store}/layerdb/sha256/{chain}/cache-id", "low")
    for layer in ("low", "top-init", "top", "lost"):
        tree.write(f"{root}/{folder}/{layer}/var/lib/dpkg/status", KESL if layer in ("top", "lost") else BASE)
    result = run("containers", tree.host())
    assert {item.details["inside"] for item in result.items if item.name == "kesl"} == {"container web", "layer lost"}
    assert not [item for item in result.items if item.name == "bash"]
    assert result.run.status == "ok"


def test_a_copy_that_is_not_mounted_is_named(tree: Tree) -> None:
    root = "/var/lib/docker"
    tree.write(f"{root}/containers/c1/config.v2.json", json.dumps({"ID": "c1", "Name": "/web", "Driver": "zfs"}))
    tree.write(f"{root}/image/zfs/layerdb/mounts/c1/mount-id", "top")
    tree.folder(f"{root}/zfs/graph/top")
    assert [one.where for one in run("containers", tree.host()).problems] == [f"{root}: container web"]


def test_docker_on_aufs(tree: Tree) -> None:
    root = "/var/lib/docker"
    tree.write(f"{root}/containers/c1/config.v2.json", json.dumps({"ID": "c1", "Name": "/web", "Driver": "aufs"}))
    tree.write(f"{root}/image/aufs/layerdb/mounts/c1/mount-id", "top")
    tree.folder(f"{root}/aufs/diff/top/etc")
    tree.write(f"{root}/aufs/layers/top", "low\n")
    tree.write(f"{root}/aufs/layers/low", "")
    tree.write(f"{root}/aufs/diff/low/var/lib/dpkg/status", KESL)
    result = run("containers", tree.host())
    assert result.one("kesl").details["inside"] == "container web"
    assert result.run.status == "ok"


def test_podman_on_btrfs(tree: Tree) -> None:
    root = "/var/lib/containers/storage"
    containers_ = [{"id": "c1", "names": ["web"], "image": "i1", "layer": "top"}]
    tree.write(f"{root}/btrfs-containers/containers.json", json.dumps(containers_))
    tree.write(f"{root}/btrfs/subvolumes/top/var/lib/dpkg/status", KESL)
    result = run("containers", tree.host())
    assert result.one("kesl").details["inside"] == "container web"


def test_a_layer_that_is_not_there(tree: Tree) -> None:
    docker(tree)
    shutil.rmtree(tree.root / "var/lib/docker/overlay2")
    result = run("containers", tree.host())
    assert {problem.where for problem in result.problems} == {
        "/var/lib/docker: container web",
        "/var/lib/docker: image base:1",
    }
    assert result.names() == ["web", "base", "host:5000/made"]


def test_layers_do_not_lead_out_of_the_host(tree: Tree) -> None:
    docker(tree)
    tree.write("/var/lib/docker/overlay2/top/lower", "../../../../../../../../etc:l/../../../../..:\0:l/NONE")
    tree.link("/var/lib/docker/overlay2/l/NONE", "/nowhere")
    assert run("containers", tree.host()).one("kesl").version == "12.1"


@pytest.mark.slow
def test_more_layers_than_the_kernel_takes_are_not_read(tree: Tree) -> None:
    docker(tree)
    for number in range(600):
        tree.link(f"/var/lib/docker/overlay2/l/L{number}", f"../deep{number}/diff")
        tree.folder(f"/var/lib/docker/overlay2/deep{number}/diff")
    names = ":".join(f"l/L{number}" for number in range(600))
    tree.write("/var/lib/docker/overlay2/top/lower", names)
    tree.write("/var/lib/docker/overlay2/deep498/diff/lib/apk/db/installed", "P:seen\nV:1\n\n")
    tree.write("/var/lib/docker/overlay2/deep499/diff/usr/lib/apk/db/installed", "P:unseen\nV:1\n\n")
    found = {item.name for item in run("containers", tree.host()).items if item.details.get("seen_by") == "apk"}
    assert found == {"seen"}


def test_a_host_without_engines_costs_nothing(tree: Tree) -> None:
    result = run("containers", tree.host())
    assert (result.run.rows, result.run.status) == (0, "ok")


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["overlay", "vfs"])
def test_as_a_real_podman_keeps_them(driver: str) -> None:
    engine = shutil.which("podman")
    if sys.platform == "win32" or engine is None or os.geteuid():
        pytest.skip("no podman here that may be used")
    with tempfile.TemporaryDirectory(prefix="p") as folder:  # its paths may not be long
        home = f"{folder}/home"
        root = f"{home}/.local/share/containers/storage"
        archive = f"{folder}/image.tar"
        with tarfile.open(archive, "w") as tar:
            status = tarfile.TarInfo("var/lib/dpkg/status")
            status.size = len(KESL)
            tar.addfile(status, BytesIO(KESL.encode()))
        podman_ = [engine, "--root", root, "--runroot", f"{folder}/run", "--storage-driver", driver]
        for command in (["import", archive, "made:2"], ["create", "--name", "web", "made:2", "/bin/x"]):
            answer = subprocess.run([*podman_, *command], capture_output=True, text=True, check=False)
            if answer.returncode:
                pytest.skip(f"podman cannot do it here: {answer.stderr[-200:]}")
        host = Host(HostInfo(name="here", platform="linux", root="x"), PosixFiles("/"), (User("ada", 1, home),))
        items: list[Item] = []
        outcome = run_source(containers.SOURCE, host, items.append)
        subprocess.run([*podman_, "rm", "web"], capture_output=True, check=False)
    assert not [problem for problem in outcome.problems if folder in problem.where]
    found = [(item.kind, item.name, item.version) for item in items if item.user == "ada"]
    assert found == [("app", "web", "2"), ("package", "kesl", "12.1"), ("package", "localhost/made", "2")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (
            "/etc/systemd/system/docker.service.d/override.conf",
            "[Service]\nExecStart=\nExecStart=dockerd --data-root {}\n",
        ),
        ("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --graph={}\n"),
        ("/etc/default/docker", 'DOCKER_OPTS="-g {}"\n'),
        ("/etc/sysconfig/docker", "OPTIONS='--selinux-enabled --data-root={}'\n"),
        ("/etc/docker/daemon.json", '{{"graph": "{}"}}'),
        ("/home/ada/.config/docker/daemon.json", '{{"data-root": "{}"}}'),
    ],
)
def test_wherever_docker_is_told_its_folder(tree: Tree, path: str, content: str) -> None:
    tree.write(path, content.format("/data/docker/"))
    (promise,) = run("containers", tree.host()).problems
    assert (promise.where, promise.cause) == ("/data/docker", "missing")
    docker(tree, "/data/docker")
    result = run("containers", tree.host())
    assert result.one("kesl").user == ("ada" if path.startswith("/home") else "")
    assert result.run.status == "ok"


def test_settings_of_docker_in_another_file(tree: Tree) -> None:
    tree.write("/etc/systemd/system/docker.service", "[Service]\nExecStart=dockerd --config-file /srv/d.json\n")
    tree.write("/srv/d.json", '{"data-root": "/data/docker"}')
    docker(tree, "/data/docker")
    assert run("containers", tree.host()).one("kesl").version == "12.1"


def test_users_of_containers_mapped_to_others(tree: Tree) -> None:
    docker(tree, "/var/lib/docker/165536.165536")
    assert run("containers", tree.host()).one("kesl").version == "12.1"


@pytest.mark.parametrize(
    ("path", "content", "user"),
    [
        ("/home/ada/.config/containers/storage.conf", '[storage]\ngraphroot = "/data/pods"\n', "ada"),
        (
            "/home/ada/.config/containers/storage.conf",
            '[storage]\nrootless_storage_path = "$HOME/../../data/pods"\n',
            "ada",
        ),
        ("/etc/containers/storage.conf", '[storage]\nrootless_storage_path = "/data/pods"\n', "ada"),
        ("/etc/containers/storage.conf", '[storage.options]\nadditionalimagestores = ["/data/pods"]\n', ""),
        ("/etc/crio/crio.conf.d/10-root.conf", '[crio]\nroot = "/data/pods"\n', ""),
    ],
)
def test_wherever_podman_is_told_its_folder(tree: Tree, path: str, content: str, user: str) -> None:
    tree.folder("/home/ada")
    podman(tree, "/data/pods")
    tree.write(path, content)
    result = run("containers", tree.host())
    assert user in {item.user for item in result.items if item.name == "kesl"}
    assert result.run.status == "ok"


def test_the_folders_of_the_system_move_no_user(tree: Tree) -> None:
    """Podman of a user takes `graphroot` only from their own settings."""
    tree.write("/etc/containers/storage.conf", '[storage]\ngraphroot = "/srv/pods"\n')
    podman(tree, "/home/ada/.local/share/containers/storage")
    podman(tree, "/srv/pods")
    assert {item.user for item in run("containers", tree.host()).items if item.name == "kesl"} == {"", "ada"}


def test_settings_as_podman_ships_them_promise_nothing(tree: Tree) -> None:
    shipped = (
        '[storage]\ngraphroot = "/var/lib/containers/storage"\n[storage.options]\nadditionalimagestores = ["/no"]\n'
    )
    tree.write("/usr/share/containers/storage.conf", shipped)
    assert run("containers", tree.host()).run.status == "ok"


def test_layers_in_a_store_of_images(tree: Tree) -> None:
    """The image of a container may lie in another store than the container itself."""
    podman(tree, "/srv/images")
    (tree.root / "srv/images/overlay-containers/containers.json").unlink()
    tree.write("/etc/containers/storage.conf", '[storage]\nimagestore = "/srv/images"\n')
    root = "/var/lib/containers/storage"
    tree.write(f"{root}/overlay-containers/containers.json", '[{"id": "c9", "names": ["far"], "layer": "mine"}]')
    tree.folder(f"{root}/overlay/mine/diff/etc")
    tree.write(f"{root}/overlay/mine/lower", "l/LOW")
    inside = {item.details["inside"] for item in run("containers", tree.host()).items if item.name == "kesl"}
    assert "container far" in inside


@pytest.mark.parametrize("capture", ["podman-overlay", "podman-vfs-relocated"])
def test_real_captures(corpora: Path, as_host: Callable[[Path], Host], capture: str) -> None:
    root = corpora / "captures" / capture
    if not root.is_dir():
        pytest.skip(f"not here: {root}")
    result = run("containers", as_host(root))
    assert {"app", "package"} <= {item.kind for item in result.items}
