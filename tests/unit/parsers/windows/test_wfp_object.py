"""Objects of the Windows Filtering Platform."""

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.wfp_object import WfpKind, wfp_object

KEY = "{11111111-2222-3333-4444-555555555555}"
HEAD = bytes.fromhex("01100800cccccccc")


def _text(text: str) -> bytes:
    count = len(text) + 1
    data = struct.pack("<III", count, 0, count) + (text + "\0").encode("utf-16-le")
    return data + bytes(-len(data) % 4)


def record(
    kind: WfpKind, key: str, name: str, description: str = "", provider: str = "", service: str = "", data: bytes = b""
) -> bytes:
    """An object as the Base Filtering Engine writes it."""
    is_provider = kind == "provider"
    fields = struct.pack("<I", 0x20000) + UUID(key).bytes_le
    fields += struct.pack("<III", bool(name), bool(description), 1)
    fields += b"" if is_provider else struct.pack("<I", bool(provider))
    fields += struct.pack("<II", len(data), bool(data))
    fields += struct.pack("<I", bool(service)) if is_provider else b""
    fields += {"provider": b"", "sublayer": bytes(4), "callout": bytes(20)}[kind]
    fields += (_text(name) if name else b"") + (_text(description) if description else b"")
    fields += UUID(provider).bytes_le if provider else b""
    fields += struct.pack("<I", len(data)) + data + bytes(-len(data) % 4) if data else b""
    fields += _text(service) if service else b""
    inner = HEAD + struct.pack("<II", len(fields), 0) + fields
    number = {"provider": 0, "sublayer": 2, "callout": 4}[kind]
    outer = struct.pack("<IIIIIII", 0x20000, number, len(inner), 0x20004, 0, 0, len(inner)) + inner
    return HEAD + struct.pack("<II", len(outer), 0) + outer


def test_each_kind() -> None:
    provider = wfp_object(record("provider", KEY, "Made", "what it is", service="svc", data=b"12345"))
    assert provider == ("provider", KEY, "Made", "what it is", "", "svc")
    for kind in ("sublayer", "callout"):
        assert wfp_object(record(kind, KEY, "Odd", provider=KEY)) == (kind, KEY, "Odd", "", KEY, "")
        assert wfp_object(record(kind, KEY, "")) == (kind, KEY, "", "", "", "")


@pytest.mark.parametrize("data", [b"", HEAD, bytes(200), record("callout", KEY, "Made", provider=KEY)[:-8]])
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(ValueError):
        wfp_object(data)


def test_a_filter_is_another_kind() -> None:
    data = bytearray(record("provider", KEY, "Made"))
    data[20] = 5
    with pytest.raises(ValueError, match="neither a provider"):
        wfp_object(bytes(data))


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_end_in_an_object_or_a_clear_error(noise: bytes, at: int) -> None:
    data = record("callout", KEY, "Made", "text", provider=KEY)
    for each in (noise, data[:at] + noise + data[at + len(noise) :]):
        try:
            wfp_object(each)
        except ValueError as error:
            assert str(error)  # noqa: PT017
