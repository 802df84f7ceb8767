"""Init scripts: levels, programs, and links that outlived their script."""

from pathlib import Path

import pytest
from phaseout.host.opening import live_host
from phaseout.model.nouns import Evidence

from tests.support.harness import run
from tests.support.trees import Tree

SCRIPT = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          kesl
# Short-Description: Kaspersky Endpoint Security
### END INIT INFO
NAME=kesl
DAEMON=/opt/kaspersky/kesl/libexec/$NAME
test -x $DAEMON || exit 0
"""
PROGRAM = "/opt/kaspersky/kesl/libexec/kesl"


def test_enabled_script(tree: Tree) -> None:
    tree.write("/etc/init.d/kesl", SCRIPT, 0o755)
    tree.write(PROGRAM)
    tree.link("/etc/rc3.d/S20kesl", "../init.d/kesl")
    tree.link("/etc/rc5.d/S20kesl", "../init.d/kesl")
    tree.link("/etc/rc6.d/K01kesl", "../init.d/kesl")
    tree.write("/lib/systemd/system/kesl.service")  # hides the script from systemd, not from us
    (item,) = run("sysv", tree.host()).items
    assert (item.kind, item.name, item.state, item.path) == ("service", "kesl", "installed", PROGRAM)
    assert item.command == "/etc/init.d/kesl"
    assert item.details == {
        "enabled": "yes",
        "levels": "3 5",
        "provides": "kesl",
        "description": "Kaspersky Endpoint Security",
    }
    assert item.evidence == (Evidence("/etc/init.d/kesl", PROGRAM),)


def test_script_whose_program_is_gone(tree: Tree) -> None:
    tree.write("/etc/init.d/kesl", SCRIPT)
    tree.link("/etc/rc6.d/K01kesl", "../init.d/kesl")
    item = run("sysv", tree.host()).one("kesl")
    assert (item.state, item.details["enabled"]) == ("leftover", "no")


def test_red_hat_keeps_its_scripts_below_rc_d(tree: Tree) -> None:
    tree.write("/etc/rc.d/init.d/klnagent", "#!/bin/bash\n# description: Agent \\\n# of something\nprog=klnagent\n")
    tree.write("/etc/rc.d/init.d/functions", "# -*-Shell-script-*-\n")
    tree.link("/etc/init.d", "rc.d/init.d")
    tree.link("/etc/rc.d/rc3.d/S90klnagent", "../init.d/klnagent")
    tree.link("/etc/rc3.d", "rc.d/rc3.d")
    result = run("sysv", tree.host())
    (item,) = result.items
    assert (item.path, item.details["levels"], item.details["description"]) == ("/etc/init.d/klnagent", "3", "Agent")
    assert result.run.left_out == {"not a program": 1}


def test_openrc(tree: Tree) -> None:
    tree.write("/etc/init.d/kesl", '#!/sbin/openrc-run\ndescription="x"\ncommand="/usr/bin/kesl --daemon"\n')
    tree.link("/etc/runlevels/default/kesl", "/etc/init.d/kesl")
    item = run("sysv", tree.host()).one("kesl")
    assert (item.path, item.details["levels"]) == ("/usr/bin/kesl", "default")


def test_what_is_left_of_a_script(tree: Tree) -> None:
    tree.link("/etc/rc3.d/S20kesl", "../init.d/kesl")
    tree.link("/etc/rc5.d/S20kesl", "../init.d/kesl")
    tree.link("/etc/init.d/klnagent", "/opt/kaspersky/klnagent/init")
    tree.write("/etc/init.d/other.sh", "#!/bin/sh\n")
    tree.link("/etc/rc3.d/S30other", "../init.d/other.sh")
    result = run("sysv", tree.host())
    assert {(item.name, item.state, item.details.get("levels", "")) for item in result.items} == {
        ("kesl", "leftover", "3 5"),
        ("klnagent", "leftover", ""),
        ("other.sh", "installed", "3"),
    }


def test_hostile_scripts_cost_nothing_but_themselves(tree: Tree) -> None:
    tree.write("/etc/init.d/README", "text")
    tree.write("/etc/init.d/binary", b"\x7fELF" + bytes(range(256)))
    tree.write("/etc/init.d/garbage", b"#!" + bytes(range(256)) * 999)
    tree.fifo("/etc/init.d/fifo")
    tree.write("/etc/rc3.d/S", "")
    tree.write("/etc/rc3.d/Sxxfoo", "")
    result = run("sysv", tree.host())
    assert result.names() == ["binary", "fifo", "garbage"]
    assert result.run.left_out == {"not a program": 1}
    assert [problem.where for problem in result.problems] == ["/etc/init.d/fifo"]


def test_every_script_of_this_machine_is_an_item() -> None:
    folder = Path("/etc/init.d")
    if not folder.is_dir():
        pytest.skip("this machine has no init scripts")
    scripts = {path.name for path in folder.iterdir() if path.is_file() and path.read_bytes().startswith(b"#!")}
    assert scripts <= set(run("sysv", live_host()).names())
