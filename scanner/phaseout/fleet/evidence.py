"""What an auditor gets: the fleet at one moment as files, with the digest of every report that was read.

The same store and moment give the same files, so that two people who make them can compare digests.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator

from phaseout.fleet.status import SCHEMA, Status, Wanted, hosts, status
from phaseout.fleet.store import Store
from phaseout.fleet.tables import Table, as_csv, held, host_rows, spans, table_of
from phaseout.fleet.words import how_counted, sentence
from phaseout.model.counting import counted
from phaseout.report.safe import json_text

_FILES = {
    "status.json": "the fleet in numbers",
    "hosts.csv": "one row for each host and product, with the digest of the report that shows it and of the rules",
    "held.csv": "every product on every host over time, those that are gone as well",
    "spans.csv": "every verdict on every host over time",
    "files.csv": "every file that was read, with its SHA-256",
    "machines.csv": "the list of machines that must answer",
}
_HOSTS = (
    *("name", "state", "listed", "group", "role", "owner", "platform", "os", "serial", "last_answer", "verdict"),
    *("vendor", "product", "product_id", "since", "last_seen", "origin", "measure", "milestone", "due", "action"),
    *("product_verdict", "product_state", "versions", "users", "paths", "unseen", "cautions", "flags", "tool"),
    *("rules_of", "rules", "evidence", "protection"),
)
_POLICY = "the policy, with the roles and the waivers that were declared when this was written"


def evidence(store: Store, now: dt.datetime, valid: int, policy: bytes | None = None) -> Iterator[tuple[str, bytes]]:
    """The name and content of every file; the last one, `SHA256SUMS`, has the digests of the others.

    Args:
        store: the fleet.
        now: the moment that is shown.
        valid: days after which a host without an answer is silent.
        policy: the policy file, which goes in as it is.
    """
    found = status(store, now, valid)
    lines = hosts(store, now, Wanted(), valid)
    contents = {
        "status.json": (json_text({"schema": SCHEMA, "status": found}, indent=2) + "\n").encode(),
        "hosts.csv": as_csv(table_of("hosts", _HOSTS, host_rows(lines, _HOSTS))),
        "held.csv": as_csv(held(store)),
        "spans.csv": as_csv(spans(store)),
        "files.csv": as_csv(_read_files(store)),
        "machines.csv": as_csv(_machines(store)),
    }
    meanings = dict(_FILES)
    if policy is not None:
        contents["phaseout.toml"] = policy
        meanings["phaseout.toml"] = _POLICY
    contents = {"README.md": _readme(found, meanings).encode(), **contents}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in contents.items())
    yield from contents.items()
    yield "SHA256SUMS", sums.encode()


def _readme(found: Status, meanings: dict[str, str]) -> str:
    rules = "".join(
        f"- rules {one.digest}{f' of {one.of}' if one.of else ''} judged {counted(one.hosts, 'host')}\n"
        for one in found.judged_by
    )
    files = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in meanings.items())
    how = "".join(f"- {one}\n" for one in how_counted(found.valid_days))
    return (
        f"# The fleet at {found.as_of}\n\n{sentence(found)}\n\n{rules}\n"
        f"| file | what it is |\n| --- | --- |\n{files}\n"
        f"`sha256sum -c SHA256SUMS` checks these files. `files.csv` has the SHA-256 of every report that was read."
        f"\n\n## How each number is counted\n\n{how}"
    )


def _read_files(store: Store) -> Table:
    rows = store.rows("SELECT path, nullif(size, -1), digest FROM file ORDER BY path")  # no size: standard input
    return table_of("files", ("file", "bytes", "sha256"), [(path, size, digest.hex()) for path, size, digest in rows])


def _machines(store: Store) -> Table:
    rows = store.rows("SELECT name, serial, uuid, part, role, owner, retired FROM asset ORDER BY line, id")
    names = ("name", "serial", "uuid", "group", "role", "owner", "retired")
    return table_of("machines", names, [(*row[:6], bool(row[6])) for row in rows])
