"""Configurations of LXC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.containers.lxc_config import Rootfs, rootfs, settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lxc.rootfs.path = dir:/srv/a\n# lxc.rootfs.path = dir:/srv/b\n", Rootfs("dir", ("/srv/a",))),
        ("lxc.rootfs = /srv/a\nlxc.rootfs=/srv/b", Rootfs("dir", ("/srv/b",))),
        ("lxc.rootfs.path = overlay:/low/rootfs:/up/delta", Rootfs("overlay", ("/up/delta", "/low/rootfs"))),
        ("lxc.rootfs.path = zfs:tank/lxc/a", Rootfs("zfs", ())),
        ('lxc.uts.name = "a"', None),
    ],
)
def test_where_the_files_are(text: str, expected: Rootfs | None) -> None:
    assert rootfs(settings(text)) == expected


@given(text=st.text())
def test_any_text_is_read(text: str) -> None:
    found = rootfs(settings(f"lxc.rootfs.path={text}"))
    assert found is None or isinstance(found.folders, tuple)
