"""Tasks of the Windows task scheduler as it writes them to disk.

References:
    [MS-TSCH] 2.5 (Task Scheduler schema); https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
"""

from typing import NamedTuple

from phaseout.parsers.encodings.xml_elements import elements


class Action(NamedTuple):
    """What a task does: a command line in parts, or the class of a COM object; all empty for a mail or a message."""

    command: str = ""
    arguments: str = ""
    clsid: str = ""


class Task(NamedTuple):
    """One task. `user` and `group` are SIDs or names; at most one of the two has a value."""

    author: str
    description: str
    user: str
    group: str
    enabled: bool
    actions: tuple[Action, ...]


_OTHER = ("Task/Actions/SendEmail", "Task/Actions/ShowMessage")


def task(data: bytes) -> Task:
    """The task of a file.

    Raises:
        ValueError: the file is no XML, or holds something else.
    """
    found: dict[str, str] = {}
    actions: list[Action] = []
    path = ""
    for path, _, text in elements(data):
        if path == "Task/Actions/Exec":
            actions.append(Action(found.pop(f"{path}/Command", ""), found.pop(f"{path}/Arguments", "")))
        elif path == "Task/Actions/ComHandler":
            actions.append(Action(clsid=found.pop(f"{path}/ClassId", "")))
        elif path in _OTHER:
            actions.append(Action())
        else:
            found.setdefault(path, text)
    if path != "Task":
        raise ValueError(f"no task but {path.partition('/')[0][:40]}")
    principal = "Task/Principals/Principal"
    return Task(
        author=found.get("Task/RegistrationInfo/Author", ""),
        description=found.get("Task/RegistrationInfo/Description", ""),
        user=found.get(f"{principal}/UserId", ""),
        group=found.get(f"{principal}/GroupId", ""),
        enabled=found.get("Task/Settings/Enabled", "").lower() not in {"false", "0"},
        actions=tuple(actions),
    )
