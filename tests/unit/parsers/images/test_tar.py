"""Members of tar archives."""

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.images.tar import BrokenTarError, Member, is_tar, members


def read(data: bytes) -> list[Member]:
    return list(members(lambda offset, size: data[offset : offset + size], len(data)))


def archive(contents: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as made:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_formats_of_tarfile(form: int) -> None:
    folder = "f" * 90 if form == tarfile.USTAR_FORMAT else "f" * 300
    target = "t" * 90 if form == tarfile.USTAR_FORMAT else "t" * 300
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as made:
        for name, kind in ((f"{folder}/file", tarfile.REGTYPE), ("link", tarfile.SYMTYPE), ("dir", tarfile.DIRTYPE)):
            one = tarfile.TarInfo(name)
            one.type, one.linkname, one.uid, one.mtime = kind, target if kind == tarfile.SYMTYPE else "", 1000, 86400
            one.size = 3 if kind == tarfile.REGTYPE else 0
            made.addfile(one, io.BytesIO(b"abc"))
    file, link, dir_ = read(buffer.getvalue())
    assert (file.name, file.kind, file.size, file.uid, file.mtime) == (f"{folder}/file", "file", 3, 1000, 86400)
    assert buffer.getvalue()[file.offset : file.offset + file.size] == b"abc"
    assert (link.kind, link.target) == ("link", target)
    assert (dir_.name.rstrip("/"), dir_.kind) == ("dir", "dir")


@pytest.mark.parametrize(
    "options",
    ["--format=gnu", "--format=pax", *(f"--format=pax --sparse-version={one}" for one in ("0.0", "0.1", "1.0"))],
)
def test_sparse_files_of_gnu_tar(tmp_path: Path, options: str) -> None:
    if shutil.which("tar") is None:
        pytest.skip("no GNU tar")
    with (tmp_path / "sparse").open("wb") as file:
        for place in range(40):
            file.seek(place << 16)
            file.write(f"{place:05}".encode())
        file.truncate(4 << 20)
    command = ["tar", "-C", str(tmp_path), *options.split(), "--sparse", "-cf", str(tmp_path / "a.tar"), "sparse"]
    subprocess.run(command, check=True)
    data = (tmp_path / "a.tar").read_bytes()
    (found,) = read(data)
    assert (found.name, found.kind, found.size) == ("sparse", "file", 4 << 20)
    content = bytearray(found.size)
    at = found.offset
    for start, length in found.parts:
        content[start : start + length] = data[at : at + length]
        at += length
    assert bytes(content) == (tmp_path / "sparse").read_bytes()


def test_names_that_are_not_utf_8() -> None:
    name = os.fsdecode(b"caf\xe9")
    assert read(archive({name: b""}, tarfile.GNU_FORMAT))[0].name == name


def test_an_archive_that_was_cut_off_says_so() -> None:
    data = archive({"a": b"1" * 2000, "b": b"2" * 2000})
    for end in (0, 512, 1000, 3000, 4096):
        with pytest.raises(BrokenTarError, match="ends"):
            read(data[:end])
    with pytest.raises(BrokenTarError, match="no header at byte 2560"):
        read(data[:2560] + b"x" + data[2561:])


def test_headers_of_absurd_size() -> None:
    data = bytearray(archive({"a": b""}))
    data[156:157], data[124:136] = b"x", b"77777777777\0"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    with pytest.raises(BrokenTarError, match="extended header of 8589934591 bytes"):
        read(bytes(data))


def test_what_is_a_tar_archive() -> None:
    assert is_tar(archive({"a": b"x"}))
    assert not is_tar(b"")
    assert not is_tar(bytes(512))
    assert not is_tar(b"x" * 512)


@given(st.data())
def test_damage_costs_no_more_than_what_follows(data: st.DataObject) -> None:
    whole = bytearray(archive({"a": b"1" * 600, "b" * 300: b"2", "c": b"3"}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        for member in members(lambda offset, size: bytes(whole[offset : offset + size]), len(whole)):
            assert member.offset >= 0
            assert member.size >= 0
    except BrokenTarError:
        pass
