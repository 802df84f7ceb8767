"""Programs that lie by themselves: where, which files, and limits."""

import pytest
from phaseout.sources.linux import loose_programs

from tests.support.harness import run
from tests.support.trees import Tree

IMAGE = b"\x7fELF\x02\x01\x01\x00AI\x02" + bytes(100)
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(100)
PLACES = (
    *("/tmp/kesl", "/tmp/a/kesl", "/tmp/a/b/kesl", "/var/tmp/.hidden/kesl", "/dev/shm/kesl"),
    *("/usr/local/bin/kesl", "/usr/local/sbin/kesl", "/opt/kesl", "/opt/x/kesl", "/opt/x/bin/kesl", "/srv/x/kesl"),
    *("/usr/bin/kesl", "/usr/sbin/kesl", "/usr/games/kesl", "/usr/lib/acme/kesl", "/usr/lib/acme/sub/bin/kesl"),
    *(
        "/usr/libexec/kesl",
        "/usr/libexec/acme/kesl",
        "/usr/acme/kesl",
        "/usr/share/acme/bin/kesl",
        "/bin/kesl",
        "/kesl",
    ),
    *("/lib/acme/kesl", "/etc/acme/kesl", "/var/acme/kesl", "/var/cache/acme/kesl", "/var/lib/acme/x/kesl"),
    *("/data/acme/bin/kesl", "/mnt/disk/acme/kesl", "/home/ada/.cache/x/kesl", "/home/ada/.hidden/.more/kesl"),
    *("/home/ada/.config/x/y/kesl", "/home/ada/.local/share/x/y/kesl", "/home/ada/tools/x/bin/kesl"),
    *(
        "/opt/a/b/c/d/e/kesl",
        "/opt/a/b/c/d/bin/kesl",
        "/srv/a/b/c/d/kesl",
        "/data/a/b/c/d/kesl",
        "/lost+found/#12/kesl",
    ),
    *("/usr/local/lib/a/b/c/kesl", "/home/ada/a/b/c/d/kesl", "/home/ada/Documents/a/b/c/d/e/kesl"),
    *("/home/ada/.local/share/Trash/files/kesl", "/home/ada/.local/share/Trash/files/acme/bin/kesl"),
    *("/home/ada/kesl", "/home/ada/bin/kesl", "/home/ada/.local/bin/kesl", "/home/ada/Downloads/x/y/kesl"),
)


@pytest.mark.parametrize("path", PLACES)
def test_places(tree: Tree, path: str) -> None:
    tree.write(path, PROGRAM, 0o755)
    result = run("loose_programs", tree.host())
    (item,) = result.items
    assert (item.kind, item.name, item.path) == ("program", "kesl", path)
    assert item.user == ("ada" if path.startswith("/home") else "")
    assert result.run.status == "ok"


def test_which_files_are_programs(tree: Tree) -> None:
    for name, content, mode in (
        *(("elf", PROGRAM, 0o755), ("data", PROGRAM, 0o644), ("empty", b"", 0o755), ("text", b"x" * 100, 0o755)),
        *(("script", b"#!/bin/sh\nexit\n" + b"#" * 99, 0o755), ("setup.run", b"#!/bin/sh\n" + bytes(300_000), 0o755)),
    ):
        tree.write(f"/tmp/{name}", content, mode)
    tree.link("/tmp/link", "/tmp/elf")
    tree.fifo("/tmp/fifo")
    tree.write("/tmp/.mount_x/AppRun", PROGRAM, 0o755)
    result = run("loose_programs", tree.host())
    assert result.names() == ["elf", "setup.run"]
    assert result.run.status == "ok"


def test_appimages_where_no_other_source_looks(tree: Tree) -> None:
    tree.write("/dev/shm/Kaspersky-1.2-x86_64.AppImage", IMAGE, 0o755)
    tree.write("/opt/Other.AppImage", IMAGE, 0o755)
    result = run("loose_programs", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.details["type"]) == ("Kaspersky", "1.2", "AppImage")
    assert result.run.left_out == {"listed as another item": 1}


def test_limits_are_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loose_programs, "_MOST", 2)
    monkeypatch.setattr(loose_programs, "_FOLDERS", 2)
    for number in range(3):
        tree.write(f"/tmp/{number}", PROGRAM, 0o755)
        tree.write(f"/var/tmp/{number}/x", PROGRAM, 0o755)
    result = run("loose_programs", tree.host())
    assert {(problem.where, problem.why) for problem in result.problems} == {
        ("/tmp", "more files than 2: the rest was not read"),
        ("/var/tmp", "more folders than 2: the rest was not read"),
    }


def test_below_a_program_nothing_is_searched(tree: Tree) -> None:
    for path in ("/opt/acme/bin/acme", "/opt/other/a/b/c/other", "/opt/deep/a/b/c/d/e/f/g/seven"):
        tree.write(path, PROGRAM, 0o755)
    for path in ("/opt/acme/a/b/c/part", "/opt/other/a/b/c/d/part", "/opt/deep/a/b/c/d/e/f/g/h/i/j/far"):
        tree.write(path, PROGRAM, 0o755)
    tree.write("/home/ada/project/a/node_modules/b/c/d/part", PROGRAM, 0o755)
    assert run("loose_programs", tree.host()).names() == ["acme", "other", "seven"]


@pytest.mark.parametrize(("top", "limit"), [("/opt", "_SEARCHED"), ("/home/ada", "_SEARCHED_IN_DATA")])
def test_a_search_that_ends_early_is_a_note(tree: Tree, monkeypatch: pytest.MonkeyPatch, top: str, limit: str) -> None:
    monkeypatch.setattr(loose_programs, limit, 2)
    for number in range(4):
        tree.folder(f"{top}/a/b/c/{number}")
    (problem,) = run("loose_programs", tree.host()).run.problems
    assert (problem.where, problem.cause, problem.hides) == (top, "limit", False)


def test_of_what_packages_have_too_only_the_rest_counts(tree: Tree) -> None:
    for path in (
        "/usr/bin/own",
        "/usr/bin/kesl",
        "/usr/sbin/diverted.distrib",
        "/usr/lib/x/helper",
        "/usr/share/x/run",
    ):
        tree.write(path, PROGRAM, 0o755)
    tree.write("/var/lib/dpkg/info/x.list", "/.\n/bin\n/bin/own\n/usr/lib/x\n/usr/lib/x/helper\n/usr/share/x/run\n")
    tree.write("/var/lib/dpkg/diversions", "/usr/sbin/diverted\n/usr/sbin/diverted.distrib\ny\n")
    tree.link("/usr/bin/alternative", "/usr/lib/x/helper")
    tree.link("/usr/bin/far", "/depot/a/b/c/deep")
    tree.write("/depot/a/b/c/deep", PROGRAM, 0o755)
    result = run("loose_programs", tree.host())
    assert [(item.name, item.path) for item in result.items] == [
        ("deep", "/depot/a/b/c/deep"),
        ("kesl", "/usr/bin/kesl"),
    ]


def test_accounts_of_services_have_the_folders_of_the_system_for_a_home(tree: Tree) -> None:
    tree.write("/etc/passwd", "bin:x:2:2::/bin:/sbin/nologin\ndaemon:x:1:1::/usr/sbin:/sbin/nologin\n")
    for path in ("/bin/own", "/usr/sbin/own"):
        tree.write(path, PROGRAM, 0o755)
    tree.write("/var/lib/dpkg/info/x.list", "/bin/own\n/usr/sbin/own\n")
    assert run("loose_programs", tree.host()).items == ()
