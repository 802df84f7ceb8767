"""Ctrl-C while a process is started."""

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator

import pytest
from phaseout.scan.interruption import interruption_waits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals that wait")


@contextlib.contextmanager
def taken() -> Iterator[int]:
    """A pipe with a byte for each signal that a thread has taken, however late the system lets that thread run."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


def interrupted() -> list[str]:
    reached: list[str] = []

    def starting(reader: int) -> None:
        with interruption_waits():
            os.kill(os.getpid(), signal.SIGINT)
            if threading.active_count() > 1:
                select.select([reader], [], [], 60)
            reached.append("the end")

    with taken() as reader, pytest.raises(KeyboardInterrupt):
        starting(reader)
    return reached


def test_it_comes_once_the_process_has_started() -> None:
    assert interrupted() == ["the end"]


def test_another_thread_takes_it() -> None:
    """The system gives the signal to any thread that does not block it."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert [interrupted() for _ in range(50)] == [["the end"]] * 50
    finally:
        done.set()
        thread.join()


def test_an_ignored_interruption_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption_waits():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        assert signal.signal(signal.SIGINT, before) is signal.SIG_IGN


def test_in_another_thread_nothing_is_changed() -> None:
    handlers: list[object] = []

    def starting() -> None:
        with interruption_waits():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=starting)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]
