"""What phaseout promises to do and not to do, seen from outside by the system's own tracer over a whole live scan."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import CODE

ROOT = Path(__file__).parents[2]
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
NETWORK = ("socket", "connect", "bind", "sendto", "sendmsg", "listen", "accept")
CHANGES = (
    *(
        "unlink",
        "unlinkat",
        "rename",
        "renameat",
        "renameat2",
        "mkdir",
        "mkdirat",
        "rmdir",
        "link",
        "linkat",
        "symlink",
    ),
    *("symlinkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "truncate", "ftruncate"),
    *("utimensat", "mknod", "mknodat", "setxattr", "mount", "umount2"),
)

pytestmark = [
    pytest.mark.skipif(not shutil.which("strace"), reason="not installed: strace"),
    pytest.mark.slow,
]


def trace(code: str, log: Path) -> list[str]:
    """The system calls of a command, its worker's included, each as `name(arguments) = result`."""
    calls = ",".join((*NETWORK, *CHANGES, "execve", "open", "openat", "openat2", "creat"))
    command = [
        "strace",
        "-f",
        "-qq",
        "-y",  # with the path of every descriptor: a report is written by one of its folder
        "-s",
        "300",
        "-o",
        str(log),
        "-e",
        f"trace={calls}",
        sys.executable,
        "-B",
        "-c",
        code,
    ]
    result = subprocess.run(
        command, cwd=CODE, capture_output=True, text=True, check=False, timeout=600, stdin=subprocess.DEVNULL
    )
    if "ptrace" in result.stderr and "not permitted" in result.stderr:
        pytest.skip("this machine forbids tracing")
    lines = log.read_text(errors="replace").splitlines()
    assert len(lines) > 100, result.stderr
    return [line.partition(" ")[2].strip() for line in lines]


def broken_promises(calls: list[str], outputs: tuple[str, ...]) -> list[str]:
    """The calls that a scan must not make."""
    found = []
    executions = 0
    for call in calls:
        name = call.partition("(")[0]
        if name == "execve":
            executions += 1
            if executions > 1:
                found.append(call)
        elif name in NETWORK:
            found.append(call)
        elif name in CHANGES:
            if not any(output in call for output in outputs):
                found.append(call)
        elif name.startswith(("open", "creat")) and (WRITES.search(call) or name == "creat"):
            path = (QUOTED.search(call) or re.match("", ""))[0].strip('"')  # type: ignore[index]
            where = path if path.startswith("/") else call
            if path != "/dev/null" and not any(output in where for output in outputs):
                found.append(call)
    return found


SCAN = "import sys; sys.argv = ['phaseout', 'scan'{more}]; from phaseout.__main__ import main; main()"
BAD = """
import sys
import phaseout.sources as sources
real = sources.load
def bad(host):
    {deed}
    yield from ()
def load(platform=None):
    found = real(platform)
    return (*found, found[0]._replace(name="bad", collect=bad))
sources.load = load
sys.argv = ['phaseout', 'scan', '--fail-on', 'never']
from phaseout.__main__ import main
main()
"""


def test_a_whole_live_scan_keeps_the_promises(tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    calls = trace(SCAN.format(more=f", '-o', '{report}', '--fail-on', 'never'"), tmp_path / "trace")
    assert report.read_text().startswith("host,")
    assert broken_promises(calls, (str(tmp_path),)) == []
    assert any("/var/lib/dpkg/status" in call or "/proc/" in call for call in calls)


def test_no_network_and_no_file_but_the_terminal(tmp_path: Path) -> None:
    calls = trace(SCAN.format(more=""), tmp_path / "trace")
    assert broken_promises(calls, ()) == []


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['/bin/true'])",
        "open('{folder}/left behind', 'w').close()",
        "import os; os.chmod('{folder}', 0o700)",
        "import sqlite3; sqlite3.connect('{folder}/left behind').execute('create table t (x)')",
    ],
)
def test_a_source_that_breaks_one_is_seen(deed: str, tmp_path: Path) -> None:
    calls = trace(BAD.format(deed=deed.format(folder=tmp_path)), tmp_path / "trace")
    assert broken_promises(calls, ()) != []


def test_automounts_and_network_mounts_are_not_touched(tmp_path: Path) -> None:
    """A mount that this machine would skip is never named in a call."""
    home = tmp_path / "opt" / "nas"
    home.mkdir(parents=True)
    (home / "app").mkdir()
    code = f"""
import sys
import phaseout.host.opening as target
target.own_mountinfo = lambda: {f"30 27 0:40 / {home} rw - nfs4 server:/export rw".encode()!r}
sys.argv = ['phaseout', 'scan', '--root', {str(tmp_path)!r}, '--os', 'linux', '--fail-on', 'never']
from phaseout.__main__ import main
main()
"""
    log = tmp_path / "trace"
    command = ["strace", "-f", "-qq", "-s", "300", "-o", str(log), "-e", "trace=file", sys.executable, "-B", "-c", code]
    output = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False, timeout=600).stdout
    assert "nfs4" in output
    if os.geteuid() == 0:
        touched = [line for line in log.read_text(errors="replace").splitlines() if str(home) in line]
        assert [line for line in touched if "execve" not in line] == []
