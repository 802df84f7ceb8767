"""Folders of vendors: two levels, what decides their state, links, and the bound on the search."""

from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import Item

from tests.support.harness import Result, run
from tests.support.trees import Tree


def states(result: Result) -> dict[str, str]:
    return {item.path: item.state for item in result.items if item.kind == "file"}


def at(result: Result, path: str) -> Item:
    (item,) = (item for item in result.items if item.path == path)
    return item


def test_folders_of_a_vendor_are_judged_apart(tree: Tree) -> None:
    tree.write("/opt/kaspersky/kesl/bin/kesl-control", mode=0o755)
    tree.write("/opt/kaspersky/klnagent64/log/trace.txt", mode=0o644)
    tree.write("/var/opt/kaspersky/kesl/private/base", mode=0o600)
    tree.folder("/etc/opt/kaspersky")
    result = run("vendor_folders", tree.host())
    assert states(result) == {
        "/opt/kaspersky": "installed",
        "/opt/kaspersky/kesl": "installed",
        "/opt/kaspersky/klnagent64": "leftover",
        "/var/opt/kaspersky": "leftover",
        "/var/opt/kaspersky/kesl": "leftover",
        "/etc/opt/kaspersky": "leftover",
    }
    assert at(result, "/opt/kaspersky").details == {"program": "/opt/kaspersky/kesl/bin/kesl-control"}
    assert at(result, "/opt/kaspersky/kesl").name == "kesl"


def test_standard_folders_are_no_vendors(tree: Tree) -> None:
    tree.write("/usr/local/bin/tool", mode=0o755)
    tree.folder("/usr/local/share/man")
    tree.link("/usr/local/man", "share/man")
    tree.write("/opt/tool.run", mode=0o755)
    tree.write("/opt/idea/bin/idea.sh", mode=0o755)
    tree.write("/opt/idea/help/index.html", mode=0o644)
    result = run("vendor_folders", tree.host())
    assert states(result) == {"/opt/idea": "installed", "/opt/idea/help": "installed"}
    assert result.run.left_out == {"a standard folder": 4, "a file, not a folder": 1}


def test_data_is_no_program_whatever_its_mode(tree: Tree) -> None:
    tree.write("/opt/vendor/app/settings.XML", mode=0o777)
    assert set(states(run("vendor_folders", tree.host())).values()) == {"leftover"}


def test_links(tree: Tree) -> None:
    tree.write("/opt/app-2.0/run", mode=0o755)
    tree.link("/opt/app", "app-2.0")
    tree.write("/data/kaspersky/kesl/bin/kesl", mode=0o755)
    tree.link("/opt/kaspersky", "/data/kaspersky")
    tree.link("/opt/lost", "/data/lost")
    tree.link("/opt/circle", "/opt")
    tree.link("/opt/file", "app-2.0/run")
    tree.link("/opt/wrapper/kaspersky", "../kaspersky")
    tree.link("/opt/wrapper/app", "../app-2.0")
    result = run("vendor_folders", tree.host())
    assert states(result) == {
        "/opt/app-2.0": "installed",
        "/opt/app": "installed",
        "/opt/kaspersky": "installed",
        "/opt/kaspersky/kesl": "installed",
        "/opt/lost": "leftover",
        "/opt/circle": "installed",
        "/opt/wrapper": "installed",
        "/opt/wrapper/app": "installed",
        "/opt/wrapper/kaspersky": "installed",
    }
    assert at(result, "/opt/app").details == {"program": "/opt/app-2.0/run", "link": "app-2.0"}
    assert result.run.left_out == {"a file, not a folder": 1}


def test_folders_of_users(tree: Tree) -> None:
    tree.write("/home/ada/.local/opt/app/run", mode=0o755)
    tree.write("/root/opt/app/run", mode=0o755)
    result = run("vendor_folders", tree.host())
    assert {(item.path, item.user) for item in result.items} == {
        ("/home/ada/.local/opt/app", "ada"),
        ("/root/opt/app", "root"),
    }


def test_kernel_modules_on_the_way(tree: Tree) -> None:
    tree.write("/opt/kaspersky/kesl/drivers/kl-flt.ko", mode=0o644)
    tree.write("/opt/kaspersky/kesl/drivers/packed.ko.xz", mode=0o644)
    result = run("vendor_folders", tree.host())
    assert {(item.name, item.path) for item in result.items if item.kind == "driver"} == {
        ("kl_flt", "/opt/kaspersky/kesl/drivers/kl-flt.ko"),
        ("packed", "/opt/kaspersky/kesl/drivers/packed.ko.xz"),
    }


def test_search_is_bounded_and_then_says_nothing_is_gone(tree: Tree) -> None:
    for number in range(700):
        tree.write(f"/opt/big/data/{number}", mode=0o644)
    for number in range(700):
        tree.write(f"/opt/vast/{number}", mode=0o644)
    tree.write("/opt/zero/data/file", mode=0o644)
    result = run("vendor_folders", tree.host())
    note = "too many files to check each"
    assert {item.path: (item.state, item.details.get("note", "")) for item in result.items} == {
        "/opt/big": ("installed", note),
        "/opt/big/data": ("installed", note),
        "/opt/vast": ("installed", note),
        "/opt/zero": ("installed", note),
        "/opt/zero/data": ("installed", note),
    }


def test_what_cannot_be_read_is_not_called_gone(tree: Tree) -> None:
    tree.folder("/opt/share-point/x")
    tree.folder("/opt/kaspersky/kesl")
    plain = tree.host()
    files = PosixFiles(str(tree.root), {"/opt/share-point": "nfs4", "/opt/kaspersky/kesl": "fuse.sshfs"})
    result = run("vendor_folders", Host(plain.info, files, plain.users))
    assert states(result) == {
        "/opt/share-point": "installed",
        "/opt/kaspersky": "installed",
        "/opt/kaspersky/kesl": "installed",
    }
    assert {problem.where for problem in result.problems} == {"/opt/share-point", "/opt/kaspersky/kesl"}


def test_a_link_of_another_user_hides_no_folder(tree: Tree) -> None:
    tree.write("/etc/passwd", "bob:x:1:1::/home/bob:/bin/sh\neve:x:2:2::/home/eve:/bin/sh\n")
    tree.write("/home/bob/opt/kaspersky/kesl/drivers/kl-flt.ko", mode=0o644)
    tree.link("/home/eve/opt/harmless", "/home/bob/opt/kaspersky")
    tree.link("/home/eve/.local/opt", "/home/bob/opt")
    result = run("vendor_folders", tree.host())
    assert {item.path for item in result.items if item.user == "bob"} == {
        "/home/bob/opt/kaspersky",
        "/home/bob/opt/kaspersky/kesl",
        "/home/bob/opt/kaspersky/kesl/drivers/kl-flt.ko",
    }


def test_a_link_of_another_user_changes_no_state(tree: Tree) -> None:
    tree.write("/etc/passwd", "bob:x:1:1::/home/bob:/bin/sh\neve:x:2:2::/home/eve:/bin/sh\n")
    tree.folder("/home/bob/opt/kaspersky/kesl")
    tree.link("/home/eve/opt", "/home/bob/opt/kaspersky/kesl")
    result = run("vendor_folders", tree.host())
    assert states(result) == {"/home/bob/opt/kaspersky": "leftover", "/home/bob/opt/kaspersky/kesl": "leftover"}
