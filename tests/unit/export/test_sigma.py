"""Sigma rules: what pySigma says of them, and what they match."""

import uuid
from typing import Any

import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.export.sigma import export
from phaseout.model.nouns import Platform

from tests.support.command import phaseout

yaml = pytest.importorskip("yaml", reason="not installed: PyYAML")
ALL: tuple[Platform, ...] = ("linux", "macos", "windows")


@pytest.fixture(scope="module")
def text() -> str:
    return export(read_rules(), ALL)


@pytest.fixture(scope="module")
def rules(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def one(rules: list[dict[str, Any]], product: str, category: str, platform: str) -> dict[str, Any]:
    source = {"category": category, "product": platform}
    (rule,) = (rule for rule in rules if f"product {product} of" in rule["description"] and rule["logsource"] == source)
    detection: dict[str, Any] = rule["detection"]
    return detection


@pytest.mark.slow
def test_pysigma_has_nothing_to_object_to(text: str) -> None:
    collection = pytest.importorskip("sigma.collection", reason="not installed: pysigma")
    from sigma.validation import SigmaValidator
    from sigma.validators.core import validators

    found = collection.SigmaCollection.from_yaml(text, collect_errors=True)
    assert found.errors == []
    assert len(found.rules) > 100
    assert [rule.errors for rule in found.rules if rule.errors] == []
    issues = SigmaValidator(set(validators.values())).validate_rules(iter(found.rules))
    serious = [issue for issue in issues if issue.severity.name in {"MEDIUM", "HIGH"}]
    assert serious == []


def test_ids_are_uuids_that_stay(rules: list[dict[str, Any]]) -> None:
    ids = [rule["id"] for rule in rules]
    assert len(set(ids)) == len(ids)
    assert all(str(uuid.UUID(identifier)) == identifier for identifier in ids)
    again = export(read_rules(), ALL[:1])
    assert {rule["id"] for rule in yaml.safe_load_all(again) if rule} <= set(ids)


def test_a_process_by_its_folder_and_by_its_name(rules: list[dict[str, Any]]) -> None:
    detection = one(rules, "kaspersky-endpoint-security-linux", "process_creation", "linux")
    texts = str(detection)
    assert "/opt/kaspersky/kesl*" in texts
    assert "/kesl-supervisor" in texts
    assert detection["condition"].startswith("1 of selection_*")


def test_a_name_that_needs_a_folder_is_asked_for_both(rules: list[dict[str, Any]]) -> None:
    detection = one(rules, "kaspersky-password-manager", "process_creation", "windows")
    assert {"Image|contains": [r"\\Kaspersky Lab\\"], "Image|endswith": [r"\\kpm.exe"]} in detection.values()


def test_what_takes_back_is_a_filter(rules: list[dict[str, Any]]) -> None:
    detection = one(rules, "kaspersky-home-windows", "process_creation", "windows")
    assert detection["condition"] == "1 of selection_* and not 1 of filter_*"
    assert any(name.startswith("filter_") for name in detection)


def test_a_registry_key(rules: list[dict[str, Any]]) -> None:
    detection = one(rules, "kaspersky-other", "registry_event", "windows")
    assert {
        "TargetObject|startswith": [r"HKLM\\SOFTWARE\\KasperskyLab", r"HKLM\\SOFTWARE\\WOW6432Node\\KasperskyLab"]
    } in (detection.values())


def test_a_driver_by_name_and_signer(rules: list[dict[str, Any]]) -> None:
    detection = one(rules, "kaspersky-drivers-windows", "driver_load", "windows")
    asked = [selection for name, selection in detection.items() if name.startswith("selection_")]
    assert any({field.partition("|")[0] for field in each} == {"ImageLoaded", "Signature"} for each in asked)


def test_a_driver_is_a_file_whose_ending_its_name_lacks(rules: list[dict[str, Any]]) -> None:
    detection = one(rules, "huawei-edr", "driver_load", "windows")
    (selection,) = (each for name, each in detection.items() if name.startswith("selection_"))
    assert r"\\EdrDriver.sys" in selection["ImageLoaded|endswith"]


def test_what_is_left_out_stands_at_the_head(text: str) -> None:
    head = text.partition("---\n")[0].splitlines()
    assert all(line.startswith("# ") for line in head)
    assert any(line.startswith("# kaspersky-browser-extensions: extension; ids.extension_id") for line in head)


def test_the_command_writes_them() -> None:
    result = phaseout("rules", "export", "--to", "sigma", "--os", "linux")
    assert (result.returncode, result.stderr) == (0, "")
    assert {rule["logsource"]["product"] for rule in yaml.safe_load_all(result.stdout) if rule} == {"linux"}
