"""What a fleet says as table, CSV and JSON."""

from collections.abc import Iterable, Iterator, Sequence

from phaseout.fleet.status import SCHEMA, STATES, HostLine, HostProduct, Status, TrendDay
from phaseout.fleet.tables import HOST_COLUMNS, csv_lines, host_rows
from phaseout.fleet.words import FLAGS, sentence
from phaseout.model.counting import counted
from phaseout.report.columns import paragraph, table
from phaseout.report.safe import json_text, visible

_ROWS = 15  # of the longer lists in a table


def status_text(status: Status, format_name: str, width: int) -> Iterator[str]:
    """The fleet in numbers."""
    if format_name.lower() == "json":
        yield json_text({"schema": SCHEMA, "status": status}, indent=2) + "\n"
        return
    yield from paragraph(sentence(status), width)
    yield "\n"
    heads = ("group", *(one.replace("_", " ") for one in STATES), "sum")
    rows = [
        (visible(part) or "(no group)", *(f"{counts[one]:,}" for one in STATES), f"{sum(counts.values()):,}")
        for part, counts in status.parts.items()
    ]
    total = ("all", *(f"{status.states[one]:,}" for one in STATES), f"{status.members:,}")
    yield from table(heads, [*rows, total], width)
    for words in _more(status):
        yield from paragraph(words, width)
    if status.products:
        yield "\n"
        counts = [(visible(one.product), one.verdict, f"{one.hosts:,}") for one in status.products[:_ROWS]]
        yield from table(("still there", "verdict", "hosts"), counts, width)
        if len(status.products) > _ROWS:
            yield f"and {len(status.products) - _ROWS:,} further products\n"
    if status.due:
        yield "\n"
        dates = [
            (
                visible(one.due),
                _left(one.days_left),
                visible(one.measure),
                visible(one.milestone.replace("_", " ")),
                f"{one.hosts:,}",
            )
            for one in status.due[:_ROWS]
        ]
        yield from table(("due", "", "measure", "milestone", "hosts"), dates, width)


def _more(status: Status) -> Iterator[str]:
    yield "\n"
    if status.newest:
        yield f"Newest answer: {status.newest}. Oldest of the newest answers: {status.oldest}."
    if status.unlisted:
        yield f"{counted(status.unlisted, 'host')} answered and are in no list."
    if status.retired:
        yield f"Retired and not counted: {counted(status.retired, 'machine')} of the list."
    if status.again:
        yield f"{counted(status.again, 'host')} have a product again that had been gone (--origin again)."
    if status.new_rules:
        yield f"{counted(status.new_rules, 'host')} have a product that newer rules found first (--origin new_rules)."
    if status.unprotected:
        yield (
            f"{counted(status.unprotected, 'host')} had what must be replaced, and nothing protects them now"
            " (--unprotected)."
        )
    if status.protection:
        parts = (f"{count:,} {state.replace('_', ' ')}" for state, count in status.protection.items())
        yield f"Protection, as the hosts say: {visible(', '.join(parts))} (--protection STATE)."
    for one in status.judged_by:
        reviewed = f" of {one.of}" if one.of else ""
        yield f"Rules {visible(one.digest)}{visible(reviewed)} judged {counted(one.hosts, 'host')}."
    if status.old_rules or status.old_tools:
        yield (
            f"Judged by older rules than others: {counted(status.old_rules, 'host')};"
            f" scanned by another version of the program: {status.old_tools:,}."
        )
    for flag, count in status.flags.items():
        yield f"{counted(count, 'host')} {FLAGS.get(flag, flag)}."


def hosts_text(hosts: Iterable[HostLine], format_name: str, width: int) -> Iterator[str]:
    """The hosts, one row for each product of each host in CSV and in the table."""
    form = format_name.lower()
    if form == "json":
        yield f'{{"schema":"{SCHEMA}","hosts":[\n'
        for number, one in enumerate(hosts):
            yield (",\n" if number else "") + json_text(one)
        yield "\n]}\n"
    elif form == "csv":
        yield from csv_lines(HOST_COLUMNS, host_rows(hosts, HOST_COLUMNS))
    else:
        rows = [_short(one, product) for one in hosts for product in one.products or (None,)]
        heads = ("host", "state", "last answer", "product", "version", "due", "user", "group")
        if rows:
            yield from table(heads, rows, width)
        yield f"{counted(len({row[0] for row in rows}), 'host')}\n"


def trend_text(days: Sequence[TrendDay], format_name: str, width: int) -> Iterator[str]:
    """One row for each day."""
    form = format_name.lower()
    names = list(days[-1].counts) if days else []
    if form == "json":
        yield json_text({"schema": SCHEMA, "days": days}, indent=2) + "\n"
    elif form == "csv":
        yield from csv_lines(("day", *names), ((day.day, *(day.counts[name] for name in names)) for day in days))
    else:
        most = sorted(names, key=lambda name: -max(day.counts[name] for day in days))
        shown = [name for name in names if name in most[: max(4, (width - 10) // 24)]]
        rows = [(day.day, *(f"{day.counts[name]:,}" for name in shown)) for day in days]
        heads = ("day", *(visible(name).replace("_", " ") or "(none)" for name in shown))
        yield from table(heads, rows, width)
        if len(shown) < len(names):
            yield f"and {len(names) - len(shown):,} more columns: -f csv has all of them\n"


def _short(host: HostLine, product: HostProduct | None) -> tuple[str, ...]:
    versions = ", ".join(product.versions) if product else ""
    users = ", ".join(product.users) if product else ""
    values = (
        host.name, host.state.replace("_", " "), host.last_answer[:10], product.product if product else "", versions,
        product.due if product else "", users, host.group,
    )  # fmt: skip
    return tuple(map(visible, values))


def _left(days: int) -> str:
    if days == 0:
        return "today"
    return f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} past"
