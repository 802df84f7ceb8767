"""What starts programs of macOS besides launchd, and whose these are."""

from collections.abc import Callable

import pytest

from tests.support.harness import run
from tests.support.macho_writer import signed_macho
from tests.support.trees import MacTree

AGENT = "/private/var/kit/agent"
SIGNED = signed_macho("com.kit.agent", "2Y8XE5CQ94", "Kaspersky Lab UK Limited")
WINDOW = "Library/Preferences/com.apple.loginwindow.plist"


def text(path: str, content: str) -> Callable[[MacTree], None]:
    return lambda tree: void(tree.write(path, content))


def void(_: object) -> None:
    pass


def plist(path: str, value: dict[str, object] | list[object]) -> Callable[[MacTree], None]:
    return lambda tree: void(tree.plist(path, value))


RULE = {"name": "k", "actions": [{"type": "RunCommand", "command": AGENT, "arguments": ["-q"], "user": "root"}]}
JOBS = {
    "a table of a user": text("/private/var/at/tabs/ada", f"# mine\n0 1 * * * {AGENT} --scan\n"),
    "the table of the system": text("/etc/crontab", f"@daily root {AGENT} --scan\n"),
    "a script of a period": text("/etc/periodic/daily/500.kit", f"#!/bin/sh\n{AGENT} --scan\n"),
    "a period of the administrator": text("/usr/local/etc/periodic/weekly/kit", f"#!/bin/sh\nexec {AGENT}\n"),
    "a rule of emond": plist("/etc/emond.d/rules/kit.plist", [RULE]),
    "a hook of the machine": plist(f"/{WINDOW}", {"LoginHook": AGENT}),
    "a hook of root": plist(f"/private/var/root/{WINDOW}", {"LogoutHook": f"{AGENT} -q"}),
    "a hook of a user": plist(f"/Users/ada/{WINDOW}", {"LoginHook": f"/bin/sh -c '{AGENT}'"}),
    "a start script": text("/etc/rc.common", f"# old\n{AGENT} &\n"),
}


@pytest.mark.parametrize("name", JOBS)
def test_the_signer_of_what_is_started(name: str, mac_tree: MacTree) -> None:
    mac_tree.write(AGENT, SIGNED, 0o755)
    JOBS[name](mac_tree)
    signers = {item.signer for item in run("scheduled_jobs", mac_tree.host()).items if item.path == AGENT}
    assert signers == {"Developer ID Application: Kaspersky Lab UK Limited (2Y8XE5CQ94)"}


def test_rules_elsewhere_and_periods_elsewhere(mac_tree: MacTree) -> None:
    mac_tree.plist("/etc/emond.d/emond.plist", {"config": {"additionalRulesPaths": ["/opt/rules"]}})
    mac_tree.plist("/opt/rules/kit.plist", [{**RULE, "enabled": False}])
    mac_tree.write("/etc/periodic.conf", 'local_periodic="/opt/periodic"\n')
    mac_tree.write("/opt/periodic/daily/kit", SIGNED, 0o755)
    found = {(item.path, item.details["type"]) for item in run("scheduled_jobs", mac_tree.host()).items}
    assert found == {(AGENT, "emond"), ("/opt/periodic/daily/kit", "periodic")}


def test_what_starts_nothing_is_counted(mac_tree: MacTree) -> None:
    mac_tree.write("/etc/crontab", "# nothing\nPATH=/bin\nhalf a line\n")
    mac_tree.plist("/etc/emond.d/rules/none.plist", [{"name": "none"}])
    mac_tree.write("/etc/emond.d/rules/bad.plist", "no list")
    result = run("scheduled_jobs", mac_tree.host())
    assert result.items == ()
    assert result.run.left_out == {"a comment": 1, "a setting": 2, "damaged": 2}
    assert [problem.where for problem in result.problems] == ["/etc/crontab:3", "/etc/emond.d/rules/bad.plist"]


def test_a_volume_that_is_not_here_hides_what_is_started(mac_tree: MacTree) -> None:
    mac_tree.plist(f"/{WINDOW}", {"LoginHook": "/Volumes/Tools/agent"})
    result = run("scheduled_jobs", mac_tree.host())
    assert [item.state for item in result.items] == ["installed"]
    (problem,) = result.problems
    assert (problem.where, problem.cause, problem.hides) == ("/Volumes/Tools", "missing", True)
