"""Where glob patterns lead on a host."""

import pytest
from phaseout.sources.kit.places import Place, places

from tests.support.trees import Tree, WindowsTree


def found(tree: Tree | WindowsTree, *patterns: str) -> list[Place]:
    return list(places(tree.host(), patterns))


def test_stars_and_homes(tree: Tree) -> None:
    tree.folder("/usr/lib/python3.11/site-packages")
    tree.folder("/usr/lib/python3/dist-packages")
    tree.folder("/home/ada/.local/lib/python3.9/site-packages")
    tree.folder("/home/directory-account/.local/lib/python3.9/site-packages")
    assert found(tree, "/usr/lib/python3*/site-packages", "~/.local/lib/python*/site-packages", "/srv/*") == [
        Place("/usr/lib/python3.11/site-packages", ""),
        Place("/home/directory-account/.local/lib/python3.9/site-packages", "directory-account"),
        Place("/home/ada/.local/lib/python3.9/site-packages", "ada"),
    ]


def test_a_pattern_that_another_one_begins_with(tree: Tree) -> None:
    tree.folder("/opt/conda/envs/work")
    assert [place.path for place in found(tree, "/opt/conda", "/opt/conda/envs/*")] == [
        "/opt/conda",
        "/opt/conda/envs/work",
    ]


def test_a_place_with_two_names_is_one(tree: Tree) -> None:
    tree.folder("/usr/lib/x")
    tree.link("/usr/lib64", "lib")
    tree.link("/lib", "/usr/lib")
    assert found(tree, "/usr/lib/x", "/usr/lib64/x", "/lib/x") == [Place("/usr/lib/x", "")]


def test_a_star_in_a_home_takes_no_hidden_name(tree: Tree) -> None:
    tree.folder("/home/ada/.hidden/bin")
    tree.folder("/home/ada/shown/bin")
    assert found(tree, "~/*/bin") == [Place("/home/ada/shown/bin", "ada")]
    assert found(tree, "~/.h*/bin") == [Place("/home/ada/.hidden/bin", "ada")]


def test_files_and_links_that_lead_nowhere(tree: Tree) -> None:
    tree.write("/opt/a/file", "x")
    tree.write("/opt/b")
    tree.link("/opt/c", "/nowhere")
    assert found(tree, "/opt/*/file") == [Place("/opt/a/file", "")]


def test_a_home_that_is_shared_has_the_first_user(tree: Tree) -> None:
    tree.write("/etc/passwd", "ada:x:1:1::/home/one:/bin/sh\nbob:x:2:2::/home/one:/bin/sh\n")
    tree.folder("/home/one/x")
    assert found(tree, "~/x") == [Place("/home/one/x", "ada")]


def test_windows_takes_any_case_and_only_its_own_patterns(windows_tree: WindowsTree) -> None:
    windows_tree.folder(r"C:\Python312\Lib")
    windows_tree.folder(r"C:\Users\ada\AppData\Roaming\npm")
    assert found(windows_tree, r"C:\python3*\lib", r"~\appdata\roaming\npm", "/Python312/Lib") == [
        Place(r"C:\Python312\lib", ""),
        Place(r"C:\Users\ada\appdata\roaming\npm", "ada"),
    ]


@pytest.mark.parametrize("tried", [False, True])
def test_a_bound_for_one_star(tree: Tree, monkeypatch: pytest.MonkeyPatch, tried: bool) -> None:
    """Where a pattern only tries what people keep, the rest hides nothing."""
    monkeypatch.setattr("phaseout.sources.kit.places._MOST", 1000)
    for number in range(1002):
        (tree.root / "srv" / str(number)).mkdir(parents=True)
    host = tree.host()
    assert len(list(places(host, ("/srv/*",), tried=tried))) == 1000
    assert [problem.where for problem in host.files.problems] == ["/srv"]


def test_files_do_not_count_where_folders_are_wanted(tree: Tree) -> None:
    for number in range(1002):
        tree.write(f"/srv/{number}")
    tree.folder("/srv/web/profile")
    host = tree.host()
    assert [place.path for place in places(host, ("/srv/*/profile",))] == ["/srv/web/profile"]
    assert not host.files.problems


@pytest.mark.parametrize("users", [("eve", "bob"), ("bob", "eve")])
def test_a_link_to_what_another_user_has_hides_nothing(tree: Tree, users: tuple[str, str]) -> None:
    tree.write("/etc/passwd", "".join(f"{user}:x:1:1::/home/{user}:/bin/sh\n" for user in users))
    tree.folder("/home/bob/x")
    tree.link("/home/eve/x", "/home/bob/x")
    tree.link("/home/eve/y", "/home/bob/x")
    assert sorted(found(tree, "~/x", "~/y")) == [Place("/home/bob/x", "bob"), Place("/home/eve/x", "eve")]


def test_what_the_system_has_is_not_given_for_its_users_too(tree: Tree) -> None:
    tree.folder("/opt/x")
    tree.link("/home/ada/x", "/opt/x")
    assert found(tree, "~/x", "/opt/x") == [Place("/opt/x", "")]


def test_a_user_with_two_homes_has_a_place_once(tree: Tree) -> None:
    tree.write("/etc/passwd", "ada:x:1:1::/var/home/ada:/bin/sh\n")  # Fedora's atomic desktops
    tree.folder("/var/home/ada/x")
    tree.link("/home", "var/home")
    assert [place.user for place in found(tree, "~/x")] == ["ada"]


def test_a_link_to_a_file_is_no_folder_on_the_way(tree: Tree) -> None:
    """As `/etc/mtab`, which leads to a file of the kernel."""
    tree.link("/etc/mtab", "/proc/self/mounts")
    tree.write("/proc/self/mounts", "x")
    tree.write("/etc/a/b.d/c", "x")
    host = tree.host()
    assert [place.path for place in places(host, ("/etc/*/*.d/*",))] == ["/etc/a/b.d/c"]
    assert not host.files.problems


def test_folders_of_the_system_are_nobodys_home(tree: Tree) -> None:
    tree.write("/etc/passwd", "sys:x:3:3::/dev:/bin/false\nada:x:1000:1000::/home/ada:/bin/sh\n")
    tree.write("/dev/x/kit.deb", "x")
    tree.write("/home/ada/x/kit.deb", "x")
    assert [place.path for place in places(tree.host(), ("~/*/*.deb",))] == ["/home/ada/x/kit.deb"]
