"""Hosts in container images and archives."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.host import NotAHostError
from phaseout.host.images.opening import ImagePlace, SeveralHostsError, image_host
from phaseout.host.opening import offline_host
from phaseout.scan.worker import run_source
from phaseout.sources import load

from tests.support.image_writer import Layer, docker_save, layer, oci_layout, root_layer
from tests.support.roots import alpine, debian, fedora


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    debian(folder, restricted=True)
    return folder


def zstd(data: bytes) -> bytes:
    return bytes(pytest.importorskip("backports.zstd").compress(data))


def seen(image: Path) -> list[object]:
    """Everything that the sources say of a host, without the time that it took."""
    host = image_host(str(image)) if image.is_file() else offline_host(str(image))
    found: list[object] = [host.users, *host.files.problems]
    host.files.problems.clear()
    for source in load("linux"):
        items: list[object] = []
        run = run_source(source, host, items.append)
        found += [*sorted(items, key=repr), run.status, run.left_out, *run.problems]
    return found


@pytest.mark.parametrize("make", [alpine, debian, fedora])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, make: Callable[[Path, bool], None]) -> None:
    (tmp_path / "root").mkdir()
    make(tmp_path / "root", True)
    image = tmp_path / "root.tar"
    image.write_bytes(root_layer(tmp_path / "root"))
    assert seen(image) == seen(tmp_path / "root")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_compressed_archives(root: Path, tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    image = tmp_path / "image"
    image.write_bytes(compress(root_layer(root)))
    assert seen(image) == seen(root)
    image.write_bytes(compress(docker_save({"a:1": [root_layer(root), layer({"etc/.wh.nothing": ""})]})))
    assert seen(image) == seen(root)


@pytest.mark.parametrize("compress", [gzip.compress, zstd, bytes])
def test_layouts(root: Path, tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    files = oci_layout({"a:1": [root_layer(root)]}, compress)
    (tmp_path / "archive").write_bytes(layer(files))
    assert seen(tmp_path / "archive") == seen(root)
    for name, content in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
    host = image_host(str(tmp_path / "folder"))
    assert host.info.name == "a:1"
    assert host.files.is_file("/var/lib/dpkg/status")


def test_several_images_are_several_hosts(root: Path, tmp_path: Path) -> None:
    image = tmp_path / "images.tar"
    image.write_bytes(docker_save({"a:1": [root_layer(root)], "b:2": [root_layer(root), layer({"etc/hostname": "b"})]}))
    with pytest.raises(SeveralHostsError) as several:
        image_host(str(image))
    assert several.value.images == (f"{image}:a:1", f"{image}:b:2")
    for part, name in (("a:1", "a:1"), ("b:2", "b:2"), ("1", "a:1"), ("2", "b:2")):
        host = image_host(f"{image}:{part}")
        assert (host.info.name, host.info.root) == (name, f"{image}:{name}")
    with pytest.raises(NotAHostError, match="no image c; there are a:1, b:2"):
        image_host(f"{image}:c")


def test_a_file_whose_name_has_a_colon(root: Path, tmp_path: Path) -> None:
    image = tmp_path / "a:1.tar"
    image.write_bytes(root_layer(root))
    assert ImagePlace.of(str(image)) == (str(image), "")
    assert ImagePlace.of(f"{image}:2") == (str(image), "2")
    assert image_host(str(image)).info.os == "Debian"
    with pytest.raises(NotAHostError, match="nothing that is called 2"):
        image_host(f"{image}:2")


@pytest.mark.parametrize("content", [b"", b"x" * 600, bytes(4096)])
def test_what_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    why = "no image that phaseout reads.*scan the folder with --root" if content else "an empty file"
    with pytest.raises(NotAHostError, match=f"file: {why}"):
        image_host(str(tmp_path / "file"))
    with pytest.raises(NotAHostError, match="No such file"):
        image_host(str(tmp_path / "nothing"))
    with pytest.raises(NotAHostError, match="--root scans a folder"):
        image_host(str(tmp_path))


def test_an_archive_without_a_system(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(layer({"photo.jpg": "x"}))
    with pytest.raises(NotAHostError, match="holds no operating system"):
        image_host(str(tmp_path / "a.tar"))


def problems(tmp_path: Path, data: bytes) -> list[tuple[str, str]]:
    (tmp_path / "image").write_bytes(data)
    host = image_host(str(tmp_path / "image"))
    return [(problem.cause, problem.why) for problem in host.files.problems]


def test_what_is_missing_or_damaged_is_said(root: Path, tmp_path: Path) -> None:
    whole = root_layer(root)
    assert problems(tmp_path, docker_save({"a": [whole]})) == []
    assert problems(tmp_path, docker_save({"a": [whole, b"encrypted" * 100]})) == [
        ("unsupported", "no tar archive: encrypted, or of a kind that phaseout does not read")
    ]
    ((cause, why),) = problems(tmp_path, docker_save({"a": [whole, gzip.compress(whole)[:-100]]}))
    assert (cause, why[:25]) == ("damaged", "compressed, and damaged: ")
    ((cause, why),) = problems(tmp_path, docker_save({"a": [whole, whole[:-20480]]}))
    assert cause == "damaged"
    assert "ends" in why
    ((cause, why),) = problems(tmp_path, gzip.compress(whole)[:-4])
    assert cause == "damaged"
    listed = json.dumps([{"Config": "", "RepoTags": ["a"], "Layers": ["1/layer.tar", "2/layer.tar"]}])
    files: Layer = {"1/layer.tar": whole, "manifest.json": listed}
    assert problems(tmp_path, layer(files)) == [("missing", "not in the image")]


def test_an_image_without_a_base_is_a_linux_of_which_little_is_seen(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(docker_save({"a": [layer({"server": "x"})]}))
    host = image_host(str(tmp_path / "image"))
    assert (host.info.name, host.info.platform) == ("a", "linux")


def test_an_image_of_windows(tmp_path: Path) -> None:
    files = docker_save({"a": [layer({"Files/a": "x"})]}).replace(b'"os": "linux"', b'"os": "winxx"')
    (tmp_path / "image").write_bytes(files)
    with pytest.raises(NotAHostError, match="a is an image of winxx"):
        image_host(str(tmp_path / "image"))


def test_a_bomb(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.host.images.unpacking._MOST", 1 << 20)
    bomb = gzip.compress(bytes(8 << 20))
    ((cause, why),) = problems(tmp_path, docker_save({"a": [root_layer(root), bomb]}))
    assert (cause, why) == ("limit", "not unpacked further: it takes more than 1 MiB")
