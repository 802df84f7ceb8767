"""Less of a host never looks better: no subset of its files turns `incomplete` into `clean`, or hides what was found.

Every file and folder of a good root is removed, emptied or cut off, alone and together with others. The verdict may
then become worse, or stay. A host may be clean without an item only where the files of the software itself are gone.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.judgement.verdict import judge
from phaseout.model.findings import HostVerdict
from phaseout.model.nouns import Item, SourceRun
from phaseout.model.rules import Policy, Ruleset
from phaseout.rules.load import load
from phaseout.rules.matcher import Matcher
from phaseout.scan.messages import Ended, Found, Message, Opened, Request
from phaseout.scan.supervisor import assembled
from phaseout.scan.worker import work

from tests.support.places import ROOT
from tests.support.roots import ROOTS

AS_OF = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
HOWS = ("removed", "emptied", "cut")
BOTH = pytest.mark.parametrize("restricted", [False, True], ids=["good", "restricted"])
Key = tuple[str, str, str]


class Seen(NamedTuple):
    """What a scan gave: the verdict, and each item with the places that show it."""

    verdict: HostVerdict
    items: dict[Key, frozenset[str]]


class Loss(NamedTuple):
    """What was taken away: the path within the root, how, and of a file that was cut, the share that is left."""

    path: str
    how: str
    share: float = 0.5


@cache
def rules() -> tuple[Ruleset, Matcher]:
    top = ROOT / "rules"
    found = load({str(file.relative_to(top)): file.read_bytes() for file in top.rglob("*.toml")})
    return found, Matcher(found)


def scan(root: Path) -> Seen:
    """The verdict on a root and what it is based on: all that a scan does, in this process."""
    items: list[Item] = []
    runs: dict[str, SourceRun] = {}
    opened: list[Opened] = []

    def take(message: Message) -> None:
        if isinstance(message, Opened):
            opened.append(message)
        elif isinstance(message, Found):
            items.append(message.item)
        elif isinstance(message, Ended):
            runs[message.run.source] = message.run

    work(Request(root=str(root)), take)
    if not opened:
        return Seen("incomplete", {})  # refused: nothing shows which system it is
    inventory = assembled(opened[0], items, runs, scanned_at="2026-11-26T00:00:00Z", tool="test")
    ruleset, matcher = rules()
    verdict = judge(inventory, matcher.match(inventory.items), ruleset, Policy(), AS_OF).verdict
    found: dict[Key, frozenset[str]] = {}
    for item in items:
        places = {item.path, *(one.where for one in item.evidence)} - {""}
        found[item.source, item.name, item.user] = frozenset(map(in_root, places))
    return Seen(verdict, found)


def in_root(place: str) -> str:
    """A place of an item as a path below the root, without the line in a file that it names."""
    path = place[2:].replace("\\", "/") if place[1:3] == ":\\" else place
    return path.split(":")[0].removeprefix("/private")


def take_away(root: Path, loss: Loss) -> None:
    """Makes a loss, unless an earlier one took the place along. A link is removed, never what it leads to."""
    path = root / loss.path.lstrip("/")
    if not path.is_symlink() and (not path.exists() or not path.parent.resolve().is_relative_to(root.resolve())):
        return
    is_folder = path.is_dir() and not path.is_symlink()
    if loss.how == "cut" and path.is_file() and not path.is_symlink():
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * loss.share)])
    elif is_folder:
        shutil.rmtree(path)
        if loss.how == "emptied":
            path.mkdir()
    elif loss.how == "emptied" and not path.is_symlink():
        path.write_bytes(b"")
    else:
        path.unlink()


def below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def excused(name: str, places: frozenset[str], losses: list[Loss]) -> bool:
    """Whether an item is rightly missing: a place that shows it is gone, and nothing that lists or promises others."""
    kept = [in_root(path) for path in ROOTS[name].kept]
    for loss in losses:
        path = in_root(loss.path)
        if any(below(one, path) for one in kept):
            continue
        if any(below(place, path) or below(path, place) for place in places):
            return True
    return False


def check(name: str, before: Seen, after: Seen, losses: list[Loss]) -> None:
    if after.verdict == "clean":
        lost = {
            key for key, places in before.items.items() if key not in after.items and not excused(name, places, losses)
        }
        assert not lost, f"clean without {sorted(lost)}, after {losses}"


def everything(root: Path) -> Iterator[Loss]:
    """Every loss of one place."""
    for path in sorted(root.rglob("*")):
        where = f"/{path.relative_to(root).as_posix()}"
        yield Loss(where, "removed")
        if path.is_symlink():
            continue
        yield Loss(where, "emptied")
        if path.is_file() and path.stat().st_size:
            yield from (Loss(where, "cut", share) for share in (0.25, 0.5, 0.9))


def filled(name: str, folder: Path, *, restricted: bool) -> Path:
    root = folder / "root"
    root.mkdir(parents=True)
    ROOTS[name].make(root, restricted)
    return root


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", ROOTS)
def test_the_roots_are_good(name: str, restricted: bool, tmp_path: Path) -> None:
    verdict = scan(filled(name, tmp_path, restricted=restricted)).verdict
    assert verdict in ("replace", "review") if restricted else verdict == "clean"


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", ROOTS)
def test_no_single_loss_looks_better(name: str, restricted: bool, tmp_path: Path) -> None:
    root = filled(name, tmp_path, restricted=restricted)
    before = scan(root)
    for number, loss in enumerate(everything(root)):
        copy = tmp_path / str(number)
        shutil.copytree(root, copy, symlinks=True)
        take_away(copy, loss)
        check(name, before, scan(copy), [loss])
        shutil.rmtree(copy)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", ROOTS)
def test_no_list_of_software_can_be_lost(name: str, restricted: bool, tmp_path: Path) -> None:
    """Without a database, hive or home, or only with its first part, a host is not clean whatever else it shows."""
    root = filled(name, tmp_path, restricted=restricted)
    for number, path in enumerate(ROOTS[name].kept):
        for how in HOWS:
            copy = tmp_path / f"{number}{how}"
            shutil.copytree(root, copy, symlinks=True)
            take_away(copy, Loss(path, how))
            assert scan(copy).verdict != "clean", f"{path} was {how}"


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("name", ROOTS)
@settings(max_examples=40)
@given(data=st.data())
def test_no_subset_looks_better(name: str, restricted: bool, data: st.DataObject) -> None:
    """One loss after the other: each check is against the whole root, so that a later loss excuses no earlier one."""
    with TemporaryDirectory() as folder:
        root = filled(name, Path(folder), restricted=restricted)
        before = scan(root)
        paths = [f"/{path.relative_to(root).as_posix()}" for path in sorted(root.rglob("*"))]
        loss = st.builds(Loss, st.sampled_from(paths), st.sampled_from(HOWS), st.floats(0, 0.99))
        losses: list[Loss] = []
        for one in data.draw(st.lists(loss, min_size=2, max_size=5)):
            take_away(root, one)
            losses.append(one)
            check(name, before, scan(root), losses)
