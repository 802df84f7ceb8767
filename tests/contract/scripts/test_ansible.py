"""The Ansible role, run by ansible-core over SSH against hosts of its own on this machine.

Each host is a network namespace with an address, its own name, and an overlay of this machine's file system as its
root, where sshd runs: `clean`; `kesl`, whose dpkg database has a restricted product; `damaged`, whose dpkg database
cannot be read; and `silent`, where no sshd answers. All of it lives in namespaces of one process and ends with it.

ansible-core comes from PHASEOUT_ANSIBLE (a virtual environment) or is installed into one by the tests.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.namespaces import can_unshare

ROOT = Path(__file__).parents[3]
PLAYBOOK = ROOT / "scripts/ansible/phaseout.yml"
HOSTS = {"clean": "10.231.0.2", "kesl": "10.231.0.3", "damaged": "10.231.0.4", "silent": "10.231.0.5"}
SECONDS = 300  # then the hosts end by themselves, whatever became of the tests
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
LAB = """
set -eu
cd "$1"
mount -t tmpfs none /run
mount -t tmpfs none "$1/layers"
mkdir -p /run/netns /run/sshd
ip link set lo up
ip link add br0 type bridge
ip address add 10.231.0.1/24 dev br0
ip link set br0 up
shift
for host in "$@"; do
    name=${host%%=*}
    ip netns add "$name"
    ip link add "to-$name" type veth peer name eth0 netns "$name"
    ip link set "to-$name" master br0 up
    ip -n "$name" address add "${host#*=}/24" dev eth0
    ip -n "$name" link set eth0 up
    [ "$name" != silent ] || continue
    mkdir -p "layers/$name/upper" "layers/$name/work" "layers/$name/root"
    root=layers/$name/root
    mount -t overlay overlay -o "lowerdir=/,upperdir=layers/$name/upper,workdir=layers/$name/work" "$root"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mkdir -p "$root/run/sshd" "$root/root/.ssh"
    rm -rf "$root/opt/phaseout" "$root/opt/phaseout-bundle.tar"
    cp host_key host_key.pub sshd_config "$root/run/sshd"
    cp key.pub "$root/root/.ssh/authorized_keys"
    chown root:root "$root/root" "$root/root/.ssh" "$root/root/.ssh/authorized_keys"
    chmod 700 "$root/root" "$root/root/.ssh"
    case $name in
        kesl) cat kesl >> "$root/var/lib/dpkg/status" ;;
        damaged) head -c 100000 /dev/urandom > "$root/var/lib/dpkg/status" ;;
    esac
    ip netns exec "$name" unshare --uts chroot "$root" \\
        sh -c "hostname $name; exec /usr/sbin/sshd -D -e -f /run/sshd/sshd_config" 2> "$name.log" &
done
for _ in $(seq 100); do
    [ "$(grep -l 'Server listening' ./*.log | wc -l)" -eq 3 ] && break
    sleep 0.1
done
echo ready
sleep "$SECONDS_TO_LIVE"
"""
SSHD = """\
ListenAddress 0.0.0.0
HostKey /run/sshd/host_key
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
Subsystem sftp internal-sftp
"""
KESL = """
Package: kesl
Status: install ok installed
Maintainer: AO Kaspersky Lab <support@kaspersky.com>
Architecture: amd64
Version: 12.1.0-1543
Description: Kaspersky Endpoint Security

"""
MISSING = [one for one in ("sshd", "ssh", "ip", "unshare", "nsenter") if not shutil.which(one)]
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs to be root on Linux"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(not can_unshare(*NAMESPACES[1:]), reason="no namespaces can be made here"),
    pytest.mark.slow,
]


class Recap(NamedTuple):
    """What one run of a playbook says of a host."""

    ok: int
    changed: int
    unreachable: int
    failed: int


class Fleet(NamedTuple):
    """The hosts, and all that a run of the playbook needs."""

    folder: Path
    bundle: Path
    ansible: Path
    process: int
    sockets: str

    def play(self, *arguments: str, reports: Path, **variables: str) -> tuple[int, dict[str, Recap], str]:
        """Exit status, what is said of each host, and all that was said."""
        known = "".join(f"{address} {(self.folder / 'host_key.pub').read_text()}" for address in HOSTS.values())
        (self.folder / "known_hosts").write_text(known)
        inventory = "".join(
            f"{name} ansible_host={address} ansible_user=root ansible_python_interpreter=/usr/bin/python3\n"
            for name, address in HOSTS.items()
        )
        (self.folder / "inventory").write_text(inventory)
        named = {"phaseout_bundle": f"{self.bundle}.tar", "phaseout_reports": str(reports), **variables}
        command = ["nsenter", "--target", str(self.process), "--net", "--", str(self.ansible / "bin/ansible-playbook")]
        command += ["-i", str(self.folder / "inventory"), str(PLAYBOOK), *arguments]
        command += [part for name, value in named.items() for part in ("-e", f"{name}={value}")]
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            stdin=subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"],
                "LC_ALL": "C.UTF-8",
                "HOME": str(self.folder),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_FORKS": "4",
                "ANSIBLE_TIMEOUT": "5",
                "ANSIBLE_PIPELINING": "True",
                "ANSIBLE_PRIVATE_KEY_FILE": str(self.folder / "key"),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": self.sockets,
                "ANSIBLE_SSH_ARGS": "-F /dev/null -o ControlMaster=auto -o ControlPersist=20s "
                f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={self.folder / 'known_hosts'}",
            },
        )
        said = result.stdout + result.stderr
        form = r"^(\w+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)"
        recap = {name: Recap(*map(int, counts)) for name, *counts in re.findall(form, said, re.MULTILINE)}
        return result.returncode, recap, said


@pytest.fixture(scope="module")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if given := os.environ.get("PHASEOUT_ANSIBLE"):
        return Path(given)
    folder = tmp_path_factory.mktemp("ansible")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=600)
    pip = [str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", "ansible-core"]
    if subprocess.run(pip, check=False, timeout=600, capture_output=True).returncode:
        pytest.skip("not installed: ansible-core, and it cannot be had")
    return folder


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, ansible: Path, bundle: Path) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "layers").mkdir()
    (folder / "kesl").write_text(KESL)
    (folder / "sshd_config").write_text(SSHD)
    for name in ("key", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    hosts = [f"{name}={address}" for name, address in HOSTS.items()]
    lab = subprocess.Popen(
        [*NAMESPACES, "sh", "-c", LAB, "lab", str(folder), *hosts],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SECONDS_TO_LIVE": str(SECONDS)},
    )
    sockets = tempfile.mkdtemp(prefix="ssh")  # a socket's path has 107 characters at most
    try:
        assert lab.stdout
        if lab.stdout.readline() != "ready\n":
            pytest.skip("no namespaces with overlay file systems can be made here")
        inside = int(Path(f"/proc/{lab.pid}/task/{lab.pid}/children").read_text().split()[0])
        yield Fleet(folder, bundle, ansible, inside, sockets)
    finally:
        lab.kill()
        lab.communicate()
        shutil.rmtree(sockets)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_fleet_from_nothing(fleet: Fleet, tmp_path: Path) -> None:
    """Check mode changes nothing; the first run installs and reports; the second changes nothing; the policy fails."""
    reports = tmp_path / "reports"

    status, recap, said = fleet.play("--check", reports=reports)
    assert recap["silent"].unreachable == 1, said
    assert recap["kesl"].failed == 0, said
    assert recap["kesl"].changed > 0, "a first run would change something, and check mode has to say so"
    assert not reports.exists()

    status, recap, said = fleet.play(reports=reports)
    assert status == 4, said  # of ansible: hosts were unreachable
    assert {name: (one.unreachable, one.failed) for name, one in recap.items()} == {
        "clean": (0, 0),
        "kesl": (0, 0),
        "damaged": (0, 0),
        "silent": (1, 0),
    }, said
    assert min(recap[name].changed for name in ("clean", "kesl", "damaged")) > 0, "check mode had installed it"
    files = {path.name.split("-")[0]: path for path in reports.iterdir()}
    assert set(files) == {"clean", "kesl", "damaged"}
    assert all(re.fullmatch(r"[a-z]+-\d{8}T\d{6}Z\.csv", path.name) for path in files.values())
    assert [row["verdict"] for row in rows(files["clean"])] == ["clean"]
    assert [row["verdict"] for row in rows(files["damaged"])] == ["incomplete"]
    assert ("replace", "package", "kesl", "12.1.0-1543") in {
        (row["verdict"], row["kind"], row["name"], row["version"]) for row in rows(files["kesl"])
    }
    assert {row["host"] for row in rows(files["kesl"])} == {"kesl"}

    policy = {"phaseout_fail_on": "replace", "phaseout_fail_on_incomplete": "true"}
    status, recap, said = fleet.play(reports=reports, **policy)
    assert {name: one.changed for name, one in recap.items()} == dict.fromkeys(HOSTS, 0), said
    assert {name: one.failed for name, one in recap.items()} == {"clean": 0, "kesl": 1, "damaged": 1, "silent": 0}
    assert "Software was found that the policy does not allow" in said
    assert len(list(reports.iterdir())) == 6, "a host that fails has reported before"


def test_the_executable_instead_of_a_bundle(fleet: Fleet, tmp_path: Path) -> None:
    program = tmp_path / "phaseout/phaseout"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncd {ROOT}/scanner && exec {sys.executable} -B -m phaseout "$@"\n')
    program.chmod(0o755)
    subprocess.run(["tar", "-C", tmp_path, "-cf", tmp_path / "executable.tar", "phaseout"], check=True)
    named = {
        "phaseout_bundle": "",
        "phaseout_executable": str(tmp_path / "executable.tar"),
        "phaseout_home": "/opt/exe",
    }
    reports = tmp_path / "reports"
    status, recap, said = fleet.play("--limit", "kesl", reports=reports, **named)
    assert (status, recap["kesl"].changed > 0) == (0, True), said
    (report,) = reports.iterdir()
    assert {row["verdict"] for row in rows(report)} == {"replace"}
    _, recap, said = fleet.play("--limit", "kesl", reports=reports, **named)
    assert recap["kesl"].changed == 0, said


SAID = 'printf "host,scanned_at,verdict,\\n'
BAD = {
    "silent": "exit 0",
    "a_head_only": f'{SAID}"',
    "contradictory": f'{SAID}h,t,incomplete,\\n"',
    "killed": f'{SAID}h,t,clean,\\n"; kill -9 $$',
    "other_words": "echo a; echo b",
}
GOOD = {"clean": f'{SAID}h,t,clean,\\n"', "incomplete": f'{SAID}h,t,incomplete,\\n"; exit 3'}


def test_a_host_that_says_nothing_or_contradicts_itself_fails(fleet: Fleet, tmp_path: Path) -> None:
    """Each play has as many cases as there are hosts, each host with a program of its own."""
    hosts = ("clean", "kesl", "damaged")
    cases = list((BAD | GOOD).items())
    while cases:
        now, cases = dict(zip(hosts, cases, strict=False)), cases[len(hosts) :]
        folder = tmp_path / str(len(cases))
        for host, (_, body) in now.items():
            program = folder / host / "phaseout/phaseout"
            program.parent.mkdir(parents=True)
            program.write_text(f'#!/bin/sh\n[ "$1" = scan ] || exit 0\n{body}\n')
            program.chmod(0o755)
            subprocess.run(["tar", "-C", folder / host, "-cf", folder / f"{host}.tar", "phaseout"], check=True)
        named = {
            "phaseout_bundle": "",
            "phaseout_executable": f"{folder}/{{{{ inventory_hostname }}}}.tar",
            "phaseout_home": f"/opt/case-{len(cases)}",
        }
        reports = folder / "reports"
        _, recap, said = fleet.play("--limit", ",".join(now), reports=reports, **named)
        for host, (name, _) in now.items():
            assert recap[host].failed == (name in BAD), f"{name}: {said}"
            assert len(list(reports.glob(f"{host}-*.csv"))) == (name in GOOD), name
