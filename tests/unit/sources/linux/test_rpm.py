"""rpm's database: three formats, places old and new, logs left behind, damage, and the real rpm's own answers."""

import datetime as dt
import json
import lzma
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phaseout.model.nouns import Evidence, Item, Problem

from tests.support.harness import Result, run, source
from tests.support.trees import Tree
from tests.unit.parsers.linux.test_berkeley_db import written as berkeley_db
from tests.unit.parsers.linux.test_rpm_header import written as blob
from tests.unit.parsers.linux.test_rpm_ndb import written as ndb

SQLITE = "/var/lib/rpm/rpmdb.sqlite"
NDB = "/var/lib/rpm/Packages.db"
BERKELEY = "/var/lib/rpm/Packages"
AGENT = blob(
    name="klnagent64",
    version="15.1.0",
    release="20748",
    vendor="Kaspersky Lab",
    packager="Build <build@example.org>",
    arch="x86_64",
    installed=1700000000,
)
FOO = blob(name="foo", version="1.0", release="1", arch="noarch")
KEY = blob(name="gpg-pubkey", version="1964c5fc", release="58e63918")


def sqlite(tree: Tree, path: str, blobs: dict[int, bytes]) -> Path:
    file = tree.write(path)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages VALUES (?, ?)", blobs.items())
    return file


def rows(result: Result) -> list[tuple[str, str, str, str, str]]:
    """Name, epoch, version, release and arch of every item, as `rpm -qa` can be asked for them."""
    found = []
    for item in result.items:
        release = item.details["release"]
        version = item.version.partition(":")[2] or item.version
        assert version.endswith(f"-{release}")
        found.append(
            (
                item.name,
                item.details.get("epoch", "(none)"),
                version.removesuffix(f"-{release}"),
                release,
                item.details.get("arch", "(none)"),
            )
        )
    return sorted(found)


def expected(listing: Path, database: str = "") -> list[tuple[str, ...]]:
    """The same out of a saved answer, without the keys."""
    if listing.suffix == ".json":
        packages = json.loads(listing.read_text())[database]["packages"]
        fields = ("name", "epoch", "version", "release", "arch")
        return sorted(
            tuple("(none)" if one[field] is None else str(one[field]) for field in fields) for one in packages
        )
    lines = [tuple(line.split("\t")[:5]) for line in listing.read_text().splitlines()]
    return sorted(line for line in lines if line[0] != "gpg-pubkey")


@pytest.mark.parametrize("name", ["sqlite", "ndb", "berkeley"])
def test_every_format_gives_the_same(tree: Tree, name: str) -> None:
    blobs = {1: AGENT, 2: blob(name="foo", version="1.0", release="1", arch="noarch", epoch=0), 7: KEY}
    path = {"sqlite": SQLITE, "ndb": NDB, "berkeley": BERKELEY}[name]
    if name == "sqlite":
        sqlite(tree, path, blobs)
    else:
        tree.write(path, ndb(blobs) if name == "ndb" else berkeley_db(blobs))
    result = run("rpm", tree.host())
    assert result.run.status == "ok"
    assert result.run.left_out == {"a public key": 1}
    assert result.items == (
        Item(
            kind="package",
            name="foo",
            source="rpm",
            version="0:1.0-1",
            ids={"purl": "pkg:rpm/foo@1.0-1?arch=noarch&epoch=0"},
            details={"arch": "noarch", "release": "1", "epoch": "0"},
            evidence=(Evidence(f"{path}:2", "Name: foo, Vendor: "),),
        ),
        Item(
            kind="package",
            name="klnagent64",
            source="rpm",
            vendor="Kaspersky Lab",
            version="15.1.0-20748",
            ids={"purl": "pkg:rpm/klnagent64@15.1.0-20748?arch=x86_64"},
            details={
                "arch": "x86_64",
                "release": "20748",
                "packager": "Build <build@example.org>",
                "installed": "2023-11-14T22:13:20Z",
            },
            evidence=(Evidence(f"{path}:1", "Name: klnagent64, Vendor: Kaspersky Lab"),),
        ),
    )


def test_packager_stands_in_for_an_empty_vendor(tree: Tree) -> None:
    tree.write(NDB, ndb({1: blob(name="foo", vendor="", packager="Ada Lovelace <ada@example.org>")}))
    assert run("rpm", tree.host()).one("foo").vendor == "Ada Lovelace"


def test_package_with_a_name_only_is_an_item(tree: Tree) -> None:
    tree.write(NDB, ndb({1: blob(name="foo")}))
    item = run("rpm", tree.host()).one("foo")
    assert (item.version, item.vendor, item.ids) == ("", "", {"purl": "pkg:rpm/foo"})


@pytest.mark.parametrize("folder", ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"])
def test_old_and_new_places(tree: Tree, folder: str) -> None:
    tree.write(f"{folder}/Packages.db", ndb({1: AGENT}))
    assert run("rpm", tree.host()).names() == ["klnagent64"]


def test_linked_places_are_read_once(tree: Tree) -> None:
    tree.write("/usr/share/rpm/Packages.db", ndb({1: AGENT}))
    tree.link("/usr/lib/sysimage/rpm", "../../share/rpm")
    tree.link("/var/lib/rpm", "/usr/lib/sysimage/rpm")
    result = run("rpm", tree.host())
    assert result.names() == ["klnagent64"]
    assert result.run.status == "ok"


def test_newest_format_is_the_one_in_use(tree: Tree) -> None:
    sqlite(tree, SQLITE, {1: FOO})
    tree.write(NDB, ndb({1: AGENT}))
    tree.write(BERKELEY, berkeley_db({1: AGENT}))
    result = run("rpm", tree.host())
    assert result.names() == ["foo"]
    assert result.run.left_out == {"a record of the past": 2}
    assert result.run.status == "ok"


def test_empty_newer_database_does_not_hide_the_older_one(tree: Tree) -> None:
    sqlite(tree, SQLITE, {})
    tree.write(BERKELEY, berkeley_db({1: AGENT}))
    result = run("rpm", tree.host())
    assert result.names() == ["klnagent64"]
    assert result.run.status == "ok"


def test_damaged_newer_database_does_not_hide_the_older_one(tree: Tree) -> None:
    tree.write(SQLITE, b"bogus" * 100)
    tree.write(BERKELEY, berkeley_db({1: AGENT}))
    result = run("rpm", tree.host())
    assert result.names() == ["klnagent64"]
    assert result.problems == (Problem(SQLITE, "DatabaseError: file is not a database", "damaged"),)


def test_own_databases_of_debian_users(tree: Tree) -> None:
    sqlite(tree, "/root/.rpmdb/rpmdb.sqlite", {1: AGENT})
    sqlite(tree, "/home/ada/.rpmdb/rpmdb.sqlite", {1: AGENT})
    assert run("rpm", tree.host()).items == ()  # nobody has asked an rpm here
    tree.write("/usr/bin/rpm")
    assert [(item.name, item.user) for item in run("rpm", tree.host()).items] == [
        ("klnagent64", "ada"),
        ("klnagent64", "root"),
    ]


def test_nothing_there_is_no_problem(tree: Tree) -> None:
    tree.folder("/var/lib/rpm")
    tree.link("/usr/share/rpm", "/gone")
    assert run("rpm", tree.host()).run.status == "ok"


def test_damaged_record_costs_one_problem(tree: Tree) -> None:
    tree.write(NDB, ndb({1: blob(vendor="Ada"), 2: b"short", 3: AGENT[:-9], 4: FOO}))
    tags = "tag 1022 is not text; tag 1008 is not a number"
    result = run("rpm", tree.host())
    assert result.names() == ["foo", "klnagent64"]
    assert result.run.left_out == {"damaged": 2}
    assert result.problems == (
        Problem(f"{NDB}:1", "a package without a name", "damaged"),
        Problem(f"{NDB}:2", "shorter than a header", "damaged"),
        Problem(
            f"{NDB}:3",
            f"cut off after {len(AGENT) - 9} of {len(AGENT)} bytes; {tags}",
            "damaged",
        ),
    )


LARGE = blob(name="large", vendor="x" * 10_000)


def break_chains(file: Path) -> None:
    """Makes every row unreadable that is too long for a page: its pages lead nowhere."""
    data = bytearray(file.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    for page in range(size, len(data), size):
        if data[page : page + 4] != bytes(4) and data[page + 4 : page + 8] == b"xxxx":
            data[page : page + 4] = b"\xff" * 4
    file.write_bytes(data)


def test_damaged_row_costs_one_problem(tree: Tree) -> None:
    break_chains(sqlite(tree, SQLITE, {1: FOO, 2: LARGE, 3: AGENT}))
    result = run("rpm", tree.host())
    assert result.names() == ["foo", "klnagent64"]
    assert result.run.left_out == {"damaged": 1}
    assert result.problems == (
        Problem(f"{SQLITE}:2", "the row cannot be read", "damaged"),
        Problem(SQLITE, "DatabaseError: database disk image is malformed", "damaged"),
    )


@pytest.mark.slow
def test_many_damaged_rows_are_given_up_in_words(tree: Tree) -> None:
    break_chains(sqlite(tree, SQLITE, {1: FOO, **dict.fromkeys(range(2, 210), LARGE), 300: AGENT}))
    found = list(source("rpm").collect(tree.host()))
    assert [one.name for one in found if isinstance(one, Item)] == ["foo"]
    assert found[-1] == Problem(SQLITE, "200 rows cannot be read: those behind them were not tried", "damaged")


def test_rows_of_wrong_types_cost_one_problem(tree: Tree) -> None:
    with closing(sqlite3.connect(tree.write(SQLITE))) as database, database:
        database.execute("CREATE TABLE Packages (hnum, blob)")
        database.executemany(
            "INSERT INTO Packages VALUES (?, ?)",
            [(1, FOO), (1, AGENT), (2, None), ("three", AGENT), (None, FOO), (4, "text"), (5, 5), (b"\xff", b"")],
        )
        database.execute("INSERT INTO Packages VALUES (7, CAST(x'ff00fe' AS TEXT))")
    result = run("rpm", tree.host())
    assert result.names() == ["foo", "foo", "klnagent64", "klnagent64"]
    assert result.run.left_out == {"damaged": 5}


def test_view_that_never_ends_is_not_read(tree: Tree) -> None:
    with closing(sqlite3.connect(tree.write(SQLITE))) as database, database:
        numbers = "WITH RECURSIVE n(hnum) AS (SELECT 1 UNION ALL SELECT hnum + 1 FROM n)"
        database.execute(f"CREATE VIEW Packages AS {numbers} SELECT hnum, 'x' AS blob FROM n")
    result = run("rpm", tree.host())
    assert result.items == ()
    assert result.problems


def test_other_tables_are_a_problem(tree: Tree) -> None:
    with closing(sqlite3.connect(tree.write(SQLITE))) as database, database:
        database.execute("CREATE TABLE Other (hnum)")
    result = run("rpm", tree.host())
    assert result.problems == (Problem(SQLITE, "OperationalError: no such table: Packages", "damaged"),)


@contextmanager
def open_log(tree: Tree) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """A database whose log is not folded in when somebody else closes it."""
    file = sqlite(tree, SQLITE, {1: FOO})
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        yield database, file


def test_what_is_only_in_the_log_is_read(tree: Tree) -> None:
    with open_log(tree) as (database, _):
        database.execute("INSERT INTO Packages VALUES (2, ?)", (AGENT,))
        result = run("rpm", tree.host())
    assert result.names() == ["foo", "klnagent64"]
    assert result.run.status == "ok"


def test_log_that_was_folded_in_is_no_problem(tree: Tree) -> None:
    with open_log(tree) as (database, file):
        database.execute("INSERT INTO Packages VALUES (2, ?)", (AGENT,))
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        assert file.with_name("rpmdb.sqlite-wal").stat().st_size > 32
        result = run("rpm", tree.host())
    assert result.names() == ["foo", "klnagent64"]
    assert result.run.status == "ok"


def test_log_of_an_unfinished_transaction_is_no_problem(tree: Tree) -> None:
    with open_log(tree) as (database, file):
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN")
        database.executemany("INSERT INTO Packages VALUES (?, ?)", [(number, AGENT * 50) for number in range(2, 40)])
        assert file.with_name("rpmdb.sqlite-wal").stat().st_size > 32
        result = run("rpm", tree.host())
        database.execute("ROLLBACK")
    assert result.names() == ["foo"]
    assert result.run.status == "ok"


def test_empty_log_is_no_problem(tree: Tree) -> None:
    sqlite(tree, SQLITE, {1: FOO})
    tree.write(f"{SQLITE}-wal")
    assert run("rpm", tree.host()).run.status == "ok"


@given(st.binary(max_size=600), st.sampled_from([SQLITE, f"{SQLITE}-wal", NDB, BERKELEY]))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_never_raise(tree: Tree, content: bytes, path: str) -> None:
    shutil.rmtree(tree.root / "var", ignore_errors=True)
    if path.endswith("-wal"):
        sqlite(tree, SQLITE, {1: FOO})
        content = b"\x37\x7f\x06\x82\x00\x2d\xe2\x18\x00\x00\x02\x00" + content
    tree.write(path, content)
    run("rpm", tree.host())


REAL = [
    ("rpmdb/go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite", "rpmdb/expected/cbl-mariner-2.0.tsv"),
    ("rpmdb/go-rpmdb/centos5-plain/Packages.xz", "rpmdb/expected/centos5-plain.tsv"),
    ("rpmdb/go-rpmdb/centos7-plain/Packages.xz", "rpmdb/expected/centos7-plain.tsv"),
    ("rpmdb/go-rpmdb/sle15-bci/Packages.db", "rpmdb/expected/sle15_libuuid.json"),
    ("rpmdb/rpm-upstream/rpmdb.sqlite", "rpmdb/rpm-upstream/rpm_qa.tsv"),
    ("osquery/rpm/rpm-bdb/Packages", "osquery/rpm_qa/rpm-bdb.tsv"),
    ("osquery/rpm/rpm-sqlite/rpmdb.sqlite", "osquery/rpm_qa/rpm-sqlite.tsv"),
]


def placed(tree: Tree, original: Path) -> None:
    """A real database where rpm would have it."""
    data = original.read_bytes()
    packed = original.suffix == ".xz"
    name = original.stem if packed else original.name
    tree.write(f"/var/lib/rpm/{name}", lzma.decompress(data) if packed else data)


@pytest.mark.parametrize(("database", "listing"), REAL, ids=[database for database, _ in REAL])
def test_real_databases(tree: Tree, corpora: Path, database: str, listing: str) -> None:
    placed(tree, corpora / database)
    result = run("rpm", tree.host())
    wanted = expected(corpora / listing, database.removeprefix("rpmdb/go-rpmdb/"))
    assert rows(result) == wanted
    assert result.run.status == "ok"
    assert set(result.run.left_out) <= {"a public key"}


def test_real_databases_without_a_listing(tree: Tree, corpora: Path) -> None:
    placed(tree, corpora / "rpmdb/go-rpmdb/libuuid/Packages")
    assert rows(run("rpm", tree.host())) == [("libuuid", "(none)", "2.32.1", "42.el8_8", "x86_64")]
    placed(tree, corpora / "osquery/rpm/rpm-ndb/Packages.db")
    result = run("rpm", tree.host())
    assert [(item.name, item.vendor) for item in result.items] == [
        ("binutils", "SUSE LLC"),
        ("ncurses-devel", "SUSE LLC"),
        ("zlib-devel", "SUSE LLC"),
    ]


BROKEN = [
    "syft/syft/pkg/cataloger/redhat/testdata/glob-paths",
    "syft/syft/pkg/cataloger/redhat/testdata",
    "osv-scalibr/extractor/filesystem/os/rpm/testdata",
    "claircore/internal/rpm/sqlite/testdata",
]


@pytest.mark.parametrize("folder", BROKEN)
def test_files_of_other_scanners_tests(tree: Tree, corpora: Path, folder: str) -> None:
    """Each of their files in the place of each database: nothing raises, and no file is taken for healthy silence."""
    for original in sorted((corpora / "packages" / folder).rglob("*")):
        if not original.is_file():
            continue
        for path in (SQLITE, NDB, BERKELEY):
            shutil.rmtree(tree.root / "var", ignore_errors=True)
            tree.write(path, original.read_bytes())
            result = run("rpm", tree.host())
            assert result.items or result.problems


def test_epoch_and_small_headers_of_real_files(tree: Tree, corpora: Path) -> None:
    tree.write(BERKELEY, (corpora / "packages" / BROKEN[2] / "Packages_epoch").read_bytes())
    assert [(item.name, item.version) for item in run("rpm", tree.host()).items] == [("hello", "1:0.0.1-rls")]
    tree.write(BERKELEY, (corpora / "packages" / BROKEN[1] / "Packages").read_bytes())
    assert [(item.name, item.version, item.vendor) for item in run("rpm", tree.host()).items] == [
        ("dive", "0.9.2-1", "Alex Goodman")
    ]


SPEC = """\
Name: {name}
{epoch}
Version: 15.1.0
Release: 20748
Summary: Agent
License: Commercial
Vendor: Kaspersky Lab
BuildArch: noarch
%description
Agent.
%files
"""


@pytest.mark.skipif(not (shutil.which("rpm") and shutil.which("rpmbuild")), reason="rpm and rpmbuild are not here")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="rpm --root is for root only")
class TestRealRpm:
    @pytest.fixture
    def installed(self, tree: Tree, tmp_path: Path) -> Tree:
        """A root where the real rpm installed two packages."""
        specs = {"klnagent64": "", "klnagent64-l10n": "Epoch: 0"}
        for name, epoch in specs.items():
            spec = tmp_path / f"{name}.spec"
            spec.write_text(SPEC.format(name=name, epoch=epoch))
            self.ask("rpmbuild", "-bb", "--define", f"_topdir {tmp_path}/build", f"--dbpath={tmp_path}/db", str(spec))
        packages = [str(path) for path in (tmp_path / "build/RPMS").rglob("*.rpm")]
        assert len(packages) == 2
        self.ask(*self.rpm(tree), "--install", "--nodeps", *packages)
        return tree

    @staticmethod
    def ask(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout

    @staticmethod
    def rpm(tree: Tree) -> list[str]:
        return ["rpm", f"--root={tree.root}", "--dbpath=/var/lib/rpm", "--define=_db_backend sqlite"]

    def test_what_it_installed_is_found(self, installed: Tree) -> None:
        result = run("rpm", installed.host())
        form = r"%{NAME}\t%{EVR}\t%{ARCH}\t%{VENDOR}\t%{INSTALLTIME}\t%{DBINSTANCE}\n"
        answer = self.ask(*self.rpm(installed), "-qa", "--qf", form)
        wanted = []
        for line in answer.splitlines():
            name, evr, arch, vendor, moment, number = line.split("\t")
            installed_at = dt.datetime.fromtimestamp(int(moment), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            wanted.append((name, evr, arch, vendor, installed_at, f"{SQLITE}:{number}"))
        assert [
            (one.name, one.version, one.details["arch"], one.vendor, one.details["installed"], one.evidence[0].where)
            for one in result.items
        ] == sorted(wanted)
        assert [item.version for item in result.items] == ["15.1.0-20748", "0:15.1.0-20748"]

    def test_what_it_leaves_behind_is_no_problem(self, installed: Tree) -> None:
        assert (installed.root / f"{SQLITE}-wal".lstrip("/")).exists()
        assert run("rpm", installed.host()).run.status == "ok"

    def test_what_it_removed_is_gone(self, installed: Tree) -> None:
        self.ask(*self.rpm(installed), "--erase", "klnagent64")
        assert run("rpm", installed.host()).names() == ["klnagent64-l10n"]

    def test_what_it_was_killed_over_is_read_from_the_log(self, installed: Tree, tmp_path: Path) -> None:
        spec = tmp_path / "slow.spec"
        spec.write_text(
            SPEC.format(name="slow", epoch="") + '%post -p <lua>\nio.open("/begun", "w"):close()\nwhile 1 do end\n'
        )
        self.ask("rpmbuild", "-bb", "--define", f"_topdir {tmp_path}/build", f"--dbpath={tmp_path}/db", str(spec))
        (package,) = (tmp_path / "build/RPMS").rglob("slow*.rpm")
        with subprocess.Popen([*self.rpm(installed), "--install", str(package)], stderr=subprocess.DEVNULL) as rpm:
            while not (installed.root / "begun").exists() and rpm.poll() is None:
                time.sleep(0.01)
            rpm.kill()
        result = run("rpm", installed.host())
        assert result.names() == ["klnagent64", "klnagent64-l10n", "slow"]  # the last only in the log
        assert result.run.status == "ok"


def test_a_system_of_rpm_without_a_database(tree: Tree) -> None:
    tree.write("/etc/os-release", 'ID="rocky"\nID_LIKE="rhel centos fedora"\n')
    (problem,) = run("rpm", tree.host()).problems
    assert (problem.cause, problem.why) == ("missing", "has no database, though this is a system of rpm")
    tree.write("/var/lib/rpmmanifest/container-manifest-2")
    assert run("rpm", tree.host()).problems == ()


@pytest.mark.parametrize("value", ["/srv/rpm", "%{_var}/state/rpm/"])
def test_the_database_where_a_macro_puts_it(tree: Tree, value: str) -> None:
    folder = "/srv/rpm" if value == "/srv/rpm" else "/var/state/rpm"
    tree.write("/etc/rpm/macros.local", f"%_topdir /srv\n%_dbpath  {value}\n")
    assert [problem.cause for problem in run("rpm", tree.host()).problems] == ["missing"]
    sqlite(tree, f"{folder}/rpmdb.sqlite", {1: AGENT})
    result = run("rpm", tree.host())
    assert [item.name for item in result.items] == ["klnagent64"]
    assert result.run.status == "ok"


def test_a_database_behind_a_macro_that_is_not_known(tree: Tree) -> None:
    tree.write("/etc/rpm/macros", "%_dbpath %{company_state}/rpm\n")
    assert [problem.cause for problem in run("rpm", tree.host()).problems] == ["unsupported"]
