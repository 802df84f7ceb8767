"""What starts with the system beside systemd and SysV scripts."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phaseout.sources.kit.missing_files import MissingFiles
from phaseout.sources.linux.boot_scripts import _line

from tests.support.harness import run
from tests.support.trees import Tree

AGENT = "/opt/kaspersky/klnagent64/sbin/klnagent"


@pytest.mark.parametrize(
    ("path", "text", "kind", "name"),
    [
        ("/etc/rc.local", f"#!/bin/sh -e\n# {AGENT} was here\n{AGENT} &\nexit 0\n", "task", "klnagent"),
        ("/etc/rc.d/rc.local", f"test -x {AGENT} && {AGENT}\n", "task", "klnagent"),
        ("/etc/rc.local", f"/bin/sh -c '{AGENT} -d' >/dev/null\n", "task", "klnagent"),
        ("/etc/inittab", f"id:3:initdefault:\nka:2345:respawn:{AGENT} -n\nx:3:off:/opt/other\n", "task", "klnagent"),
        ("/etc/sv/agent/run", f"#!/bin/sh\nexec 2>&1\nexec chpst -u root {AGENT}\n", "service", "agent"),
        ("/etc/dinit.d/agent", f"type = process\ncommand = {AGENT} -n\n", "service", "agent"),
        ("/etc/init/agent.conf", f'description "x"\nexec {AGENT}\n', "service", "agent"),
    ],
)
def test_what_is_started_is_listed(tree: Tree, path: str, text: str, kind: str, name: str) -> None:
    tree.write(path, text)
    tree.write(AGENT)
    (item,) = run("boot_scripts", tree.host()).items
    assert (item.kind, item.name, item.path, item.state) == (kind, name, AGENT, "installed")


def test_what_is_gone_is_a_leftover(tree: Tree) -> None:
    tree.write("/etc/rc.local", f"{AGENT} &\n")
    tree.folder("/opt/kaspersky")
    assert [item.state for item in run("boot_scripts", tree.host()).items] == ["leftover"]


def test_the_script_of_debian_starts_nothing(tree: Tree) -> None:
    tree.write("/etc/rc.local", "#!/bin/sh -e\n#\n# rc.local\n#\n\nexit 0\n")
    found = run("boot_scripts", tree.host())
    assert (found.items, found.run.left_out) == ((), {"not a program": 1})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(line=st.text(max_size=300))
def test_every_line_is_an_item_or_left_out(tree: Tree, line: str) -> None:
    assert len(list(_line(MissingFiles(tree.host()), line, "task", "", "x"))) == 1
