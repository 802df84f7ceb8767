"""The checks of the rules find what is wrong, and the shipped rules have nothing wrong."""

from phaseout.cli.rule_files import read_files, read_rules, shipped
from phaseout.rules.load import load
from phaseout.rules.self_check import check_rules

GOOD = """
id = "acme"
name = "Acme"
publishers = ["Acme"]
[[product]]
id = "acme-agent"
name = "Acme Agent"
category = "other"
platforms = ["linux"]
match = [{name = "acme agent*", vendor = "@publishers"}]
hit = [{name = "Acme Agent 2", vendor = "Acme Inc"}]
miss = [{name = "Acme Agents Monthly", vendor = "Press"}]
"""


def wrong(vendor: str, clean: str = "name,vendor\nbash,Debian\n") -> list[str]:
    return list(check_rules(load({"vendors/acme.toml": vendor.encode()}), {"clean.csv": clean.encode()}))


def test_good_rules_have_nothing_wrong() -> None:
    assert wrong(GOOD) == []


def test_shipped_rules_have_nothing_wrong() -> None:
    clean = read_files([f"{shipped()}/clean.csv"])
    assert list(check_rules(read_rules(), clean)) == []


def test_specimens_judged_otherwise() -> None:
    assert wrong(GOOD.replace("Acme Agent 2", "Acme Server")) == [
        (
            'vendors/acme.toml: product[0].hit[0]: package name "Acme Server", vendor "Acme Inc" '
            "is not recognised as acme-agent"
        )
    ]
    assert wrong(GOOD.replace('vendor = "Press"', 'vendor = "Acme"')) == [
        (
            'vendors/acme.toml: product[0].miss[0]: package name "Acme Agents Monthly", vendor "Acme" '
            "is recognised as acme-agent"
        )
    ]


def test_blocks_that_never_count() -> None:
    narrower = GOOD.replace(
        'match = [{name = "acme agent*", vendor = "@publishers"}]',
        'match = [{name = "acme agent*", vendor = "@publishers"}, '
        '{kind = "service", name = "acme agent*", vendor = "@publishers"}]',
    )
    assert wrong(narrower) == [
        "vendors/acme.toml: product[0].match[1]: is redundant: match[0] fits everything that it fits"
    ]
    surer = GOOD.replace(
        'match = [{name = "acme agent*", vendor = "@publishers"}]',
        'match = [{name = "acme agent*"}, {kind = "package", name = "acme agent*", vendor = "@publishers"}]',
    ).replace("Agents Monthly", "Monthly")
    assert wrong(surer) == []
    twice = GOOD + GOOD[GOOD.index("[[product]]") :].replace("acme-agent", "acme-other")
    assert "vendors/acme.toml: product[1].match[0]: the same block stands in acme.toml: product[0].match[0]" in wrong(
        twice
    )


def test_ordinary_software() -> None:
    assert wrong(GOOD, "name,vendor,kind\nAcme Agent,Acme,program\n") == [
        'clean.csv:2: "Acme Agent" is matched as acme-agent: program with name "Acme Agent" and vendor "Acme"'
    ]
    assert wrong(GOOD, "nmae\nx\n")[0].startswith("clean.csv: columns must be name and any of")
    assert wrong(GOOD, "name\n\udcff".encode("utf-8", "surrogateescape").decode("latin-1")) == []
