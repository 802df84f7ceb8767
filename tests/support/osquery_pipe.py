"""Run by a Windows Python: plays osquery on named pipes, and asks the extension. Prints what it got.

osquery's pipes are of bytes, not of messages, and its requests come in pieces.
"""
# ruff: noqa: E402, T201

import _winapi
import msvcrt
import os
import sys
import threading
from typing import Any

assert sys.platform == "win32"
sys.path.insert(0, sys.argv[1])
sys.path.insert(1, sys.argv[2])

from phaseout.model.findings import Report, RulesUsed
from phaseout.model.nouns import HostInfo, Inventory, Item
from phaseout.parsers.encodings.thrift import CALL, I32, I64, REPLY, Fields, Message, read_message, write_message
from phaseout.serve.osquery_extension import serve

PIPE = r"\\.\pipe\phaseout-test"
HOST = HostInfo(name="h", platform="windows")
ITEMS = (Item(kind="program", name="Kaspersky " * 20_000),)  # larger than any buffer of a pipe
INVENTORY = Inventory(schema="", tool="", scanned_at="", host=HOST, items=ITEMS, runs=())
USED = RulesUsed(vendors=0, products=0, measures=0, digest="")
REPORT = Report(
    schema="", tool="", scanned_at="", as_of="", host=HOST, rules=USED, verdict="clean", findings=()
)  # fmt: skip


def exactly(file: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = file.read(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


handle = _winapi.CreateNamedPipe(
    PIPE, _winapi.PIPE_ACCESS_DUPLEX, _winapi.PIPE_WAIT, 1, 4096, 4096, 0, _winapi.NULL
)  # fmt: skip
registered = threading.Event()


def core() -> None:
    _winapi.ConnectNamedPipe(handle)
    file = open(msvcrt.open_osfhandle(handle, os.O_RDWR | os.O_BINARY), "r+b", buffering=0)  # noqa: SIM115
    try:
        while True:
            asked = read_message(lambda size: exactly(file, size))
            print(asked.name, flush=True)
            status = Fields({1: I32(0), 2: "OK", 3: I64(4711)})
            file.write(write_message(Message(asked.name, REPLY, asked.sequence, Fields({0: status}))))
            registered.set()
    except (EOFError, OSError):
        return


threading.Thread(target=core, daemon=True).start()
options = {"timeout": 5.0, "interval": 0.1, "keep": 60.0}
serving = threading.Thread(target=serve, args=(PIPE, lambda: (INVENTORY, REPORT)), kwargs=options, daemon=True)
serving.start()
assert registered.wait(20)
for _ in range(100):
    try:
        client = open(f"{PIPE}.4711", "r+b", buffering=0)  # noqa: SIM115
        break
    except OSError:
        threading.Event().wait(0.1)
call = Message("call", CALL, 5, Fields({1: "table", 2: "phaseout_items", 3: {"action": "generate"}}))
data = write_message(call)
client.writelines(data[start : start + 7] for start in range(0, len(data), 7))
answer = read_message(lambda size: exactly(client, size)).fields[0]
print("rows", len(answer[2]), len(answer[2][0]["name"]), flush=True)
second = open(f"{PIPE}.4711", "r+b", buffering=0)  # noqa: SIM115
second.write(write_message(Message("ping", CALL, 1, Fields())))
print("second", read_message(lambda size: exactly(second, size)).fields[0][2], flush=True)
second.write(write_message(Message("shutdown", CALL, 1, Fields())))
serving.join(20)
print("ended", not serving.is_alive(), flush=True)
os._exit(0)
