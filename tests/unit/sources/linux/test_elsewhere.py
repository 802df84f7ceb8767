"""Folders that a file names, or that show themselves: each is read as if it lay in its usual place, or named."""

import json
import os
from collections.abc import Callable

import pytest

from tests.support.harness import Result, run
from tests.support.trees import Tree

STATUS = "Package: kesl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.1.0-1543\n\n"
EXTENSION = "ahkjpbeeocnddjkakilopmfdlnjdpcdm"
Filler = Callable[[Tree, str], str]


def root(tree: Tree, at: str) -> str:
    tree.write(f"{at}/etc/os-release", "ID=debian\n")
    tree.write(f"{at}/var/lib/dpkg/status", STATUS)
    return "kesl"


def bare_root(tree: Tree, at: str) -> str:
    """With nothing but the program: only what names it can say that it is a root."""
    tree.write(f"{at}/opt/kaspersky/kesl/bin/kesl", "#!/bin/sh\n", 0o755)
    return "kaspersky"


def profile(tree: Tree, at: str) -> str:
    manifest = {"name": "Protection", "version": "20.0", "manifest_version": 3}
    tree.write(f"{at}/Local State", "{}")
    tree.write(f"{at}/Default/Extensions/{EXTENSION}/20.0_0/manifest.json", json.dumps(manifest))
    tree.write(
        f"{at}/Default/Preferences",
        json.dumps(
            {"extensions": {"settings": {EXTENSION: {"path": f"{EXTENSION}/20.0_0", "manifest": manifest, "state": 1}}}}
        ),
    )
    return "Protection"


def configuration(tree: Tree, at: str) -> str:
    return profile(tree, f"{at}/google-chrome")


def home(tree: Tree, at: str) -> str:
    return profile(tree, f"{at}/.config/google-chrome")


def firefox(tree: Tree, at: str) -> str:
    addon = {"id": "light@kaspersky.example", "type": "extension", "version": "5", "defaultLocale": {"name": "Plugin"}}
    tree.write(f"{at}/extensions.json", json.dumps({"schemaVersion": 36, "addons": [{**addon, "active": True}]}))
    tree.write(f"{at}/prefs.js", "")
    return "Plugin"


def mozilla(tree: Tree, at: str) -> str:
    tree.write(f"{at}/.mozilla/firefox/profiles.ini", "[Profile0]\nIsRelative=1\nPath=a.default\n")
    return firefox(tree, f"{at}/.mozilla/firefox/a.default")


def editor(tree: Tree, at: str) -> str:
    package = {"name": "helper", "publisher": "vendor", "version": "1.2.3", "engines": {"vscode": "*"}}
    tree.write(f"{at}/vendor.helper-1.2.3/package.json", json.dumps(package))
    return "vendor.helper"


def portable_editor(tree: Tree, at: str) -> str:
    tree.write(f"{at}/bin/code", "#!/bin/sh\n", 0o755)
    return editor(tree, f"{at}/data/extensions")


def docker(tree: Tree, at: str) -> str:
    """Layers that no record of the engine mentions."""
    return root(tree, f"{at}/overlay2/abc/diff")


def podman(tree: Tree, at: str) -> str:
    tree.write(f"{at}/storage.lock", "")
    return root(tree, f"{at}/overlay/abc/diff")


def containerd(tree: Tree, at: str) -> str:
    return root(tree, f"{at}/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs")


def k3s(tree: Tree, at: str) -> str:
    return containerd(tree, f"{at}/agent/containerd")


def wine(tree: Tree, at: str) -> str:
    key = "[Software\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Uninstall\\\\x] 1"
    tree.write(f"{at}/system.reg", f'WINE REGISTRY Version 2\n\n{key}\n"DisplayName"="Kaspersky Free"\n')
    tree.write(f"{at}/user.reg", "WINE REGISTRY Version 2\n")
    tree.folder(f"{at}/drive_c/windows")
    return "Kaspersky Free"


def steam(tree: Tree, at: str) -> str:
    return wine(tree, f"{at}/steamapps/compatdata/730/pfx")


def python(tree: Tree, at: str) -> str:
    tree.write(f"{at}/kasp-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: kasp\nVersion: 1.0\n")
    return "kasp"


def prefix(tree: Tree, at: str) -> str:
    return python(tree, f"{at}/lib/python3.11/site-packages")


def conda(tree: Tree, at: str) -> str:
    tree.write(f"{at}/work/conda-meta/history", "")
    return prefix(tree, f"{at}/work")


def node(tree: Tree, at: str) -> str:
    tree.write(f"{at}/lib/node_modules/kasp/package.json", '{"name": "kasp", "version": "1.0.0"}')
    return "kasp"


def gems(tree: Tree, at: str) -> str:
    text = 'Gem::Specification.new do |s|\n  s.name = "kasp".freeze\n  s.version = "1.0"\nend\n'
    tree.write(f"{at}/specifications/kasp-1.0.gemspec", text)
    return "kasp"


def cargo(tree: Tree, at: str) -> str:
    tree.write(f"{at}/.crates.toml", '[v1]\n"kasp 1.0.0 (registry+https://x)" = ["kasp"]\n')
    return "kasp"


def dpkg(tree: Tree, at: str) -> str:
    tree.write(f"{at}/status", STATUS)
    tree.folder(f"{at}/info")
    return "kesl"


def pacman(tree: Tree, at: str) -> str:
    tree.write(f"{at}/local/ALPM_DB_VERSION", "9\n")
    tree.write(f"{at}/local/kesl-1-1/desc", "%NAME%\nkesl\n\n%VERSION%\n1-1\n")
    return "kesl"


def appimage(tree: Tree, at: str) -> str:
    tree.write(f"{at}/Kasp-1.0.AppImage", b"\x7fELF\x02\x01\x01\0AI\x02" + bytes(64), 0o755)
    return "Kasp"


def nix(tree: Tree, at: str) -> str:
    element = {"active": True, "storePaths": ["/nix/store/abc-kasp-1.0"]}
    tree.write(f"{at}/nix/var/nix/profiles/default/manifest.json", json.dumps({"version": 2, "elements": [element]}))
    tree.folder(f"{at}/nix/store/abc-kasp-1.0")
    return "abc-kasp"


def guix(tree: Tree, at: str) -> str:
    tree.write(f"{at}/manifest", '(manifest (version 4) (packages (("kasp" "1.0" "out" "/gnu/store/a-kasp-1.0"))))\n')
    tree.folder(f"{at}/etc/profile.d")
    return "kasp"


NAMED: list[tuple[str, str, Filler, str]] = [
    # what names it, with the text; what lies there; where
    (
        "/etc/systemd/system/a.service",
        "[Service]\nRootDirectory=/srv/web/a\nExecStart=/bin/x\n",
        bare_root,
        "/srv/web/a",
    ),
    ("/etc/systemd/system/a.service", "[Service]\nExecStart=chroot /data/x/y /bin/sh\n", bare_root, "/data/x/y"),
    ("/etc/systemd/system/a.service", "[Service]\nExecStart=systemd-nspawn -bD /data/x/y\n", root, "/data/x/y"),
    ("/etc/systemd/system/a.service", "[Service]\nExecStart=systemd-nspawn --directory=/d/y -b\n", bare_root, "/d/y"),
    ("/etc/systemd/system/a@.service.d/b.conf", "[Service]\nRootDirectory=/d/y\n", bare_root, "/d/y"),
    ("/home/ada/.config/systemd/user/a.service", "[Service]\nExecStart=bwrap --bind %h/d / sh\n", root, "/home/ada/d"),
    ("/etc/systemd/system/a.service", "[Service]\nExecStart=/d/deep/y/usr/bin/agent\n", root, "/d/deep/y"),
    ("/etc/cron.d/a", "@daily root chroot /d/deep/y run\n", bare_root, "/d/deep/y"),
    ("/etc/init.d/a", "#!/bin/sh\nexec chroot --userspec=a:b /d/deep/y run\n", bare_root, "/d/deep/y"),
    ("/etc/pbuilderrc", "BUILDPLACE=/d/deep/build/\n", root, "/d/deep/build/123"),
    ("/etc/systemd/system/a.service", "[Service]\nExecStart=podman --root /d/deep/p run x\n", podman, "/d/deep/p"),
    ("/etc/default/docker", "DOCKER_DATA=/d/deep/p\n", docker, "/d/deep/p"),
    ("/etc/rancher/k3s/config.yaml", "data-dir: /d/deep/k3s\n", k3s, "/d/deep/k3s"),
    ("/etc/opt/chrome/policies/managed/a.json", '{"UserDataDir": "/d/web/${user_name}/c"}', profile, "/d/web/ada/c"),
    ("/etc/brave/policies/managed/a.json", '{"UserDataDir":"\\/d\\/web"}', profile, "/d/web"),
    ("/usr/share/applications/a.desktop", "Exec=chrome --user-data-dir=/d/web/a %U\n", profile, "/d/web/a"),
    ("/home/ada/.config/autostart/a.desktop", "Exec=firefox --profile /d/web/f\n", firefox, "/d/web/f"),
    ("/usr/local/bin/web", '#!/bin/sh\nexec chromium --user-data-dir=$HOME/w "$@"\n', profile, "/home/ada/w"),
    ("/etc/environment", "XDG_CONFIG_HOME=/d/settings\n", configuration, "/d/settings"),
    ("/etc/security/pam_env.conf", "XDG_CONFIG_HOME DEFAULT=@{HOME}/s\n", configuration, "/home/ada/s"),
    ("/home/ada/.profile", "export XDG_CONFIG_HOME=~/settings\n", configuration, "/home/ada/settings"),
    ("/etc/systemd/system/a.service", "[Service]\nEnvironment=HOME=/d/homes/kiosk\n", home, "/d/homes/kiosk"),
    ("/home/ada/.local/share/applications/c.desktop", "Exec=code --extensions-dir /d/e %F\n", editor, "/d/e"),
    ("/home/ada/.local/share/applications/c.desktop", "Exec=/d/e/bin/code %F\n", portable_editor, "/d/e"),
    ("/home/ada/.local/share/Steam/steamapps/libraryfolders.vdf", '"path"\t\t"/games/S L"\n', steam, "/games/S L"),
    ("/home/ada/.config/lutris/games/a.yml", "game:\n  prefix: /games/w/a\n", wine, "/games/w/a"),
    ("/home/ada/.config/heroic/GamesConfig/a.json", '{"winePrefix": "/games/w/a"}', wine, "/games/w/a"),
    (
        "/home/ada/.config/user-dirs.dirs",
        'XDG_DESKTOP_DIR="$HOME/a/Schreibtisch"\n',
        appimage,
        "/home/ada/a/Schreibtisch",
    ),
    ("/home/ada/.config/pip/pip.conf", "[install]\ntarget = /d/py\n", python, "/d/py"),
    ("/home/ada/.config/pip/pip.conf", "[install]\nuser-base = /d/py\n", prefix, "/d/py"),
    ("/home/ada/.condarc", "envs_dirs:\n  - /d/envs\n", conda, "/d/envs"),
    ("/home/ada/.npmrc", "prefix=${HOME}/.npm-other\n", node, "/home/ada/.npm-other"),
    ("/home/ada/.gemrc", "gemhome: /d/gems\n", gems, "/d/gems"),
    ("/home/ada/.cargo/config.toml", '[install]\nroot = "/d/cargo"\n', cargo, "/d/cargo"),
    ("/home/ada/.rpmmacros", "%_dbpath /d/deep/db\n", dpkg, "/d/deep/db"),
    ("/home/ada/.config/pacman/pacman.conf", "DBPath = /d/deep/pac/\n", pacman, "/d/deep/pac"),
    ("/etc/opkg.conf", "dest usb /d/usb\n", root, "/d/usb"),
    ("/etc/portage/make.conf", 'ROOT="/d/cross/r"\n', root, "/d/cross/r"),
    ("/etc/nix/nix.conf", "store = /d/store\n", nix, "/d/store"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "text", "fill", "at"), NAMED)
def test_what_a_file_names_is_read(tree: Tree, file: str, text: str, fill: Filler, at: str) -> None:
    name = fill(tree, at)
    tree.write(file, text)
    result = run("elsewhere", tree.host())
    assert name in result.names(), (result.names(), result.problems)
    assert all("the database of the" in problem.why for problem in result.problems), result.problems


SHOWN: list[tuple[Filler, str]] = [
    (root, "/opt/chroot/a"),
    (root, "/srv/jail"),
    (root, "/jails/a"),
    (root, "/home/ada/chroots/a"),
    (root, "/home/ada/rootfs"),
    (root, "/var/tmp/build"),
    (root, "/var/cache/pbuilder/base.cow"),
    (root, "/var/lib/mock/fedora-41-x86_64/root"),
    (root, "/home/ada/.local/share/proot-distro/installed-rootfs/debian"),
    (root, "/var/chroots/a"),
    (profile, "/home/ada/web"),
    (profile, "/data/web"),
    (wine, "/home/ada/prefix"),
    (steam, "/games/SteamLibrary"),
    (appimage, "/home/ada/Schreibtisch"),
    (portable_editor, "/home/ada/VSCode-linux-x64"),
    (portable_editor, "/opt/code"),
    (guix, "/home/ada/.guix-extra-profiles/work/work"),
    (nix, "/home/ada/.local/share/nix/root"),
    (docker, "/srv/docker"),
    (root, "/home/jail"),
    (root, "/home/chroot/a"),
    (k3s, "/data/k3s"),
    (home, "/data/home/bob"),
    (configuration, "/home/ada/.var/app/org.example.Browser/config"),
    (home, "/home/ada/snap/example/current"),
    (home, "/home/ada/snap/example/common"),
    (mozilla, "/home/ada/.var/app/org.example.Browser"),
    (profile, "/home/ada/.web"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("fill", "at"), SHOWN)
def test_what_shows_itself_is_read(tree: Tree, fill: Filler, at: str) -> None:
    name = fill(tree, at)
    result = run("elsewhere", tree.host())
    assert name in result.names(), (result.names(), result.problems)
    assert all("the database of the" in problem.why for problem in result.problems), result.problems


def test_a_home_that_looks_like_a_root_is_read_as_a_home(tree: Tree) -> None:
    name = profile(tree, "/home/ada/web")
    root(tree, "/home/ada")
    assert {name, "kesl"} <= set(run("elsewhere", tree.host()).names())


def test_sandboxes_that_lead_to_one_folder_are_read_once(tree: Tree) -> None:
    for number in range(3):
        for name in ("current", "common"):
            tree.link(f"/home/ada/snap/s{number}/{name}", ("/", "/home/ada", "/srv/one")[number])
    profile(tree, "/srv/one/.config/chromium")
    items = [item for item in run("elsewhere", tree.host()).items if item.user == "ada"]
    assert len({item.path for item in items}) == len(items)


def problems(result: Result) -> list[tuple[str, str]]:
    return [(problem.where, problem.cause) for problem in result.problems]


@pytest.mark.parametrize(
    ("file", "text", "image"),
    [
        ("/etc/systemd/system/a.service", "[Service]\nRootImage=/srv/a.img\n", "/srv/a.img"),
        ("/etc/hostname", "a\n", "/srv/vm/a.qcow2"),
        ("/etc/systemd/system/a.service", "[Service]\nExecStart=systemd-nspawn --image=/srv/a b\n", "/srv/a"),
        ("/etc/systemd/system/a.service", "[Service]\nExecStart=systemd-nspawn -i /srv/a b\n", "/srv/a"),
        ("/etc/libvirt/qemu/a.xml", "<source file='/srv/vm/a.qcow2'/>", "/srv/vm/a.qcow2"),
        ("/home/ada/.config/VirtualBox/VirtualBox.xml", '<MachineEntry src="/d/vm/a.vbox"/>', "/d/vm/a.vbox"),
    ],
)
def test_an_image_is_named(tree: Tree, file: str, text: str, image: str) -> None:
    tree.write(file, text)
    tree.write(image, bytes(512))
    assert problems(run("elsewhere", tree.host())) == [(image, "unsupported")]


@pytest.mark.parametrize(
    ("file", "text", "path"),
    [
        ("/etc/systemd/system/a.service", "[Service]\nRootDirectory=/data/a\n", "/data/a"),
        ("/etc/opt/chrome/policies/managed/a.json", '{"UserDataDir": "/data/web"}', "/data/web"),
        ("/usr/share/applications/a.desktop", "Exec=chromium --user-data-dir=/data/web\n", "/data/web"),
        ("/home/ada/.steam/steam/config/libraryfolders.vdf", '"path" "/mnt/games/S"', "/mnt/games/S"),
    ],
)
def test_a_folder_on_a_disk_that_is_not_there_is_named(tree: Tree, file: str, text: str, path: str) -> None:
    tree.write(file, text)
    assert problems(run("elsewhere", tree.host())) == [(path, "missing")]
    tree.folder(f"/{path.split('/')[1]}/{path.split('/')[2]}" if path.startswith("/mnt") else "/data/other")
    tree.write(f"{'/mnt/games' if path.startswith('/mnt') else '/data'}/file")
    assert problems(run("elsewhere", tree.host())) == []


def test_what_follows_a_variable_is_no_whole_path(tree: Tree) -> None:
    """As ssh-copy-id of OpenSSH has it, which is on most systems."""
    text = '#!/bin/sh\nFILE="$SCRATCH_DIR"/ids\n'
    tree.write("/usr/bin/ssh-copy-id", text, 0o755)
    assert problems(run("elsewhere", tree.host())) == []
    tree.write("/usr/bin/ssh-copy-id", text.replace('"$SCRATCH_DIR"', "SCRATCH_DIR="), 0o755)
    assert problems(run("elsewhere", tree.host())) == [("/ids", "missing")]


def test_what_its_source_reads_anyway_is_not_read_again(tree: Tree) -> None:
    profile(tree, "/home/ada/.config/google-chrome")
    root(tree, "/var/lib/machines/web")
    text = "Exec=chrome --user-data-dir=/home/ada/.config/google-chrome\n"
    tree.write("/home/ada/.config/autostart/a.desktop", text)
    tree.write("/etc/systemd/system/a.service", "[Service]\nExecStart=systemd-nspawn -D /var/lib/machines/web\n")
    tree.write("/home/ada/.profile", "export XDG_CONFIG_HOME=$HOME/.config XDG_DATA_HOME=$HOME/.local/share\n")
    tree.folder("/home/ada/.local/share/applications")
    assert run("elsewhere", tree.host()).items == ()


@pytest.mark.parametrize("wrapper", ["/usr/bin/av", "/usr/local/bin/av", "/home/ada/bin/av"])
@pytest.mark.parametrize("how", ["link", "script", "folder"])
def test_a_program_that_a_wrapper_starts(tree: Tree, wrapper: str, how: str) -> None:
    tree.write("/data/kaspersky/bin/avp", b"\x7fELF", 0o755)
    tree.write("/data/kaspersky/readme", "")
    if how == "link":
        tree.link(wrapper, "/data/kaspersky/bin/avp")
    else:
        called = "TOP=/data/kaspersky; exec $TOP/bin/avp" if how == "folder" else "exec /data/kaspersky/bin/avp --tray"
        tree.write(wrapper, f"#!/bin/sh\n# not /data/other\n{called}\n", 0o755)
    tree.write("/usr/bin/other", "#!/bin/sh\ncat /data/kaspersky/readme /usr/share/a\n", 0o755)
    user = "ada" if wrapper.startswith("/home") else ""
    expected = {("program", "/data/kaspersky/bin/avp", user)}
    if how == "folder":
        expected.add(("file", "/data/kaspersky", user))
    items = run("elsewhere", tree.host()).items
    assert {(item.kind, item.path, item.user) for item in items} == expected
    assert all(item.evidence[0].where == wrapper for item in items)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("/home/ada/.bashrc", 'export PATH="$PATH:$HOME/{}"'),
        ("/home/ada/.bash_aliases", "alias av='~/{}/avp'"),
        ("/home/ada/.config/fish/config.fish", "fish_add_path /home/ada/{}"),
        ("/home/ada/.config/environment.d/a.conf", "PATH=/usr/bin:/home/ada/{}"),
        ("/home/ada/.profile", "LD_LIBRARY_PATH=/home/ada/{}"),
        ("/etc/environment", "PATH=/usr/bin:/home/ada/{}"),
    ],
)
def test_programs_where_a_shell_searches_for_them(tree: Tree, file: str, line: str) -> None:
    deep = "a/b/c/d/e/f"
    tree.write(f"/home/ada/{deep}/avp", b"\x7fELF", 0o755)
    tree.write(f"/home/ada/{deep}/libav.so.1", b"\x7fELF")
    tree.write(f"/home/ada/{deep}/readme", "")
    tree.write(file, line.format(deep) + "\n")
    names = {item.name for item in run("elsewhere", tree.host()).items if item.kind == "program"}
    assert names == ({"avp"} if "alias" in line else {"avp", "libav.so.1"})


def test_the_item_says_where_it_lies_and_who_says_so(tree: Tree) -> None:
    profile(tree, "/data/web")
    tree.write("/etc/opt/chrome/policies/managed/a.json", '{"UserDataDir": "/data/web"}')
    item = run("elsewhere", tree.host()).one("Protection")
    assert item.details["named_by"] == "/etc/opt/chrome/policies/managed/a.json"
    assert item.details["seen_by"] == "chromium_extensions"
    assert all(one.where.startswith("/data/web/Default/") for one in item.evidence), item.evidence
    assert item.path.startswith("/data/web/Default/Extensions/")


def test_of_two_users_who_share_a_folder_each_has_it(tree: Tree) -> None:
    tree.write(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n",
    )
    profile(tree, "/data/web")
    for user in ("ada", "bob"):
        tree.write(f"/home/{user}/.profile", "alias web='chromium --user-data-dir=/data/web'\n")
    found = run("elsewhere", tree.host())
    assert sorted(item.user for item in found.items if item.name == "Protection") == ["ada", "bob"]


def test_an_ordinary_desktop_names_nothing(tree: Tree) -> None:
    """What Debian's own files say: comments, folders of the system, programs, and folders that are empty."""
    tree.write("/etc/default/useradd", "# HOME=/data/home\nSHELL=/bin/sh\n")
    tree.write("/etc/profile", 'PATH="/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"\nexport PATH\n')
    tree.write("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n")
    tree.write(
        "/home/ada/.bashrc", '[ -f ~/.bash_aliases ] && . ~/.bash_aliases\nexport GOPATH=$HOME/go PATH="$PATH:~/bin"\n'
    )
    tree.write("/home/ada/.config/user-dirs.dirs", 'XDG_DESKTOP_DIR="$HOME/Desktop"\nXDG_MUSIC_DIR="$HOME/"\n')
    tree.write("/usr/share/applications/a.desktop", "[Desktop Entry]\nExec=/opt/vendor/program --root=/ %U\n")
    tree.write("/opt/vendor/program", b"\x7fELF", 0o755)
    tree.write("/opt/vendor/lib/a.so", b"")
    tree.write("/home/ada/Documents/a.txt", "/data/x")
    tree.write(
        "/usr/lib/systemd/system/b.service",
        "[Service]\nExecStart=/usr/sbin/b\nRootDirectory=/run/b\nWorkingDirectory=/var/lib/b\n",
    )
    tree.link("/etc/systemd/system/c.service", "/dev/null")
    tree.folder("/var/lib/b")
    result = run("elsewhere", tree.host())
    assert (result.items, result.problems) == ((), ())


def test_a_flood_of_names_ends_with_a_problem(tree: Tree) -> None:
    tree.write("/home/ada/.profile", "".join(f"A=/d/{number}\n" for number in range(6_000)))
    tree.write("/d/x")
    assert ("/home/ada/.profile", "limit") in problems(run("elsewhere", tree.host()))


@pytest.mark.parametrize(
    "at",
    [
        "/.snapshots/7/snapshot",
        "/timeshift/snapshots/2026-01-01_10-00-00/localhost",
        "/timeshift-btrfs/snapshots/2026-01-01_10-00-00/@",
        "/sysroot/ostree/deploy/fedora/deploy/abc.1",
    ],
)
def test_another_state_of_the_system_is_read_once(tree: Tree, at: str) -> None:
    tree.write("/var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5\n\n")
    root(tree, at)
    result = run("elsewhere", tree.host())
    assert result.one("kesl").details["inside"] == f"earlier or later state {at}"
    assert result.problems == ()


def test_a_state_that_is_the_present_one_is_left_out(tree: Tree) -> None:
    for top in ("", "/.snapshots/1/snapshot", "/.snapshots/2/snapshot"):
        path = tree.write(f"{top}/var/lib/dpkg/status", STATUS)
        os.utime(path, (1_000_000, 1_000_000))
        tree.folder(f"{top}/usr/bin")
    result = run("elsewhere", tree.host())
    assert result.items == ()
    assert result.run.left_out == {"listed as another item": 2}


def test_what_its_source_follows_itself_is_not_read_again(tree: Tree) -> None:
    docker(tree, "/d/deep/one")
    podman(tree, "/d/deep/two")
    pacman(tree, "/d/deep/pac")
    tree.write("/etc/docker/daemon.json", '{"data-root": "/d/deep/one"}')
    tree.write("/etc/containers/storage.conf", '[storage]\ngraphroot = "/d/deep/two"\n')
    tree.write("/etc/pacman.conf", "[options]\nDBPath = /d/deep/pac/\n")
    assert run("elsewhere", tree.host()).items == ()
    assert "kesl" in run("containers", tree.host()).names()
    assert "kesl" in run("pacman", tree.host()).names()
