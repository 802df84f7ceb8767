"""Rule packs on a machine: import, rollback, and what a scan then uses."""

import datetime as dt
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from phaseout import release
from phaseout.cli import Failure, rule_store
from phaseout.cli.rule_files import read_rules
from phaseout.cli.rule_folders import RuleFolders
from phaseout.rules import pinned_keys
from phaseout.rules.packs import Keys, write_manifest, write_pack

from tests.support.signer import ADA, BOB, DAN, EVE, KEYS, Signer
from tests.unit.rules.test_load import ROLES, VENDOR

FILES = {"rules/roles.toml": ROLES.encode(), "rules/vendors/kaspersky.toml": VENDOR.encode()}


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, which the test's account may write, and test keys: neither can be had from outside."""
    monkeypatch.setattr(release, "installed_folder", lambda: str(tmp_path / "installed"))
    monkeypatch.setattr(rule_store, "written_by_others", lambda _: "")
    monkeypatch.setattr(pinned_keys, "PINNED", KEYS)


def pack(folder: Path, serial: int, *signers: Signer, files: dict[str, bytes] = FILES, keys: Keys | None = None) -> str:
    encoded = write_manifest(
        files,
        serial=serial,
        made=dt.date(2026, 11, 26),
        review_by=dt.date(2027, 5, 26),
        minimum_version="0.2.0",
        keys=keys,
    )
    path = folder / f"phaseout-rules-{serial}.tar"
    path.write_bytes(write_pack(encoded, tuple(one.sign(encoded) for one in signers or (ADA, BOB)), files))
    return str(path)


def install(folder: Path, serial: int, *signers: Signer, **more: Any) -> str:
    return rule_store.install(pack(folder, serial, *signers, **more), allow_older=False)


@pytest.mark.slow
def test_an_imported_pack_is_what_a_scan_uses(tmp_path: Path) -> None:
    shipped = read_rules()
    assert "imported" in install(tmp_path, 7)
    used = read_rules()
    assert (used.serial, used.made, used.review_by) == (7, "2026-11-26", "2027-05-26")
    assert [vendor.id for vendor in used.vendors] == ["kaspersky"]
    assert used.digest != shipped.digest
    assert release.described() == f"rules 7 of 2026-11-26, digest {used.digest[:12]}"
    own = read_rules(RuleFolders(only=(release.shipped_folder(),)))
    assert (own.serial, own.digest) == (0, shipped.digest)


def test_a_file_that_is_exchanged_meanwhile_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was verified is installed, and the file is read once."""
    path = pack(tmp_path, 7)
    reads: list[str] = []
    whole = rule_store._read_pack

    def once(place: str) -> bytes:
        reads.append(place)
        return whole(place)

    monkeypatch.setattr(rule_store, "_read_pack", once)
    rule_store.install(path, allow_older=False)
    assert reads == [path]


def test_verify_changes_nothing(tmp_path: Path) -> None:
    said = rule_store.verify(pack(tmp_path, 7))
    assert f"rules 7 of 2026-11-26, to be reviewed by 2027-05-26, signed by {ADA.name} and {BOB.name}" in said
    assert not os.path.exists(release.installed_folder())


@pytest.mark.slow
def test_serials_only_rise(tmp_path: Path) -> None:
    install(tmp_path, 8)
    with pytest.raises(Failure, match="has serial 7, and this machine has had 8"):
        install(tmp_path, 7)
    assert read_rules().serial == 8
    assert "not newer" in rule_store.install(pack(tmp_path, 7), allow_older=True)
    assert read_rules().serial == 7
    with pytest.raises(Failure, match="this machine has had 8"):
        install(tmp_path, 8)
    install(tmp_path, 9)
    assert read_rules().serial == 9


def test_what_the_program_ships_is_not_replaced_by_older_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, 7)
    monkeypatch.setattr(release, "shipped", lambda: {"serial": "8", "made": "2027-01-01"})
    assert (read_rules().serial, len(read_rules().vendors) > 1) == (8, True)
    with pytest.raises(Failure, match="the program ships rules 8"):
        rule_store.install(pack(tmp_path, 7), allow_older=True)


def test_rollback(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no imported rules"):
        rule_store.rollback()
    install(tmp_path, 7)
    install(tmp_path, 8)
    install(tmp_path, 9)
    assert sorted(os.listdir(release.installed_folder())) == ["8.packed", "8.tar", "9.packed", "9.tar", "installed"]
    assert "scans use rules 8" in rule_store.rollback()
    assert read_rules().serial == 8
    with pytest.raises(Failure, match="has had 9"):
        install(tmp_path, 9)
    rule_store.rollback()
    assert read_rules().serial == release.number(release.shipped())


def test_keys_that_were_taken_out_stay_out(tmp_path: Path) -> None:
    install(tmp_path, 7, keys=Keys(version=2, threshold=2, keys=(BOB.public, EVE.public, DAN.public)))
    with pytest.raises(Failure, match=f"key {ADA.name} is unknown or revoked"):
        install(tmp_path, 8, ADA, BOB)
    for serial in (8, 9, 10):
        install(tmp_path, serial, BOB, DAN)
    rule_store.rollback()
    rule_store.rollback()
    with pytest.raises(Failure, match=f"key {ADA.name} is unknown or revoked"):
        install(tmp_path, 11, ADA, BOB)


def test_rules_that_do_not_pass_the_check_are_refused(tmp_path: Path) -> None:
    broken = FILES | {"rules/vendors/more.toml": b"id = 1\n"}
    with pytest.raises(Failure, match="its rules have errors"):
        install(tmp_path, 7, files=broken)
    assert not os.path.exists(release.installed_folder())


@pytest.mark.parametrize("write", range(1, 4))
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    install(tmp_path, 7)
    before = {name: (tmp_path / "installed" / name).read_bytes() for name in os.listdir(tmp_path / "installed")}
    done, real = 0, os.fsync

    def full(handle: int) -> None:
        nonlocal done
        done += 1
        if done == write:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure, match="No space left on device; nothing was imported"):
        install(tmp_path, 8)
    assert before == {name: (tmp_path / "installed" / name).read_bytes() for name in before}
    assert read_rules().serial == 7
    monkeypatch.setattr(os, "fsync", real)
    install(tmp_path, 8)
    assert read_rules().serial == 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["7.tar", "installed"])
def test_a_damaged_or_missing_pack_stops_no_scan(tmp_path: Path, name: str) -> None:
    install(tmp_path, 7)
    place = tmp_path / "installed" / name
    place.write_bytes(place.read_bytes()[:700] if name == "7.tar" else b"\xff\0 nonsense\nserial x\n")
    used = read_rules()
    assert used.serial == release.number(release.shipped())
    assert any("the imported rules were not used" in one for one in used.cautions) == (name == "7.tar")
    place.unlink()
    assert read_rules().serial == release.number(release.shipped())


def test_changed_checked_rules_do_not_count(tmp_path: Path) -> None:
    install(tmp_path, 7)
    place = tmp_path / "installed" / "7.packed"
    place.write_bytes(place.read_bytes().replace(b"Kaspersky", b"Kasperskx"))
    place.write_bytes(b"{}")
    assert (read_rules().serial, len(read_rules().vendors)) == (7, 1)


def test_rules_that_others_can_write_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, 7)
    monkeypatch.setattr(rule_store, "written_by_others", lambda place: f"{place}: every user can write it")
    used = read_rules()
    assert used.serial == release.number(release.shipped())
    assert "every user can write it" in used.cautions[0]
    with pytest.raises(Failure, match="every user can write it"):
        install(tmp_path, 8)


def test_without_keys_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned_keys, "PINNED", Keys(version=0, threshold=2, keys=()))
    with pytest.raises(Failure, match="this program has no keys to verify rule packs with"):
        rule_store.verify(pack(tmp_path, 7))


def test_another_pack_with_a_serial_that_is_in_use(tmp_path: Path) -> None:
    install(tmp_path, 7)
    other = FILES | {"rules/roles.toml": ROLES.encode() + b"# other\n"}
    with pytest.raises(Failure, match="is not the pack 7 that was imported before"):
        rule_store.install(pack(tmp_path, 7, files=other), allow_older=True)
    assert "imported" in rule_store.install(pack(tmp_path, 7), allow_older=True)


def test_a_damaged_pack_is_mended_by_the_same_pack(tmp_path: Path) -> None:
    install(tmp_path, 7)
    kept = tmp_path / "installed" / "7.tar"
    kept.write_bytes(kept.read_bytes()[:-600])
    assert any("pack 7 is damaged; import it again with --allow-older" in one for one in rule_store.newest().cautions)
    assert "imported" in rule_store.install(pack(tmp_path, 7), allow_older=True)
    kept.unlink()
    assert any("pack 7 is missing; import it again" in one for one in rule_store.newest().cautions)
    assert "imported" in rule_store.install(pack(tmp_path, 7, ADA, EVE), allow_older=True)
    assert not rule_store.newest().cautions


def test_keys_that_were_lost_are_asked_for(tmp_path: Path) -> None:
    """Without them nothing is accepted: the pinned ones may have been revoked."""
    install(tmp_path, 7, keys=Keys(version=2, threshold=2, keys=(ADA.public, BOB.public, DAN.public)))
    (tmp_path / "installed" / "7.tar").unlink()
    with pytest.raises(Failure, match=r"the keys that pack 7 brought cannot be read: No such file.*copy that pack"):
        install(tmp_path, 8)


@pytest.mark.parametrize("name", ["installed", "7.tar", "7.packed"])
def test_a_file_that_others_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    install(tmp_path, 7)
    install(tmp_path, 8)
    rule_store.rollback()
    monkeypatch.setattr(rule_store, "written_by_others", lambda place: "user 7 can" if place.endswith(name) else "")
    used = rule_store.newest()
    if name == "7.packed":  # the pack is there all the same
        assert (release.number(used.release), used.packed) == (7, b"")
    else:
        assert used.cautions == ("the imported rules were not used: user 7 can",)


def test_a_pack_that_others_can_write_is_not_gone_back_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, 7)
    install(tmp_path, 8)
    monkeypatch.setattr(rule_store, "written_by_others", lambda place: "user 7 can" if place.endswith("7.tar") else "")
    with pytest.raises(Failure, match=r"pack 7 cannot be used again.*user 7 can"):
        rule_store.rollback()


def test_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", tmp_path / "none"):
        with pytest.raises(Failure):
            rule_store.verify(str(place))
