"""What a host said at one moment, as the fleet keeps it.

Reports are decoded into the few members that are kept; a report that was judged here has the same members. The rows of
a CSV are put together again. Nothing of an answer depends on the other answers of the fleet.

References:
    docs/schemas (`phaseout-report/1`); RFC 4180 (CSV); RFC 3339 (times)
"""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from phaseout.fleet.nouns import CSV, JSON, Answer, Detail, Outcome, Subject
from phaseout.inventories.document import JSON_ERRORS, BrokenError, Document
from phaseout.model.findings import REPORT_SCHEMA, HostVerdict, Report, Verdict
from phaseout.model.nouns import Identity, Platform, SourceRun, State
from phaseout.model.quoting import quoted
from phaseout.parsers.encodings.identity import KINDS

_KEPT = 5  # versions, users and paths of one finding, each
_FINDINGS = 10_000  # of one host; more are no report
_TEXT = 400  # characters of a kept text
_EPOCH_ENDS = 1 << 32
_ENDED_EARLY = frozenset(("partial", "failed", "timeout"))


class _Host(Struct):
    name: str
    platform: Platform
    os: str = ""
    os_version: str = ""
    identity: tuple[Identity, ...] = ()


class _Item(Struct):
    version: str = ""
    user: str = ""
    path: str = ""


class _Applied(Struct):
    id: str
    applies: str = ""
    milestone: str = ""
    due: str = ""


class _Finding(Struct):
    vendor: str
    vendor_id: str
    product: str
    product_id: str
    verdict: Verdict
    state: State
    items: tuple[_Item, ...] = ()
    measures: tuple[_Applied, ...] = ()
    action: str = ""
    replacement: str = ""


class _Unseen(Struct):
    what: str = ""
    why: str = ""
    remedy: str = ""


class _Run(Struct):
    status: str = ""


class _Protection(Struct):
    state: str = ""


class _Rules(Struct):
    digest: str = ""
    as_of: str = ""
    cautions: tuple[str, ...] = ()


class _Report(Struct):
    schema: str
    scanned_at: str
    host: _Host
    verdict: HostVerdict
    findings: tuple[_Finding, ...]
    tool: str = ""
    rules: _Rules = msgspec.field(default_factory=_Rules)
    suppressed: tuple[_Finding, ...] = ()
    runs: tuple[_Run, ...] = ()
    unseen: tuple[_Unseen, ...] = ()
    protection: _Protection | None = None


class _Line(Struct):
    """A line of NDJSON, of which the summary is a report without findings."""

    type: str
    schema: str = ""
    counts: dict[str, int] = {}


_REPORT = msgspec.json.Decoder(_Report)
_LINE = msgspec.json.Decoder(_Line)
_FINDING = msgspec.json.Decoder(_Finding)


def of_json(data: bytes | msgspec.Raw, where: str) -> Answer:
    """The answer in a report in JSON.

    Raises:
        BrokenError: it is no such report.
    """
    try:
        report = _REPORT.decode(data)
    except JSON_ERRORS as error:
        raise BrokenError(where, f"no report: {error}") from error
    if report.schema != REPORT_SCHEMA:
        raise BrokenError(where, f"its schema is {quoted(report.schema)}; this phaseout reads {REPORT_SCHEMA}")
    return of_report(report, where)


def of_report(report: "_Report | Report", where: str) -> Answer:
    """The answer that a report gives.

    Raises:
        BrokenError: it has no time, or too many findings.
    """
    found = (*report.findings, *report.suppressed)
    if len(found) > _FINDINGS:
        raise BrokenError(where, f"more than {_FINDINGS:,} findings on one host")
    if len(report.host.identity) > len(KINDS):
        raise BrokenError(where, f"{len(report.host.identity):,} identities of one host: one of each kind is meant")
    pairs = sorted([(_subject(one), _detail(one)) for one in found], key=lambda pair: pair[0]) if found else ()
    host, rules = report.host, report.rules
    complete = not report.unseen and _ran(report.runs)
    return Answer(
        name=host.name[:_TEXT],
        platform=host.platform,
        os=f"{host.os} {host.os_version}".strip()[:_TEXT],
        identity=host.identity,
        at=seconds(report.scanned_at, where),
        outcome=Outcome(
            form=JSON,
            rules_of=rules.as_of[:10],
            verdict=_verdict(report, complete=complete),
            complete=complete,
            rules=rules.digest[:_TEXT],
            tool=report.tool[:_TEXT],
            subjects=tuple([subject for subject, _ in pairs]),
            protection=report.protection.state[:_TEXT] if report.protection is not None else "",
        ),
        details=tuple([detail for _, detail in pairs]),
        unseen=_unseen(report.unseen) if report.unseen else (),
        cautions=tuple([one[:_TEXT] for one in rules.cautions[:_KEPT]]),
    )


def _verdict(report: "_Report | Report", *, complete: bool) -> HostVerdict:
    """The verdict on the host: never better than what the report shows."""
    if report.findings:
        found = {one.verdict for one in report.findings}
        if "replace" in found:
            return "replace"
        if "review" in found:
            return "review"
    return "incomplete" if report.verdict == "clean" and not complete else report.verdict


def _ran(runs: "Sequence[_Run | SourceRun]") -> bool:
    """Whether a source ran, and none ended early."""
    for run in runs:
        if run.status in _ENDED_EARLY:
            return False
    return bool(runs)


def of_lines(document: Document) -> Iterator[Answer | BrokenError]:
    """The answers in a report in NDJSON: findings, and behind those of each host a summary."""
    findings: list[_Finding] = []
    broken = False
    where = document.name
    for number, line in document.lines():
        where = f"{document.name}:{number}"
        try:
            head = _LINE.decode(line)
            if head.type == "finding":
                findings.append(_FINDING.decode(line))
                continue
            if not broken:
                yield of_report(_summed_up(line, head, findings, where), where)
        except BrokenError as error:
            yield error
        except JSON_ERRORS as error:
            yield BrokenError(where, f"no report: {error}")
            broken = True
            continue
        findings, broken = [], False
    if findings and not broken:
        yield BrokenError(where, "findings without the summary that must follow them: the file was cut off")


def _summed_up(line: bytes, head: _Line, findings: list[_Finding], where: str) -> _Report:
    """The report of a summary and the findings before it.

    Raises:
        BrokenError: it is no summary, or announces another number of findings.
    """
    if head.type != "summary" or head.schema != REPORT_SCHEMA:
        raise BrokenError(where, f"a line of type {quoted(head.type, 40)} in a report")
    rest = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    rest["findings"] = msgspec.Raw(b"[]")
    report = _REPORT.decode(msgspec.json.encode(rest))
    expected = head.counts.get("findings", 0) + head.counts.get("suppressed", 0)
    if len(findings) != expected:
        raise BrokenError(where, f"{len(findings)} findings where {expected} are announced: a part is missing")
    report.findings = tuple(findings)
    return report


Names = Callable[[str, str], tuple[str, str]]


def of_csv(document: Document, names: Names) -> Iterator[Answer | BrokenError]:
    """The answers in a report in CSV, of one host or several.

    Args:
        document: the file.
        names: vendor and product as people read them → their ids in the rules.
    """
    text = document.whole().decode("utf-8-sig", "replace")
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    hosts: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    try:
        for row in rows:
            if None in row or None in row.values():
                yield BrokenError(f"{document.name}:{rows.line_num}", "a row with too many or too few columns")
                continue
            hosts.setdefault((row["host"], row["scanned_at"], row.get("host_id", "")), []).append(row)
    except csv.Error as error:
        yield BrokenError(f"{document.name}:{rows.line_num}", f"damaged CSV: {error}")
        return
    for (name, moment, host_id), found in hosts.items():
        try:
            yield _of_rows(name, moment, host_id, found, document.name, names)
        except BrokenError as error:
            yield error


def is_report_csv(document: Document) -> bool:
    """Whether the document begins with the columns of a report in CSV."""
    return document.start.removeprefix(b"\xef\xbb\xbf").startswith(b"host,scanned_at,verdict,state,confidence,")


def _of_rows(name: str, moment: str, host_id: str, rows: list[dict[str, str]], where: str, names: Names) -> Answer:
    groups: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    verdicts = set()
    unseen: tuple[str, ...] = ()
    for row in rows:
        if row["product"]:
            groups.setdefault((row["vendor"], row["product"], row["verdict"]), []).append(row)
        else:
            unseen = tuple(one[:_TEXT] for one in row["because"].split("; ")[:_KEPT] if one)
        verdicts.add(row["verdict"])
    verdict = next((one for one in ("replace", "review", "incomplete", "clean") if one in verdicts), "")
    if not verdict:
        raise BrokenError(where, f"no verdict on {quoted(name)}: {', '.join(sorted(verdicts)) or 'none'}")
    pairs = []
    for (vendor, product, decision), group in groups.items():
        first = group[0]
        vendor_id, product_id = names(vendor, product)
        values = {
            "product_id": product_id,
            "vendor_id": vendor_id,
            "product": product,
            "vendor": vendor,
            "verdict": decision,
            "state": max((row["state"] for row in group), key=("leftover", "installed", "running").index)
            if all(row["state"] in {"leftover", "installed", "running"} for row in group)
            else first["state"],
            "measure": first["measure"],
            "milestone": first["milestone"],
            "due": first["due"][:10],
        }
        try:
            subject = msgspec.convert(values, Subject)
        except msgspec.ValidationError as error:
            raise BrokenError(where, f"no row of a report: {error}") from error
        detail = Detail(
            versions=_few({row["version"] for row in group}),
            users=_few({row["user"] for row in group}),
            paths=_few({row["path"] for row in group}),
            action=first["action"][:_TEXT],
            replacement=first["replacement"][:_TEXT],
            items=len(group),
        )
        pairs.append((subject, detail))
    pairs.sort(key=lambda pair: pair[0])
    kind, _, value = host_id.partition(":")
    identity: tuple[Identity, ...] = ()
    if value:
        try:
            identity = (msgspec.convert({"kind": kind, "value": value}, Identity),)
        except msgspec.ValidationError as error:
            raise BrokenError(where, f"no identity: {quoted(host_id)}") from error
    tool = next((row["rules"] for row in rows if row.get("rules")), "")
    return Answer(
        name=name[:_TEXT],
        platform="",
        os="",
        identity=identity,
        at=seconds(moment, where),
        outcome=Outcome(
            form=CSV,
            rules_of="",
            verdict=msgspec.convert(verdict, HostVerdict),
            complete=verdict == "clean",
            rules=tool.split()[0][:_TEXT] if tool else "",
            tool="",
            subjects=tuple(subject for subject, _ in pairs),
            protection=rows[0].get("protection", "")[:_TEXT],
        ),
        details=tuple(detail for _, detail in pairs),
        unseen=unseen,
    )


def seconds(moment: str, where: str) -> int:
    """A time of RFC 3339 in seconds since 1970.

    Raises:
        BrokenError: no such time, or before 1970 or after 2106.
    """
    try:
        found = dt.datetime.fromisoformat(moment)
    except ValueError as error:
        raise BrokenError(where, f"no time: {quoted(moment, 40)}") from error
    value = int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())
    if not 0 <= value < _EPOCH_ENDS:
        raise BrokenError(where, f"no plausible time: {quoted(moment, 40)}")
    return value


def _subject(finding: Any) -> Subject:
    driving = finding.measures[0] if finding.measures and finding.measures[0].applies != "names" else None
    return Subject(
        product_id=finding.product_id[:_TEXT],
        vendor_id=finding.vendor_id[:_TEXT],
        product=finding.product[:_TEXT],
        vendor=finding.vendor[:_TEXT],
        verdict=finding.verdict,
        state=finding.state,
        measure=driving.id[:_TEXT] if driving else "",
        milestone=driving.milestone[:_TEXT] if driving else "",
        due=driving.due[:10] if driving else "",
    )


def _detail(finding: Any) -> Detail:
    items = finding.items
    return Detail(
        versions=_few({item.version for item in items}),
        users=_few({item.user for item in items}),
        paths=_few({item.path for item in items}),
        action=finding.action[:_TEXT],
        replacement=finding.replacement[:_TEXT],
        items=len(items),
    )


def _few(values: set[str]) -> tuple[str, ...]:
    """The first few of them in order, and how many more there are."""
    values.discard("")
    found = sorted(values)
    if found and len(max(found, key=len)) > _TEXT:
        found = sorted({value[:_TEXT] for value in found})
    if len(found) <= _KEPT:
        return tuple(found)
    return (*found[:_KEPT], f"and {len(found) - _KEPT:,} more")


def _unseen(found: Sequence[Any]) -> tuple[str, ...]:
    """Each reason once, with what it concerns and what helps."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in found:
        reasons.setdefault((one.why, one.remedy), []).append(one.what)
    words = []
    for (why, remedy), whats in reasons.items():
        concerned = ", ".join(whats[:3]) + (f" and {len(whats) - 3:,} more" if len(whats) > 3 else "")
        words.append(f"{concerned}: {why}{f' ({remedy})' if remedy else ''}"[:_TEXT])
    return tuple(words[:_KEPT]) if len(words) <= _KEPT else (*words[:_KEPT], f"and {len(words) - _KEPT:,} more reasons")
