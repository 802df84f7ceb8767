"""What a removal leaves in folders of other programs."""

import pytest
from phaseout.sources.anywhere import remains

from tests.support.harness import run
from tests.support.trees import MacTree, Tree


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
    tree.write(path, "# x\n")
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
    (item,) = (one for one in run("remains", tree.host()).items if one.details["type"] == "repository of packages")
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


@pytest.mark.parametrize(
    ("path", "text", "what", "names"),
    [
        (
            "/etc/iptables/rules.v4",
            '*filter\n:INPUT ACCEPT [0:0]\n:KAV_IN - [0:0]\n-A INPUT -m comment --comment "of kesl" -j KAV_IN\n',
            "rule of the firewall",
            {"KAV_IN", "of kesl"},
        ),
        (
            "/etc/nftables.conf",
            'table inet kesl {\n  chain input_kesl {\n    tcp dport 1 accept comment "agent"\n  }\n}\n',
            "rule of the firewall",
            {"kesl", "input_kesl", "agent"},
        ),
        (
            "/etc/firewalld/zones/public.xml",
            '<zone><service name="ssh"/><service name="klnagent"/></zone>',
            "rule of the firewall",
            {"ssh", "klnagent"},
        ),
        (
            "/etc/ufw/user.rules",
            (
                "### tuple ### allow tcp 13000 0.0.0.0/0 any 0.0.0.0/0 klnagent - in\n"
                "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
            ),
            "rule of the firewall",
            {"klnagent"},
        ),
        (
            "/etc/passwd",
            (
                "root:x:0:0:root:/root:/bin/sh\nklserver:x:998:998:Kaspersky:/var/opt/k:/bin/sh\n"
                "ada:x:1000:1000:Ada:/home/ada:/bin/sh\nklagent:x:1001:1001::/var/opt/a:/usr/sbin/nologin\n"
            ),
            "account",
            {"klserver", "Kaspersky", "klagent"},
        ),
        ("/etc/group", "kladmins:x:1003:ada\n", "group", {"kladmins"}),
        (
            "/etc/pam.d/common-auth",
            "# pam_old.so\nauth [default=die] pam_kesl.so debug\n",
            "module of log-ins",
            {"pam_kesl"},
        ),
        ("/var/lib/dpkg/diversions", "/usr/bin/x\n/usr/bin/x.real\nkesl\n", "diversion of a file", {"kesl"}),
        (
            "/var/lib/dpkg/statoverride",
            "root kluser 755 /var/opt/kesl\n",
            "owner of a file",
            {"root", "kluser", "kesl"},
        ),
        ("/etc/postfix/main.cf", "content_filter = klms:[::1]:10025\n", "filter of mail", {"klms:[::1]:10025"}),
        ("/etc/postfix/master.cf", "# a\nklms unix - n n - 10 smtp\n  -o a=b\n", "service of mail", {"klms"}),
        (
            "/etc/samba/smb.conf",
            "[share]\n  path = /srv\n  vfs objects = kavsamba recycle\n",
            "shared folder",
            {"share", "kavsamba recycle"},
        ),
    ],
)
def test_names_in_settings_that_all_programs_share(
    tree: Tree, path: str, text: str, what: str, names: set[str]
) -> None:
    tree.write(path, text)
    found = [
        item
        for item in run("remains", tree.host()).items
        if item.path == path and item.details["type"] != "file of settings"
    ]
    assert {item.name for item in found} == names
    assert {item.kind for item in found} == {"setting"}
    assert {item.details["type"] for item in found} == {what}


def test_presets_name_services(tree: Tree) -> None:
    tree.write("/etc/systemd/system-preset/50-x.preset", "# enable a\nenable kesl.service\n")
    assert {"50-x.preset", "kesl.service"} == {item.name for item in run("remains", tree.host()).items}


def test_documents_of_a_package_that_is_gone(tree: Tree) -> None:
    tree.write("/usr/share/doc/kesl/copyright", "x")
    assert run("remains", tree.host()).items == (), "nothing says which packages are there"
    tree.write("/var/lib/dpkg/info/bash.list", "/.\n")
    tree.write("/var/lib/dpkg/info/libc6:amd64.list", "/.\n")
    tree.write("/usr/share/doc/bash/copyright", "x")
    tree.write("/usr/share/doc/libc6/copyright", "x")
    (item,) = run("remains", tree.host()).items
    assert (item.kind, item.state, item.path) == ("file", "leftover", "/usr/share/doc/kesl")


@pytest.mark.parametrize(
    ("path", "kind", "user"),
    [
        ("/private/etc/sudoers.d/kav", "setting", ""),
        ("/private/etc/pf.anchors/org.kav", "setting", ""),
        ("/Library/Managed Preferences/org.kav.plist", "setting", ""),
        ("/Library/PrivilegedHelperTools/org.kav.helper", "setting", ""),
        ("/Users/ada/Library/Cookies/org.kav.binarycookies", "setting", "ada"),
        ("/private/var/db/dslocal/nodes/Default/users/_kav.plist", "setting", ""),
        ("/private/var/db/org.kav/x", "file", ""),
        ("/Users/ada/Downloads/kav.dmg", "file", "ada"),
        ("/usr/local/share/kav/x", "file", ""),
    ],
)
def test_what_removals_leave_on_a_mac(mac_tree: MacTree, path: str, kind: str, user: str) -> None:
    mac_tree.write(path, "x")
    found = [item for item in run("remains", mac_tree.host()).items if "kav" in item.name]
    assert [(item.kind, item.user) for item in found] == [(kind, user)]
    assert path.startswith(found[0].path)


def test_what_is_of_macos_itself_is_left_out(mac_tree: MacTree) -> None:
    before = run("remains", mac_tree.host())
    mac_tree.write("/private/etc/pf.anchors/com.apple", "x")
    mac_tree.write("/Library/PrivilegedHelperTools/com.apple.x", "x")
    mac_tree.write(
        "/private/etc/pf.conf", 'anchor "com.apple/*"\nload anchor "org.kav" from "/etc/pf.anchors/org.kav"\n'
    )
    after = run("remains", mac_tree.host())
    assert [item.name for item in after.items if item not in before.items] == ["com.apple", "com.apple/*", "org.kav"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/syslog-ng/conf.d/kesl.conf",
        "/etc/exim4/conf.d/acl/kesl",
        "/etc/systemd/system/ssh.service.d/kesl.conf",
        "/usr/lib/modprobe.d/kesl.conf",
        "/lib/udev/rules.d/99-kesl.rules",
        "/usr/share/dbus-1/session.d/com.kaspersky.kesl.conf",
        "/etc/apparmor.d/local/opt.kaspersky.kesl",
        "/lib/x86_64-linux-gnu/security/pam_kesl.so",
        "/usr/lib/arm-linux-gnueabihf/libnss_kesl.so.2",
        "/var/lib/systemd/deb-systemd-helper-enabled/kesl.service.dsh-also",
    ],
)
def test_folders_of_drop_ins_and_modules_are_listed_wherever_they_are(tree: Tree, path: str) -> None:
    tree.write(path, "x\n")
    assert path in [item.path for item in run("remains", tree.host()).items if item.kind == "setting"]


@pytest.mark.parametrize("path", ["/var/log/kesl.log", "/var/crash/kesl.1.crash", "/home/ada/.config/kesl-gui.conf"])
def test_files_that_are_called_like_a_program_are_listed(tree: Tree, path: str) -> None:
    tree.write(path, "x\n")
    (item,) = run("remains", tree.host()).items
    assert (item.kind, item.state, item.path) == ("file", "leftover", path)


def test_a_script_of_a_package_that_is_gone(tree: Tree) -> None:
    for name in ("format", "bash.list", "bash.postrm", "libc6:amd64.list", "libc6:amd64.triggers", "kesl.postrm"):
        tree.write(f"/var/lib/dpkg/info/{name}", "x\n")
    (item,) = run("remains", tree.host()).items
    assert (item.name, item.state, item.path) == ("kesl", "leftover", "/var/lib/dpkg/info/kesl.postrm")


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("/etc/nftables.conf", "add table inet kesl_table\n", "kesl_table"),
        ("/etc/nftables.conf", "add chain inet filter kesl_bypass\n", "kesl_bypass"),
        ("/etc/apt/preferences", "Package: kesl\nPin: release *\n", "kesl"),
        ("/etc/modules", "# a\nklif\n", "klif"),
        ("/etc/modprobe.d/local.conf", "options klif x=1\n", "klif"),
        ("/etc/ld.so.preload", "/usr/lib/libkesl_preload.so\n", "kesl_preload.so"),
        ("/etc/nsswitch.conf", "passwd: files kesl\n", "files kesl"),
        ("/etc/security/limits.conf", "# x\n@kesl soft nofile 1000\n", "kesl"),
        ("/usr/lib/sysusers.d/local.conf", 'u kesl - "x"\n', "kesl"),
        ("/etc/tmpfiles.d/local.conf", "d /var/opt/kaspersky 0755 kesl kesl -\n", "var/opt/kaspersky"),
        ("/etc/systemd/system/ssh.service.d/10.conf", "[Unit]\nAfter=kesl.service\n", "kesl.service"),
        ("/etc/rsyslog.conf", ':programname, isequal, "kesl" /var/log/a\n', "kesl"),
        ("/etc/audit/rules.d/audit.rules", "-w /opt/k -p wa -k kesl\n", "kesl"),
        ("/etc/ssh/sshd_config", "allowusers klnagent\n", "klnagent"),
        ("/etc/squid/squid.conf", "icap_service kav reqmod_precache icap://kaspersky.local:1344/x\n", "kav"),
        ("/etc/mail/sendmail.mc", "INPUT_MAIL_FILTER(`kaspersky', `S=inet:1@127.0.0.1')\n", "kaspersky"),
        ("/etc/docker/daemon.json", '{"authorization-plugins": ["kaspersky-authz"]}', '"kaspersky-authz"'),
        ("/etc/environment", 'PATH="/usr/bin"\nKESL_HOME=/opt/x\n', "KESL_HOME"),
        ("/etc/resolv.conf", "nameserver ::1\nsearch kaspersky.com\n", "kaspersky.com"),
        ("/etc/default/grub", 'GRUB_CMDLINE_LINUX="quiet kesl.enable=1"\n', "quiet kesl.enable=1"),
    ],
)
def test_names_that_only_a_line_has(tree: Tree, path: str, text: str, name: str) -> None:
    tree.write(path, text)
    names = [item.name for item in run("remains", tree.host()).items]
    assert name in names
    assert not {"PATH", "a", "x", "#"} & set(names)
