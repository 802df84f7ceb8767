"""Reports that a measure asks for, filled in as far as a scan knows."""

from msgspec.structs import replace
from phaseout.model.findings import Applied, QuotedMeasure
from phaseout.model.rules import ReportDuty
from phaseout.report.forms import Form, forms

from tests.unit.report.conftest import make_report

FAR = QuotedMeasure(
    id="far",
    title="FAR",
    issuer="x",
    jurisdiction="US",
    force="contractual",
    citation=(),
    status="in_force",
    status_as_of="2026-11-20",
    milestones=(),
    references=(),
    reports=(
        ReportDuty(
            trigger="one was provided to the Government",
            to="the contracting officer",
            within="3 business days",
            fields=("Contract number", "Brand", "Model number: of any maker", "Item description", "Method of search"),
        ),
    ),
)


def made(applies: str, **changed: str) -> list[Form]:
    applied = Applied(id="far", title="FAR", applies=applies, force="contractual", status="in_force")  # type: ignore[arg-type]
    report = make_report()
    finding = replace(report.findings[0], measures=(applied,), **changed)
    return list(forms(replace(report, findings=(finding,), measures=(FAR,)), finding))


def test_what_a_scan_knows_is_filled_in_and_the_rest_left_open() -> None:
    (form,) = made("binds")
    assert form.measure == "far"
    assert form.when == (
        "When one was provided to the Government: report to the contracting officer, within 3 business days."
    )
    assert form.lines == (
        "Contract number:",
        "Brand: Kaspersky",
        "Model number (of any maker): Kaspersky Endpoint Security for Linux 12.1.0-1543",
        (
            "Item description: endpoint security on ada-laptop, running: package kesl at /opt/kaspersky; "
            "process kesl at /opt/kaspersky/kesl/libexec/kesl"
        ),
        (
            "Method of search: phaseout 0, rules 0123456789ab 2026-11-20, the one source for Debian GNU/Linux complete"
            " on 2026-11-21T12:00:00Z"
        ),
    )


def test_what_no_rule_names_is_called_as_the_host_calls_it() -> None:
    (form,) = made("binds", role="vendor", category="other", product="Other Kaspersky software")
    assert "Model number (of any maker): kesl 12.1.0-1543, kesl" in form.lines
    assert any(line.startswith("Item description: software on ada-laptop") for line in form.lines)


def test_who_is_not_bound_owes_no_report() -> None:
    assert made("reaches") == made("names") == made("exempts") == []
