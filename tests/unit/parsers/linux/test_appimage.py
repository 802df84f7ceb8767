"""Magic bytes and file names of AppImages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.appimage import image_type, named


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("Nextcloud-3.2.1-x86_64.AppImage", ("Nextcloud", "3.2.1", "x86_64")),
        ("nvim.appimage", ("nvim", "", "")),
        ("Joplin-2.12.18.AppImage", ("Joplin", "2.12.18", "")),
        ("balenaEtcher-1.18.11-x64.AppImage", ("balenaEtcher", "1.18.11", "x64")),
        ("WeChatLinux_x86_64.AppImage", ("WeChatLinux", "", "x86_64")),
        ("Foo_v1.2.3-beta.4_linux_amd64.APPIMAGE", ("Foo", "1.2.3-beta.4", "amd64")),
        ("My Program 2-Bar-1.0.AppImage", ("My Program 2-Bar", "1.0", "")),
        ("Firefox-115.3.1.r20230925.glibc2.17-x86_64.AppImage", ("Firefox", "115.3.1.r20230925", "x86_64")),
        ("wps-office-11.1.0.11704-x86-64.AppImage", ("wps-office", "11.1.0.11704", "x86-64")),
        ("-1.0.AppImage", ("-1.0", "", "")),
        (".AppImage", (".AppImage", "", "")),
    ],
)
def test_names(file_name: str, expected: tuple[str, str, str]) -> None:
    assert named(file_name) == expected


def test_types() -> None:
    assert image_type(b"\x7fELF\x02\x01\x01\x00AI\x02" + bytes(5)) == 2
    assert image_type(b"\x7fELF\x02\x01\x01\x00AI\x01") == 1
    assert image_type(b"\x7fELF\x02\x01\x01\x00AI\x03") == 0
    assert image_type(b"\x7fELF\x02\x01\x01\x00AI") == 0
    assert image_type(b"#!/bin/\nAI\x02") == 0


@given(st.text(min_size=1, max_size=40))
def test_a_name_is_never_empty(file_name: str) -> None:
    found = named(file_name)
    assert found.name
    assert all(part in file_name for part in (found.version, found.arch))


@given(st.binary(max_size=20))
def test_any_head(head: bytes) -> None:
    assert image_type(head) == (head[10] if head[:4] == b"\x7fELF" and head[8:11] in (b"AI\x01", b"AI\x02") else 0)
