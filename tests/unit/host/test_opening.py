"""How a host is recognised."""

from pathlib import Path

import pytest
from phaseout.host import NotAHostError
from phaseout.host import opening as target
from phaseout.host.opening import live_host, offline_host
from phaseout.host.users import User

from tests.support.trees import Tree


def test_content_decides(tree: Tree) -> None:
    tree.write("/etc/hostname", "ada-laptop\n")
    host = offline_host(str(tree.root))
    assert (host.info.platform, host.info.name, host.info.os, host.info.os_version) == (
        "linux",
        "ada-laptop",
        "Debian GNU/Linux",
        "12",
    )
    assert host.processes is None
    assert not host.live


def test_folder_that_is_no_host(tmp_path: Path) -> None:
    with pytest.raises(NotAHostError, match="holds no operating system"):
        offline_host(str(tmp_path))
    with pytest.raises(NotAHostError, match="no such folder"):
        offline_host(str(tmp_path / "absent"))
    assert offline_host(str(tmp_path), "linux").info.platform == "linux"


def test_users_of_passwd_and_of_home(tree: Tree) -> None:
    tree.folder("/home/directory-user")
    tree.folder("/home/ada")
    users = tree.host().users
    assert User("ada", 1000, "/home/ada") in users
    assert User("directory-user", -1, "/home/directory-user") in users
    assert len([user for user in users if user.home == "/home/ada"]) == 1


def test_a_mount_below_a_root_that_is_reached_by_a_link(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("/etc/os-release", "NAME=x\n")
    tree.folder("/opt/nas")
    link = tree.root.parent / "link"
    link.symlink_to(tree.root)
    mountinfo = f"30 27 0:40 / {tree.root}/opt/nas rw - nfs4 server:/export rw\n".encode()
    monkeypatch.setattr(target, "own_mountinfo", lambda: mountinfo)
    for root in (tree.root, link):
        assert offline_host(str(root)).info.skipped_mounts == ("/opt/nas (nfs4)",)


def test_live_host_sees_itself() -> None:
    host = live_host()
    assert host.live
    assert host.info.root == ""
    assert host.processes is not None
    assert any(user.name == "root" for user in host.users)
