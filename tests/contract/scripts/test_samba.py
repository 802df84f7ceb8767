"""The rights that share_rights.cmd gives, on a real Samba with NT rights: what a machine can do with them and what not.

References:
    [MS-DTYP] 2.4.3 (ACCESS_MASK), 2.4.4.1 (flags of an entry); smbcacls(1); vfs_acl_xattr(8)
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import phaseout
from tests.support.namespaces import can_unshare
from tests.support.trees import KESL, Tree

ROOT = Path(__file__).parents[3]
RIGHTS = ROOT / "scripts/group_policy/share_rights.cmd"
PAGE = ROOT / "docs/windows.md"
# As icacls writes them.
MASKS = {"F": 0x1F01FF, "RX": 0x1200A9, "WD": 0x2, "X": 0x20, "RA": 0x80, "RC": 0x20000, "S": 0x100000}
FLAGS = {"OI": 1, "CI": 2, "IO": 8}
NEEDED = ("smbd", "smbclient", "smbcacls", "smbpasswd", "unshare", "ip")

CONFIGURATION = """[global]
server role = standalone server
interfaces = lo
bind interfaces only = yes
disable netbios = yes
smb ports = 445
private dir = {0}
lock directory = {0}/lock
state directory = {0}/state
cache directory = {0}/cache
pid directory = {0}/pid
ncalrpc dir = {0}/ncalrpc
log file = {0}/log
passdb backend = tdbsam:{0}/passdb.tdb
load printers = no
vfs objects = acl_xattr
acl_xattr:ignore system acls = yes
[phaseout]
path = {0}/share
read only = no
"""
SERVER = """
d=$1
ip link set lo up && cp /etc/passwd $d/passwd && echo 'pc1:x:61001:65534::/:/bin/false' >>$d/passwd || exit 9
mount --bind $d/passwd /etc/passwd || exit 9
for user in root pc1; do printf 'p\\np\\n' | smbpasswd -c $d/smb.conf -s -a $user >/dev/null || exit 9; done
chmod 777 $d/share
smbd -s $d/smb.conf -F --no-process-group >/dev/null 2>&1 </dev/null &
tries=0
until smbclient -s $d/smb.conf //127.0.0.1/phaseout -U root%p -c ls >/dev/null 2>&1; do
    tries=$((tries + 1)); [ $tries -lt 60 ] || exit 9; sleep 0.5
done
smbcacls -s $d/smb.conf //127.0.0.1/phaseout / -U root%p -S "$2" >&2 || exit 9
while read -r command; do
    echo "\\$ $command"
    smbclient -s $d/smb.conf //127.0.0.1/phaseout -U pc1%p -c "$command" 2>&1
done
"""


def entries() -> list[tuple[str, int, int]]:
    """Whom, flags and mask of each entry that the script grants."""
    text = RIGHTS.read_text(encoding="ascii")
    found = []
    for who, rights in re.findall(r'"([*%~\w-]+):((?:\([A-Z,]+\))+)"', text):
        *flags, last = re.findall(r"\(([A-Z,]+)\)", rights)
        found.append((who, sum(FLAGS[flag] for flag in flags), sum(MASKS[right] for right in last.split(","))))
    return found


def test_each_right_stands_on_the_page() -> None:
    assert "*.cmd text eol=crlf" in (ROOT / ".gitattributes").read_text(), "cmd.exe wants its own ends of lines"
    assert [who for who, _, _ in entries()] == ["*S-1-5-32-544", "*S-1-5-18", "*S-1-3-4", "%~2", "%~3"]
    machines = {who: (flags, mask) for who, flags, mask in entries()}["%~2"]
    assert machines == (0, 0x1000A2)
    table = PAGE.read_text().partition("## Rights on the share")[2]
    for right in ("WD", "X", "RA", "S", "RC", "RX", "F"):
        assert f"`{right}`" in table


@pytest.mark.slow
def test_a_machine_adds_reports_and_does_nothing_else(tree: Tree, tmp_path: Path) -> None:
    missing = [one for one in NEEDED if not shutil.which(one)]
    if missing or not can_unshare("--net", "--mount", "--pid", "--fork"):
        pytest.skip(f"not installed, or no namespaces: {', '.join(missing)}")
    folder = tmp_path / "samba"
    for name in ("share", "lock", "state", "cache", "pid", "ncalrpc"):
        (folder / name).mkdir(parents=True)
    for one in (folder, *folder.parents):  # Samba becomes pc1, who must reach the share
        if one.is_relative_to(tmp_path.parents[1]):
            one.chmod(one.stat().st_mode | 0o011)
    (folder / "smb.conf").write_text(CONFIGURATION.format(folder))
    tree.write("/var/lib/dpkg/status", KESL)
    report = tmp_path / "report.csv"
    phaseout("scan", "--root", str(tree.root), "-o", str(report))
    (tmp_path / "other.csv").write_text("other")
    name = re.findall(r"PC1-\d{8}T\d{6}Z", PAGE.read_text())[0]
    digest = subprocess.run(["sha256sum", report], check=True, capture_output=True, text=True).stdout[:16]
    final = f"{name}-{digest}.csv"
    asked = [
        "put report.csv .part",
        "rename .part PC1.csv",
        "rm .part",
        f"put report.csv {final}",
        f"put other.csv {final}",
        f"get {final} again",
        f"rm {final}",
        "mkdir folder",
        "ls",
    ]
    given = {"*S-1-5-32-544": "S-1-5-32-544", "*S-1-5-18": "S-1-5-18", "*S-1-3-4": "S-1-3-4", "%~2": "pc1"}
    rights = [f"ACL:{given[who]}:ALLOWED/{flags}/{mask:#010x}" for who, flags, mask in entries() if who in given]
    descriptor = ",".join(["REVISION:1", "OWNER:S-1-5-32-544", *rights])
    result = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            SERVER,
            "sh",
            folder,
            descriptor,
        ],
        check=False,
        input="\n".join(asked) + "\n",
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "C"},
    )
    if result.returncode == 9:
        pytest.skip(f"Samba does not start here, or without its module acl_xattr: {result.stderr[-300:]}")
    said = re.sub(r" \([\d.]+ kb/s\) \(average [\d.]+ kb/s\)", "", result.stdout)
    answers = dict(re.findall(r"(?m)^\$ (.*)\n((?:(?!\$ ).*\n?)*)", said))
    denied = [command for command in asked if "NT_STATUS_ACCESS_DENIED" in answers[command]]
    assert denied == [command for command in asked if command not in (asked[0], asked[3])], said
    files = {file.name: file.read_bytes() for file in (folder / "share").iterdir()}
    assert files == {".part": report.read_bytes(), final: report.read_bytes()}, "a hidden part, and the report"
    added = phaseout("fleet", "add", str(tmp_path / "fleet.db"), str(folder / "share" / final))
    assert added.returncode == 0, added.stderr
    (page,) = re.findall(r"(?s)```console test_samba.py\n(\$ smbclient.*?)```", PAGE.read_text())
    shown = re.sub(r"smbclient //server/phaseout -U pc1 -c '?(.*?)'?\n", r"\1\n", page)
    for command, answer in re.findall(r"(?m)^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown):
        real = answers[re.sub(r"(?<=Z-)[0-9a-f]{16}", digest, command)]
        assert real.split() == re.sub(r"(?<=Z-)[0-9a-f]{16}", digest, answer).split()
