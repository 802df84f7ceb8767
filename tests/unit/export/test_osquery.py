"""The osquery pack: what its SQL says of real specimens, and what a real osqueryi finds with it."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from phaseout.cli.rule_files import read_rules
from phaseout.export import LANGUAGES
from phaseout.export.osquery import TABLES, export
from phaseout.model.nouns import Inventory, Item, Platform
from phaseout.model.rules import Ruleset, Specimen
from phaseout.rules.matcher import Matcher

from tests.support.command import phaseout
from tests.support.namespaces import can_unshare
from tests.support.places import CODE
from tests.unit.serve.test_osquery_extension import KESL, osqueryi

ROOT = Path(__file__).parents[3]
ALL: tuple[Platform, ...] = ("linux", "macos", "windows")
LINUX, WINDOWS = ALL[:1], ALL[2:]
NAMED = {"registry", "file"}  # list nothing by themselves
RICH = {"programs", "drivers", "services", "processes", "apps", "launchd", "deb_packages", "rpm_packages"}
COMPUTED = {"npm_packages", "python_packages"}  # their purl is made of other columns


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return read_rules()


@pytest.fixture(scope="module")
def matcher(ruleset: Ruleset) -> Matcher:
    return Matcher(ruleset)


@pytest.fixture(scope="module")
def pack(ruleset: Ruleset) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(export(ruleset, ALL))
    return loaded


def column_names(table: str) -> set[str]:
    """The real columns of a table: those that its fields are made of."""
    named = {word for texts in TABLES[table].columns.values() for text in texts for word in plain_words(text)}
    return named | {"uid"}


def plain_words(expression: str) -> list[str]:
    bare = re.sub(r"'[^']*'", "", expression)
    return [
        word for word in re.findall(r"[a-z_]+", bare) if word not in {"trim", "substr", "instr", "replace", "lower"}
    ]


@pytest.fixture(scope="module")
def database() -> sqlite3.Connection:
    """Empty tables with the columns of osquery's."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (uid)")
    connection.executemany("INSERT INTO users VALUES (?)", [(str(number),) for number in range(1000)])
    for table in TABLES:
        connection.execute(f"CREATE TABLE {table} ({', '.join(sorted(column_names(table)))})")
    return connection


def fill(database: sqlite3.Connection, table: str, *items: Item) -> None:
    """The rows of a table; `uid` is the number of the item."""
    database.execute(f"DELETE FROM {table}")
    for number, item in enumerate(items):
        row = {"uid": str(number)}
        for field, texts in TABLES[table].columns.items():
            value = dict(item.ids).get(field[4:], "") if field.startswith("ids.") else str(getattr(item, field))  # type: ignore[call-overload]
            row.update({text: value for text in texts if text in column_names(table) and not row.get(text)})
        if table == "deb_packages":
            row["maintainer"] = f"{item.vendor} <somebody@example.com>"
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def matcher_of(ruleset: Ruleset, table: str) -> Matcher:
    """The rules for the platforms of a table."""
    here = set(TABLES[table].platforms)
    vendors = [
        msgspec.structs.replace(vendor, product=tuple(one for one in vendor.product if here & set(one.platforms)))
        for vendor in ruleset.vendors
    ]
    return Matcher(msgspec.structs.replace(ruleset, vendors=tuple(vendors)))


def as_shown(table: str, specimen: Specimen) -> Item:
    """What a table has of a specimen."""
    fields = TABLES[table].columns
    ids = {key: value for key, value in specimen.ids.items() if f"ids.{key}" in fields}
    kept = {
        name: getattr(specimen, name)
        for name in ("name", "vendor", "path", "command")
        if name in fields and name not in TABLES[table].only_shown
    }
    shared = [key for key in ids if set(fields[f"ids.{key}"]) & set(fields.get("name", ()))]
    if shared:  # identifier and name are one column here
        kept["name"] = ids[shared[0]] or kept["name"]
        ids = dict.fromkeys(ids, kept["name"]) if kept["name"] else ids
    if table in {"launchd", "services"}:  # program and arguments, or path and command line, are one column here
        kept["path"] = kept["command"] = specimen.command or specimen.path
    return Item(kind=specimen.kind, ids=ids, **kept)


@pytest.mark.parametrize("table", sorted(set(TABLES) - NAMED - COMPUTED))
@pytest.mark.slow
def test_every_specimen_is_what_the_rules_say_of_it(
    table: str, ruleset: Ruleset, pack: dict[str, Any], database: sqlite3.Connection
) -> None:
    """Of the real traces that a table shows, the pack names the products that phaseout names."""
    here = set(TABLES[table].platforms)
    items = [
        as_shown(table, specimen)
        for vendor in ruleset.vendors
        for product in vendor.product
        if here & set(product.platforms)
        for specimen in (*product.hit, *product.miss)
        if specimen.kind in TABLES[table].kinds and ("windows" in here or "\\" not in specimen.path)
    ]
    fill(database, table, *items)
    expected = {
        (items[hit.item].name, hit.item, hit.product.id)
        for hit in matcher_of(ruleset, table).match(items)
        if f"{hit.product.id}.{table}" in pack["queries"]
    }
    found = {
        (items[int(row[0])].name, int(row[0]), row[3])
        for name, query in pack["queries"].items()
        if name.endswith(f".{table}")
        for row in database.execute(query["query"].replace("SELECT DISTINCT ", "SELECT DISTINCT uid, "))
    }
    assert found == expected
    assert expected or table not in RICH


def test_confidence_is_that_of_the_surest_block(pack: dict[str, Any], database: sqlite3.Connection) -> None:
    query = pack["queries"]["kaspersky-endpoint-security-linux.deb_packages"]["query"]
    for vendor, confidence in (("AO Kaspersky Lab", "certain"), ("Fred", "possible")):
        fill(database, "deb_packages", Item(kind="package", name="kesl", vendor=vendor))
        cursor = database.execute(query)
        ((*_, found, name, _version, _path),) = cursor.fetchall()
        assert (name, found) == ("kesl", confidence)


@pytest.mark.parametrize(
    "publisher", ["Kaspersky Lab", "AO Kaspersky Lab", "KASPERSKY LAB, Inc.", "Kaspersky Lab  ZAO", "ООО Fred"]
)
def test_legal_forms_of_a_publisher_do_not_matter(
    publisher: str, matcher: Matcher, pack: dict[str, Any], database: sqlite3.Connection
) -> None:
    item = Item(kind="program", name="Something", vendor=publisher)
    fill(database, "programs", item)
    rows = database.execute(pack["queries"]["kaspersky-other.programs"]["query"]).fetchall()
    assert bool(rows) == bool(matcher.match([item]))


def test_a_column_that_is_null_takes_nothing_back(pack: dict[str, Any], database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM programs")
    row = ("Kaspersky Internet Security", "AO Kaspersky Lab")
    database.execute("INSERT INTO programs (name, publisher) VALUES (?, ?)", row)
    assert database.execute(pack["queries"]["kaspersky-home-windows.programs"]["query"]).fetchall()
    database.execute("UPDATE programs SET name = 'Something'")
    assert database.execute(pack["queries"]["kaspersky-other.programs"]["query"]).fetchall()


@pytest.mark.slow
def test_every_query_is_sql(pack: dict[str, Any], database: sqlite3.Connection) -> None:
    for query in pack["queries"].values():
        database.execute(f"EXPLAIN {query['query']}")


def test_keys_and_folders_are_named(pack: dict[str, Any]) -> None:
    keys = pack["queries"]["kaspersky-other.registry"]["query"]
    assert r"key LIKE 'HKEY_LOCAL_MACHINE\SOFTWARE\KasperskyLab%'" in keys
    uninstall = pack["queries"]["baidu-netdisk.registry"]["query"]
    assert (
        r"'HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\百度云管家'" in uninstall
    )
    folders = pack["queries"]["kaspersky-home-windows.file"]["query"]
    assert r"path LIKE 'C:\Program Files (x86)\Kaspersky Lab\Kaspersky 21.%'" in folders


def test_a_quote_in_a_rule_ends_no_text(ruleset: Ruleset, database: sqlite3.Connection) -> None:
    vendor = next(one for one in ruleset.vendors if one.id == "kaspersky")
    product = msgspec.structs.replace(
        vendor.product[0], name="O'Hara'; DROP TABLE users; --", match=vendor.product[0].match
    )
    changed = msgspec.structs.replace(
        ruleset, vendors=(msgspec.structs.replace(vendor, publishers=("O'Hara",), product=(product,)),)
    )
    for query in json.loads(export(changed, WINDOWS))["queries"].values():
        database.execute(query["query"])
    database.execute("SELECT * FROM users")


def test_what_is_left_out_is_named_with_the_reason(ruleset: Ruleset, pack: dict[str, Any]) -> None:
    left = pack["phaseout"]["left_out"]
    assert all(one["reason"] and one["match"] for one in left)
    assert {"product": "kaspersky-endpoint-agent", "match": left_match(left, "kaspersky-endpoint-agent")} in [
        {"product": one["product"], "match": one["match"]} for one in left
    ]
    assert any("osquery gives the signer only of a named file" in one["reason"] for one in left)
    exported = {name.rpartition(".")[0] for name in pack["queries"]}
    named = {one["product"] for one in left}
    asked = [p for vendor in ruleset.vendors for p in vendor.product if not set(p.platforms) <= {"android", "ios"}]
    restricted = {p.id for p in asked if p.role != "successor"}
    assert restricted <= exported | named


def left_match(left: list[dict[str, str]], product: str) -> str:
    return next(one["match"] for one in left if one["product"] == product and "signer" in one["match"])


def test_only_the_platforms_that_are_asked_for(ruleset: Ruleset) -> None:
    queries = json.loads(export(ruleset, LINUX))["queries"]
    assert {query["platform"] for query in queries.values()} == {"linux"}
    assert "kaspersky-home-windows.programs" not in queries


@pytest.mark.slow
def test_the_command_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "phaseout.conf"
    result = phaseout("rules", "export", "--to", "osquery", "--os", "linux", "-o", str(file))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert phaseout("rules", "export", "--to", "osquery", "--os", "linux").stdout == file.read_text()
    assert phaseout("rules", "export", "--to", "osquery", "-o", str(tmp_path / "no" / "x")).returncode == 2


def test_languages_of_the_command_are_those_of_the_table() -> None:
    listed = phaseout("rules", "export", "--help").stdout
    assert f"[{'|'.join(one.name for one in LANGUAGES)}]" in listed


# With the real osquery


SCRIPT = r"""
set -e
mount -t tmpfs phaseout-test /opt
mkdir -p /opt/kaspersky/kesl/libexec /opt/QQ
cp /bin/sleep /opt/kaspersky/kesl/libexec/kesl
mount --bind "$1/dpkg" /var/lib/dpkg
/opt/kaspersky/kesl/libexec/kesl 300 &
"$2" --json --disable_database --ephemeral --config_path=/dev/null < "$1/queries.sql" > "$1/rows" 2> "$1/errors"
"$3" -m phaseout inventory -f json > "$1/inventory.json" || test $? -eq 3
"""
DEBS = (
    KESL,
    KESL.replace("kesl", "klsomething").replace("AO Kaspersky Lab", "Kaspersky Lab ZAO"),
    KESL.replace("kesl", "kesl-of-fred").replace("AO Kaspersky Lab", "Fred's Kaspersky Laboratory"),
    KESL.replace("kesl", "klnagent64").replace("install ok installed", "deinstall ok config-files"),
)
SOURCES = {
    "dpkg": "package",
    "rpm": "package",
    "processes": "process",
    "vendor_folders": "file",
    "kernel_modules": "driver",
}


@pytest.mark.slow
def test_the_pack_finds_here_what_phaseout_finds(tmp_path: Path, ruleset: Ruleset, matcher: Matcher) -> None:
    """On this machine with planted packages, a folder and a process, in a namespace of their own."""
    program = osqueryi()
    if not can_unshare("-m", "-p", "-f", "--mount-proc") or not Path("/var/lib/dpkg/status").exists():
        pytest.skip("needs to be root on a Debian system, with namespaces of its own")
    queries = json.loads(export(ruleset, LINUX))["queries"]
    (tmp_path / "queries.sql").write_text("\n".join(query["query"] for query in queries.values()))
    (tmp_path / "dpkg").mkdir()
    status = Path("/var/lib/dpkg/status").read_text()
    (tmp_path / "dpkg" / "status").write_text(status.rstrip("\n") + "\n\n" + "\n".join(DEBS))
    for folder in ("info", "updates"):
        (tmp_path / "dpkg" / folder).mkdir()
    command = ["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", SCRIPT, "sh", str(tmp_path)]
    subprocess.run([*command, program, sys.executable], check=True, cwd=CODE, timeout=600)
    assert "Error: near line" not in (tmp_path / "errors").read_text()
    inventory = msgspec.json.decode((tmp_path / "inventory.json").read_bytes(), type=Inventory)
    expected = {
        (hit.product.id, item.kind, item.path if item.kind == "file" else item.name)
        for hit in matcher.match(inventory.items)
        for item in (inventory.items[hit.item],)
        if SOURCES.get(item.source) == item.kind
    }
    rows = [
        json.loads(line.strip().rstrip(",")) for line in (tmp_path / "rows").read_text().splitlines() if "{" in line
    ]
    found = {
        (row["product_id"], row["kind"], row["path"].rstrip("/") if row["kind"] == "file" else row["name"])
        for row in rows
    }
    assert found == expected
    assert {kind for _, kind, _ in found} == {"package", "process", "file"}
    assert len(found) >= 6


@pytest.mark.slow
def test_osquery_loads_the_pack(tmp_path: Path, ruleset: Ruleset) -> None:
    pack = tmp_path / "phaseout.conf"
    pack.write_text(export(ruleset, ALL))
    config = tmp_path / "osquery.conf"
    config.write_text(json.dumps({"packs": {"phaseout": str(pack)}}))
    command = [osqueryi(), "--json", "--disable_database", "--ephemeral", f"--config_path={config}"]
    query = "select count(*) as n from osquery_schedule where name like 'pack_phaseout_%'"
    result = subprocess.run([*command, query], capture_output=True, text=True, check=True, timeout=600)
    here = [each for each in json.loads(pack.read_text())["queries"].values() if "linux" in each["platform"]]
    assert json.loads(result.stdout) == [{"n": str(len(here))}]
