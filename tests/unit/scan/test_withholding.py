"""What only root may read is not quoted."""

from pathlib import Path

import pytest
from phaseout.model.nouns import Item

from tests.support.harness import run
from tests.support.trees import Tree

NOTE = "only root may read where this stands: it is not quoted"
CRON = "5 4 * * * sh -c '/opt/kaspersky/kesl/bin/kesl hunter2 /etc/kesl.conf' >/dev/null\n"


@pytest.fixture(autouse=True)
def everything_is_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if an ordinary user runs the tests."""
    from phaseout.host.filesystem.stored_files import StoredFiles

    stat = StoredFiles.stat
    monkeypatch.setattr(
        StoredFiles, "stat", lambda self, path: found._replace(uid=0) if (found := stat(self, path)) else None
    )


def crontab(tree: Tree, mode: int, above: int = 0o755) -> Item:
    path = Path(tree.root) / "var/spool/cron/crontabs/root"
    tree.write("/var/spool/cron/crontabs/root", CRON)
    path.chmod(mode)
    path.parent.chmod(above)
    (item,) = run("cron", tree.host()).items
    path.parent.chmod(0o755)
    return item


@pytest.mark.parametrize(("mode", "above"), [(0o600, 0o755), (0o640, 0o755), (0o644, 0o700)])
def test_of_a_command_in_a_private_file_the_program_and_the_paths_remain(tree: Tree, mode: int, above: int) -> None:
    item = crontab(tree, mode, above)
    assert item.command == "sh … /opt/kaspersky/kesl/bin/kesl … /etc/kesl.conf /dev/null"
    assert "hunter2" not in repr(item)
    assert item.notes == (NOTE,)
    assert [(one.where, one.what) for one in item.evidence] == [("/var/spool/cron/crontabs/root:1", "")]


def test_what_everybody_may_read_is_quoted(tree: Tree) -> None:
    item = crontab(tree, 0o644)
    assert "hunter2" in item.command
    assert item.notes == ()


def test_a_private_addition_to_a_unit_that_everybody_may_read(tree: Tree) -> None:
    tree.write("/etc/systemd/system/agent.service", "[Service]\nExecStart=/usr/bin/agent\n")
    tree.write(
        "/etc/systemd/system/agent.service.d/own.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/agent hunter2\n"
    )
    (Path(tree.root) / "etc/systemd/system/agent.service.d/own.conf").chmod(0o600)
    (item,) = run("systemd", tree.host()).items
    assert (item.command, item.path) == ("/usr/bin/agent …", "/usr/bin/agent")
    assert "hunter2" not in repr(item)
