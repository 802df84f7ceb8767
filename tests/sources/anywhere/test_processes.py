"""Processes really running here, and those of Windows by what their files say."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scanner.host import Host
from scanner.host.processes import Process, modules, processes
from scanner.host.target import live_host
from tests.conftest import WindowsTree, run
from tests.pe_writer import ENGLISH, executable


def test_equals_what_the_kernel_lists() -> None:
    before = set(psutil.pids())
    result = run("processes", live_host())
    after = set(psutil.pids())
    seen = {int(item.details["pid"]) for item in result.items}
    assert before & after <= seen
    assert os.getpid() in seen


def test_attributes_of_a_real_process(tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("sleep") or "/bin/sleep", tmp_path / "kesl")
    with subprocess.Popen([str(program), "60"]) as child:
        try:
            (item,) = (one for one in run("processes", live_host()).items if one.details["pid"] == str(child.pid))
            assert (item.name, item.path, item.command) == ("kesl", str(program), f"{program} 60")
            assert item.state == "running"
            assert "deleted" not in item.details
            Path(program).unlink()
            (item,) = (one for one in run("processes", live_host()).items if one.details["pid"] == str(child.pid))
            assert item.path == str(program)
            assert item.details["deleted"]
        finally:
            child.kill()


def test_unreadable_attributes_do_not_lose_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: psutil.Process) -> str:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "create_time", refuse)
    monkeypatch.setattr(psutil.Process, "name", refuse)
    mine = next(process for process in processes({}) if process.pid == os.getpid())
    assert mine.unreadable == ("name", "started")
    assert mine.command
    assert mine.name == mine.exe.rpartition("/")[2]


def with_modules() -> Host:
    host = live_host()
    host.modules = modules
    return host


def test_a_library_is_one_item_with_the_processes_that_loaded_it(tmp_path: Path) -> None:
    real = next(path for path in modules(os.getpid()) or () if "/libc.so" in path or "/libc-" in path)
    copy = shutil.copy(real, tmp_path / "kav engine.so")
    code = f"import ctypes, sys; ctypes.CDLL({str(copy)!r}); print(flush=True); sys.stdin.read()"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        result = run("processes", with_modules())
        item = result.one("kav engine.so")
        assert (item.kind, item.state, item.path) == ("library", "running", str(copy))
        assert all(f"({child.pid})" in item.details["loaded_by"] for child in children)
        assert result.run.left_out["a library of the operating system"]
        assert not any(one.kind == "library" for one in run("processes", live_host()).items)
        Path(copy).unlink()
        assert str(copy) in (modules(children[0].pid) or ())
    finally:
        for child in children:
            child.communicate(b"")


def test_modules_of_this_process_are_those_that_the_loader_lists() -> None:
    class Loaded(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("name", ctypes.c_char_p))

    names: list[bytes] = []

    def take(one: Any, *_: object) -> int:
        names.append(one[0].name or b"")
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Loaded), ctypes.c_size_t, ctypes.c_void_p)
    ctypes.CDLL(None).dl_iterate_phdr(callback(take), None)
    wanted = {os.path.realpath(os.fsdecode(name)) for name in names if name.startswith(b"/")}
    assert wanted
    assert wanted <= (modules(os.getpid()) or set())
    assert modules(1 << 22) == frozenset()


ANVIL = r"C:\Program Files\Anvil\anvil.exe"
ENGINE = r"C:\Program Files\Anvil\engine.dll"
NOTEPAD = r"C:\Windows\notepad.exe"


def windows(tree: WindowsTree) -> Host:
    for path in (ANVIL, ENGINE, NOTEPAD):
        tree.write(path, executable({ENGLISH: {"CompanyName": "Anvil Works", "ProductVersion": "1.2"}}))
    host = tree.host()

    def found() -> Iterator[Process]:
        for pid, exe in ((4, ""), (8, ANVIL), (9, ANVIL), (10, NOTEPAD), (11, r"C:\gone.exe")):
            name = exe.rpartition("\\")[2] or "System"
            yield Process(
                pid=pid,
                name=name,
                exe=exe,
                command=(),
                uid=-1,
                user="ada",
                started=0.0,
                deleted=False,
                told=False,
                container="",
                kernel=not exe,
                unreadable=(),
            )

    host.processes = found
    host.modules = lambda pid: None if pid == 11 else frozenset((ANVIL, ENGINE, r"c:\windows\System32\ntdll.dll"))
    return host


def test_programs_outside_of_the_windows_folder_say_who_made_them(windows_tree: WindowsTree) -> None:
    result = run("processes", windows(windows_tree))
    assert [(one.name, one.vendor, one.version) for one in result.items if one.kind == "process"] == [
        ("System", "", ""),
        ("anvil.exe", "Anvil Works", "1.2"),
        ("anvil.exe", "Anvil Works", "1.2"),
        ("gone.exe", "", ""),
        ("notepad.exe", "", ""),
    ]
    engine = result.one("engine.dll")
    assert (engine.kind, engine.vendor, engine.version) == ("library", "Anvil Works", "1.2")
    assert engine.details["loaded_by"] == "anvil.exe (8), anvil.exe (9), notepad.exe (10)"
    assert result.run.left_out == {"a library of the operating system": 1}
    assert [one.why for one in result.problems] == ["permission denied: the loaded modules of 1"]


def test_deep_reads_those_of_windows_as_well(windows_tree: WindowsTree) -> None:
    host = windows(windows_tree)
    host.deep = True
    assert run("processes", host).one("notepad.exe").vendor == "Anvil Works"
