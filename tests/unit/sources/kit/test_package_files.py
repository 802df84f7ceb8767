"""Which files no package lists, for every manager that lists files."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from phaseout.sources.kit.package_files import unlisted

from tests.support.places import CORPORA
from tests.support.trees import Tree
from tests.unit.parsers.linux.test_berkeley_db import written as berkeley_db
from tests.unit.parsers.linux.test_rpm_header import written as blob
from tests.unit.parsers.linux.test_rpm_ndb import written as ndb

LISTS = {
    "/var/lib/dpkg/info/x.list": "/.\n/bin/own\n",
    "/usr/lib/opkg/info/x.list": "/usr/bin/own\n",
    "/lib/apk/db/installed": "P:x\nV:1\nF:usr/bin\nR:own\na:0:0:755\n\n",
    "/var/lib/pacman/local/x-1-1/files": "%FILES%\nusr/\nusr/bin/\nusr/bin/own\n",
    "/var/lib/pkgtools/packages/x-1-noarch-1": "PACKAGE NAME: x\nFILE LIST:\n./\nusr/bin/\nusr/bin/own\n",
    "/var/db/pkg/app-x/x-1/CONTENTS": "dir /usr/bin\nobj /usr/bin/own 0123456789abcdef 1700000000\n",
    "/var/db/xbps/.x-files.plist": "<plist><dict><key>file</key><string>/usr/bin/own</string></dict></plist>",
    "/var/lib/eopkg/package/x-1-1/files.xml": "<Files><File><Path>usr/bin/own</Path></File></Files>",
}


@pytest.mark.parametrize("path", LISTS)
def test_lists(tree: Tree, path: str) -> None:
    tree.write(path, LISTS[path])
    host = tree.host()
    assert unlisted(host, ["/usr/bin/own", "/usr/bin/other"]) == {"/usr/bin/other"}
    assert host.files.problems == []


def test_without_any_list_all_are_unlisted(tree: Tree) -> None:
    assert unlisted(tree.host(), ["/usr/bin/own"]) == {"/usr/bin/own"}
    assert unlisted(tree.host(), []) == set()


@pytest.mark.parametrize(("file", "written"), [("Packages.db", ndb), ("Packages", berkeley_db)])
def test_older_databases_of_rpm(tree: Tree, file: str, written: Callable[[dict[int, bytes]], bytes]) -> None:
    tree.write(f"/var/lib/rpm/{file}", written({1: blob(name="x", file="own"), 2: b"damaged"}))
    assert unlisted(tree.host(), ["/usr/bin/own", "/usr/bin/other"]) == {"/usr/bin/other"}


def test_rpm_has_an_index_of_names(tree: Tree) -> None:
    with closing(sqlite3.connect(tree.write("/var/lib/rpm/rpmdb.sqlite"))) as database, database:
        database.execute("CREATE TABLE Basenames (key TEXT NOT NULL, hnum INTEGER, idx INTEGER)")
        database.execute("INSERT INTO Basenames VALUES ('own', 1, 0)")
    assert unlisted(tree.host(), ["/usr/bin/own", "/usr/bin/other"]) == {"/usr/bin/other"}


def test_what_is_wrong_with_a_database_says_the_source_of_its_packages(tree: Tree) -> None:
    tree.write("/var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0" + bytes(100))
    host = tree.host()
    assert unlisted(host, ["/usr/bin/own"]) == {"/usr/bin/own"}
    assert host.files.problems == []


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not here")
@pytest.mark.parametrize(
    ("database", "name", "own"),
    [
        ("go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite", "rpmdb.sqlite", "/usr/bin/rpm"),
        ("go-rpmdb/sle15-bci/Packages.db", "Packages.db", "/usr/bin/rpm"),
        ("go-rpmdb/libuuid/Packages", "Packages", "/lib64/libuuid.so.1"),
    ],
)
def test_real_databases(tree: Tree, database: str, name: str, own: str) -> None:
    tree.copy(f"/var/lib/rpm/{name}", CORPORA / "rpmdb" / database)
    assert unlisted(tree.host(), [own, "/usr/bin/kesl"]) == {"/usr/bin/kesl"}
