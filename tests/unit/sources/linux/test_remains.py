"""What a removal leaves in folders of other programs."""

import pytest
from phaseout.sources.linux import remains

from tests.support.harness import run
from tests.support.trees import Tree


@pytest.mark.parametrize(
    "path",
    [
        "/etc/logrotate.d/kesl",
        "/etc/dbus-1/system.d/com.kaspersky.kesl.conf",
        "/etc/modules-load.d/kesl.conf",
        "/etc/NetworkManager/dispatcher.d/99-kesl",
        "/usr/share/polkit-1/actions/com.kaspersky.kesl.policy",
        "/etc/profile.d/kesl.sh",
    ],
)
def test_files_of_settings_are_listed_by_name(tree: Tree, path: str) -> None:
    tree.write(path, "x\n")
    (item,) = run("remains", tree.host()).items
    assert (item.kind, item.name, item.path) == ("setting", path.rpartition("/")[2], path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "/etc/apt/sources.list",
            "# deb http://old.example.com/ x\ndeb [arch=a] https://repo.kaspersky.com/ s\n",
        ),
        ("/etc/apt/sources.list.d/k.sources", "Types: deb\nURIs: https://repo.kaspersky.com:8443/apt\n"),
        ("/etc/yum.repos.d/k.repo", "[k]\nbaseurl=https://ada:s3cret@repo.kaspersky.com/rpm\n"),
    ],
)
def test_repositories_are_listed_by_host_without_password(tree: Tree, path: str, text: str) -> None:
    tree.write(path, text)
    (item,) = run("remains", tree.host()).items
    assert (item.kind, item.name, item.path) == ("setting", "repo.kaspersky.com", path)
    assert "s3cret" not in repr(item)


def test_commands_that_lead_nowhere(tree: Tree) -> None:
    tree.link("/usr/bin/kesl-control", "/opt/kaspersky/kesl/bin/kesl-control")
    tree.link("/usr/bin/tool", "/opt/tool/tool")
    tree.link("/usr/bin/other", "other-2")
    tree.link("/bin", "usr/bin")
    tree.write("/opt/tool/tool", mode=0o755)
    (item,) = run("remains", tree.host()).items
    assert (item.kind, item.name, item.state) == ("file", "kesl-control", "leftover")
    assert item.path == "/opt/kaspersky/kesl/bin/kesl-control"
    assert item.evidence[0].where == "/usr/bin/kesl-control"


def test_a_flood_of_repositories_is_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "_MOST", 2)
    tree.write("/etc/apk/repositories", "".join(f"https://r{number}.example.com/x\n" for number in range(3)))
    result = run("remains", tree.host())
    assert [item.name for item in result.items] == ["r0.example.com", "r1.example.com"]
    assert [problem.cause for problem in result.run.problems] == ["limit"]
