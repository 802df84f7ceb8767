"""The users of a machine, whatever they call themselves and wherever their homes lie."""

import json

import pytest
from phaseout.host.opening import offline_host
from phaseout.host.users import User, posix_users
from phaseout.model.nouns import Problem

from tests.support.trees import Tree

ROOT = "root:x:0:0:root:/root:/bin/bash\n"


@pytest.fixture
def bare(tree: Tree) -> Tree:
    """A root whose only account is that of the administrator."""
    tree.write("/etc/passwd", ROOT)
    (tree.root / "home/ada").rmdir()
    return tree


def homes(tree: Tree) -> list[str]:
    return [user.home for user in tree.host().users if user.name != "root"]


def missing(tree: Tree) -> list[str]:
    problems = [problem for problem in tree.host().files.problems if problem.hides]
    assert all(problem.remedy for problem in problems)
    return [problem.where for problem in problems]


def test_a_name_with_what_unicode_calls_the_end_of_a_line(bare: Tree) -> None:
    """`chfn` lets users put it into their own entries."""
    for end in ("\u2028", "\x85", "\x0b", "\x1c"):
        bare.write("/etc/passwd", f"alice:x:1000:1000:x{end}y:/srv/alice:/bin/sh\nbob:x:1001:1001::/srv/bob:/bin/sh\n")
        files = offline_host(str(bare.root)).files
        files.problems.clear()
        assert posix_users(files) == (User("alice", 1000, "/srv/alice"), User("bob", 1001, "/srv/bob"))
        assert files.problems == []


def test_a_damaged_line_is_a_problem(bare: Tree) -> None:
    bare.write("/etc/passwd", "# comment\n\n+::::::\nalice:x:1000\nbob:x:1001:1001::/srv/bob:/bin/sh\n")
    files = bare.host().files
    files.problems.clear()
    assert [user.name for user in posix_users(files)] == ["bob"]
    why = "no line of a user: the home in it is not seen"
    assert files.problems == [Problem("/etc/passwd:4", why, "damaged")]


def test_homes_in_a_folder_of_their_domain(bare: Tree) -> None:
    """Directory services put homes into a folder of the domain, and `/etc/passwd` does not list their users."""
    bare.write("/etc/passwd", "bob:x:1001:1001::/home/CORP/bob:/bin/sh\n")
    for home in ("/home/CORP/anna", "/home/CORP/bob", "/home/local/CORP/carl", "/home/dora"):
        bare.write(f"{home}/.profile", "")
    bare.write("/home/dora/checkout/.git/HEAD", "")
    assert homes(bare) == [
        *("/home/CORP/bob", "/home/CORP", "/home/CORP/anna", "/home/dora", "/home/local", "/home/local/CORP/carl"),
    ]


@pytest.mark.parametrize("target", ["/data/home/bob", "../data/home/bob"])
def test_a_link_in_home_is_a_home(bare: Tree, target: str) -> None:
    bare.folder("/data/home/bob")
    bare.link("/home/bob", target)
    assert homes(bare) == ["/home/bob"]


def test_a_home_with_several_names_is_one(bare: Tree) -> None:
    bare.write("/etc/passwd", f"{ROOT}bob:x:1001:1001::/data/home/bob:/bin/sh\nrob:x:1002:1002::/home/bob:/bin/sh\n")
    bare.folder("/data/home/bob")
    bare.link("/home/bob", "/data/home/bob")
    bare.link("/home/all", "/")
    assert homes(bare) == ["/data/home/bob", ""]
    bare.link("/var/home", "../home")
    assert homes(bare) == ["/data/home/bob", ""]


def test_a_link_in_home_that_leads_nowhere(bare: Tree) -> None:
    bare.link("/home/bob", "/data/home/bob")
    assert missing(bare) == ["/home/bob"]
    bare.write("/home/anna/.profile")
    bare.link("/home/anna/Downloads/x", "nowhere")
    assert missing(bare) == ["/home/bob"]


@pytest.mark.parametrize(
    ("file", "text", "home"),
    [
        ("/etc/sssd/sssd.conf", "[nss]\noverride_homedir = /srv/homes/%u\n", "/srv/homes/bob"),
        ("/etc/sssd/conf.d/ad.conf", "[domain/x]\nfallback_homedir=/srv/%d/homes/%u\n", "/srv/x/homes/bob"),
        ("/etc/sssd/sssd.conf", "override_homedir = %H/%u\nhomedir_substring = /srv/users\n", "/srv/users/bob"),
        ("/etc/samba/smb.conf", "[global]\n   template homedir = /srv/%D/%U\n", "/srv/CORP/bob"),
        ("/etc/nslcd.conf", 'map passwd homeDirectory "/srv/homes/$uid"\n', "/srv/homes/bob"),
        ("/etc/default/useradd", "GROUP=100\nHOME=/srv/homes\n", "/srv/homes/bob"),
        ("/etc/adduser.conf", 'DHOME="/srv/homes"\n', "/srv/homes/bob"),
        ("/etc/sssd/sssd.conf", "override_homedir = /srv/everybody\n", "/srv/everybody"),
    ],
)
def test_homes_where_a_setting_puts_them(bare: Tree, file: str, text: str, home: str) -> None:
    bare.write(file, text)
    assert missing(bare) == [next(top for top in ("/srv/homes", "/srv/users", "/srv/everybody", "/srv") if top in home)]
    bare.folder(home)
    assert homes(bare) == [home]
    assert missing(bare) == []


def test_a_setting_that_names_no_folder(bare: Tree) -> None:
    bare.write("/etc/sssd/sssd.conf", "override_homedir = %o\n# fallback_homedir = /srv/%u\n")
    assert missing(bare) == []


def test_accounts_in_other_databases(bare: Tree) -> None:
    for name, path in (("anna", "/var/lib/extrausers/passwd"), ("bob", "/usr/lib/passwd")):
        bare.folder(f"/srv/{name}")
        bare.write(path, f"{name}:x:1001:1001::/srv/{name}:/bin/sh\n")
    bare.folder("/srv/carl")
    record = {"userName": "carl", "uid": 60001, "homeDirectory": "/srv/carl"}
    bare.write("/etc/userdb/carl.user", json.dumps(record))
    bare.link("/etc/userdb/60001.user", "carl.user")
    bare.write("/etc/userdb/x.user", "[")
    host = bare.host()
    assert [user.home for user in host.users] == ["/root", "/srv/anna", "/srv/bob", "/srv/carl"]
    assert [problem.where for problem in host.files.problems] == ["/etc/userdb/x.user"]


def test_what_every_new_user_gets(bare: Tree) -> None:
    bare.folder("/etc/skel")
    assert homes(bare) == ["/etc/skel"]


def test_homes_that_passwd_promises(bare: Tree) -> None:
    lines = (
        "bob:x:1001:1001::/home/bob:/bin/bash",
        "old:x:500:500::/home/old:/bin/bash",
        "empty:x:1002:1002::/home/empty:",
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
        "games:x:5:60:games:/usr/games:/usr/sbin/nologin",
        "sync:x:4:65534:sync:/bin:/bin/sync",
        "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin",
        "postgres:x:110:110::/var/lib/postgresql:/bin/bash",
        "service:x:1003:1003::/home/service:/usr/sbin/nologin",
        "off:x:1004:1004::/home/off:/bin/false",
    )
    bare.write("/etc/passwd", ROOT + "\n".join(lines) + "\n")
    assert missing(bare) == ["/home/bob", "/home/empty"]
    bare.write("/etc/login.defs", "UID_MAX 60000\nUID_MIN\t\t  500\n")
    assert missing(bare) == ["/home/bob", "/home/old", "/home/empty"]
    (bare.root / "root").rmdir()
    assert "/root" in missing(bare)


@pytest.mark.parametrize("password", ["!", "!!", "*", "!*"])
def test_an_account_that_nobody_can_use_needs_no_home(bare: Tree, password: str) -> None:
    """As `useradd -M` makes it; with a password, somebody may have used it, and the disk of the homes is missing."""
    bare.write("/etc/passwd", f"{ROOT}app:x:1001:1001::/home/app:/bin/bash\n")
    bare.folder("/home")
    bare.write("/etc/shadow", f"root:$y$x:1::::::\napp:{password}:1::::::\n")
    assert missing(bare) == []
    bare.write("/etc/shadow", "root:!:1::::::\napp:$y$x:1::::::\n")
    assert missing(bare) == ["/home/app"]
    bare.write("/home/ada/.profile")  # the disk of the homes is here
    assert missing(bare) == []
    bare.write("/etc/fstab", "UUID=1 /home/app ext4 defaults 0 2\n")
    assert missing(bare) == ["/home/app"]


def test_without_the_folder_of_homes_all_are_missing(bare: Tree) -> None:
    bare.write("/etc/passwd", f"{ROOT}app:x:1001:1001::/data/homes/app:/bin/bash\n")
    bare.write("/etc/shadow", "app:!:1::::::\n")
    assert missing(bare) == ["/data/homes/app"]


def test_a_home_on_a_volume_that_is_not_here(bare: Tree) -> None:
    """Of a system account, too: its volume is named in `/etc/fstab`, and its mount point is empty."""
    bare.write("/etc/passwd", f"{ROOT}pg:x:110:110::/data/pg:/usr/sbin/nologin\n")
    assert missing(bare) == []
    bare.write("/etc/fstab", "UUID=1 /data xfs defaults 0 2\n")
    assert missing(bare) == ["/data/pg"]
    bare.folder("/data/other")
    assert missing(bare) == []


def test_a_flood_of_accounts_is_cut_with_a_word(bare: Tree) -> None:
    lines = (f"u{number}:x:{2000 + number}:1::/home/u{number}:/bin/sh\n" for number in range(100))
    bare.write("/etc/passwd", ROOT + "".join(lines))
    assert len(missing(bare)) == 21


@pytest.mark.parametrize("text", ["", "# nobody\n"])
def test_a_system_without_accounts(bare: Tree, text: str) -> None:
    bare.write("/etc/passwd", text)
    assert missing(bare) == ["/etc/passwd"]


def test_accounts_of_nis(bare: Tree) -> None:
    bare.write("/etc/passwd", f"{ROOT}+::::::\n")
    assert missing(bare) == ["/home"]
    bare.write("/home/bob/.profile")
    assert missing(bare) == []


def test_homes_that_autofs_mounts(bare: Tree) -> None:
    bare.write(
        "/etc/auto.master", "/misc /etc/auto.misc\n/net -hosts\n/home /etc/auto.home --timeout=60\n+auto.master\n"
    )
    assert missing(bare) == ["/home"]
    bare.write("/etc/auto.home", "* -fstype=bind :/data/home/&\n")
    bare.folder("/data/home/bob")
    assert homes(bare) == ["/data/home/bob"]


def test_a_home_of_systemd_homed(bare: Tree) -> None:
    """Closed, it is a folder of another name; open, both are there."""
    bare.write("/home/quin.homedir/.identity", "{}")
    assert User("quin", -1, "/home/quin.homedir") in bare.host().users
    bare.write("/home/quin/.identity", "{}")
    assert homes(bare) == ["/home/quin"]
