"""Supervision: whatever a source does, it costs that source, and the report says so."""

import ctypes
import faulthandler
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import phaseout.host.opening
import phaseout.scan.supervisor
import phaseout.scan.worker
import phaseout.scan.worker_process
import phaseout.sources
import psutil
import pytest
from phaseout.model.nouns import Inventory, Item, LeftOut, Problem
from phaseout.model.recording import memory_of
from phaseout.scan.messages import Request, Started
from phaseout.scan.supervisor import ScanError, ScanSupervisor
from phaseout.scan.worker import work
from phaseout.sources.source import Source

from tests.support.places import ROOT
from tests.support.trees import Tree

Collect = Callable[[Any], Iterator[Any]]
STUCK = mmap.mmap(-1, 1)  # shared with the worker; not zero once a source has sent its item and will never end


def item(name: str) -> Item:
    return Item(kind="package", name=name)


def good(_: Any) -> Iterator[Any]:
    yield item("good")
    yield LeftOut("not a program", 2)


def hangs(_: Any) -> Iterator[Any]:
    yield item("before it hung")
    STUCK[0] = 1
    time.sleep(60)


def spins(_: Any) -> Iterator[Any]:
    yield item("before it span")
    STUCK[0] = 1
    while True:
        pass


def crashes(_: Any) -> Iterator[Any]:
    yield item("before it crashed")
    faulthandler.disable()  # pytest's would write into its own output
    ctypes.string_at(0)


def exits(_: Any) -> Iterator[Any]:
    yield item("before it left")
    os._exit(0)


def allocates(_: Any) -> Iterator[Any]:
    yield item("before it grew")
    held = []
    while True:
        held.append(bytearray(1 << 26))


def fills(_: Any) -> Iterator[Any]:
    yield item("before it grew")
    held = []
    for _second in range(600):  # slowly: the test is about what the supervisor sees, not about who is faster
        held.append(b"x" * (1 << 24))
        time.sleep(0.02)


def raises(_: Any) -> Iterator[Any]:
    yield item("before it raised")
    raise RuntimeError("at home")


def prints(_: Any) -> Iterator[Any]:
    sys.stdout.write("noise\n")
    sys.stderr.write("noise\n")
    os.write(1, b"noise\n")
    yield item("printed")


def many(_: Any) -> Iterator[Any]:
    for number in range(20_000):
        yield item(f"item {number}")


def million(_: Any) -> Iterator[Any]:
    for number in range(1_000_000):
        yield item(f"item {number}")


def heavy(_: Any) -> Iterator[Any]:
    for number in range(100_000):
        yield Item(kind="package", name=f"{number} " + "x" * 8000, version="x" * 8000)


def heavy_too(host: Any) -> Iterator[Any]:
    yield from heavy(host)


def million_more(host: Any) -> Iterator[Any]:
    yield from million(host)


def odd(_: Any) -> Iterator[Any]:
    yield Item(kind="package", name="caf\udce9\ud800\n\x1b[2J" + "x" * 100_000, details={"empty": "", "bad": "\ud800"})
    yield Problem("/caf\udce9", "odd", "damaged")


def floods(_: Any) -> Iterator[Any]:
    while True:
        STUCK[0] = 1
        yield LeftOut("not a program")
        yield item("one of many")


class Once:
    """Acts once a source is stuck and all that it had sent before has arrived. To be called between two receptions."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._arrived = self._done = False
        STUCK[0] = 0

    def __call__(self, *_: object) -> None:
        if self._arrived and not self._done:
            self._done = True
            self._act()
        self._arrived = bool(STUCK[0])  # what is in the pipe now is read before the next call


class Clock:
    """Stands still, except that an hour passes once a source is stuck."""

    time = staticmethod(time.time)

    def __init__(self) -> None:
        self._now = 0.0
        self.progress = Once(self._an_hour)

    def monotonic(self) -> float:
        return self._now

    def _an_hour(self) -> None:
        self._now += 3600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the supervisor, so that a loaded machine exceeds no limit of time."""
    clock = Clock()
    monkeypatch.setattr(phaseout.scan.supervisor, "time", clock)
    return clock


def wait_until(done: Callable[[], bool]) -> None:
    latest = time.monotonic() + 300  # only a fault takes as long
    while not done():
        if time.monotonic() > latest:
            pytest.fail("it did not happen within 300 s")
        time.sleep(0.02)


@pytest.fixture
def scan(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Inventory]:
    def over(
        *collects: Collect,
        whole: float = 600,
        each: float = 300,
        cpu: float = 20,
        memory: int = 1 << 30,
        workers: int = 1,
        progress: Callable[[int, int, str], None] | None = None,
        **request: Any,
    ) -> Inventory:
        sources = tuple(
            Source(one.__name__, one.__name__, ("linux",), ("package",), (), ("/x",), "None.", one) for one in collects
        )
        monkeypatch.setattr(phaseout.sources, "load", lambda platform: sources)  # noqa: ARG005
        asked = Request(**{"root": str(tree.root), "platform": "linux", **request})
        supervisor = ScanSupervisor(
            asked, whole=whole, each=each, cpu=cpu, memory=memory, workers=workers, progress=progress
        )
        return supervisor.inventory(scanned_at="2026-01-01T00:00:00Z", tool="test")

    return over


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        (hangs, "timeout", "ended after 3600 s: the time limit of a source is 300 s"),
        (spins, "timeout", "ended after 3600 s: the time limit of a source is 300 s"),
        (crashes, "failed", "the worker was ended by SIGSEGV"),
        (exits, "failed", "the worker ended with status 0"),
        (raises, "failed", "RuntimeError: at home"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_one_bad_source_costs_only_itself(
    scan: Callable[..., Inventory], clock: Clock, bad: Collect, status: str, reason: str
) -> None:
    inventory = scan(good, bad, prints, whole=7200, progress=clock.progress)
    before, broken, after = inventory.runs
    assert (before.status, before.rows, before.items) == ("ok", 3, 1)
    assert (broken.source, broken.status, broken.items) == (bad.__name__, status, 1)
    assert broken.reason == reason
    assert (after.status, after.items) == ("ok", 1)
    assert len(inventory.items) == 3  # what it had sent is kept
    (unseen,) = inventory.unseen
    assert (unseen.source, unseen.why, unseen.kinds) == (bad.__name__, broken.reason, ("package",))


def test_the_real_clock_ends_a_source_as_well(scan: Callable[..., Inventory]) -> None:
    (run,) = scan(hangs, each=0.2).runs
    assert (run.status, run.reason.partition(": ")[2]) == ("timeout", "the time limit of a source is 0.2 s")


@pytest.mark.slow
def test_a_source_that_takes_all_memory(scan: Callable[..., Inventory]) -> None:
    inventory = scan(good, allocates, many, memory=512 << 20)
    assert [(run.status, run.reason) for run in inventory.runs] == [("ok", ""), ("failed", "MemoryError: "), ("ok", "")]
    assert len(inventory.items) == 20_002


@pytest.mark.slow
def test_memory_is_bounded_where_the_system_bounds_none(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    monkeypatch.setattr(phaseout.scan.worker_process, "_limit", lambda *_: None)
    monkeypatch.setattr(phaseout.scan.supervisor, "_USAGE_INTERVAL", 0.05)
    inventory = scan(good, fills, many, memory=256 << 20)
    assert [run.status for run in inventory.runs] == ["ok", "failed", "ok"]
    assert inventory.runs[1].reason.endswith("MiB: the memory limit of the worker is 256 MiB")


@pytest.mark.slow
@pytest.mark.parametrize("enforced", [True, False], ids=["by-the-system", "by-the-supervisor"])
def test_memory_of_the_program_that_scans_is_not_the_worker_s(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch, *, enforced: bool
) -> None:
    """A service or a test run may hold more than a worker may take; its forks hold the same at once."""
    held = b"x" * (300 << 20)
    if not enforced:
        monkeypatch.setattr(phaseout.scan.worker_process, "_limit", lambda *_: None)
    monkeypatch.setattr(phaseout.scan.supervisor, "_USAGE_INTERVAL", 0.0)
    inventory = scan(good, many, memory=256 << 20)
    assert [run.status for run in inventory.runs] == ["ok", "ok"]
    assert len(held) == 300 << 20


@pytest.mark.slow
def test_two_bad_sources_in_a_row(scan: Callable[..., Inventory]) -> None:
    runs = scan(crashes, exits, raises, good).runs
    assert [run.status for run in runs] == ["failed", "failed", "failed", "ok"]


@pytest.mark.slow
def test_whole_time(scan: Callable[..., Inventory], clock: Clock) -> None:
    inventory = scan(good, hangs, many, whole=60, progress=clock.progress)
    assert [run.status for run in inventory.runs] == ["ok", "timeout", "failed"]
    assert inventory.runs[2].reason.startswith("not run: the time limit of the whole scan")
    assert [one.source for one in inventory.unseen] == ["hangs", "many"]


@pytest.mark.slow
def test_computing_has_a_budget_of_its_own(scan: Callable[..., Inventory]) -> None:
    inventory = scan(good, spins, prints, cpu=0.5)
    assert [run.status for run in inventory.runs] == ["ok", "timeout", "ok"]
    assert inventory.runs[1].reason.endswith(" s of CPU time: the limit of a source is 0.5 s")
    assert len(inventory.items) == 3


@pytest.fixture
def a_check_for_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor takes one message at a time, and checks what the worker uses after each."""
    held: list[Any] = []
    real = phaseout.scan.worker_process.Forked.receive

    def one_by_one(workers: Any, seconds: float) -> Any:
        if not held:
            found = real(workers, seconds)
            if not any(found.values()):
                return found
            held.extend((worker, message) for worker, messages in found.items() for message in messages)
        worker, message = held.pop(0)
        return {worker: [message]}

    monkeypatch.setattr(phaseout.scan.supervisor, "_USAGE_INTERVAL", 0.0)
    monkeypatch.setattr(phaseout.scan.worker_process.Forked, "receive", one_by_one)


@pytest.mark.slow
@pytest.mark.usefixtures("a_check_for_each_message")
def test_short_sources_count_for_the_whole(scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch) -> None:
    """At each check the worker has used another thousand seconds, and no source alone has used too much."""
    used = iter(range(1000, 100_000, 1000))
    monkeypatch.setattr(phaseout.scan.worker_process.Forked, "used", lambda _: (float(next(used)), 0))
    # After the opening, and three messages of each source: the sixth is the item of the second.
    inventory = scan(good, prints, many, whole=10_000, cpu=1_000_000)
    assert [(run.status, run.reason) for run in inventory.runs] == [
        ("ok", ""),
        ("timeout", "ended: all sources together have used up their CPU time, see --timeout"),
        ("failed", "not run: the time limit of the whole scan (--timeout) was reached"),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("a_check_for_each_message")
def test_between_two_sources_no_source_is_judged(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor checks the worker's CPU time right then: no source may be charged for it."""
    # At each check it has used a second more, which is more than a source may if it is charged for the time between.
    used = iter(range(1000))
    monkeypatch.setattr(phaseout.scan.worker_process.Forked, "used", lambda _: (float(next(used)), 0))
    inventory = scan(good, prints, many, cpu=1.5, whole=10_000)
    assert [run.status for run in inventory.runs] == ["ok", "ok", "timeout"]
    assert inventory.runs[-1].reason.endswith("of CPU time: the limit of a source is 1.5 s")


@pytest.mark.slow
def test_a_flood_of_text_leaves_room_for_other_sources(scan: Callable[..., Inventory]) -> None:
    """Few items may hold as much as many."""
    inventory = scan(good, heavy, many, heavy_too)
    assert [run.status for run in inventory.runs] == ["ok", "partial", "ok", "partial"]
    first, second = inventory.runs[1], inventory.runs[3]
    assert first.problems[0].why == (
        f"stopped after {first.items:,} items: a source may return three quarters of what is left of 40 MiB of text"
    )
    assert first.items > second.items > 0
    assert {one.cause for one in inventory.unseen} == {"limit"}


@pytest.mark.slow
def test_the_supervisor_ends_a_worker_that_returns_more_than_it_may(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phaseout.scan.supervisor, "_RESULTS", 1 << 20)
    inventory = scan(good, heavy, many)
    assert [run.status for run in inventory.runs] == ["ok", "failed", "failed"]
    assert inventory.runs[1].reason == "ended: result limit reached: all sources together may return 1 MiB"
    assert inventory.runs[2].reason.startswith("not run: result limit reached")


@pytest.mark.slow
def test_a_source_that_never_pauses_is_ended_as_well(scan: Callable[..., Inventory], clock: Clock) -> None:
    inventory = scan(floods, good, whole=7200, progress=clock.progress)
    assert [run.status for run in inventory.runs] == ["timeout", "ok"]


@pytest.mark.slow
def test_a_source_that_gives_a_million_items(scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch) -> None:
    one = memory_of(item("item 100000"), len("packageitem 100000million"))
    monkeypatch.setattr(phaseout.scan.worker, "MEMORY", 40_000 * one)
    inventory = scan(million, million_more, many, good)
    assert [run.status for run in inventory.runs] == ["partial", "partial", "partial", "ok"]
    first, second, third, _ = (run.items for run in inventory.runs)
    assert 29_000 < first < 31_000
    assert 7_000 < second < 8_000
    assert 1_500 < third < 2_500
    (problem,) = inventory.runs[1].problems
    assert problem.why.startswith(f"stopped after {second:,} items: a source may return three quarters of what is left")
    assert problem.cause == "limit"


@pytest.mark.slow
def test_a_new_worker_knows_what_the_first_one_has_returned(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = memory_of(item("item 10000"), len("packageitem 10000many"))
    monkeypatch.setattr(phaseout.scan.worker, "MEMORY", 10_000 * one)
    runs = scan(good, many, crashes, million, prints).runs
    assert [run.status for run in runs] == ["ok", "partial", "failed", "partial", "ok"]
    assert 7_300 < runs[1].items < 7_700
    assert 1_200 < runs[3].items < 2_200


@pytest.mark.slow
def test_what_a_source_prints_goes_nowhere(scan: Callable[..., Inventory], capfd: pytest.CaptureFixture[str]) -> None:
    assert scan(prints).runs[0].status == "ok"
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_odd_texts_are_made_printable(scan: Callable[..., Inventory]) -> None:
    inventory = scan(odd)
    (found,) = inventory.items
    found.name.encode()
    assert len(found.name) < 9000
    assert found.details == {"bad": "\\ud800"}
    assert inventory.runs[0].problems[0].where == "/caf\\xe9"


@pytest.mark.slow
def test_a_mount_point_that_is_no_utf_8(
    scan: Callable[..., Inventory], tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    mountinfo = b"30 27 0:40 / %s/m\xff rw - fuse.x x rw\n" % os.fsencode(tree.root)
    monkeypatch.setattr(phaseout.host.opening, "own_mountinfo", lambda: mountinfo)
    assert scan(good).host.skipped_mounts == ("/m\\xff (fuse.x)",)


@pytest.mark.slow
def test_unwanted_sources_count_as_unseen(scan: Callable[..., Inventory]) -> None:
    inventory = scan(good, many, only=("good",))
    assert [(run.status, run.reason) for run in inventory.runs] == [("ok", ""), ("skipped", "not asked for")]
    assert [one.source for one in inventory.unseen] == ["many"]


@pytest.mark.slow
def test_a_root_without_a_database_of_software_is_never_complete(tree: Tree) -> None:
    """Whatever else is found: a system that has software knows of it."""
    tree.write("/etc/systemd/system/x.service", "[Service]\nExecStart=/bin/x\n")

    def missing() -> list[str]:
        scan = ScanSupervisor(Request(root=str(tree.root)))
        return [one.what for one in scan.inventory(scanned_at="", tool="").unseen]

    assert missing() == ["Packages of the system"]
    tree.write("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\n\n")
    assert missing() == []


@pytest.mark.slow
def test_nothing_to_scan(scan: Callable[..., Inventory]) -> None:
    with pytest.raises(ScanError, match='no source "nope" for linux; there are good'):
        scan(good, skip=("nope",))
    with pytest.raises(ScanError, match="no such folder"):
        ScanSupervisor(Request(root="/no/such/root")).inventory(scanned_at="", tool="")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_keeps_what_was_seen(scan: Callable[..., Inventory], number: signal.Signals) -> None:
    inventory = scan(good, hangs, many, progress=Once(lambda: os.kill(os.getpid(), number)))
    assert [(run.status, run.reason) for run in inventory.runs] == [
        ("ok", ""),
        ("failed", "interrupted"),
        ("failed", "interrupted"),
    ]
    assert [one.name for one in inventory.items] == ["before it hung", "good"]


@pytest.mark.slow
def test_no_orphan_and_no_zombie_is_left(scan: Callable[..., Inventory], clock: Clock) -> None:
    before = {child.pid for child in psutil.Process().children()}  # the helper that runs commands for other tests
    scan(good, hangs, crashes, whole=7200, progress=clock.progress)
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.slow
def test_a_worker_whose_supervisor_was_killed_ends_by_itself(tmp_path: Path) -> None:
    """Nobody can stop a kill -9; what it leaves spinning has an end of its own."""
    told = tmp_path / "told"
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
import phaseout.sources
from phaseout.scan.supervisor import ScanSupervisor
from phaseout.scan.messages import Request, Started
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
asked, alarm = [], signal.alarm
signal.alarm = asked.append
def spins(_):
    os.kill(os.getppid(), signal.SIGKILL)
    with open({str(told)!r}, "w") as file:
        file.write(f"{{os.getpid()}} {{asked}}")
    alarm(1)  # instead of ten minutes later
    while True:
        pass
phaseout.sources.load = lambda _: (phaseout.sources._source("linux.dpkg")._replace(collect=spins),)
ScanSupervisor(Request(root="/", platform="linux"), whole=600).inventory(scanned_at="", tool="")
"""
    supervisor = subprocess.run([sys.executable, "-c", code], check=False, timeout=600)
    assert supervisor.returncode == -signal.SIGKILL
    wait_until(lambda: told.is_file() and told.read_text() != "")
    worker, _, asked = told.read_text().partition(" ")
    assert asked == "[630]"
    pid = int(worker)
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_memory_is_stated(scan: Callable[..., Inventory]) -> None:
    assert 5 << 20 < scan(good).peak_memory < 500 << 20


@pytest.mark.slow
def test_same_host_same_bytes(scan: Callable[..., Inventory]) -> None:
    import msgspec

    def bytes_of(inventory: Inventory) -> bytes:
        runs = tuple(msgspec.structs.replace(run, seconds=0.0) for run in inventory.runs)
        return msgspec.json.encode(msgspec.structs.replace(inventory, runs=runs, peak_memory=0))

    assert bytes_of(scan(good, many, odd)) == bytes_of(scan(good, many, odd))


@pytest.mark.slow
def test_a_spawned_worker_gives_the_same_as_a_forked_one(tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 1\n")
    tree.write("/etc/init.d/x", "#!/bin/sh\n")
    request = Request(root=str(tree.root))
    forked, spawned = (
        ScanSupervisor(request, fork=fork).inventory(scanned_at="2026-01-01T00:00:00Z", tool="test")
        for fork in (True, False)
    )
    assert spawned.items == forked.items
    assert [(run.source, run.status) for run in spawned.runs] == [(run.source, run.status) for run in forked.runs]
    with pytest.raises(ScanError, match="no such folder"):
        ScanSupervisor(Request(root="/no/such/root"), fork=False).inventory(scanned_at="", tool="")


@pytest.mark.slow
def test_a_spawned_worker_is_ended_in_time(tree: Tree) -> None:
    inventory = ScanSupervisor(Request(root=str(tree.root)), fork=False, each=0.001).inventory(scanned_at="", tool="")
    assert {run.status for run in inventory.runs} <= {"timeout", "failed", "ok", "skipped"}
    assert len(inventory.runs) > 10


def test_a_host_that_was_not_opened_in_time_is_not_seen(tree: Tree) -> None:
    """Whatever the budget is, what comes of it is an inventory: an interpreter needs longer to begin than no time."""
    inventory = ScanSupervisor(Request(root=str(tree.root)), fork=False, whole=0).inventory(scanned_at="", tool="t")
    (unseen,) = inventory.unseen
    assert (unseen.cause, unseen.kinds, inventory.items) == ("limit", (), ())
    assert "the time limit of the whole scan (--timeout) was reached" in unseen.why
    assert (inventory.host.name, inventory.host.platform) == (str(tree.root), "linux")


@pytest.mark.slow
def test_offline_and_live_agree() -> None:
    """The running machine, and its root as a folder: the same items, but for what runs and what changes meanwhile."""

    def seen(request: Request) -> set[tuple[str, ...]]:
        inventory = ScanSupervisor(request).inventory(scanned_at="2026-01-01T00:00:00Z", tool="test")
        assert "package" in {item.kind for item in inventory.items}
        return {
            (item.source, item.kind, item.name, item.version, item.path, item.user)
            for item in inventory.items
            if item.source != "processes" and item.state != "running"
        }

    live, offline = seen(Request()), seen(Request(root="/", platform="linux"))
    running = {one[:3] for one in offline - live}
    assert {source for source, _, _ in running} <= {"systemd", "kernel_modules"}  # there they count as running
    assert live - offline == set()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux says when a process was started")
def test_a_scan_does_not_begin_with_the_shell_that_became_it() -> None:
    """What the shell ran before changed files, and none of them while they were read."""
    code = (
        "import time; from phaseout.scan.worker_process import _started; began = _started(); print(time.time() - began)"
    )
    for before, most in (("sleep 6", 5.9), ("true", 60)):
        command = ["sh", "-c", f'{before}; exec "$0" -c "$1"', sys.executable, code]
        age = float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        assert 0 <= age < most


def test_nothing_is_read_twice(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all sources, and under whatever name: a file is opened once, a folder of usual size listed once."""
    tree.write("/etc/passwd", "ada:x:1000:1000::/home/ada:/bin/sh\n")
    tree.write("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 1\n")
    tree.write(
        "/usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd\n[Install]\nAlias=sshd.service\n"
    )
    tree.write("/usr/lib/systemd/system/getty@.service", "[Service]\nExecStart=/sbin/agetty %I\n")
    tree.link("/etc/systemd/system/sshd.service", "/usr/lib/systemd/system/ssh.service")
    for number in (1, 2):
        link = f"/etc/systemd/system/getty.target.wants/getty@tty{number}.service"
        tree.link(link, "/usr/lib/systemd/system/getty@.service")
    tree.write("/opt/Some App/app", "x")
    tree.write("/home/ada/.cargo/bin/tool", "x")
    tree.write("/home/ada/.vscode/extensions/extensions.json", "[]")
    tree.write("/home/ada/.config/autostart/a.desktop", "[Desktop Entry]\nType=Application\nName=A\nExec=a\n")
    tree.write("/usr/lib/python3/dist-packages/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")
    opened: list[str] = []
    listed: list[str] = []
    really_open, really_list = os.open, os.scandir

    def note_open(path: Any, *more: Any, **named: Any) -> int:
        if str(path).startswith("/proc/self/fd/"):  # a file that was checked before
            opened.append(os.readlink(path))
        return really_open(path, *more, **named)

    def note_list(path: Any) -> Any:
        listed.append(os.readlink(f"/proc/self/fd/{path}"))
        return really_list(path)

    monkeypatch.setattr(os, "open", note_open)
    monkeypatch.setattr(os, "scandir", note_list)
    work(Request(root=str(tree.root)), lambda _: None)
    root = str(tree.root)
    for seen in (opened, listed):
        # The name of the system is asked for by the host, its family by the first source that needs it. The root is
        # listed before it is known which system it is, and that without regard to upper and lower case.
        ours = [path for path in seen if path.startswith(f"{root}/") and not path.endswith("/etc/os-release")]
        assert len(ours) > 3
        assert sorted(ours) == sorted(set(ours))


TOGETHER = mmap.mmap(-1, 2)  # shared with the workers: who has begun


def meets(mine: int, other: int) -> Iterator[Any]:
    TOGETHER[mine] = 1
    wait_until(lambda: bool(TOGETHER[other]))
    yield item(str(os.getpid()))


def first(_: Any) -> Iterator[Any]:
    yield from meets(0, 1)


def second(_: Any) -> Iterator[Any]:
    yield from meets(1, 0)


@pytest.fixture
def alone() -> None:
    """Neither of the two that wait for each other has begun."""
    TOGETHER[:] = bytes(2)


@pytest.mark.usefixtures("alone")
def test_two_workers_share_the_sources(scan: Callable[..., Inventory]) -> None:
    """At the same time, and each source is run by one of them."""
    inventory = scan(first, good, second, prints, odd, workers=2)
    assert [(run.source, run.status, run.items) for run in inventory.runs] == [
        ("first", "ok", 1),
        ("good", "ok", 1),
        ("second", "ok", 1),
        ("prints", "ok", 1),
        ("odd", "partial", 1),
    ]
    assert len({one.name for one in inventory.items if one.source in ("first", "second")}) == 2


def test_what_takes_longest_is_a_source_and_every_source_has_a_number() -> None:
    assert set(phaseout.scan.worker._LONGEST) <= set(phaseout.sources.names("linux"))
    assert len(phaseout.sources.ALL) < len(phaseout.scan.worker.TURNS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "status"), [(hangs, "timeout"), (spins, "timeout"), (crashes, "failed"), (exits, "failed")]
)
def test_a_worker_that_is_lost_costs_one_source(scan: Callable[..., Inventory], bad: Collect, status: str) -> None:
    """Whatever the other one does meanwhile; and what no worker had begun is run."""
    inventory = scan(good, bad, prints, raises, odd, workers=2, each=2)
    assert [run.status for run in inventory.runs] == ["ok", status, "ok", "failed", "partial"]
    assert [run.items for run in inventory.runs] == [1, 1, 1, 1, 1]
    assert len(inventory.items) == 5


@pytest.mark.slow
def test_two_bad_sources_at_the_same_time(scan: Callable[..., Inventory]) -> None:
    runs = scan(crashes, exits, raises, good, workers=2).runs
    assert [run.status for run in runs] == ["failed", "failed", "failed", "ok"]
    assert runs[0].reason == "the worker was ended by SIGSEGV"


def test_a_source_that_a_worker_took_and_never_began_is_lost_with_it(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        phaseout.scan.worker, "Started", lambda name: os._exit(9) if name == "prints" else Started(source=name)
    )
    for workers in (1, 2):
        inventory = scan(good, prints, odd, workers=workers)
        assert [(run.status, run.reason) for run in inventory.runs] == [
            ("ok", ""),
            ("failed", "the worker ended with status 9"),
            ("partial", ""),
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_two_workers_return_no_more_than_one(scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two floods may take three quarters of all, and both together no more than that all."""
    one = memory_of(item("item 100000"), len("packageitem 100000million"))
    monkeypatch.setattr(phaseout.scan.worker, "MEMORY", 20_000 * one)

    def flood(host: Any) -> Iterator[Any]:
        yield from first(host)
        yield from million(host)

    def flood_too(host: Any) -> Iterator[Any]:
        yield from second(host)
        yield from million(host)

    inventory = scan(flood, flood_too, workers=2)
    assert [run.status for run in inventory.runs] == ["partial", "partial"]
    assert 14_000 < sum(run.items for run in inventory.runs) < 21_000


@pytest.mark.slow
def test_computing_of_both_workers_counts_for_the_whole(
    scan: Callable[..., Inventory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phaseout.scan.supervisor, "WHOLE_CPU_SECONDS", 1.0)
    monkeypatch.setattr(phaseout.scan.supervisor, "_USAGE_INTERVAL", 0.1)

    def spins_too(host: Any) -> Iterator[Any]:
        yield from spins(host)

    inventory = scan(spins, spins_too, workers=2, whole=2, cpu=1_000_000)
    for run in inventory.runs:
        assert run.status == "timeout"
        assert "all sources together have used up their CPU time" in run.reason or "(--timeout)" in run.reason


@pytest.mark.slow
def test_two_workers_have_half_of_the_memory_each(scan: Callable[..., Inventory]) -> None:
    def limit(_: Any) -> Iterator[Any]:
        import resource

        yield item(str(resource.getrlimit(resource.RLIMIT_AS)[0]))

    one, two = (int(scan(limit, workers=workers, memory=2 << 30).items[0].name) for workers in (1, 2))
    assert abs(one - two - (1 << 30)) < 64 << 20


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("alone")
def test_interruption_of_two_workers(scan: Callable[..., Inventory], number: signal.Signals) -> None:
    def stuck(host: Any) -> Iterator[Any]:
        yield from first(host)
        yield from hangs(host)

    def stuck_too(host: Any) -> Iterator[Any]:
        yield from second(host)
        time.sleep(60)

    before = {child.pid for child in psutil.Process().children()}
    inventory = scan(stuck, stuck_too, many, workers=2, progress=Once(lambda: os.kill(os.getpid(), number)))
    assert [(run.items, run.reason) for run in inventory.runs] == [
        (2, "interrupted"),
        (1, "interrupted"),
        (0, "interrupted"),
    ]
    assert len(inventory.items) == 3
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.slow
def test_one_worker_and_two_give_the_same(tree: Tree) -> None:
    import msgspec

    tree.write("/etc/passwd", "ada:x:1000:1000::/home/ada:/bin/sh\n")
    tree.write("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 1\n")
    tree.write("/usr/lib/systemd/system/a.service", "[Service]\nExecStart=/srv/a/b --directory /srv/a\n")
    tree.write("/srv/a/b", "\x7fELF")
    tree.write("/home/ada/.config/autostart/a.desktop", "[Desktop Entry]\nType=Application\nName=A\nExec=a\n")
    tree.fifo("/etc/crontab")

    def bytes_of(workers: int) -> bytes:
        found = ScanSupervisor(Request(root=str(tree.root)), workers=workers).inventory(scanned_at="", tool="")
        runs = tuple(msgspec.structs.replace(run, seconds=0.0) for run in found.runs)
        return msgspec.json.encode(msgspec.structs.replace(found, runs=runs, peak_memory=0))

    assert bytes_of(1) == bytes_of(2)


def test_an_image_has_one_worker(scan: Callable[..., Inventory], tree: Tree) -> None:
    """It is opened once, and what was unpacked of it is read once."""
    import tarfile

    tree.write("/etc/os-release", "ID=debian\n")
    tree.write("/var/lib/dpkg/status", "")
    image = tree.root / "image.tar"
    with tarfile.open(image, "w") as archive:
        for name in ("etc", "var"):
            archive.add(tree.root / name, name)

    def pauses(_: Any) -> Iterator[Any]:
        time.sleep(0.05)
        yield item(str(os.getpid()))

    def pauses_too(host: Any) -> Iterator[Any]:
        yield from pauses(host)

    found = scan(pauses, pauses_too, workers=2, image=str(image), root=None)
    assert len(found.items) == 2
    assert len({one.name for one in found.items}) == 1


def niceness(_: Any) -> Iterator[Any]:
    yield item(str(os.getpriority(os.PRIO_PROCESS, 0)))


@pytest.mark.slow
def test_the_worker_alone_steps_back(scan: Callable[..., Inventory]) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert [one.name for one in scan(niceness, low_priority=True).items] == ["19"]
    assert [one.name for one in scan(niceness).items] == [str(before)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
