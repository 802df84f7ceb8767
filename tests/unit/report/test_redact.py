"""What `--redact` takes out, and what stays."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import Evidence, Item, SourceRun
from phaseout.report.redact import redacted

from tests.unit.report.conftest import make_inventory, make_report

ITEMS = (
    Item(
        kind="extension",
        name="Kaspersky Protection",
        path="/home/alice/.config/chrome/x",
        user="alice",
        command='"C:\\Program Files\\AV\\avp.exe" --home /data/alice/x --url https://example.org/home/page',
        evidence=(Evidence("/home/alice/.config/chrome/x/manifest.json", "name"),),
    ),
    Item(kind="app", name="Kaspersky", path="C:\\Users\\Bob\\AppData\\av.exe", user="CORP\\Bob"),
    Item(kind="service", name="kesl", path="/opt/kaspersky/kesl/libexec/kesl", user="root"),
    Item(kind="program", name="av", path=r"HKEY_USERS\S-1-5-21-1-2-3-1001\Software\AV"),
)


def text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def test_users_are_numbered_alike_everywhere() -> None:
    inventory = redacted(msgspec.structs.replace(make_inventory(), items=ITEMS), ("users",))
    alice, bob, system, registry = inventory.items
    assert (alice.user, alice.path) == ("user1", "/home/user1/.config/chrome/x")
    assert "/data/user1/x" in alice.command
    assert alice.evidence[0].where == "/home/user1/.config/chrome/x/manifest.json"
    assert bob.path in ("C:\\Users\\user2\\AppData\\av.exe", "C:\\Users\\user3\\AppData\\av.exe")
    assert (system.user, system.path) == ("root", "/opt/kaspersky/kesl/libexec/kesl")
    assert registry.path == r"HKEY_USERS\S-1-5-21-user1\Software\AV"
    assert not {"alice", "Bob", "1001"} & set(text(inventory).replace("/", "\\").split("\\"))


def test_paths_keep_their_last_part_and_the_inventory_says_so() -> None:
    inventory = redacted(msgspec.structs.replace(make_inventory(), items=ITEMS), ("paths",))
    assert [item.path for item in inventory.items] == ["…/x", "…/av.exe", "…/kesl", "…/AV"]
    assert inventory.items[0].command == '"…/avp.exe" --home …/x --url https://example.org/home/page'
    assert inventory.unseen[-1].why == "taken out by --redact paths"
    assert not inventory.unseen[-1].kinds


def test_a_report_is_redacted_after_it_was_judged() -> None:
    report = make_report()
    both = redacted(report, ("users", "paths"))
    assert (both.verdict, both.unseen) == (report.verdict, report.unseen)
    assert "/opt" not in text(both)
    assert redacted(report, ()) is report


@pytest.mark.parametrize(
    "where",
    [
        "sudo -u alice /opt/x",
        "ssh alice@host",
        "alice: /opt/x",
        "C:\\\\Users\\\\Alice\\\\x.exe",
        "/home/CORP/alice/x",
        "/var/spool/cron/crontabs/alice",
        "file:///home/alice/x",
        "C:/users/ALICE/x",
        "run (alice)",
        "the home of alice is missing",
    ],
)
def test_a_person_wherever_the_name_stands(where: str) -> None:
    items = (*ITEMS, Item(kind="task", name="backup@alice.service", command=where, notes=(where,)))
    once = redacted(msgspec.structs.replace(make_inventory(), items=items), ("users",))
    assert "alice" not in text(once).lower()


def test_an_account_of_a_program_does_not_rename_the_program() -> None:
    items = (
        Item(kind="process", name="mysql", user="mysql", command="mysql --safe"),
        Item(kind="app", name="alice", user="alice"),
    )
    once = redacted(msgspec.structs.replace(make_inventory(), items=items), ("users",))
    assert [(item.name, item.command) for item in once.items] == [("mysql", "mysql --safe"), ("alice", "")]
    assert {item.user for item in once.items} == {"user1", "user2"}


@pytest.mark.parametrize(
    "command",
    [
        r"C:\Program Files\Kaspersky secret\KES 12\avp.exe -r",
        "/opt/Kaspersky secret/KES 12/avp -r",
        "cc -I/srv/secret/include x.c",
        "PATH=/usr/bin:/srv/secret/bin x",
        "open file:///srv/secret/x.html",
        "scp h:/srv/secret/x .",
        r"\\server\secret\x.exe",
        "x --dir=/srv/secret/y",
        "x '/srv/secret/with blank/y'",
    ],
)
def test_no_folder_stays(command: str) -> None:
    item = Item(kind="service", name="x", command=command)
    once = redacted(msgspec.structs.replace(make_inventory(), items=(item,)), ("paths",))
    assert "secret" not in once.items[0].command


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_and_path(user: str, path: str) -> None:
    item = Item(kind="app", name="x", user=user, path=f"/home/{path}", command=path)
    run = SourceRun(source="dpkg", status="ok", rows=1, items=1)
    inventory = msgspec.structs.replace(make_inventory(), items=(item,), runs=(run,))
    once = redacted(inventory, ("users", "paths"))
    assert len(once.items) == 1
    assert once.items[0].kind == "app"
