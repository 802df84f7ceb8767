"""JUnit XML for pipelines: a test case for each product that was found and for each source that ran.

A product to replace or to decide on is a failure, one that does not count is skipped; a source that did not see
everything is an error. A pipeline that gates on it fails as `--fail-on review` does, and on incomplete scans.

References:
    https://github.com/testmoapp/junitxml; the schema of the Jenkins xUnit plugin (order and attributes)
"""

from collections.abc import Iterator
from html import escape

from phaseout.model.findings import SUPPRESSED, Finding, Report
from phaseout.model.nouns import SourceRun
from phaseout.report import Page
from phaseout.report.safe import visible
from phaseout.report.wording import instant, rules_used, verdict, when


def write_report(report: Report, _page: Page) -> Iterator[str]:
    """One suite of products, and one of sources."""
    findings = (*report.findings, *report.suppressed)
    suppressed = len(report.suppressed)
    errors = [run for run in report.runs if run.status in ("partial", "failed", "timeout")]
    others = sum(not one.source for one in report.unseen)  # parts that were not seen and belong to no source
    skipped = sum(run.status == "skipped" for run in report.runs)
    seconds = sum(run.seconds for run in report.runs)
    products = max(len(findings), 1)
    sources = len(report.runs) + others
    moment = instant(report.scanned_at)
    stamp = f' timestamp="{moment:%Y-%m-%dT%H:%M:%S}"' if moment else ""
    host = f' hostname="{_safe(report.host.name)}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield (
        f'<testsuites name="phaseout" tests="{products + sources}" failures="{len(report.findings)}" '
        f'errors="{len(errors) + others}" skipped="{suppressed + skipped}" time="{seconds:.3f}">\n'
    )
    yield (
        f'<testsuite name="products"{host}{stamp} tests="{products}" failures="{len(report.findings)}" errors="0" '
        f'skipped="{suppressed}" time="0">\n'
    )
    yield f'<properties><property name="rules" value="{_safe(rules_used(report))}"/></properties>\n'
    for finding in findings:
        yield _product(finding)
    if not findings:
        yield f'<testcase classname="phaseout.products" name="{verdict(report)}" time="0"/>\n'
    yield "</testsuite>\n"
    yield (
        f'<testsuite name="sources"{host}{stamp} tests="{sources}" failures="0" errors="{len(errors) + others}" '
        f'skipped="{skipped}" time="{seconds:.3f}">\n'
    )
    for run in report.runs:
        yield _source(run)
    for one in report.unseen:
        if not one.source:
            case = f'<testcase classname="phaseout.sources" name="{_safe(one.what)}" time="0">'
            yield f'{case}<error type="unseen" message="{_safe(one.why)}"/></testcase>\n'
    yield "</testsuite>\n</testsuites>\n"


def _product(finding: Finding) -> str:
    case = (
        f'<testcase classname="phaseout.products.{_safe(finding.vendor_id)}" name="{_safe(finding.product)}" time="0">'
    )
    if finding.verdict in SUPPRESSED:
        return f'{case}<skipped message="{_safe(finding.action)}"/></testcase>\n'
    driving = finding.driving
    message = f"{finding.verdict}: {finding.state}, {when(driving)}"
    lines = [finding.action, *(f"{number}. {step}" for number, step in enumerate(finding.remove, 1))]
    lines += (
        f"{item.kind} {item.name} {item.version} {item.path} ({because})".replace("  ", " ")
        for item, because in zip(finding.items, finding.because, strict=True)
    )
    text = "\n".join(_safe(line) for line in lines)
    return f'{case}<failure type="{finding.verdict}" message="{_safe(message)}">{text}</failure></testcase>\n'


def _source(run: SourceRun) -> str:
    case = f'<testcase classname="phaseout.sources" name="{_safe(run.source)}" time="{run.seconds:.3f}"'
    if run.status == "ok":
        return f"{case}/>\n"
    if run.status == "skipped":
        return f'{case}><skipped message="{_safe(run.reason)}"/></testcase>\n'
    message = run.reason or (f"{run.problems[0].where}: {run.problems[0].why}" if run.problems else run.status)
    text = "\n".join(_safe(f"{problem.where}: {problem.why}") for problem in run.problems)
    return f'{case}><error type="{run.status}" message="{_safe(message)}">{text}</error></testcase>\n'


def _safe(text: str) -> str:
    return escape(visible(text))
