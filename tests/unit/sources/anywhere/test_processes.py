"""Processes really running here, and those of Windows by what their files say."""

import ctypes
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from phaseout.host import Host
from phaseout.host.opening import live_host
from phaseout.host.processes import linux as proc
from phaseout.host.processes import modules, processes
from phaseout.host.processes.process import Process
from phaseout.model.nouns import Problem

from tests.support.harness import run
from tests.support.pe_writer import ENGLISH, executable
from tests.support.places import CODE
from tests.support.trees import WindowsTree


def test_equals_what_the_kernel_lists() -> None:
    before = set(psutil.pids())
    result = run("processes", live_host())
    after = set(psutil.pids())
    seen = {int(item.details["pid"]) for item in result.items}
    assert before & after <= seen
    assert os.getpid() in seen


def test_attributes_of_a_real_process(tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("cat") or "/bin/cat", tmp_path / "kesl")
    with subprocess.Popen([program, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b".")
        # Popen may return before the kernel has set the name and the command; a program that answers has both.
        assert child.stdout.read(1) == b"."
        (item,) = (one for one in run("processes", live_host()).items if one.details["pid"] == str(child.pid))
        assert (item.name, item.path, item.command) == ("kesl", str(program), f"{program} -")
        assert item.state == "running"
        assert "deleted" not in item.details
        Path(program).unlink()
        (item,) = (one for one in run("processes", live_host()).items if one.details["pid"] == str(child.pid))
        assert item.path == str(program)
        assert item.details["deleted"]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A /proc with the process 7, to be changed."""
    monkeypatch.setattr(proc, "_PROC", str(tmp_path))
    folder = tmp_path / "7"
    folder.mkdir()
    (tmp_path / "stat").write_text("cpu 1 2\nbtime 1700000000\n")
    proc.booted.cache_clear()
    flags = "S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 500 0"
    (folder / "stat").write_bytes(b"7 (a) \xff (b) " + flags.encode())
    (folder / "cmdline").write_bytes(b"/opt/some/app\0--one\0two words\0")
    (folder / "status").write_text("Name:\ta\nUid:\t1000\t0\t0\t0\n")
    (folder / "cgroup").write_text("0::/user.slice\n")
    (folder / "exe").symlink_to("/opt/some/app (deleted)")
    yield folder
    proc.booted.cache_clear()


def only(names: dict[int, str] | None = None) -> Process:
    (found,) = processes(names or {})
    assert isinstance(found, Process)
    return found


@pytest.mark.usefixtures("kernel")
def test_what_the_kernel_says_of_a_process() -> None:
    found = only({1000: "ada"})
    assert (found.pid, found.name, found.exe, found.deleted) == (7, "a) \udcff (b", "/opt/some/app", True)
    assert (found.command, found.uid, found.user) == (("/opt/some/app", "--one", "two words"), 1000, "ada")
    assert found.started == 1700000000 + 500 / os.sysconf("SC_CLK_TCK")
    assert (found.kernel, found.container, found.unreadable) == (False, "", ())


@pytest.mark.parametrize(
    ("title", "words"),
    [
        (b"", ()),
        (b"sshd: ada [priv]", ("sshd:", "ada", "[priv]")),
        (b"sshd: ada [priv]\0\0\0", ("sshd: ada [priv]", "", "")),
        (b"chrome --type=x\0", ("chrome", "--type=x")),
        (b"a\0\0", ("a", "")),
        (b"a\0b", ("a", "b")),
    ],
)
def test_titles_that_programs_give_themselves(kernel: Path, title: bytes, words: tuple[str, ...]) -> None:
    (kernel / "cmdline").write_bytes(title)
    assert only().command == words


def test_a_name_that_the_kernel_cuts_is_completed(kernel: Path) -> None:
    (kernel / "stat").write_text("7 (klnagent-contro) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0")
    (kernel / "cmdline").write_bytes(b"/opt/klnagent-controller\0")
    assert only().name == "klnagent-controller"
    (kernel / "cmdline").write_bytes(b"/opt/other\0")
    assert only().name == "klnagent-contro"


def test_a_thread_of_the_kernel(kernel: Path) -> None:
    (kernel / "stat").write_text("7 (kworker/0:1) S 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 500 0")
    (kernel / "cmdline").write_bytes(b"")
    (kernel / "exe").unlink()
    found = only()
    assert (found.name, found.kernel, found.exe, found.unreadable) == ("kworker/0:1", True, "", ())


@pytest.mark.parametrize("damaged", [b"", b"7", b"7 (a) S 1", b"7 (a) " + b"x " * 30])
def test_damaged_lines_do_not_lose_the_process(kernel: Path, damaged: bytes) -> None:
    (kernel / "stat").write_bytes(damaged)
    (kernel / "status").write_text("Name:\ta\n")
    found = only()
    assert (found.unreadable, found.name) == (("name", "started", "user"), "app")


def test_one_that_ends_while_it_is_read_is_left_out(kernel: Path) -> None:
    (kernel / "status").unlink()
    assert list(processes({})) == []
    (kernel / "stat").unlink()
    assert list(processes({})) == []


@pytest.mark.usefixtures("kernel")
def test_a_program_that_starts_itself_again_and_again_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(100)
    monkeypatch.setattr(proc, "pids", lambda: iter([7, next(numbers)]))
    app, problem = processes({})
    assert isinstance(app, Process)
    assert isinstance(problem, Problem)
    assert (problem.cause, problem.hides) == ("vanished", True)


def test_a_proc_of_processes_alone(kernel: Path) -> None:
    """As `ProcSubset=pid` of systemd makes it: nobody tells when the machine was started."""
    (kernel.parent / "stat").unlink()
    found = only()
    assert (found.name, found.started, found.unreadable) == ("a) \udcff (b", 0.0, ("started",))


@pytest.mark.usefixtures("kernel")
def test_other_processes_that_are_hidden_are_not_unseen_in_silence() -> None:
    (problem,) = run("processes", live_host()).problems
    assert problem.why == "/proc is mounted with hidepid and shows only the processes of this user"


@pytest.mark.parametrize(
    ("group", "container"),
    [
        ("0::/system.slice/docker-0123456789abcdef0123456789abcdef.scope", "docker:0123456789ab"),
        ("0::/user.slice/libpod-fedcba9876543210.scope/container", "libpod:fedcba987654"),
        ("0::/system.slice/cron.service", ""),
    ],
)
def test_containers(kernel: Path, group: str, container: str) -> None:
    (kernel / "cgroup").write_text(group + "\n")
    assert only().container == container


def test_what_a_user_may_not_see_is_named() -> None:
    """Another user's process: the kernel shows its name and command to everybody, its executable to nobody else."""
    if os.geteuid() != 0:
        pytest.skip("not root: cannot become somebody else")
    code = (
        f"import sys; sys.path[:0] = {[*sys.path, str(CODE)]!r}\n"
        "import os, phaseout.host.processes.linux\n"
        "from phaseout.host.processes import processes\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "one = next(one for one in processes({}) if one.pid == int(sys.argv[1]))\n"
        "print(one.unreadable, bool(one.name), bool(one.command), one.exe, one.uid)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(os.getpid())], capture_output=True, text=True, check=False, cwd="/"
    )
    assert told.stdout.strip() == "('exe',) True True  0", told.stderr


def with_modules() -> Host:
    host = live_host()
    host.modules = modules
    return host


@pytest.mark.slow
def test_a_library_is_one_item_with_the_processes_that_loaded_it(tmp_path: Path) -> None:
    real = next(path for path in modules(os.getpid()) or () if "/libc.so" in path or "/libc-" in path)
    copy = shutil.copy(real, tmp_path / "kav engine.so")
    code = f"import ctypes, sys; ctypes.CDLL({str(copy)!r}); print(flush=True); sys.stdin.read()"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        result = run("processes", with_modules())
        item = result.one("kav engine.so")
        assert (item.kind, item.state, item.path) == ("library", "running", str(copy))
        assert all(f"({child.pid})" in item.details["loaded_by"] for child in children)
        assert result.run.left_out["part of the operating system"]
        assert not any(one.kind == "library" for one in run("processes", live_host()).items)
        Path(copy).unlink()
        assert str(copy) in (modules(children[0].pid) or ())
    finally:
        for child in children:
            child.communicate(b"")


def test_modules_of_this_process_are_those_that_the_loader_lists() -> None:
    class Loaded(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("name", ctypes.c_char_p))

    names: list[bytes] = []

    def take(one: Any, *_: object) -> int:
        names.append(one[0].name or b"")
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Loaded), ctypes.c_size_t, ctypes.c_void_p)
    ctypes.CDLL(None).dl_iterate_phdr(callback(take), None)
    wanted = {os.path.realpath(os.fsdecode(name)) for name in names if name.startswith(b"/")}
    assert wanted
    assert wanted <= (modules(os.getpid()) or set())
    assert modules(1 << 22) == frozenset()


ANVIL = r"C:\Program Files\Anvil\anvil.exe"
ENGINE = r"C:\Program Files\Anvil\engine.dll"
NOTEPAD = r"C:\Windows\notepad.exe"


def windows(tree: WindowsTree) -> Host:
    for path in (ANVIL, ENGINE, NOTEPAD):
        maker = "Microsoft Corporation" if path == NOTEPAD else "Anvil Works"
        tree.write(path, executable({ENGLISH: {"CompanyName": maker, "ProductVersion": "1.2"}}))
    host = tree.host()

    def found() -> Iterator[Process]:
        for pid, exe in ((4, ""), (8, ANVIL), (9, ANVIL), (10, NOTEPAD), (11, r"C:\gone.exe")):
            name = exe.rpartition("\\")[2] or "System"
            yield Process(
                pid=pid,
                name=name,
                exe=exe,
                command=(),
                uid=-1,
                user="ada",
                started=0.0,
                deleted=False,
                from_command=False,
                container="",
                kernel=not exe,
                unreadable=(),
            )

    host.processes = found
    host.modules = lambda pid: None if pid == 11 else frozenset((ANVIL, ENGINE, r"c:\windows\System32\ntdll.dll"))
    return host


def test_programs_say_who_made_them_but_for_parts_of_windows(windows_tree: WindowsTree) -> None:
    result = run("processes", windows(windows_tree))
    assert [(one.name, one.vendor, one.version) for one in result.items if one.kind == "process"] == [
        ("System", "", ""),
        ("anvil.exe", "Anvil Works", "1.2"),
        ("anvil.exe", "Anvil Works", "1.2"),
        ("gone.exe", "", ""),
        ("notepad.exe", "", ""),
    ]
    engine = result.one("engine.dll")
    assert (engine.kind, engine.vendor, engine.version) == ("library", "Anvil Works", "1.2")
    assert engine.details["loaded_by"] == "anvil.exe (8), anvil.exe (9), notepad.exe (10)"
    assert result.run.left_out == {"part of the operating system": 1}
    assert [one.why for one in result.problems] == ["the loaded modules of 1 could not be read"]


def test_a_secret_is_masked_to_the_end_of_its_word(windows_tree: WindowsTree) -> None:
    words = ("/opt/agent", "--password=two hunter2 words", "--quoted", 'a "b" hunter2', "-v")
    host = windows(windows_tree)
    found = host.processes
    assert found is not None
    host.processes = lambda: (
        one._replace(command=words) for one in found() if isinstance(one, Process) and not one.exe
    )
    (item,) = run("processes", host).items
    assert item.command == '/opt/agent "--password=***" --quoted "a \\"b\\" hunter2" -v'


def test_deep_reads_those_of_windows_as_well(windows_tree: WindowsTree) -> None:
    host = windows(windows_tree)
    host.deep = True
    assert run("processes", host).one("notepad.exe").vendor == "Microsoft Corporation"
