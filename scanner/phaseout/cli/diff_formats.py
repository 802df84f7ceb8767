"""A difference as table, CSV, JSON and HTML."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from phaseout.judgement.diff import Change, Difference, ScanSummary
from phaseout.model.counting import counted
from phaseout.model.nouns import Item
from phaseout.parsers.encodings.identity import Sameness
from phaseout.report import Page
from phaseout.report.columns import paragraph, table
from phaseout.report.safe import cell, json_text, visible

_COLUMNS = ("host", "what", "product", "kind", "name", "old", "new", "path", "user", "source", "old_at", "new_at")
_LEAST = 40
_PLACES = 5  # of what is left of a product


def write_table(difference: Difference, page: Page) -> Iterator[str]:
    """The changes, what each scan saw, and whether the removal is proven."""
    width = max(page.width, _LEAST)
    if page.detail == "verdict":
        for text in list(_proof(difference))[-1:]:
            yield from paragraph(visible(text), width)
        return
    yield f"{visible(difference.host.name)}: from {_when(difference.old)} to {_when(difference.new)}\n\n"
    if difference.changes:
        rows = [
            tuple(map(visible, (change.what, change.product, change.kind.replace("_", " "), *_changed(change))))
            for change in difference.changes
        ]
        yield from table(("", "product", "kind", "name", "what"), rows, width)
        yield "\n"
    else:
        yield "Nothing that was compared has changed.\n"
    for text in (*_coverage(difference), *_proof(difference)):
        yield from paragraph(visible(text), width)


def _coverage(difference: Difference) -> Iterator[str]:
    for one in difference.newly_unseen:
        yield f"Newly unseen: {one.what}: {one.why}."
    for scan, name in ((difference.old, "OLD"), (difference.new, "NEW")):
        unseen = "; ".join(f"{one.what}: {one.why}" for one in scan.unseen) or "nothing that its sources read"
        sources = counted(len(scan.sources), "source")
        yield f"{name} saw {counted(scan.items, 'item')}, {sources} complete; not seen: {unseen}."


def _proof(difference: Difference) -> Iterator[str]:
    if difference.removed:
        word = "No longer seen" if difference.reasons else "Gone"
        yield f"{word}: {', '.join(difference.removed)}."
    for product in dict.fromkeys(one.product for one in difference.left):
        items = [one.item for one in difference.left if one.product == product]
        places = ", ".join(f"{item.kind.replace('_', ' ')} {item.path or item.name}" for item in items[:_PLACES])
        more = f" and {len(items) - _PLACES} more" if len(items) > _PLACES else ""
        yield f"Left: {product}: {places}{more}."
    yield from (f"{note[:1].upper()}{note[1:]}." for note in difference.notes)
    if difference.proof == "proven":
        yield "Removal proven: the same machine, both times completely seen, and nothing of it is left."
    elif difference.proof == "not_proven":
        yield f"Removal not proven: {'; '.join(difference.reasons)}."


def _changed(change: Change) -> tuple[str, str]:
    name = f"{change.name} ({change.path})" if change.path else change.name
    if change.what in ("gone", "new"):
        return name, change.old or change.new
    return name, f"{change.old or 'none'} → {change.new or 'none'}"


def _when(scan: ScanSummary) -> str:
    return visible(scan.scanned_at) or "an unknown time"


def write_csv(difference: Difference, _page: Page) -> Iterator[str]:
    """One row for each change, for what is newly unseen, and for what is left; the last row says what is proven."""
    yield _row(_COLUMNS)
    host, times = difference.host.name, (difference.old.scanned_at, difference.new.scanned_at)
    for one in difference.changes:
        members = (one.product, one.kind, one.name, one.old, one.new, one.path, one.user, one.source)
        yield _row((host, one.what, *members, *times))
    for unseen in difference.newly_unseen:
        yield _row((host, "newly unseen", "", "", unseen.what, "", unseen.why, "", "", unseen.source, *times))
    for left in difference.left:
        item = left.item
        members = (left.product, item.kind, item.name, "", item.version, item.path, item.user, item.source)
        yield _row((host, "left", *members, *times))
    if difference.proof:
        why = "; ".join(difference.reasons)
        yield _row((host, f"removal {difference.proof.replace('_', ' ')}", *[""] * 4, why, "", "", "", *times))


def _row(fields: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(map(cell, fields))
    return line.getvalue()


def write_json(difference: Difference, _page: Page) -> Iterator[str]:
    """Everything, as `phaseout-diff/1` publishes it."""
    yield json_text(difference, indent=2) + "\n"


def write_html(difference: Difference, _page: Page) -> Iterator[str]:
    """The proof on one page, to be signed, and every change behind it."""
    from phaseout.report.html_format import host_page

    tone, words = _VERDICTS[difference.proof]
    left: dict[str, list[Item]] = {}
    for one in difference.left:
        left.setdefault(one.product, []).append(one.item)
    yield from host_page(
        "difference.jinja",
        subject=difference,
        title=f"{difference.host.name}: {words}",
        tone=tone,
        tool=difference.new.tool,
        left=left,
        shown=_PLACES,
        machine=_MACHINES[difference.machine],
    )


_VERDICTS = {
    "proven": ("clean", "removal proven. The same machine was completely seen both times, and nothing is left."),
    "left": ("replace", "not removed: something of it is left."),
    "not_proven": ("incomplete", "removal not proven."),
    "": ("inventory", "what changed; no restricted product is known on it."),
}
_MACHINES: dict[Sameness, str] = {
    "same": "Both are of the same machine, by its identity.",
    "renamed": "Both are of the same machine, which has another name now.",
    "reimaged": "Both are of the same hardware, with another installation now.",
    "cloned": "Both are of the same installation, on other hardware now.",
    "other": "They are of two machines.",
    "unknown": "Nothing that both show tells whether they are of one machine.",
}
WRITERS: dict[str, Callable[[Difference, Page], Iterator[str]]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "html": write_html,
}
