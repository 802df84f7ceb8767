"""Which rules and which policy a command reads."""

import os
from pathlib import Path

import pytest
from phaseout.cli import rule_files
from phaseout.cli.rule_files import read_policy, read_rules
from phaseout.cli.rule_folders import RuleFolders
from phaseout.model.rules import Policy
from phaseout.rules.load import RuleError

from tests.unit.rules.test_load import ROLES, VENDOR


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "vendors").mkdir()
    own = VENDOR.replace('id = "kaspersky"', 'id = "own"').replace('id = "kesl"', 'id = "own-agent"')
    (tmp_path / "vendors" / "own.toml").write_text(own)
    return str(tmp_path)


def test_named_folders_add_to_the_shipped_rules(folder: str) -> None:
    shipped = read_rules()
    both = read_rules(RuleFolders(added=(folder,)))
    assert {vendor.id for vendor in both.vendors} - {vendor.id for vendor in shipped.vendors} == {"own"}
    assert (both.added, both.replaced, shipped.added) == ((folder,), (), ())
    assert both.digest != shipped.digest
    assert read_rules(policy=Policy(rules=(folder,))).added == (folder,)


def test_only_replaces_them(folder: str) -> None:
    only = read_rules(RuleFolders(only=(folder,)))
    assert [vendor.id for vendor in only.vendors] == ["own"]
    assert (only.added, only.replaced, only.roles) == ((), (folder,), ())
    (Path(folder) / "roles.toml").write_text(ROLES)
    assert [role.id for role in read_rules(RuleFolders(only=(folder,))).roles] == ["us_federal_agency"]


def test_a_vendor_that_is_shipped_cannot_be_added_again(tmp_path: Path) -> None:
    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors" / "kaspersky.toml").write_text(VENDOR)
    with pytest.raises(RuleError, match="defined in another file too"):
        read_rules(RuleFolders(added=(str(tmp_path),)))


@pytest.mark.parametrize("own", [True, False])
def test_a_policy_that_cannot_be_read_is_an_error(own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "phaseout.toml"
    place.mkdir()  # cannot be read as a file, by root neither
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(rule_files, "_policy_places", lambda: [str(place)])
    if own:
        with pytest.raises(RuleError, match=r"phaseout\.toml: Is a directory"):
            read_policy(None)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)  # a home left over from another user
        assert read_policy(None) == ("", Policy())
    with pytest.raises(RuleError):
        read_policy(str(place))
