"""`--image` as a user runs it."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.command import phaseout
from tests.support.image_writer import docker_save, layer, root_layer
from tests.support.roots import alpine, debian


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name, make, restricted in (("good", alpine, False), ("bad", debian, True)):
        (tmp_path / name).mkdir()
        make(tmp_path / name, restricted)
    file = tmp_path / "images.tar"
    layers = {"good:1": [root_layer(tmp_path / "good")], "bad:2": [root_layer(tmp_path / "bad")]}
    file.write_bytes(docker_save({**layers, "scratch:3": [layer({"server": "x"})]}))
    return file


@pytest.mark.slow
def test_one_image_of_several(images: Path) -> None:
    assert phaseout("scan", "--image", f"{images}:good:1").returncode == 0
    assert phaseout("scan", "--image", f"{images}:bad:2").returncode == 1
    scratch = phaseout("scan", "--image", f"{images}:scratch:3")
    assert scratch.returncode == 3
    assert "Packages of the system: every such system has some" in " ".join(scratch.stdout.split())
    unknown = phaseout("scan", "--image", f"{images}:other")
    assert unknown.returncode == 2
    assert "no image other; there are good:1, bad:2, scratch:3" in " ".join(unknown.stderr.split())


@pytest.mark.slow
def test_several_images_are_several_hosts(images: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json.gz"
    result = phaseout("scan", "--image", str(images), "-f", "csv", "--inventory", str(saved))
    assert (result.returncode, result.stderr) == (1, "")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    verdicts = {row["host"]: row["verdict"] for row in rows}
    assert verdicts == {"good:1": "clean", "bad:2": "replace", "scratch:3": "incomplete"}
    again = phaseout("match", str(saved), "-f", "csv")
    assert {row["host"]: row["verdict"] for row in csv.DictReader(io.StringIO(again.stdout))} == verdicts


@pytest.mark.slow
def test_inventories_of_several_images(images: Path) -> None:
    result = phaseout("inventory", "--image", str(images), "-f", "json")
    assert result.returncode == 3
    found = json.loads(result.stdout)
    assert [one["host"]["name"] for one in found] == ["good:1", "bad:2", "scratch:3"]
    table = phaseout("inventory", "--image", str(images)).stdout
    assert "3 hosts." in table
    assert "good:1\n" in table


@pytest.mark.slow
def test_a_format_for_one_host(images: Path) -> None:
    result = phaseout("scan", "--image", str(images), "-f", "sarif")
    assert result.returncode == 2
    assert "sarif holds one host" in result.stderr
    assert phaseout("scan", "--image", f"{images}:1", "-f", "sarif").returncode == 0


def test_wrong_use(tmp_path: Path) -> None:
    result = phaseout("scan", "--image", "x", "--root", str(tmp_path))
    assert result.returncode == 2
    assert "a scan has one of them" in result.stderr
    assert phaseout("scan", "--image", str(tmp_path / "nothing")).returncode == 2
