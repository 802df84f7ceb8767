"""Programs that parts of the system call on an occasion."""

import pytest
from phaseout.sources.linux import hooks

from tests.support.harness import run
from tests.support.trees import Tree

PROGRAM = "/data/av/kesl"
FILES = {
    "/etc/supervisor/conf.d/av.conf": f"[program:x]\ncommand = {PROGRAM} --run\n",
    "/etc/xinetd.d/av": f"service x\n{{\n\tserver = {PROGRAM}\n}}\n",
    "/etc/inetd.conf": f"x stream tcp nowait root {PROGRAM} kesl\n",
    "/etc/ld.so.preload": f"{PROGRAM}\n",
    "/etc/pam.d/common-auth": f"auth required {PROGRAM}\n",
    "/etc/udev/rules.d/99-x.rules": f'ACTION=="add", RUN+="{PROGRAM} %k"\n',
    "/etc/NetworkManager/dispatcher.d/99-x": f"#!/bin/sh\n[ -x {PROGRAM} ] && {PROGRAM} up\n",
    "/etc/profile.d/x.sh": f'export PATH="$PATH:/usr/games"; {PROGRAM}&\n',
    "/etc/modprobe.d/x.conf": f"install x {PROGRAM}; /sbin/modprobe --ignore-install x\n",
    "/etc/apt/apt.conf.d/99x": f'DPkg::Post-Invoke {{"{PROGRAM}";}};\n',
    "/etc/logrotate.d/x": f"/var/log/x {{\n postrotate\n  {PROGRAM} rotate\n endscript\n}}\n",
    "/etc/sudoers.d/x": f"ada ALL=(root) NOPASSWD: {PROGRAM}\n",
    "/etc/service/x/run": f"#!/bin/sh\nexec {PROGRAM}\n",
    "/home/ada/.bashrc": f"{PROGRAM} &\n",
}


@pytest.mark.parametrize("path", FILES)
def test_every_part_of_the_system(tree: Tree, path: str) -> None:
    tree.write(path, FILES[path])
    tree.write(PROGRAM, b"\x7fELF", 0o755)
    (item,) = run("hooks", tree.host()).items
    wanted = ("service", "x") if path.endswith("/run") else ("task", "kesl")
    assert (item.kind, item.name, item.path, item.state) == (*wanted, PROGRAM, "installed")
    assert item.user == ("ada" if path.startswith("/home") else "")
    assert item.evidence[0].where == path


def test_what_packages_bring_is_passed_over(tree: Tree) -> None:
    tree.write(
        "/etc/profile.d/x.sh",
        "# /opt/comment\n. /etc/bash_completion\n/usr/bin/env x >/dev/null; ls /home /opt/ $D/x\n",
    )
    tree.write("/etc/pam.d/sshd", "session optional pam_motd.so motd=/run/motd.dynamic\n")
    tree.write("/etc/udev/rules.d/1.rules", 'KERNEL=="x", SYMLINK+="/opt/av/x"\n')
    tree.write("/etc/ld.so.preload", b"\0/opt/x")
    result = run("hooks", tree.host())
    assert result.items == ()
    assert result.run.status == "ok"


def test_one_that_is_gone_is_left(tree: Tree) -> None:
    tree.write("/etc/inetd.conf", "x /opt/av/kesl\ny /net/ipv4/$name /data/nothing\n")
    (item,) = run("hooks", tree.host()).items
    assert (item.name, item.state) == ("kesl", "leftover")


def test_a_folder_of_libraries_that_is_gone_is_left(tree: Tree) -> None:
    tree.folder("/opt/other/lib")
    tree.write("/etc/ld.so.conf.d/x.conf", "/opt/kaspersky/kesl/lib64\n/opt/other/lib\n/usr/local/lib\n")
    (item,) = run("hooks", tree.host()).items
    assert (item.path, item.state) == ("/opt/kaspersky/kesl/lib64", "leftover")


def test_a_flood_is_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_MOST", 2)
    tree.write("/etc/ld.so.preload", "/opt/x/a\n/opt/x/b\n/opt/x/c\n")
    result = run("hooks", tree.host())
    assert [problem.cause for problem in result.problems] == ["limit"]
