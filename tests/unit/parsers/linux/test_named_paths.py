"""Paths in files of any syntax."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.named_paths import USER, named_paths


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("ExecStart=/usr/bin/systemd-nspawn -D/srv/x --bind=/data/y:/z", ["/srv/x", "/data/y", "/z"]),
        ("[Service]\nRootDirectory=/srv/jail\nExecStart=-/opt/a b", ["/srv/jail", "/opt/a"]),
        ('{"UserDataDir": "\\/data\\/web/${user_name}/x"}', [f"/data/web/{USER}/x"]),
        ('"path"\t\t"/data/Steam Library"', ["/data/Steam", "/data/Steam Library"]),
        ("Path=/data/My Games/x", ["/data/My", "/data/My Games/x"]),
        (
            "a = /d/My Games\nb=\t~/My Games\n'$HOME/x y'",
            ["/d/My", "~/My", "~/x", "/d/My Games", "~/My Games", "~/x y"],
        ),
        ("export XDG_DATA_DIRS=/data/s:$HOME/share:/usr/share", ["/data/s", "~/share"]),
        ("X=${HOME}/a Y=@{HOME}/b Z=%h/c W=~/d", ["~/a", "~/b", "~/c", "~/d"]),
        ("a\\ b /c/d\\ e /f\\x20g", ["/c/d e", "/f g"]),
        ("- /one\n- /two/", ["/one", "/two"]),
        ("see https://x.org/a/b and/or $PREFIX/c ${X}/d", []),
        ("# /c/d\n; /e\n// /f\n  # /g", []),
        ("/bin/sh /usr/lib/x /etc/y /proc/1 /dev/null /run/z /usr/local/bin/w", ["/usr/local/bin/w"]),
        ("/data/*/x /data/${A}/y", ["/data", "/data"]),
        ("a: /\nb: //\nc: /.", []),
    ],
)
def test_paths(text: str, paths: list[str]) -> None:
    assert list(filter(None, named_paths(text))) == paths


@given(st.text(alphabet='/~$={}":\\ \n#%hHOMEa.', max_size=400))
def test_every_path_is_absolute(text: str) -> None:
    for path in named_paths(text):
        assert path.startswith(("/", "~/")) or path == "~", path
        assert not path.endswith("/")


@pytest.mark.parametrize("piece", ["='/a ", '"/a b', "/a ", "~/", "=/ ", "# /x\n", "$USER", "\\ "])
def test_no_text_takes_long(piece: str) -> None:
    """Each of these makes a pattern begin, and never end."""
    list(named_paths(piece * 40_000))
