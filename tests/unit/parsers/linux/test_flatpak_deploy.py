"""Flatpak's deploy file: a GVariant."""

from hypothesis import example, given
from hypothesis import strategies as st
from phaseout.parsers.linux.flatpak_deploy import Deploy, deploy


def gvariant(origin: str, commit: str, values: dict[str, str], subpaths: tuple[str, ...] = (), size: int = 7) -> bytes:
    """A deploy file as GLib serialises it, written after the specification."""
    body = origin.encode() + b"\0"
    ends = [len(body)]
    body += commit.encode() + b"\0"
    ends.append(len(body))
    body += _array([path.encode() + b"\0" for path in subpaths])
    ends.append(len(body))
    body = _padded(body) + size.to_bytes(8, "big")
    entries = []
    for key, value in values.items():
        entry = key.encode() + b"\0"
        end = len(entry)
        entry = _padded(entry) + value.encode() + b"\0" + b"\0s"
        entries.append(_framed(entry, [end]))
    number = b"number\0".ljust(8, b"\0") + b"\4\0\0\0\0i"
    entries.append(_framed(number, [7]))
    body += _array(entries, aligned=True)
    return _framed(body, ends[::-1])


def _array(elements: list[bytes], *, aligned: bool = False) -> bytes:
    body, ends = b"", []
    for element in elements:
        body = (_padded(body) if aligned else body) + element
        ends.append(len(body))
    return _framed(body, ends) if elements else b""


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def _framed(body: bytes, ends: list[int]) -> bytes:
    for width, limit in ((1, 0xFF), (2, 0xFFFF), (4, 0xFFFFFFFF)):
        if len(body) + width * len(ends) <= limit:
            return body + b"".join(end.to_bytes(width, "little") for end in ends)
    raise AssertionError("too long for a test")


# Written by flatpak 1.14.10.
REAL = bytes.fromhex(
    "6c6f63616c0064633733343865343939376566363737663736613337613330633035376533343662656331663561613264383433313233353262"
    "36313362303963633835356400000000000000000800"
    "6465706c6f792d76657273696f6e00000400000000690f0072756e74696d65006f72672e6578616d706c652e506c6174666f726d2f7838365f36"
    "342f310000730800000000000000"
    "74696d657374616d7000000000000000fde8016b0000000000740a174163474706"
)


def test_a_file_of_flatpak() -> None:
    assert deploy(REAL) == Deploy(
        "local",
        "dc7348e4997ef677f76a37a30c057e346bec1f5aa2d84312352b613b09cc855d",
        {"runtime": "org.example.Platform/x86_64/1"},
    )


text = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(text, text, st.dictionaries(text, text, max_size=4), st.lists(text, max_size=3))
@example("flathub", "c" * 64, {"appdata-version": "1" * 300}, ["/de"])
@example("flathub", "c" * 64, {"appdata-version": "1" * 70000}, [])
def test_round_trip(origin: str, commit: str, values: dict[str, str], subpaths: list[str]) -> None:
    assert deploy(gvariant(origin, commit, values, tuple(subpaths))) == Deploy(origin, commit, values)


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    found = deploy(data)
    assert found is None or "\0" not in found.origin


@given(st.integers(0, len(REAL) - 1), st.integers(0, 255))
def test_a_damaged_byte(place: int, value: int) -> None:
    found = deploy(REAL[:place] + bytes([value]) + REAL[place + 1 :])
    assert found is None or len(found.values) <= 3


@given(st.integers(0, len(REAL) - 1))
def test_a_truncated_file(size: int) -> None:
    found = deploy(REAL[:size])
    assert found is None or found.origin != "local" or found.values == {}


def test_entries_that_overlap_are_refused() -> None:
    body = b"a\0" + b"b\0" + bytes(12)
    assert deploy(body + bytes([4, 4, 2])) == Deploy("a", "b", {})
    assert deploy(body + bytes([16, 0, 8, 8]) + bytes([4, 4, 2])) is None
