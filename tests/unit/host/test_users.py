"""The users of a machine, whatever they call themselves."""

from phaseout.host.users import User, posix_users

from tests.support.trees import Tree


def test_a_name_with_what_unicode_calls_the_end_of_a_line(tree: Tree) -> None:
    """`chfn` lets users put it into their own entries."""
    for end in ("\u2028", "\x85", "\x0b", "\x1c"):
        tree.write("/etc/passwd", f"alice:x:1000:1000:x{end}y:/srv/alice:/bin/sh\nbob:x:1001:1001::/srv/bob:/bin/sh\n")
        files = tree.host().files
        assert posix_users(files) == (User("alice", 1000, "/srv/alice"), User("bob", 1001, "/srv/bob"))
        assert files.problems == []


def test_a_damaged_line_is_a_problem(tree: Tree) -> None:
    tree.write("/etc/passwd", "# comment\n\n+::::::\nalice:x:1000\nbob:x:1001:1001::/srv/bob:/bin/sh\n")
    files = tree.host().files
    files.problems.clear()
    assert [user.name for user in posix_users(files)] == ["bob"]
    assert [(problem.where, problem.why) for problem in files.problems] == [
        ("/etc/passwd:4", "no line of a user: the home in it is not seen")
    ]


def test_homes_in_a_folder_of_their_domain(tree: Tree) -> None:
    """Directory services put homes into a folder of the domain, and `/etc/passwd` does not list their users."""
    tree.write("/etc/passwd", "bob:x:1001:1001::/home/CORP/bob:/bin/sh\n")
    for home in ("/home/CORP/anna", "/home/CORP/bob", "/home/local/CORP/carl", "/home/dora"):
        tree.write(f"{home}/.profile", "")
    tree.write("/home/dora/checkout/.git/HEAD", "")
    assert [user.home for user in posix_users(tree.host().files)] == [
        *("/home/CORP/bob", "/home/CORP", "/home/CORP/anna", "/home/dora", "/home/local", "/home/local/CORP/carl"),
    ]
