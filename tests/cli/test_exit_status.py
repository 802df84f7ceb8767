"""Status 1 says that something was found, and nothing else: not a closed pipe, a full disk or an interruption."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from phaseout.report import FORMATS

from tests.support.command import phaseout
from tests.support.places import CODE
from tests.support.trees import KESL, Tree

FULL = "/dev/full"
needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason="no device that is always full here")
CLEAN = KESL.replace("kesl", "bash").replace("Kaspersky Lab", "Debian")
PRINTING = (
    ("--help",),
    ("--version",),
    ("scan", "--help"),
    ("inventory", "--root", "{clean}"),
    ("match", "{saved}"),
    ("match", "{saved}", "{saved}"),
    ("diff", "{saved}", "{saved}"),
    ("explain", "kesl"),
    ("rules", "list"),
    ("rules", "show", "kaspersky"),
    ("rules", "check"),
    ("rules", "schema", "policy"),
    ("rules", "export", "--to", "sigma"),
    ("sources",),
    *(("scan", "--root", "{clean}", "-f", one.name) for one in FORMATS),
    *(("scan", "--root", "{found}", "-f", one.name) for one in FORMATS),
    *(("inventory", "--root", "{clean}", "-f", one.name) for one in FORMATS if "inventory" in one.holds),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("places")
    clean, found = Tree(folder / "clean"), Tree(folder / "found")
    clean.write("/var/lib/dpkg/status", CLEAN)
    found.write("/var/lib/dpkg/status", KESL)
    saved = str(folder / "saved.json")
    phaseout("inventory", "--root", str(clean.root), "--inventory", saved)
    return {"clean": str(clean.root), "found": str(found.root), "saved": saved}


def ended(command: tuple[str, ...], places: dict[str, str], stdout: int, **variables: str) -> tuple[int, str]:
    """Status and error output. Standard output is buffered, as users have it, unless `variables` say otherwise."""
    result = subprocess.run(
        [sys.executable, "-m", "phaseout", *(part.format(**places) for part in command)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=CODE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | variables,
    )
    return result.returncode, result.stderr


@needs_full
@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
@pytest.mark.slow
def test_a_full_disk_is_status_2(command: tuple[str, ...], places: dict[str, str]) -> None:
    full = os.open(FULL, os.O_WRONLY)
    status, said = ended(command, places, full)
    os.close(full)
    assert status == 2, said
    assert "No space left on device" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
@pytest.mark.slow
def test_a_pipe_that_nobody_reads_is_status_2_without_a_word(command: tuple[str, ...], places: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert ended(command, places, writer) == (2, "")
    os.close(writer)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("--version",), ("scan", "--root", "{found}")], ids=" ".join)
def test_the_same_without_a_buffer(command: tuple[str, ...], places: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert ended(command, places, writer, PYTHONUNBUFFERED="1") == (2, "")
    os.close(writer)


@pytest.mark.slow
def test_head_never_makes_a_finding(places: dict[str, str]) -> None:
    """Whether the reader is gone before the end is a matter of chance; that nothing was found is not."""
    for _ in range(5):
        command = f"{sys.executable} -m phaseout scan --root {places['clean']} | head -1; echo ${{PIPESTATUS[0]}}"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=CODE)
        assert result.stdout.splitlines()[-1] in ("0", "2")


@pytest.mark.slow
@needs_full
def test_messages_that_cannot_be_written_change_no_status(places: dict[str, str]) -> None:
    for arguments, status in ((f"scan --root {places['found']} -o /dev/null -f csv", 1), ("scan --nope", 2)):
        command = f"{sys.executable} -m phaseout {arguments} 2>{FULL} >{FULL}"
        assert subprocess.run(["sh", "-c", command], check=False, cwd=CODE).returncode == status


@pytest.mark.slow
def test_a_fault_of_ours_is_never_a_finding(places: dict[str, str]) -> None:
    code = (
        "import sys, phaseout.judgement.verdict as v; v.judge = lambda *_: 1 / 0; "
        f"sys.argv[1:] = ['scan', '--root', {places['clean']!r}]; from phaseout.__main__ import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=CODE)
    assert (result.returncode, "ZeroDivisionError" in result.stderr) == (2, True)


INTERRUPTED = {
    "scan": ("scan", "--root", "{found}"),
    "inventory": ("inventory", "--root", "{found}"),
    "match": ("match", "{folder}", "-f", "csv"),
    "fleet add": ("fleet", "add", "{store}", "{folder}"),
    "rules check": ("rules", "check"),
}
# Seconds from the first line of our own; before, it is the interpreter that ends.
MOMENTS = [(name, random.Random(f"{name} {number}").uniform(0, 0.6)) for number in range(6) for name in INTERRUPTED]


def begun(*arguments: str) -> "subprocess.Popen[str]":
    """An interpreter in a group of processes of its own, which a terminal's Ctrl-C would reach as a whole."""
    command = [sys.executable, *arguments]
    silent, heard = subprocess.DEVNULL, subprocess.PIPE
    return subprocess.Popen(command, stdout=silent, stderr=heard, text=True, cwd=CODE, start_new_session=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize(("command", "delay"), MOMENTS)
def test_an_interruption_is_status_130(command: str, delay: float, places: dict[str, str], tmp_path: Path) -> None:
    """At random moments, of every process of the command, as a terminal does it."""
    code = (
        "import sys, phaseout.__main__ as entry; "
        "real = entry._main; say = lambda: print(end='.', file=sys.stderr, flush=True); "
        "entry._main = lambda arguments: (say(), real(arguments)); entry.main()"
    )
    for number in range(300):
        (tmp_path / f"{number}.json").write_bytes(Path(places["saved"]).read_bytes())
    arguments = [word.format(**places, folder=tmp_path, store=tmp_path / "fleet.db") for word in INTERRUPTED[command]]
    with begun("-c", code, *arguments) as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == "."
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode in (130, 0, 1), said  # a fast machine was faster
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["phaseout.scan.worker_process", "click", "phaseout.cli.output", "phaseout.rules.matcher"]
)
def test_interrupted_while_a_module_is_loaded(module: str, places: dict[str, str]) -> None:
    code = (
        "import builtins, os, signal, sys\n"
        "real = builtins.__import__\n"
        "def load(name, *more, **options):\n"
        f"    if name == {module!r} and os.getpid() == here:\n"
        "        os.kill(here, signal.SIGINT)\n"
        "    return real(name, *more, **options)\n"
        "from phaseout.__main__ import main\n"
        f"sys.argv = ['phaseout', 'scan', '--root', {places['clean']!r}]\n"
        "here, builtins.__import__ = os.getpid(), load\n"
        "main()\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=CODE)
    assert (result.returncode, "Traceback" in result.stderr) == (130, False), result.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="no list of children")
def test_an_interruption_while_processes_start(places: dict[str, str], tmp_path: Path) -> None:
    """A new process has the handler of its parent for a moment."""
    for number in range(100):
        (tmp_path / f"{number}.json").write_bytes(Path(places["saved"]).read_bytes())
    for _ in range(10):
        with begun("-m", "phaseout", "match", str(tmp_path), "--jobs", "4") as process:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            while process.poll() is None and not children.read_text():
                time.sleep(0)
            os.killpg(process.pid, signal.SIGINT)
            assert process.stderr is not None
            said = process.stderr.read()
        assert process.returncode in (130, 0, 1), said  # a fast machine was faster
        assert "Traceback" not in said
