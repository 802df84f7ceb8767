"""Jobs of cron: the system's, users', anacron's, and the folders of a period."""

from pathlib import Path

from phaseout.host.opening import live_host
from phaseout.model.nouns import Evidence, Problem

from tests.support.harness import run
from tests.support.trees import Tree

CONTROL = "/opt/kaspersky/kesl/bin/kesl-control"


def test_jobs_of_the_system(tree: Tree) -> None:
    tree.write(CONTROL)
    tree.write("/etc/crontab", f"# the system's\nSHELL=/bin/sh\n17 * * * * root {CONTROL} --update\nbroken line\n")
    tree.write("/etc/cron.d/kesl", "@reboot kluser test -x /opt/gone && /opt/gone\n")
    tree.write("/etc/cron.d/.placeholder", "# nothing\n")
    result = run("cron", tree.host())
    update = result.one("kesl-control")
    assert (update.kind, update.path, update.user, update.state) == ("task", CONTROL, "root", "installed")
    assert (update.command, update.details["schedule"]) == (f"{CONTROL} --update", "17 * * * *")
    assert update.evidence == (Evidence("/etc/crontab:3", f"17 * * * * {CONTROL} --update"),)
    gone = result.one("kesl")
    assert (gone.path, gone.user, gone.state) == ("/opt/gone", "kluser", "leftover")
    assert result.run.left_out == {"a comment": 1, "a setting": 1, "damaged": 1, "a placeholder": 1}
    assert result.problems == (Problem("/etc/crontab:4", "not a line of a crontab", "damaged"),)


def test_crontabs_of_users(tree: Tree) -> None:
    tree.write("/var/spool/cron/crontabs/ada", "0 1 * * * backup now\n")
    tree.write("/var/spool/cron/bob", "0 2 * * * backup now\n")
    tree.link("/etc/crontabs", "/var/spool/cron/crontabs")
    job = "# atrun uid=1000 gid=1000\ncd /root || {\n exit 1\n}\n/opt/gone --now\n"
    tree.write("/var/spool/cron/atjobs/a0001", "#!/bin/sh\n" + job)
    tree.link("/var/spool/at", "cron/atjobs")
    tree.write("/var/spool/cron/atjobs/.SEQ", "1\n")
    result = run("cron", tree.host())
    users = [(item.name, item.user) for item in result.items]
    assert users == [("backup now", "ada"), ("backup now", "bob"), ("gone", "ada")]
    once = result.one("gone")
    assert (once.path, once.state, once.command) == ("/opt/gone", "leftover", "/opt/gone --now")
    assert once.details["schedule"] == "once"
    assert result.run.left_out == {}


def test_anacron(tree: Tree) -> None:
    tree.write("/etc/anacrontab", "1 5 cron.daily nice run-parts /etc/cron.daily\n")
    (item,) = run("cron", tree.host()).items
    assert (item.name, item.user, item.details["schedule"]) == ("cron.daily", "root", "1")


def test_scripts_of_a_period(tree: Tree) -> None:
    tree.write("/etc/cron.daily/kesl", "#!/bin/sh\n", 0o755)
    tree.write("/etc/cron.daily/kesl.sh", "#!/bin/sh\n", 0o755)
    tree.write("/etc/cron.weekly/plain", "#!/bin/sh\n", 0o644)
    tree.link("/etc/cron.hourly/lost", "/opt/kaspersky/lost")
    tree.write("/etc/cron.daily/.placeholder")

    def notes() -> dict[str, tuple[str, str]]:
        return {item.name: (item.state, item.details.get("note", "")) for item in run("cron", tree.host()).items}

    expected = {
        "kesl": ("installed", ""),
        "kesl.sh": ("installed", ""),
        "plain": ("installed", "ignored by run-parts: not executable"),
        "lost": ("leftover", ""),
    }
    assert notes() == expected
    tree.write("/etc/debian_version", "12.5\n")
    assert notes() == expected | {"kesl.sh": ("installed", "ignored by run-parts: its name")}
    assert run("cron", tree.host()).run.left_out == {"a placeholder": 1}


def test_hostile_crontabs_cost_nothing_but_themselves(tree: Tree) -> None:
    tree.folder("/bin")
    tree.write("/etc/crontab", bytes(range(256)) * 9)
    tree.write("/etc/cron.d/large", b"#" * (2 << 20))
    tree.link("/etc/cron.d/lost", "/opt/gone")
    tree.fifo("/etc/cron.d/fifo")
    tree.folder("/etc/cron.daily/folder")
    tree.write("/var/spool/cron/crontabs/ada", "* * * * * /bin/x\n")
    result = run("cron", tree.host())
    assert {(item.name, item.state) for item in result.items if item.user != "root"} == {
        ("x", "leftover"),
        ("lost", "leftover"),
    }
    assert {problem.where for problem in result.problems} >= {"/etc/cron.d/large", "/etc/cron.d/fifo"}
    assert result.run.left_out["a folder"] == 1


def test_scripts_of_this_machine_are_items() -> None:
    scripts = {str(path) for path in Path("/etc").glob("cron.daily/*") if path.name[0] != "." and path.is_file()}
    assert scripts <= {item.path for item in run("cron", live_host()).items}


def test_folders_behind_links_are_no_crontabs(tree: Tree) -> None:
    """Alpine's /var/spool/cron/crontabs is a link to /etc/crontabs."""
    tree.write("/etc/crontabs/root", "0 2 * * * /opt/av/scan\n")
    tree.link("/var/spool/cron/crontabs", "/etc/crontabs")
    tree.link("/etc/cron.d/jobs", "/etc/crontabs")
    result = run("cron", tree.host())
    assert [item.path for item in result.items] == ["/opt/av/scan"]
    assert result.run.status == "ok"
