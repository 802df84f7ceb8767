"""What an auditor gets: the fleet at one moment as files, with the digest of every report that was read.

The same store and moment give the same files, so that two people who make them can compare digests.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator

from phaseout.fleet.status import SCHEMA, HostLine, HostProduct, Status, Wanted, hosts, status
from phaseout.fleet.store import Store
from phaseout.fleet.tables import Table, as_csv, held, spans
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
    lines = list(hosts(store, now, Wanted(), valid))
    contents = {
        "status.json": (json_text({"schema": SCHEMA, "status": found}, indent=2) + "\n").encode(),
        "hosts.csv": as_csv(_hosts(lines)),
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


def _hosts(lines: list[HostLine]) -> Table:
    rows = [(one, product) for one in lines for product in one.products or (None,)]

    def of_host(name: str) -> list[object]:
        return [getattr(one, name) for one, _ in rows]

    def of_product(name: str) -> list[object]:
        return [getattr(product, name) if product else "" for _, product in rows]

    own = ("name", "state", "listed", "group", "role", "owner", "platform", "os", "serial", "last_answer", "verdict")
    about = ("vendor", "product", "product_id", "since", "last_seen", "origin", "measure", "milestone", "due", "action")
    columns: dict[str, list[object]] = {name: of_host(name) for name in own}
    columns |= {name: of_product(name) for name in about}
    columns["product_verdict"] = of_product("verdict")
    columns["product_state"] = of_product("state")
    for name in ("versions", "users", "paths"):
        columns[name] = ["; ".join(getattr(product or _NOTHING, name)) for _, product in rows]
    for name in ("unseen", "cautions", "flags"):
        columns[name] = ["; ".join(getattr(one, name)) for one, _ in rows]
    columns |= {name: of_host(name) for name in ("tool", "rules_of", "rules", "evidence", "protection")}
    return Table("hosts", columns)


_NOTHING = HostProduct(
    vendor="", vendor_id="", product="", product_id="", verdict="", state="", since="", last_seen="", origin=""
)


def _read_files(store: Store) -> Table:
    rows = store.rows("SELECT path, size, digest FROM file ORDER BY path")
    return Table(
        "files",
        {
            "file": [row[0] for row in rows],
            "bytes": [row[1] if row[1] >= 0 else None for row in rows],  # standard input has no size
            "sha256": [row[2].hex() for row in rows],
        },
    )


def _machines(store: Store) -> Table:
    rows = store.rows("SELECT name, serial, uuid, part, role, owner, retired FROM asset ORDER BY line, id")
    names = ("name", "serial", "uuid", "group", "role", "owner")
    columns: dict[str, list[object]] = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    return Table("machines", {**columns, "retired": [bool(row[6]) for row in rows]})
