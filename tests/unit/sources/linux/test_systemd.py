"""systemd units: precedence, masks, drop-ins, instances, what starts what, and what is left of units."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.host.opening import live_host
from phaseout.host.users import posix_users
from phaseout.model.nouns import Evidence, HostInfo

from tests.support.harness import run
from tests.support.trees import Tree

KESL = """\
[Unit]
Description=Kaspersky Endpoint Security
[Service]
ExecStart=-/opt/kaspersky/kesl/libexec/kesl_launcher.sh start
ExecStart=/opt/kaspersky/kesl/bin/kesl-control
[Install]
WantedBy=multi-user.target
"""
LAUNCHER = "/opt/kaspersky/kesl/libexec/kesl_launcher.sh"


def live(tree: Tree) -> Host:
    """The tree as if it were the running machine."""
    files = PosixFiles(str(tree.root))
    return Host(HostInfo(name="live", platform="linux"), files, posix_users(files))


def test_service(tree: Tree) -> None:
    tree.write("/usr/lib/systemd/system/kesl.service", KESL)
    tree.link("/lib", "usr/lib")
    tree.link("/etc/systemd/system/multi-user.target.wants/kesl.service", "/lib/systemd/system/kesl.service")
    tree.write(LAUNCHER)
    tree.write("/usr/lib/systemd/system/graphical.target", "[Unit]\n")
    tree.write("/usr/lib/systemd/system/README", "text")
    result = run("systemd", tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.state, item.path) == ("service", "kesl.service", "installed", LAUNCHER)
    assert item.command == f"{LAUNCHER} start; /opt/kaspersky/kesl/bin/kesl-control"
    assert item.details == {
        "manager": "system",
        "description": "Kaspersky Endpoint Security",
        "enabled": "yes",
        "wanted_by": "multi-user.target",
    }
    assert item.evidence[0].where == "/usr/lib/systemd/system/kesl.service"
    assert result.run.left_out == {"not a program": 2}
    assert result.run.status == "ok"


def test_service_whose_program_is_gone(tree: Tree) -> None:
    tree.write("/etc/systemd/system/kesl.service", KESL)
    item = run("systemd", tree.host()).one("kesl.service")
    assert (item.state, item.details["enabled"]) == ("leftover", "no")


def test_whether_the_program_is_gone_must_be_known(tree: Tree) -> None:
    folder = "/usr/lib/systemd/system"
    tree.write(f"{folder}/a.service", "[Service]\nRootDirectory=/srv/x\nExecStart=/inside")
    tree.write(f"{folder}/b@.service", "[Service]\nExecStart=/opt/%i/x")
    tree.write(f"{folder}/c.service", "[Service]\nExecStart=kesl --daemon")
    tree.write(f"{folder}/d.service", "[Service]\nExecStart=/mnt/x")
    plain = tree.host()
    files = PosixFiles(str(tree.root), {"/mnt": "nfs4"})
    result = run("systemd", Host(plain.info, files, plain.users))
    assert {item.state for item in result.items} == {"installed"}
    assert result.run.status == "ok"


def test_unit_of_etc_hides_that_of_usr(tree: Tree) -> None:
    tree.write("/usr/lib/systemd/system/x.service", "[Service]\nExecStart=/bin/packaged\n")
    tree.write("/etc/systemd/system/x.service", "[Service]\nExecStart=/bin/own\n")
    result = run("systemd", tree.host())
    used, hidden = result.items
    assert (used.path, used.details.get("note")) == ("/bin/own", None)
    assert (hidden.path, hidden.details["enabled"]) == ("/bin/packaged", "no")
    assert hidden.details["note"] == "not in use: /etc/systemd/system/x.service counts"
    assert hidden.evidence[0].where == "/usr/lib/systemd/system/x.service"
    assert result.run.left_out == {}
    tree.write("/etc/systemd/system/x.service", "[Service]\nExecStart=/bin/packaged\n")
    same = run("systemd", tree.host())
    assert same.one("x.service").path == "/bin/packaged"
    assert same.run.left_out == {"listed as another item": 1}


@pytest.mark.parametrize("mask", ["link", "empty"])
def test_masked_unit_still_tells_its_program(tree: Tree, mask: str) -> None:
    tree.write("/usr/lib/systemd/system/kesl.service", KESL)
    if mask == "link":
        tree.link("/etc/systemd/system/kesl.service", "/dev/null")
        tree.link("/etc/systemd/system/alone.service", "/dev/null")
    else:
        tree.write("/etc/systemd/system/kesl.service")
        tree.write("/etc/systemd/system/alone.service")
    result = run("systemd", tree.host())
    item = result.one("kesl.service")
    assert (item.path, item.details["enabled"]) == (LAUNCHER, "masked")
    assert result.run.left_out == {"a mask of a unit": 1}
    alone = result.one("alone.service")
    assert (alone.state, alone.path, alone.details["enabled"]) == ("leftover", "", "masked")


def test_drop_ins_are_applied_in_the_order_of_their_names(tree: Tree) -> None:
    tree.write("/usr/lib/systemd/system/a-b@.service", "[Service]\nExecStart=/bin/first\n")
    tree.write("/usr/lib/systemd/system/a-b@.service.d/20-x.conf", "[Service]\nExecStart=\nExecStart=/bin/hidden\n")
    tree.write("/etc/systemd/system/a-b@.service.d/20-x.conf", "[Service]\nExecStart=\nExecStart=/bin/%i\n")
    tree.write("/etc/systemd/system/a-.service.d/10-y.conf", "[Service]\nExecStart=/bin/lost\n")
    tree.write("/etc/systemd/system/service.d/30-z.conf", "[Service]\nExecStart=/bin/last\n")
    tree.write("/etc/systemd/system/a-b@two.service.d/40-w.conf", "[Unit]\nDescription=Two\n")
    tree.link("/etc/systemd/system/x.target.requires/a-b@two.service", "/usr/lib/systemd/system/a-b@.service")
    result = run("systemd", tree.host())
    assert sorted(result.names()) == ["a-b@.service", "a-b@two.service"]
    instance = result.one("a-b@two.service")
    assert (instance.command, instance.path) == ("/bin/%i; /bin/last", "/bin/two")
    assert instance.details["instance_of"] == "a-b@.service"
    assert instance.details["description"] == "Two"
    assert result.one("a-b@.service").details["enabled"] == "yes"


def test_aliases_and_linked_units(tree: Tree) -> None:
    tree.write("/usr/lib/systemd/system/sshd.service", "[Service]\nExecStart=/bin/sshd\n[Install]\nAlias=ssh.service")
    tree.link("/etc/systemd/system/ssh.service", "/usr/lib/systemd/system/sshd.service")
    tree.write("/opt/x/kesl.service", KESL)
    tree.link("/etc/systemd/system/kesl.service", "/opt/x/kesl.service")
    result = run("systemd", tree.host())
    assert result.one("sshd.service").details["enabled"] == "yes"
    alias = result.one("ssh.service")
    assert (alias.path, alias.details["enabled"], alias.details["alias_of"]) == ("/bin/sshd", "alias", "sshd.service")
    assert result.one("kesl.service").path == LAUNCHER


def test_aliases_in_a_circle(tree: Tree) -> None:
    tree.write("/usr/lib/systemd/system/b.service", "[Service]\nExecStart=/bin/b")
    tree.write("/usr/lib/systemd/system/c.service", "[Service]\nExecStart=/bin/c")
    tree.link("/etc/systemd/system/b.service", "/usr/lib/systemd/system/c.service")
    tree.link("/etc/systemd/system/c.service", "/usr/lib/systemd/system/b.service")
    tree.link("/etc/systemd/system/loop.service", "loop.service")
    result = run("systemd", tree.host())
    used = {item.name: item.path for item in result.items if "note" not in item.details}
    assert used == {"b.service": "/bin/c", "c.service": "/bin/b"}
    assert result.one("loop.service").details["note"] == "could not be read"
    assert result.run.status == "partial"


def test_what_starts_a_service(tree: Tree) -> None:
    folder = "/usr/lib/systemd/system"
    tree.write("/bin/job")
    tree.write(f"{folder}/job.service", "[Service]\nExecStart=/bin/job\n")
    tree.write(f"{folder}/job.timer", "[Timer]\nOnCalendar=daily\n")
    tree.write(f"{folder}/other.timer", "[Timer]\nUnit=job.service\n")
    tree.write(f"{folder}/s.socket", "[Socket]\nAccept=yes\n")
    tree.write(f"{folder}/s@.service", "[Service]\nExecStart=/bin/job\n")
    tree.write(f"{folder}/w.path", "[Path]\nUnit=job.service\n")
    tree.write(f"{folder}/lost.timer", "[Timer]\n")
    result = run("systemd", tree.host())
    started = {item.name: (item.kind, item.state, item.path, item.details.get("starts", "")) for item in result.items}
    assert started == {
        "job.service": ("service", "installed", "/bin/job", ""),
        "job.timer": ("task", "installed", "/bin/job", "job.service"),
        "other.timer": ("task", "installed", "/bin/job", "job.service"),
        "s.socket": ("service", "installed", "/bin/job", "s@.service"),
        "s@.service": ("service", "installed", "/bin/job", ""),
        "w.path": ("service", "installed", "/bin/job", "job.service"),
        "lost.timer": ("task", "leftover", "", "lost.service"),
    }


def test_what_is_left_of_a_unit(tree: Tree) -> None:
    tree.link("/etc/systemd/system/multi-user.target.wants/kesl.service", "/usr/lib/systemd/system/kesl.service")
    tree.write("/etc/systemd/system/klnagent64.service.d/limits.conf", "[Service]\nLimitNOFILE=1\n")
    tree.link("/etc/systemd/system/kess.service", "/opt/kaspersky/kess/kess.service")
    result = run("systemd", tree.host())
    assert {(item.name, item.state, item.evidence[0]) for item in result.items} == {
        ("kesl.service", "leftover", Evidence("/etc/systemd/system/multi-user.target.wants/kesl.service")),
        ("klnagent64.service", "leftover", Evidence("/etc/systemd/system/klnagent64.service.d")),
        (
            "kess.service",
            "leftover",
            Evidence("/etc/systemd/system/kess.service", "link to /opt/kaspersky/kess/kess.service, which is gone"),
        ),
    }
    assert result.run.status == "ok"


def test_units_of_users(tree: Tree) -> None:
    tree.folder("/bin")
    tree.write("/usr/lib/systemd/user/all.service", "[Service]\nExecStart=/bin/all\n")
    tree.write("/root/.config/systemd/user/own.service", "[Service]\nExecStart=%h/own\n")
    tree.write("/home/ada/.local/share/systemd/user/own.service", "[Service]\nExecStart=%h/own\n")
    tree.write("/home/ada/own")
    tree.write("/home/ada/.config/systemd/user/all.timer", "[Timer]\n")
    tree.link("/home/ada/.config/systemd/user/default.target.wants/all.service", "/usr/lib/systemd/user/all.service")
    result = run("systemd", tree.host())
    assert {(item.name, item.user, item.path, item.state) for item in result.items} == {
        ("all.service", "", "/bin/all", "leftover"),
        ("own.service", "root", "/root/own", "leftover"),
        ("own.service", "ada", "/home/ada/own", "installed"),
        ("all.timer", "ada", "/bin/all", "leftover"),
    }


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_running_services_of_a_live_host(tree: Tree, version: str) -> None:
    top = "/sys/fs/cgroup/system.slice" if version == "v2" else "/sys/fs/cgroup/systemd/system.slice"
    full, empty = ("populated 1\nfrozen 0\n", "populated 0\nfrozen 0\n") if version == "v2" else ("12\n", "")
    file = "cgroup.events" if version == "v2" else "cgroup.procs"
    tree.write(f"{top}/kesl.service/{file}", full)
    tree.write(f"{top}/idle.service/{file}", empty)
    tree.write(f"{top}/removed.service/{file}", full)
    tree.write(f"{top}/system-getty.slice/getty@tty1.service/{file}", full)
    tree.write(f"{top}/docker-1.scope/{file}", full)
    for name in ("kesl", "idle", "getty@"):
        tree.write(f"/usr/lib/systemd/system/{name}.service", "[Service]\nExecStart=/bin/x\n")
    tree.write("/bin/x")
    tree.link("/etc/systemd/system/alias.service", "/usr/lib/systemd/system/kesl.service")
    states = {item.name: item.state for item in run("systemd", live(tree)).items}
    assert states == {
        "kesl.service": "running",
        "alias.service": "running",
        "idle.service": "installed",
        "getty@.service": "installed",
        "getty@tty1.service": "running",
        "removed.service": "running",
    }
    offline = {item.name: item.state for item in run("systemd", tree.host()).items}
    assert "running" not in offline.values()


def test_hostile_units_cost_nothing_but_themselves(tree: Tree) -> None:
    tree.write("/etc/systemd/system/binary.service", bytes(range(256)) * 40)
    tree.write("/etc/systemd/system/large.service", b"#" * (2 << 20))
    tree.fifo("/etc/systemd/system/fifo.service")
    tree.folder("/etc/systemd/system/folder.service")
    os.symlink(b"/dev/null", os.fsencode(tree.root) + b"/etc/systemd/system/\xff.service")
    tree.write("/etc/systemd/system/good.service", "[Service]\nExecStart=/bin/x")
    result = run("systemd", tree.host())
    assert len(result.items) == 5
    assert result.one("good.service").path == "/bin/x"
    assert [problem.where.rpartition("/")[2] for problem in result.problems] == ["fifo.service", "large.service"]


SYSTEM_UNITS = Path("/usr/lib/systemd/system")
needs_units = pytest.mark.skipif(not SYSTEM_UNITS.is_dir(), reason="this machine has no systemd units")


@needs_units
def test_every_service_of_this_machine_is_an_item() -> None:
    names = {path.name for path in SYSTEM_UNITS.glob("*.service")}
    items = run("systemd", live_host()).items
    assert names <= {item.name for item in items if item.details["manager"] == "system"}


@pytest.mark.slow
@needs_units
@pytest.mark.skipif(not shutil.which("systemctl"), reason="this machine has no systemctl")
def test_systemctl_sees_no_other_units() -> None:
    arguments = ["--root=/", "list-unit-files", "--no-legend", "--type=service,timer,socket,path"]
    listed = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"systemctl: {listed.stderr}")
    items = run("systemd", live_host()).items
    assert {line.split()[0] for line in listed.stdout.splitlines()} <= {item.name for item in items}
