"""Scheduled tasks: files in every encoding, those of a real machine, and what only the registry knows."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.host.filesystem.windows import WindowsFiles
from phaseout.host.registry.memory import registry_in_memory
from phaseout.host.windows.opening import windows_host
from phaseout.model.nouns import Evidence, Problem
from phaseout.parsers.windows.registry_values import Value
from phaseout.parsers.windows.task_xml import Action

from tests.support.harness import run
from tests.support.job_writer import old_job
from tests.support.trees import WindowsTree
from tests.unit.parsers.windows.test_task_actions import stored

TASKS = r"C:\Windows\System32\Tasks"
CACHE = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache"
ID = "{84F0FAE1-C27B-4F6F-807B-28CF6F96287D}"


def xml(*actions: str, author: str = "", user: str = "S-1-5-18", rest: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-16"?>\n<Task>'
        f"<RegistrationInfo><Author>{author}</Author></RegistrationInfo>"
        f"<Principals><Principal><UserId>{user}</UserId></Principal></Principals>{rest}"
        f"<Actions>{''.join(actions)}</Actions></Task>"
    )


def execute(command: str, arguments: str = "") -> str:
    return f"<Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec>"


def test_a_whole_task(windows_tree: WindowsTree) -> None:
    program = r"C:\Program Files (x86)\Kaspersky Lab\KES\avp.exe"
    windows_tree.write(program)
    task = xml(
        execute(program, "/update"),
        execute("sc.exe", "start x"),
        f"<ComHandler><ClassId>{ID.lower()}</ClassId></ComHandler>",
        author="Kaspersky",
        rest="<Settings><Enabled>false</Enabled></Settings>",
    )
    windows_tree.write(rf"{TASKS}\Kaspersky\Update", task.encode("utf-16"))
    result = run("scheduled_tasks", windows_tree.host())
    assert {(item.name, item.vendor, item.user, item.state) for item in result.items} == {
        ("Update", "Kaspersky", "SYSTEM", "installed")
    }
    assert sorted((item.path, item.command, item.ids.get("clsid")) for item in result.items) == [
        ("", "", ID),
        ("", "sc.exe start x", None),
        (program, f"{program} /update", None),
    ]
    assert result.items[0].details == {"folder": r"\Kaspersky", "author": "Kaspersky", "enabled": "no"}
    assert result.items[0].evidence == (Evidence(rf"{TASKS}\Kaspersky\Update", "Kaspersky"),)


def test_users_and_their_variables(windows_tree: WindowsTree) -> None:
    told = {"a": WindowsTree.ADA, "b": r"MACHINE\ada", "c": r"NT AUTHORITY\SYSTEM", "d": "S-1-5-21-9", "e": ""}
    for name, user in told.items():
        windows_tree.write(rf"{TASKS}\{name}", xml(execute(r"%LocalAppData%\x.exe"), user=user).encode("utf-16"))
    found = {item.name: (item.user, item.path) for item in run("scheduled_tasks", windows_tree.host()).items}
    mine = r"C:\Users\ada\AppData\Local\x.exe"
    assert found == {
        "a": ("ada", mine),
        "b": ("ada", mine),
        "c": ("SYSTEM", ""),
        "d": ("S-1-5-21-9", ""),
        "e": ("", ""),
    }


def test_an_author_who_is_a_person_is_no_vendor(windows_tree: WindowsTree) -> None:
    for name, author in (("a", r"MACHINE\bob"), ("b", "ada"), ("c", "$(@%SystemRoot%\\x.dll,-1)"), ("d", "Contoso")):
        windows_tree.write(rf"{TASKS}\{name}", xml(author=author))
    items = run("scheduled_tasks", windows_tree.host()).items
    assert [item.vendor for item in items] == ["", "", "", "Contoso"]


def test_damaged_and_gone(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{TASKS}\bad", b"\xff\xfe<\0")
    windows_tree.write(rf"{TASKS}\entity", '<!DOCTYPE x [<!ENTITY a "b">]><Task/>')
    windows_tree.write(rf"{TASKS}\good", xml(execute(r'"C:\gone\x.exe"')))
    windows_tree.write(rf"{TASKS}\large", b" " * ((1 << 20) + 1))
    windows_tree.write(r"C:\Windows\Tasks\old.job")
    windows_tree.write(r"C:\Windows\Tasks\SA.DAT")
    result = run("scheduled_tasks", windows_tree.host())
    assert [(item.name, item.state, item.details) for item in result.items] == [("good", "leftover", {"folder": "\\"})]
    assert result.run.left_out == {"damaged": 4}
    places = {rf"{TASKS}\{name}" for name in ("bad", "entity", "large")}
    assert {problem.where for problem in result.problems} == places | {r"C:\Windows\Tasks\old.job"}
    assert all(problem.hides for problem in result.problems)


def test_a_damaged_file_is_made_up_for_by_the_registry(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Program Files\Acme\upd.exe")
    for name, content in (("cut", xml(execute("x.exe"))[:90]), ("large", b" " * ((1 << 20) + 1))):
        windows_tree.write(rf"{TASKS}\{name}", content)
        action = stored(3, Action(r"C:\Program Files\Acme\upd.exe", "-x"))
        windows_tree.key(rf"{CACHE}\Tasks\{name}", {"Path": rf"\{name}", "Actions": action, "Author": "Acme"})
    result = run("scheduled_tasks", windows_tree.host())
    assert [(item.name, item.path, item.command, item.vendor, item.state) for item in result.items] == [
        (name, r"C:\Program Files\Acme\upd.exe", r"C:\Program Files\Acme\upd.exe -x", "Acme", "installed")
        for name in ("cut", "large")
    ]
    assert {item.notes for item in result.items} == {("its file is not readable: read from the registry",)}
    assert [(problem.where, problem.hides) for problem in result.problems] == [
        (rf"{TASKS}\cut", False),
        (rf"{TASKS}\large", False),
    ]
    assert result.run.left_out == {}


def test_jobs_of_the_scheduler_before_vista(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Windows\Tasks\Acme Updater.job", old_job(r"C:\Program Files\Acme\upd.exe", "/ua", "Acme"))
    windows_tree.write(r"C:\Windows\Tasks\SA.DAT", b"x")
    (item,) = run("scheduled_tasks", windows_tree.host()).items
    assert (item.name, item.path, item.command, item.vendor, item.state) == (
        "Acme Updater",
        r"C:\Program Files\Acme\upd.exe",
        r"C:\Program Files\Acme\upd.exe /ua",
        "Acme",
        "leftover",
    )


def test_what_only_the_registry_knows(windows_tree: WindowsTree) -> None:
    windows_tree.write(rf"{TASKS}\Vendor\Known", xml(execute("x.exe")))
    cached: dict[str, dict[str, Value]] = {
        "{1}": {"Path": r"\vendor\known", "Actions": b"\0"},
        "{2}": {"Path": r"\Vendor\Hidden", "Author": "Contoso", "Actions": stored(3, Action(r"C:\x\y.exe", "-z"))},
        "{3}": {"Path": r"\Broken", "Actions": b"\x09\0"},
        ID: {"Hash": b"x"},
        "{5}": {},
    }
    for name, values in cached.items():
        windows_tree.key(rf"{CACHE}\Tasks\{name}", values)
    result = run("scheduled_tasks", windows_tree.host())
    assert [(item.name, item.command, item.state) for item in result.items] == [
        ("Broken", "", "installed"),
        ("Hidden", r"C:\x\y.exe -z", "leftover"),
        ("Known", "x.exe", "installed"),
        (ID, "", "installed"),
    ]
    hidden = result.one("Hidden")
    assert (hidden.vendor, hidden.path, hidden.notes) == ("Contoso", r"C:\x\y.exe", ("in the registry only",))
    assert result.problems == (Problem(rf"{CACHE}\Tasks\{{3}}", "Actions: actions of version 9", "damaged"),)
    assert result.run.left_out == {"an empty entry": 1, "damaged": 1}


@pytest.mark.slow
def test_real_machine(windows_tree: WindowsTree, corpora: Path) -> None:
    """All tasks of a Windows 10 machine, and two of a server, as attackers leave them."""
    top = windows_tree.folder(r"C:\Windows\System32\Tasks")
    real = corpora / "tasks" / "Windows" / "ScheduledTasks"
    files = [path for path in real.rglob("*") if path.is_file() and path.suffix != ".md"]
    for path in files:
        copy = top / path.relative_to(real)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    result = run("scheduled_tasks", windows_tree.host())
    assert (len(files), len(result.items), result.run.left_out, result.problems) == (204, 204, {}, ())
    assert Counter(bool(item.ids) for item in result.items) == {True: 112, False: 92}
    assert sum(item.details.get("enabled") == "no" for item in result.items) == 33
    users = Counter(item.user or "a group" for item in result.items)
    assert (users["SYSTEM"], users["LOCAL SERVICE"], users["NETWORK SERVICE"], users["a group"]) == (124, 7, 4, 64)
    named = [item for item in result.items if item.command and not item.path]
    assert {item.command.split()[0] for item in named} == {
        "BthUdTask.exe", "powershell.exe", "sc.exe", r"%localappdata%\Microsoft\OneDrive\OneDriveStandaloneUpdater.exe",
    }  # fmt: skip


VALUE = st.one_of(st.text(max_size=12), st.integers(0, 1 << 64), st.binary(max_size=8), st.just(("a", "b")))
NAME = st.sampled_from(["Path", "Actions", "Author", "Description", "Enabled", ""])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["{1}", ID, "x"]), st.dictionaries(NAME, VALUE)))
def test_nothing_raises(keys: dict[str, dict[str, Value]]) -> None:
    files = WindowsFiles("/nonexistent", {"C": ""})
    tree = {rf"{CACHE}\Tasks\{name}": values for name, values in keys.items()}
    run("scheduled_tasks", windows_host(registry_in_memory(tree, files), files, r"C:\Windows", root="/nonexistent"))
