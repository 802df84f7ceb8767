"""Which rules and which policy a command reads."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from phaseout.cli import rule_files
from phaseout.cli.rule_files import read_policy, read_rules, rules_and_policy
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


@pytest.mark.slow
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
    monkeypatch.setattr("phaseout.host.ownership._way", lambda path: iter([(path, os.lstat(path))]))
    if own:
        with pytest.raises(RuleError, match=r"phaseout\.toml: neither a regular file"):
            read_policy(None)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)  # a home left over from another user
        assert read_policy(None).policy == Policy()
    with pytest.raises(RuleError):
        read_policy(str(place))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only a privileged scan is guarded")
def test_a_policy_out_of_a_pipe_and_none_out_of_a_device(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (str(pipe), os.devnull):  # nobody writes into the pipe
        with pytest.raises(RuleError, match="neither a regular file nor a pipe with a policy"):
            read_policy(place)
    reader, writer = os.pipe()
    with open(reader), open(writer, "w") as file:
        file.write('roles = ["us_contractor"]')
        file.close()
        assert read_policy(f"/dev/fd/{reader}").policy.roles == ("us_contractor",)


def test_a_policy_that_others_could_have_written_is_passed_over_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "phaseout.toml"
    place.write_text('roles = ["us_person"]\n')
    os.chown(place, 54321, -1)
    monkeypatch.setattr(rule_files, "_policy_places", lambda: [str(place)])
    monkeypatch.setattr("phaseout.host.ownership._way", lambda path: iter([(path, os.lstat(path))]))
    own = read_policy(None)
    assert (own.place, own.policy) == ("", Policy())
    (caution,) = own.cautions
    assert caution == f"the policy was not used: {place}: it belongs to user 54321, not to root"
    ruleset, _ = rules_and_policy()
    assert ruleset.cautions == (caution,)
    assert read_policy(str(place)).policy.roles == ("us_person",)
    os.chown(place, 0, -1)
    assert read_policy(None).policy.roles == ("us_person",)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only a privileged scan is guarded")
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/nowhere", path)])
def test_nothing_that_others_put_in_the_place_of_a_policy_ends_a_command(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "phaseout.toml"
    make(place)
    os.lchown(place, 54321, -1)
    monkeypatch.setattr(rule_files, "_policy_places", lambda: [str(place)])
    monkeypatch.setattr("phaseout.host.ownership._way", lambda path: iter([(path, os.lstat(path))]))
    assert len(rules_and_policy()[0].cautions) == 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only a privileged scan is guarded")
def test_rules_of_a_policy_that_others_could_have_written_are_refused(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phaseout.host.ownership._way", lambda path: iter([(path, os.lstat(path))]))
    policy = Policy(rules=(folder,))
    assert read_rules(policy=policy, guarded=True).added == (folder,)
    os.chmod(f"{folder}/vendors/own.toml", 0o666)
    with pytest.raises(RuleError, match=r"own\.toml: not used: .*every user can write it"):
        read_rules(policy=policy, guarded=True)
    assert read_rules(policy=policy).added == (folder,)


def test_rules_of_a_policy_lie_beside_it_wherever_the_command_runs(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "phaseout.toml"
    place.write_text('rules = ["."]\n')
    monkeypatch.chdir("/")
    policy = read_policy(str(place)).policy
    assert read_rules(policy=policy).added == (os.path.join(folder, "."),)
