"""The other commands."""

import msgspec

from scanner.sources import ALL
from tests.cli.test_scan import phaseout


def test_sources_names_all() -> None:
    result = phaseout("sources", "-f", "json")
    assert {source["name"] for source in msgspec.json.decode(result.stdout)} == {
        name.rpartition(".")[2] for name in ALL
    }
    assert "limits" in phaseout("sources", "--os", "linux").stdout


def test_rules_list_show_check() -> None:
    listed = msgspec.json.decode(phaseout("rules", "list", "-f", "json").stdout)
    assert {"kaspersky"} <= {vendor["id"] for vendor in listed["vendors"]}
    assert "us-commerce-icts-2021-002" in phaseout("rules", "list").stdout
    shown = phaseout("rules", "show", "us-commerce-icts-2021-002").stdout
    assert "2024-09-29T00:00:00-04:00  update_cutoff" in shown
    assert "matched by" in phaseout("rules", "show", "kaspersky").stdout
    unknown = phaseout("rules", "show", "kasperski")
    assert (unknown.returncode, "did you mean kaspersky" in unknown.stderr) == (2, True)


def test_explain_says_why_and_why_not() -> None:
    why = phaseout("explain", "kesl", "--kind", "package", "--vendor", "AO Kaspersky Lab").stdout
    assert 'certain: package with name "kesl" and vendor "AO Kaspersky Lab"' in why
    assert "no rule shares a word" in phaseout("explain", "python3-fakesleep").stdout
    nearest = phaseout("explain", "avp.exe", "--kind", "process").stdout
    assert nearest.startswith("Not matched. Nearest:")


def test_inventory_formats() -> None:
    result = phaseout("inventory", "--source", "dpkg", "-f", "csv")
    assert result.returncode == 3  # the other sources were left out
    assert result.stdout.splitlines()[0] == (
        "host,scanned_at,kind,name,version,vendor,state,path,user,source,command,signer"
    )
    assert "package" in phaseout("inventory", "--source", "dpkg").stdout
