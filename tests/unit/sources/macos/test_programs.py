"""Programs of macOS that have no bundle around them."""

import pytest

from tests.support.harness import run
from tests.support.macho_writer import signed_macho
from tests.support.trees import MacTree

SIGNED = signed_macho("com.neutral.helper", "2Y8XE5CQ94", "Kaspersky Lab UK Limited")


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("/Library/PrivilegedHelperTools/com.neutral.helper", ""),
        ("/usr/local/bin/neutral", ""),
        ("/usr/local/neutral/sbin/neutrald", ""),
        ("/opt/neutral/bin/neutral", ""),
        ("/opt/neutral/1.0/bin/neutral", ""),
        ("/Library/Application Support/Neutral/Tools/neutral", ""),
        ("/Users/Shared/neutral", ""),
        ("/Users/ada/bin/neutral", "ada"),
        *((f"/Users/ada/{folder}neutral", "ada") for folder in ("", "tools/", "tools/bin/", "Downloads/x/")),
        *(
            (f"/Users/ada/{folder}/neutral", "ada")
            for folder in (".cache/x", "Library/Foo", "Library/Foo/bin", "a/b/c")
        ),
        *((f"/Users/ada/Library/{folder}/neutral", "ada") for folder in ("Application Support/a/b", "Caches/a")),
        *((f"{top}/neutral", "") for top in ("/data", "/data/x", "/data/x/y/bin", "/Library/Foo", "/private/var/foo")),
        *(("/usr/local/x/y/neutral", ""), ("/Volumes/Disk/x/neutral", "")),
        *((f"/Users/ada/Library/{folder}/neutral", "ada") for folder in ("LaunchAgents", "Application Scripts/x")),
        *((f"/{folder}/neutral", "") for folder in ("Library/LaunchDaemons", "private/var/folders/ab/cdef/T/x")),
        *(("/private/tmp/neutral", ""), ("/private/var/tmp/x/neutral", "")),
    ],
)
def test_a_program_is_told_by_its_signature(mac_tree: MacTree, path: str, user: str) -> None:
    mac_tree.write(path, SIGNED, 0o755)
    (item,) = run("programs", mac_tree.host()).items
    assert (item.kind, item.path, item.user, item.vendor) == ("program", path, user, "Kaspersky Lab UK Limited")
    assert item.ids == {"bundle_id": "com.neutral.helper", "team_id": "2Y8XE5CQ94"}


def test_scripts_and_second_names_are_counted(mac_tree: MacTree) -> None:
    mac_tree.write("/usr/local/bin/script", "#!/bin/sh\n", 0o755)
    mac_tree.write("/usr/local/bin/a", SIGNED, 0o755)
    mac_tree.link("/usr/local/bin/b", "a")
    mac_tree.write("/usr/local/Cellar/kit/1/bin/kit", SIGNED, 0o755)
    mac_tree.link("/usr/local/bin/kit", "../Cellar/kit/1/bin/kit")
    result = run("programs", mac_tree.host())
    assert [item.path for item in result.items] == ["/usr/local/bin/a"]
    assert result.run.left_out == {"listed as another item": 2, "not a program": 1}
