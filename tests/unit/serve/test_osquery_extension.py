"""The tables for osquery: their rows, and a real osqueryi that asks for them."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from phaseout.model.findings import Finding, Report, RulesUsed
from phaseout.model.nouns import Evidence, HostInfo, Inventory, Item, SourceRun, Unseen
from phaseout.parsers.encodings.thrift import CALL, I32, I64, ONEWAY, Fields, Message, read_message, write_message
from phaseout.serve.osquery_extension import CachedResult, CannotServeError, serve
from phaseout.serve.osquery_tables import TABLES, selected

from tests.support.places import CODE
from tests.support.trees import Tree

ROOT = Path(__file__).parents[3]
KESL = """\
Package: kesl
Status: install ok installed
Maintainer: AO Kaspersky Lab <support@kaspersky.com>
Architecture: amd64
Version: 12.1.0-1543
Description: Kaspersky Endpoint Security
"""


def osqueryi() -> str:
    found = os.environ.get("PHASEOUT_OSQUERY") or shutil.which("osqueryi")
    if not found:
        pytest.skip("not installed: osqueryi (PHASEOUT_OSQUERY names it)")
    return found


# The tables


ITEM = Item(
    kind="process",
    name="kesl\x1b[2J",
    source="processes",
    state="running",
    path="/opt/kaspersky/kesl/libexec/kesl",
    ids={"purl": "pkg:deb/kesl"},
    details={"pid": "17"},
    evidence=(Evidence("process 17"),),
)
HOST = HostInfo(name="h", platform="linux")
INVENTORY = Inventory(
    schema="",
    tool="",
    scanned_at="2026-11-21T00:00:00Z",
    host=HOST,
    items=(ITEM, Item(kind="package", name="bash")),
    runs=(),
)


def report(**members: Any) -> Report:
    finding = Finding(
        vendor="Kaspersky",
        vendor_id="kaspersky",
        product="KESL",
        product_id="kaspersky-endpoint-security-linux",
        category="endpoint_security",
        role="covered",
        verdict="replace",
        state="running",
        confidence="likely",
        items=(ITEM,),
        because=("process with path",),
    )
    given = {"findings": (finding,), "runs": (), "unseen": (), **members}
    used = RulesUsed(vendors=1, products=1, measures=1, digest="d")
    return Report(
        schema="", tool="", scanned_at="2026-11-21T00:00:00Z", as_of="2026-11-21", host=HOST, rules=used,
        verdict="replace", **given,
    )  # fmt: skip


def test_rows_have_the_columns_of_their_table() -> None:
    run = SourceRun(source="dpkg", status="ok", rows=3, items=3, seconds=0.5)
    one = report(runs=(run,), unseen=(Unseen("Users", "permission denied", "run as root"),))
    for table in TABLES.values():
        rows = list(table.rows(INVENTORY, one))
        assert rows
        for row in rows:
            assert set(row) <= set(table.columns)
            assert all(isinstance(text, str) for text in row.values())


def test_a_row_names_product_process_and_reason_without_escapes() -> None:
    (row,) = TABLES["restricted_software"].rows(INVENTORY, report())
    assert (row["pid"], row["product"], row["because"]) == ("17", "KESL", "process with path")
    assert row["name"] == "kesl\\x1b[2J"
    assert "days_left" not in row  # NULL: no measure, no number


def test_coverage_tells_what_was_not_seen_and_what_helps() -> None:
    run = SourceRun(source="dpkg", status="partial", rows=3, items=2, left_out={"damaged": 1})
    unseen = (
        Unseen("dpkg's database", "/var/lib/dpkg/status: damaged", "run as root", "dpkg"),
        Unseen("Users and operating system", "/etc/passwd: permission denied"),
    )
    first, second = TABLES["restricted_software_coverage"].rows(INVENTORY, report(runs=(run,), unseen=unseen))
    assert (first["source"], first["status"], first["rows"], first["items"]) == ("dpkg", "partial", "3", "2")
    assert (first["reason"], first["remedy"]) == ("/var/lib/dpkg/status: damaged", "run as root")
    assert (second["source"], second["status"]) == ("Users and operating system", "partial")
    assert "rows" not in second


def test_items_of_other_vendors_are_there_too() -> None:
    rows = list(TABLES["phaseout_items"].rows(INVENTORY, report()))
    assert [(row["kind"], row["pid"]) for row in rows] == [("process", "17"), ("package", "-1")]
    assert rows[0]["ids"] == '{"purl":"pkg:deb/kesl"}'


def test_the_rows_of_one_scan_are_dropped_before_the_next() -> None:
    """Both at once take twice the memory."""
    held: list[int] = []

    def scan() -> tuple[Inventory, Report]:
        held.append(len(result._tables))
        return INVENTORY, report()

    result = CachedResult(scan, 0)
    assert len(result.rows("phaseout_items")) == len(result.rows("phaseout_items")) == 2
    assert held == [0, 0]


COLUMNS = {"name": "TEXT", "pid": "BIGINT", "path": "TEXT"}
ROWS = [{"name": "Kesl", "pid": "17", "path": "/a"}, {"name": "bash", "pid": "-1", "path": ""}]


def context(**constraints: str) -> str:
    listed = [{"name": name, "list": [{"op": 2, "expr": text}]} for name, text in constraints.items()]
    return json.dumps({"constraints": listed, "colsUsed": ["name", *constraints]})


def test_only_the_rows_and_columns_that_are_wanted() -> None:
    assert selected(ROWS, COLUMNS, context(pid="17")) == [{"name": "Kesl", "pid": "17"}]
    assert selected(ROWS, COLUMNS, context(name="kesl")) == [{"name": "Kesl"}]
    assert selected(ROWS, COLUMNS, context()) == [{"name": "Kesl"}, {"name": "bash"}]


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"constraints": 1}', '{"constraints": [{"name": "pid"}]}', "1"]
)
def test_a_context_that_is_not_understood_selects_everything(text: str) -> None:
    assert selected(ROWS, COLUMNS, text) == ROWS


def test_other_operators_rule_nothing_out() -> None:
    asked = {"constraints": [{"name": "pid", "list": [{"op": 4, "expr": "99"}]}, {"name": "path", "list": ""}]}
    assert selected(ROWS, COLUMNS, json.dumps(asked)) == ROWS


# The extension, with a core of osquery that the test plays


class Core:
    """The side of osquery: registers every extension that connects, and answers pings until it is closed."""

    def __init__(self, path: Path, code: int = 0) -> None:
        self.path = path
        self.code = code
        self.registered = threading.Event()
        self.asked: list[Message] = []
        self.alive = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            client, _ = self._socket.accept()
            with client, client.makefile("rb") as file:
                while self.alive:
                    asked = read_message(lambda size: exactly(file, size))
                    self.asked.append(asked)
                    status = Fields({1: I32(self.code), 2: "no" if self.code else "OK", 3: I64(4711)})
                    client.sendall(write_message(Message(asked.name, 2, asked.sequence, Fields({0: status}))))
                    if asked.name == "registerExtension":
                        self.registered.set()

    def close(self) -> None:
        self.alive = False
        self._socket.close()


def exactly(file: Any, size: int) -> bytes:
    data: bytes = file.read(size)
    if len(data) < size:
        raise EOFError
    return data


class Client:
    """Asks the extension as osquery does."""

    def __init__(self, path: Path) -> None:
        deadline = time.monotonic() + 10
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, name: str, fields: Fields | None = None, kind: int = CALL) -> Message:
        self._socket.sendall(write_message(Message(name, kind, 3, fields or Fields())))
        return read_message(lambda size: exactly(self._file, size)) if kind == CALL else Message("", 0, 0, Fields())

    def table(self, name: str, **request: str) -> Fields:
        answer = self.ask("call", Fields({1: "table", 2: name, 3: {"action": "generate", **request}}))
        result: Fields = answer.fields[0]
        return result

    def send_part(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send(self, data: bytes) -> bytes:
        self._socket.sendall(data)
        self._socket.shutdown(socket.SHUT_WR)
        return self._file.read()


class Looks:
    """Counts how often it looked, and may have to wait."""

    def __init__(self) -> None:
        self.count = 0
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None

    def __call__(self) -> tuple[Inventory, Report]:
        self.count += 1
        assert self.go.wait(10)
        if self.error:
            raise self.error
        return INVENTORY, report()


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = Core(tmp_path / "core")
    yield core
    core.close()


def start(core: Core, looks: Looks, keep: float = 60.0) -> tuple[threading.Thread, Path]:
    options = {"timeout": 5.0, "interval": 0.05, "keep": keep}
    thread = threading.Thread(target=serve, args=(str(core.path), looks), kwargs=options, daemon=True)
    thread.start()
    assert core.registered.wait(10)
    return thread, core.path.with_name("core.4711")


@pytest.mark.slow
def test_registers_all_tables_and_ends_with_osquery(core: Core, looks: Looks) -> None:
    thread, path = start(core, looks)
    registry = core.asked[0].fields[2]["table"]
    assert {name: {route["name"]: route["type"] for route in routes} for name, routes in registry.items()} == {
        name: table.columns for name, table in TABLES.items()
    }
    with Client(path) as client:
        assert client.ask("ping").fields[0][1] == 0
    assert oct(path.stat().st_mode & 0o077) == "0o0"
    core.close()
    thread.join(10)
    assert not thread.is_alive()
    assert not path.exists()


def test_one_scan_serves_all_queries_that_come_meanwhile_and_pings_are_answered(core: Core, looks: Looks) -> None:
    _, path = start(core, looks)
    looks.go.clear()
    results: list[Fields] = []

    def ask() -> None:
        with Client(path) as client:
            results.append(client.table("phaseout_items"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    with Client(path) as client:
        assert client.ask("ping").fields[0][1] == 0
    assert results == []
    looks.go.set()
    for thread in threads:
        thread.join(10)
    assert [len(result[2]) for result in results] == [2] * 4
    assert looks.count == 1


def test_a_result_that_is_too_old_is_not_given(core: Core, looks: Looks) -> None:
    _, path = start(core, looks, keep=0)
    with Client(path) as client:
        client.table("phaseout_items")
        client.table("restricted_software")
    assert looks.count == 2


def test_a_failed_scan_is_the_error_of_the_query_and_the_next_query_scans_again(core: Core, looks: Looks) -> None:
    _, path = start(core, looks)
    looks.error = ValueError("rules/x.toml: broken")
    with Client(path) as client:
        result = client.table("phaseout_items")
        assert (result[1][1], result[1][2]) == (1, "phaseout: rules/x.toml: broken")
        looks.error = None
        assert client.table("phaseout_items")[1][1] == 0


def test_a_wrong_request_is_answered_with_an_error(core: Core, looks: Looks) -> None:
    _, path = start(core, looks)
    with Client(path) as client:
        assert client.table("users")[1][1] == 1
        assert client.table("phaseout_items", action="insert")[1][1] == 1
        assert client.ask("call").fields[0][1][1] == 1
        assert client.ask("call", Fields({1: "table", 2: I32(1), 3: "x"})).fields[0][1][1] == 1
        assert client.ask("query", Fields({1: "select 1"})).kind == 3
        columns = client.table("phaseout_items", action="columns")[2]
        assert {"id": "column", "name": "pid", "type": "BIGINT", "op": "0"} in columns
    with Client(path) as client:
        assert client.send(b"GET / HTTP/1.0\r\n\r\n") == b""
    with Client(path) as client:
        assert client.ask("ping").fields[0][1] == 0
    assert looks.count == 0


START = bytes.fromhex("80010001 00000004") + b"call" + bytes(4)  # of a message


@pytest.mark.parametrize(
    "data",
    [
        START[:9],
        START + bytes.fromhex("0b0001 7fffffff"),  # a text of two gigabytes
        START + bytes.fromhex("0b0001 ffffffff"),
        START + bytes.fromhex("0f0001 02 7fffffff"),
        START + bytes.fromhex("0f0001") + bytes.fromhex("0f00000001") * 40,  # lists in lists
        START + bytes.fromhex("0f0001 0c 0003ffff") + bytes(1 << 19),  # structs of one byte each
        START + bytes.fromhex("020001 01") * 300_000 + bytes(1),  # fields without end
        START + bytes.fromhex("0d0001 0f0b 00000001"),  # a list as key
        START + bytes.fromhex("630001"),  # no such type
        bytes.fromhex("80010001 01000001") + b"x" * (1 << 20),
    ],
)
def test_a_hostile_message_ends_its_connection_alone(core: Core, looks: Looks, data: bytes) -> None:
    _, path = start(core, looks)
    with Client(path) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        assert client.send(data) == b""
    with Client(path) as client:
        assert client.ask("ping").fields[0][1] == 0
    assert looks.count == 0


@pytest.mark.parametrize("value", [I32(1), True, 1.5, [], ["x"], {}, {"a": "b"}, Fields(), Fields({1: "x"})])
def test_values_of_wrong_types_are_answered(core: Core, looks: Looks, value: Any) -> None:
    _, path = start(core, looks)
    with Client(path) as client:
        for fields in (
            {1: value, 2: "phaseout_items", 3: {"action": "generate"}},
            {1: "table", 2: value, 3: {"action": "generate"}},
            {1: "table", 2: "phaseout_items", 3: value},
            {1: "table", 2: "phaseout_items", 3: {"action": value}},
            {1: "table", 2: "phaseout_items", 3: {"context": value}},
        ):
            assert client.ask("call", Fields(fields)).kind == 2


def test_one_that_sends_slowly_and_many_that_send_nothing(
    core: Core, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phaseout.serve.osquery_extension._SILENCE", 0.3)
    monkeypatch.setattr("phaseout.serve.osquery_extension._CONNECTIONS", 4)
    _, path = start(core, looks)
    with contextlib.ExitStack() as stack:
        slow, *_, last = [stack.enter_context(Client(path)) for _ in range(6)]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for one in START:  # a byte each is no silence, and yet no message
                slow.send_part(bytes([one]))
                time.sleep(0.05)
            assert slow.send(b"") == b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            assert last.send(b"") == b""  # refused
    with Client(path) as client:
        assert client.ask("ping").fields[0][1] == 0


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")
def test_osquery_that_another_user_plays(tmp_path: Path, looks: Looks) -> None:
    tmp_path.chmod(0o777)
    script = f"""import os, socket
os.setuid(54321)
here = socket.socket(socket.AF_UNIX)
here.bind({"em"!r})
here.listen()
print(flush=True)
here.accept()
input()"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"\n"
        with pytest.raises(CannotServeError, match="neither root nor the user who runs phaseout listens there"):
            serve(str(tmp_path / "em"), looks, timeout=5, interval=1, keep=1)
        other.stdin.close()
    assert looks.count == 0


@pytest.mark.slow
def test_shutdown_ends_it_and_deregisters_it(core: Core, looks: Looks) -> None:
    thread, path = start(core, looks)
    with Client(path) as client:
        client.ask("shutdown", kind=ONEWAY)
        thread.join(10)
    assert not thread.is_alive()
    assert core.asked[-1].name == "deregisterExtension"
    assert core.asked[-1].fields == {1: 4711}


def test_nobody_listens(tmp_path: Path, looks: Looks) -> None:
    with pytest.raises(CannotServeError, match="osquery does not listen there"):
        serve(str(tmp_path / "nothing"), looks, timeout=0.2, interval=1, keep=1)


def test_osquery_refuses_the_registration(tmp_path: Path, looks: Looks) -> None:
    core = Core(tmp_path / "core", code=1)
    with pytest.raises(CannotServeError, match="rejected the tables: no"):
        serve(str(core.path), looks, timeout=1, interval=1, keep=1)
    core.close()


def test_the_socket_of_a_killed_extension_is_replaced(core: Core, looks: Looks) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(core.path.with_name("core.4711")))
    left.close()
    _, path = start(core, looks)
    with Client(path) as client:
        assert client.ask("ping").fields[0][1] == 0


@pytest.mark.slow
def test_started_as_osquery_starts_it(tmp_path: Path) -> None:
    """Without a command: osquery knows none, and a single executable may lie in its folder of extensions."""
    command = [sys.executable, "-m", "phaseout", "--socket", str(tmp_path / "em"), "--timeout", "0", "--interval", "3"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CODE, timeout=600)
    assert result.returncode == 2
    assert "osquery does not listen there" in result.stderr


@pytest.mark.slow
def test_named_pipes_of_windows() -> None:
    wine = Path(os.environ.get("PHASEOUT_WINE", "/none"))
    if not (wine / "ready").is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    folders = ["Z:" + str(path).replace("/", "\\") for path in (ROOT / "scanner", wine / "site")]
    command = [str(wine / "run"), str(ROOT / "tests" / "support" / "osquery_pipe.py"), *folders]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    said = [line for line in result.stdout.splitlines() if line != "ping"]
    assert said == ["registerExtension", "rows 1 200000", "second OK", "deregisterExtension", "ended True"]


# With the real osquery


class Shell:
    """An osqueryi that starts the extension itself, and stays open."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = folder / "em"
        self.extension = folder / "phaseout.ext"
        self.extension.write_text(
            f'#!/bin/sh\necho $$ >> "{folder}/pids"\ncd "{ROOT}/scanner" && '
            f'exec "{sys.executable}" -m phaseout osquery-extension {" ".join(options)} "$@"\n'
        )
        self.extension.chmod(0o755)
        command = [
            osqueryi(), "--json", "--allow_unsafe", "--disable_database", "--ephemeral", "--config_path=/dev/null",
            f"--extensions_socket={self.socket}", f"--extension={self.extension}", "--extensions_require=phaseout",
            "--extensions_timeout=30", "--extensions_interval=1", "--disable_watchdog=false",
        ]  # fmt: skip
        self._pids = folder / "pids"
        self._shell = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, query: str) -> list[dict[str, str]]:
        """The rows; the marker behind them tells where they end, even after an error."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{query};\nselect 'end of answer' as marker;\n")
        self._shell.stdin.flush()
        rows: list[dict[str, str]] = []
        for line in self._shell.stdout:
            text = line.strip().rstrip(",")
            if text.startswith("{"):
                row = json.loads(text)
                if "marker" in row:
                    return rows
                rows.append(row)
        raise AssertionError("osqueryi ended")

    def pids(self) -> list[int]:
        return [int(line) for line in self._pids.read_text().split()]

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self._shell.communicate(".exit\n", timeout=15)
        self._shell.kill()
        self._shell.wait()
        for pipe in (self._shell.stdin, self._shell.stdout):
            with contextlib.suppress(OSError):  # what it did not read is of no interest any more
                assert pipe is not None
                pipe.close()


@pytest.fixture
def shell(tree: Tree, tmp_path: Path) -> Iterator[Shell]:
    """Over a small root, with results that are good for a moment only."""
    tree.write("/var/lib/dpkg/status", KESL)
    shell = Shell(tmp_path, "--root", str(tree.root), "--keep", "0")
    yield shell
    shell.close()


@pytest.mark.slow
def test_osqueryi_shows_the_tables_and_each_query_scans_again(shell: Shell, tree: Tree) -> None:
    (row,) = shell.ask("select product_id, verdict, name, version, pid, days_left < 0 as late from restricted_software")
    assert row == {
        "product_id": "kaspersky-endpoint-security-linux",
        "verdict": "replace",
        "name": "kesl",
        "version": "12.1.0-1543",
        "pid": "-1",
        "late": "1",
    }
    (row,) = shell.ask("select status, rows, items, verdict from restricted_software_coverage where source = 'dpkg'")
    assert row == {"status": "ok", "rows": "1", "items": "1", "verdict": "replace"}
    tree.write("/var/lib/dpkg/status", KESL + "\n" + KESL.replace("kesl", "bash"))
    rows = shell.ask("select name from phaseout_items where kind = 'package' order by name")
    assert rows == [{"name": "bash"}, {"name": "kesl"}]


@pytest.mark.slow
def test_osquery_starts_a_killed_extension_again(shell: Shell) -> None:
    assert shell.ask("select count(*) as n from restricted_software") == [{"n": "1"}]
    (first,) = shell.pids()
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while shell.ask("select count(*) as n from restricted_software") != [{"n": "1"}] or len(shell.pids()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert shell.pids()[-1] != first


@pytest.mark.slow
def test_joined_with_processes(tmp_path: Path) -> None:
    """On the machine itself: a process of this test is the same in both tables."""
    shell = Shell(tmp_path)
    try:
        rows = shell.ask(
            "select i.name, p.pid, p.path from phaseout_items i join processes p on i.pid = p.pid "
            f"where i.kind = 'process' and p.pid = {os.getpid()}"
        )
    finally:
        shell.close()
    assert [(row["pid"], row["path"]) for row in rows] == [(str(os.getpid()), os.path.realpath("/proc/self/exe"))]
