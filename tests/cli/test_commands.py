"""The other commands."""

from pathlib import Path

import msgspec
import pytest
from phaseout.sources import ALL

from tests.support.command import phaseout


@pytest.mark.slow
def test_sources_names_all() -> None:
    result = phaseout("sources", "-f", "json")
    assert {source["name"] for source in msgspec.json.decode(result.stdout)} == {
        name.rpartition(".")[2] for name in ALL
    }
    assert "limits" in phaseout("sources", "--os", "linux").stdout


@pytest.mark.slow
def test_rules_list_show_check() -> None:
    listed = msgspec.json.decode(phaseout("rules", "list", "-f", "json").stdout)
    assert {"kaspersky"} <= {vendor["id"] for vendor in listed["vendors"]}
    assert "us-commerce-icts-2021-002" in phaseout("rules", "list").stdout
    shown = phaseout("rules", "show", "us-commerce-icts-2021-002").stdout
    assert "2024-09-29T00:00:00-04:00  update_cutoff" in shown
    assert "matched by" in phaseout("rules", "show", "kaspersky").stdout
    role = phaseout("rules", "show", "us_dod_contractor").stdout
    assert "Implies: us_contractor" in role
    assert "us-far-52-204-23 (as us_contractor): " in role
    excepted = phaseout("rules", "show", "us_dod").stdout
    assert "us-ndaa-2018-1634" in excepted
    assert "us-dhs-bod-17-01" not in excepted
    unknown = phaseout("rules", "show", "kasperski")
    assert (unknown.returncode, "did you mean kaspersky" in unknown.stderr) == (2, True)


@pytest.mark.slow
def test_explain_says_why_and_why_not() -> None:
    why = phaseout("explain", "kesl", "--kind", "package", "--vendor", "AO Kaspersky Lab").stdout
    assert 'certain: package with name "kesl" and vendor "AO Kaspersky Lab"' in why
    assert "no rule shares a word" in phaseout("explain", "python3-fakesleep").stdout
    nearest = phaseout("explain", "kuu", "--kind", "package").stdout
    assert nearest.startswith("Not matched. Nearest:")


@pytest.mark.slow
def test_inventory_formats() -> None:
    result = phaseout("inventory", "--source", "dpkg", "-f", "csv")
    assert result.returncode == 3  # the other sources were left out
    assert result.stdout.splitlines()[0] == (
        "host,scanned_at,kind,name,version,vendor,state,path,user,source,command,signer"
    )
    assert "package" in phaseout("inventory", "--source", "dpkg").stdout


@pytest.mark.slow
def test_rules_new_writes_a_file_that_passes(tmp_path: Path) -> None:
    made = phaseout("rules", "new", "vendor", 'Acme "Ünlimited" 9', "--rules", str(tmp_path))
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "vendors" / "acme-nlimited-9.toml").is_file()
    checked = phaseout("rules", "check", str(tmp_path))
    assert (checked.returncode, checked.stderr) == (0, "")
    again = phaseout("rules", "new", "vendor", 'Acme "Ünlimited" 9', "--rules", str(tmp_path))
    assert (again.returncode, "File exists" in again.stderr) == (2, True)
    assert phaseout("rules", "new", "vendor", "卡巴斯基").returncode == 2
    measure = phaseout("rules", "new", "measure", "Acme Act", "--rules", str(tmp_path))
    assert measure.returncode == 0, measure.stderr
    assert (tmp_path / "measures" / "acme-act.toml").is_file()
    checked = phaseout("rules", "check", str(tmp_path))
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.slow
def test_rules_schema_fits_the_shipped_files() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    import tomllib

    root = Path(__file__).parents[2] / "rules"
    for kind in ("vendor", "measure"):
        schema = msgspec.json.decode(phaseout("rules", "schema", kind).stdout)
        for path in sorted((root / f"{kind}s").glob("*.toml")):
            table = msgspec.to_builtins(tomllib.loads(path.read_text(encoding="utf-8")))
            jsonschema.validate(table, schema)


def test_rules_list_shows_what_lies_ahead() -> None:
    listed = phaseout("rules", "list", "--as-of", "2024-09-01").stdout
    assert "new_agreement_ban 2024-07-20 (43 days past)" in listed
    assert "vendor_end_of_service 2024-09-10 (9 days left)" in listed


@pytest.mark.slow
def test_output_is_utf_8_whatever_the_locale() -> None:
    """Windows gives a pipe the code page of the country, which has no letters of other scripts."""
    for arguments in (("rules", "list"), ("sources",)):
        result = phaseout(*arguments, PYTHONIOENCODING="cp1252")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == phaseout(*arguments).stdout
