"""Task files: made ones, real ones, and none."""

import contextlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.windows.task_xml import Action, Task, task

HEAD = '<?xml version="1.0" encoding="UTF-16"?>\n<Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">'
TASK = f"""{HEAD}
  <RegistrationInfo><Author>Kaspersky</Author><Description>Updates &amp; more</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>false</Enabled></LogonTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>S-1-5-18</UserId></Principal></Principals>
  <Settings><Enabled>true</Enabled></Settings>
  <Actions Context="Author">
    <Exec><Command>"C:\\a b\\x.exe"</Command><Arguments>/u</Arguments></Exec>
    <Exec><Command>y.exe</Command></Exec>
    <ComHandler><ClassId>{{84F0FAE1-C27B-4F6F-807B-28CF6F96287D}}</ClassId></ComHandler>
    <ShowMessage><Body>hi</Body></ShowMessage>
  </Actions>
</Task>"""


def test_a_whole_task() -> None:
    assert task(TASK.encode("utf-16")) == Task(
        "Kaspersky",
        "Updates & more",
        "S-1-5-18",
        "",
        True,
        (
            Action('"C:\\a b\\x.exe"', "/u"),
            Action("y.exe"),
            Action(clsid="{84F0FAE1-C27B-4F6F-807B-28CF6F96287D}"),
            Action(),
        ),
    )


@pytest.mark.parametrize(("told", "enabled"), [("false", False), (" False ", False), ("0", False), ("true", True)])
def test_switched_off(told: str, enabled: bool) -> None:
    assert task(f"{HEAD}<Settings><Enabled>{told}</Enabled></Settings></Task>".encode()).enabled is enabled


def test_what_is_no_task() -> None:
    for data in (b"<Job/>", b"", HEAD.encode(), b"\xff\xfe"):
        with pytest.raises(ValueError):
            task(data)


def test_real_tasks(corpora: Path) -> None:
    """All tasks of two machines, 112 of which are COM objects."""
    files = [path for path in (corpora / "tasks" / "Windows").rglob("*") if path.is_file() and path.suffix != ".md"]
    found = [task(path.read_bytes()) for path in files]
    assert len(found) == 204
    assert Counter(bool(action.clsid) for one in found for action in one.actions) == {True: 112, False: 92}
    assert all(len(one.actions) == 1 for one in found)
    assert sum(not one.enabled for one in found) == 33
    assert sum(bool(one.user) != bool(one.group) for one in found) == 204


@settings(max_examples=50)
@given(st.text(st.characters(categories=("L", "N", "P", "Zs"))), st.sampled_from(["utf-8", "utf-16", "utf-16-le"]))
def test_texts_survive(text: str, encoding: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    data = f"{HEAD}<Actions><Exec><Command>{escaped}</Command></Exec></Actions></Task>".encode(encoding)
    assert task(data).actions == (Action(text.strip()),)


@given(st.integers(0, len(TASK.encode("utf-16"))), st.binary(max_size=4))
def test_damaged_ones_raise_nothing_else(at: int, instead: bytes) -> None:
    data = TASK.encode("utf-16")
    with contextlib.suppress(ValueError):
        task(data[:at] + instead + data[at + len(instead) + 1 :])
