"""No shipped rule fits an ordinary name: of Debian's packages, of programs, of what real machines have."""

import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.model.nouns import Item, Kind
from phaseout.rules.matcher import Matcher

BARE: tuple[Kind, ...] = ("app", "driver", "package", "process", "program", "service", "task")


@cache
def matcher() -> Matcher:
    return Matcher(read_rules())


def found(items: list[Item]) -> set[tuple[str, str]]:
    return {(items[hit.item].name, hit.product.id) for hit in matcher().match(items)}


@pytest.mark.slow
def test_no_package_of_debian() -> None:
    """The packages that the machine's own lists name, also as the names of programs, processes and services."""
    if shutil.which("apt-cache") is None:
        pytest.skip("apt-cache is not here")
    listed = subprocess.run(["apt-cache", "pkgnames"], capture_output=True, text=True, check=True)
    names = listed.stdout.split()
    if len(names) < 30_000:
        pytest.skip("apt knows the installed packages only: run apt-get update")
    for kind in ("package", "process", "service"):
        assert found([Item(kind=kind, name=name) for name in names]) == set(), kind


@pytest.mark.slow
def test_no_ordinary_program_by_its_name_alone(corpora: Path) -> None:
    """What is called ordinary, without the publisher: as a list of names has it."""
    with (corpora / "names" / "windows_programs_ordinary.csv").open(encoding="utf-8", newline="") as file:
        listed = [
            Item(kind="program", name=row["display_name"], vendor=row["publisher"]) for row in csv.DictReader(file)
        ]
    assert len(listed) > 5_000
    theirs = {name for name, _ in found(listed)}  # test_other_vendors has judged each of them
    ordinary = {item.name for item in listed} - theirs - {"钉钉"}  # a client by another author, with the very name
    for kind in BARE:
        assert found([Item(kind=kind, name=name) for name in ordinary]) == set(), kind


def test_no_ordinary_item_of_real_machines(corpora: Path) -> None:
    """Programs of Windows, applications of macOS and packages of Linux that another inventory program recorded."""
    items = [
        Item(kind=kind, name=name, vendor=vendor)
        for file in sorted((corpora / "glpi-agent").rglob("*expected.json"))
        for name, vendor in named(json.loads(file.read_text(encoding="utf-8")))
        for kind in ("program", "app", "package")
    ]
    assert len(items) > 1_000
    assert {one for one in found(items) if one[1] != "kaspersky-embedded-parallels"} == set()


def named(value: Any) -> Iterator[tuple[str, str]]:
    """Each name in a document with the publisher beside it."""
    if isinstance(value, dict):
        name = value.get("NAME") or value.get("name")
        if isinstance(name, str):
            vendor = value.get("PUBLISHER") or value.get("publisher") or ""
            yield name, vendor if isinstance(vendor, str) else ""
        for one in value.values():
            yield from named(one)
    elif isinstance(value, list):
        for one in value:
            yield from named(one)
