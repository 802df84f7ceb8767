r"""Places where software is known to live and that no source reads: each is recognised by its existence, and named.

One line is one kind of place. A place that is worth reading becomes a source, and its line goes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, get_args

from phaseout.host import Host
from phaseout.host.filesystem.files import printable
from phaseout.model.nouns import Kind, Platform, Problem
from phaseout.model.regex import regex
from phaseout.parsers.linux.fstab import encrypted_volumes, fstab_entries
from phaseout.sources.kit.missing_files import VOLUME_LISTS, volumes_of_linux
from phaseout.sources.kit.places import places
from phaseout.sources.kit.promised_places import READS as PROMISED
from phaseout.sources.kit.promised_places import promised_places
from phaseout.sources.kit.user_data import CHROMIUM, MOZILLA
from phaseout.sources.source import Source, Trace

_MOUNT = "mount it read-only, and scan it with --root"
# Below these, an empty folder that a volume should fill hides software; what is kept and logged elsewhere does not.
_FILLED = ("/gnu", "/home", "/nix", "/opt", "/root", "/srv", "/usr", "/var")
_STANDARD = ("/etc", "/usr", "/var")
_NO_SOFTWARE = ("/var/cache", "/var/log", "/var/tmp")  # noqa: S108
_VOLUME = "mount that volume there, then scan again"
# Folders that every system of its kind has: without one, a part of the disk is elsewhere. Of Linux, where no folder is
# in every system, those that are links: they lead nowhere if the volume behind them is not there.
_EVERY_MAC = ("/Applications", "/Library", "/Users", "/private/var/db/dslocal")
_LINKED = ("/bin", "/home", "/lib", "/opt", "/root", "/sbin", "/srv", "/usr", "/usr/local", "/var", "/var/lib")
# The same of homes, where programs keep their settings and what users add to them.
_OF_HOMES = {
    base: frozenset(path.partition("/")[0] for table in (CHROMIUM, MOZILLA) for path in table["linux"].get(base, ()))
    for base in (".config", ".local/share", ".var/app", "snap")
} | {"": frozenset((".config", ".local", ".mozilla", ".thunderbird", ".var", "snap", "bin", "Applications"))}
_OF_HOMES[".local"] = frozenset(("share", "bin"))
_LOGGED_IN = "scan while the user is logged in"
# What a home of fscrypt shows while it is locked: names that are encrypted, and nothing else.
_ENCRYPTED = regex(r"[A-Za-z0-9+,_-]{22,}|ECRYPTFS_FNEK_ENCRYPTED\..+")
_UNITS = "/etc/systemd/system"
_HIVE = r"\System32\config\SOFTWARE"
_UDEV = "/run/udev/data"  # what the running system knows of its devices
_OF_WINDOWS = regex(r"^E:ID_FS_TYPE=(?:ntfs|BitLocker)$", re.MULTILINE)
# What stays of a home that eCryptfs has locked.
_OF_LOCKED = frozenset(("Access-Your-Private-Data.desktop", "README.txt", ".Private", ".ecryptfs"))
_GUEST = "run phaseout inside"


# What only the root of a system has, on a disk that is mounted in a folder of this one.
_MARKS_OF_SYSTEMS = (
    *("etc/os-release", "usr/lib/os-release", "@/etc/os-release", "@/usr/lib/os-release", "ostree/deploy"),
    *("var/lib/dpkg/status", "var/lib/rpm", "Windows/System32/config/SOFTWARE", "WINDOWS/system32/config/software"),
    *("System/Library/CoreServices/SystemVersion.plist", "private/var/db/dslocal/nodes/Default"),
)
# Where a volume holds no software, or only for a while.
_NEVER_FILLED = ("/.snapshots", "/boot", "/dev", "/efi", "/proc", "/run", "/swap", "/sys", "/tmp")  # noqa: S108
_NOT_ON_A_DISK = frozenset(
    ("tmpfs", "ramfs", "proc", "sysfs", "devpts", "cgroup", "cgroup2", "debugfs", "hugetlbfs", "nfs", "nfs4", "cifs")
)
_REMOVABLE = ("/media/", "/mnt/", "/run/")
_CRYPTTAB = "/etc/crypttab"
_WHERE = regex(r"^[ \t]*Where[ \t]*=[ \t]*(/[^\n]*?)[ \t]*$", re.MULTILINE)
_TYPE = regex(r"^[ \t]*Type[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_MAPPED = regex(r"^[ \t]*/dev/mapper/(\S+)[ \t]+(\S+)", re.MULTILINE)


class Territory(NamedTuple):
    """One kind of place.

    Attributes:
        what: what lies there, in the plural.
        remedy: what helps.
        platforms: the systems that have it.
        patterns: the paths that show it; `~` stands for the home of every user.
    """

    what: str
    remedy: str
    platforms: tuple[Platform, ...]
    patterns: tuple[str, ...]


_LINUX: tuple[Platform, ...] = ("linux",)
_MACOS: tuple[Platform, ...] = ("macos",)
_WINDOWS: tuple[Platform, ...] = ("windows",)
_UNIX: tuple[Platform, ...] = ("linux", "macos")

TERRITORIES = (
    # Package managers
    Territory(
        "bundles of swupd", "see swupd bundle-list", _LINUX, ("/usr/share/clear/bundles/*", "/opt/3rd-party/bundles/*")
    ),
    Territory("packages of CRUX", "see pkginfo -i", _LINUX, ("/var/lib/pkg/db",)),
    Territory("packages of KISS", "see kiss list", _LINUX, ("/var/db/kiss/installed/*",)),
    Territory("modules of Lunar", "see lvu installed", _LINUX, ("/var/state/lunar/packages",)),
    Territory("spells of Source Mage", "see gaze installed", _LINUX, ("/var/state/sorcery/packages",)),
    Territory("programs of GoboLinux", "see /Programs", _LINUX, ("/Programs/*",)),
    Territory(
        "packages of pkgsrc", "see pkg_info", _UNIX, ("/usr/pkg/pkgdb/*", "/opt/pkg/pkgdb/*", "/var/db/pkg/*/+CONTENTS")
    ),
    Territory(
        "packages of Bitnami",
        "see /opt/bitnami",
        _LINUX,
        ("/opt/bitnami/*/.spdx-*.spdx", "/opt/bitnami/.bitnami_components.json"),
    ),
    Territory("packages of Synology", "see synopkg list", _LINUX, ("/var/packages/*/INFO",)),
    Territory("packages of QNAP", "see qpkg_cli -l", _LINUX, ("/etc/config/qpkg.conf",)),
    Territory(
        "packages of Termux", "run dpkg -l in Termux", _LINUX, ("/data/data/com.termux/files/usr/var/lib/dpkg/status",)
    ),
    Territory("packages of Spack", "see spack find", _UNIX, ("/opt/spack/opt/spack/*", "~/spack/opt/spack/*")),
    Territory(
        "programs of 0install",
        "see 0install store list",
        _UNIX,
        ("/var/cache/0install.net/implementations/*", "~/.cache/0install.net/implementations/*"),
    ),
    Territory(
        "packages of Fink", "see fink list -i", _MACOS, ("/sw/var/lib/dpkg/status", "/opt/sw/var/lib/dpkg/status")
    ),
    Territory("packages of Cygwin", "see cygcheck -c", _WINDOWS, (r"C:\cygwin*\etc\setup\installed.db",)),
    Territory(
        "packages of MSYS2",
        "see pacman -Q",
        _WINDOWS,
        (r"C:\msys*\var\lib\pacman\local\*", r"C:\Program Files\Git\var\lib\pacman\local\*"),
    ),
    # Android apps on other systems
    Territory(
        "Android apps in Waydroid",
        "see waydroid app list",
        _LINUX,
        ("/var/lib/waydroid/images/*.img", "~/.local/share/waydroid/data/app/*", "/var/lib/anbox/data"),
    ),
    Territory("Android apps in BlueStacks", "open BlueStacks", _WINDOWS, (r"C:\ProgramData\BlueStacks*\Engine\*",)),
    # Containers
    Territory(
        "images that bootc keeps",
        "see bootc image list",
        _LINUX,
        ("/usr/lib/bootc/storage/*-images/*", "/sysroot/ostree/bootc/storage/*-images/*"),
    ),
    Territory("containers of OpenVZ", _GUEST, _LINUX, ("/vz/private/*", "/vz/root/*", "/var/lib/vz/private/*")),
    Territory(
        "containers and machines of Proxmox",
        _GUEST,
        _LINUX,
        ("/etc/pve/lxc/*.conf", "/etc/pve/qemu-server/*.conf", "/var/lib/pve-cluster/config.db"),
    ),
    Territory(
        "images of Apptainer and Singularity",
        "mount them, and scan them with --root",
        _LINUX,
        ("~/*.sif", "/opt/*.sif", "/opt/*/*.sif", "/srv/*.sif"),
    ),
    Territory("containers of udocker", "see udocker ps", _LINUX, ("~/.udocker/containers/*",)),
    Territory(
        "disks of virtual machines that run containers",
        "run phaseout inside, or list the containers with docker ps -a or podman ps -a",
        _UNIX,
        (
            *(
                "~/.docker/desktop/vms/*/data/Docker.raw",
                "~/Library/Containers/com.docker.docker/Data/vms/*/data/Docker.raw",
            ),
            *("~/.local/share/containers/podman/machine/*/*.raw", "~/.local/share/containers/podman/machine/*/*.qcow2"),
            *(
                "~/.lima/*/diffdisk",
                "~/.colima/_lima/*/diffdisk",
                "~/.minikube/machines/*/*.rawdisk",
                "~/.rd/lima/*/diffdisk",
            ),
            *("~/.orbstack/data/*.img", "~/Library/Application Support/rancher-desktop/lima/*/diffdisk"),
        ),
    ),
    # Virtual machines
    Territory(
        "disks of virtual machines",
        f"{_GUEST}, or mount the disk read-only and scan it with --root",
        _LINUX,
        (
            *(f"/var/lib/libvirt/images/*{end}" for end in (".qcow2", ".img", ".raw", ".vmdk")),
            *(f"~/.local/share/libvirt/images/*{end}" for end in (".qcow2", ".img", ".raw")),
            *("~/.local/share/gnome-boxes/images/*", "~/.var/app/org.gnome.Boxes/data/gnome-boxes/images/*"),
            *("~/VirtualBox VMs/*/*.vdi", "~/VirtualBox VMs/*/*.vmdk", "~/vmware/*/*.vmdk", "/var/lib/vmware/*/*.vmdk"),
            *(
                "/var/lib/vz/images/*/*",
                "/var/lib/xen/images/*",
                "/var/lib/nova/instances/*/disk",
                "~/.vagrant.d/boxes/*",
            ),
            *("/var/lib/multipass/vault/instances/*", "/var/snap/multipass/common/data/multipassd/vault/instances/*"),
        ),
    ),
    Territory(
        "disks of virtual machines",
        _GUEST,
        _MACOS,
        (
            *("~/Parallels/*.pvm", "~/Virtual Machines.localized/*.vmwarevm", "~/VirtualBox VMs/*/*.vdi"),
            *(
                "~/Library/Containers/com.utmapp.UTM/Data/Documents/*.utm",
                "/Users/Shared/Parallels/*.pvm",
                "~/.tart/vms/*",
            ),
            *("~/VirtualBox VMs/*/*.vmdk", "~/VMware/*.vmwarevm", "~/Documents/Virtual Machines.localized/*.vmwarevm"),
            *("~/Documents/Parallels/*.pvm", "~/.vagrant.d/boxes/*", "~/VirtualBuddy/*.vbvm", "~/Library/*/UTM/*.utm"),
            "/private/var/root/Library/Application Support/multipassd/*/vault/instances/*",
        ),
    ),
    Territory(
        "backups of Time Machine",
        "they hold earlier states: scan one with --root if that matters",
        _MACOS,
        ("/Volumes/*/Backups.backupdb/*", "/Volumes/.timemachine/*/*"),
    ),
    Territory(
        "disks of virtual machines",
        _GUEST,
        _WINDOWS,
        (
            *(
                rf"C:\{folder}\Virtual Hard Disks\*{end}"
                for folder in (r"ProgramData\Microsoft\Windows", r"Users\Public\Documents\Hyper-V")
                for end in (".vhd", ".vhdx", ".avhdx")
            ),
            *(r"~\VirtualBox VMs\*\*.vdi", r"~\VirtualBox VMs\*\*.vmdk", r"~\Documents\Virtual Machines\*\*.vmdk"),
            *(r"~\VirtualBox VMs\*\*.vhd", r"~\.vagrant.d\boxes\*", r"C:\Virtual Machines\*\*.vmdk"),
            *(r"C:\Hyper-V\*\*.vhdx", r"C:\Hyper-V\*\Virtual Hard Disks\*.vhdx", r"~\.multipass\vault\instances\*"),
            r"C:\ProgramData\Multipass\data\virtualbox\vault\instances\*",
            *(rf"C:\ProgramData\Microsoft\Windows\Hyper-V\Virtual Machines\*{end}" for end in (".vmcx", ".xml")),
            r"C:\ProgramData\Microsoft\Windows\Containers\Sandboxes\*",
        ),
    ),
    Territory(
        "containers and images of Docker and containerd in Windows",
        "see docker ps -a and docker images",
        _WINDOWS,
        (
            *(
                r"C:\ProgramData\docker\windowsfilter\*",
                r"C:\ProgramData\containerd\root\io.containerd.snapshotter.v1.*\*",
            ),
            r"C:\ProgramData\DockerDesktop\vm-data\*.vhdx",
        ),
    ),
    Territory(
        "programs in sandboxes and virtual applications",
        "see the programs in each sandbox",
        _WINDOWS,
        (
            *(r"C:\Sandbox\*\*", r"~\AppData\Roaming\Thinstall\*", r"~\AppData\Local\Spoon\Sandbox\*"),
            *(r"~\AppData\Roaming\VOS\*", r"C:\ProgramData\Microsoft\AppV\Client\VFS\*"),
        ),
    ),
    Territory(
        "apps in disk images that are attached on demand (MSIX app attach, FSLogix App Masking and profiles)",
        "scan while a user is logged on",
        _WINDOWS,
        (
            *(r"C:\Program Files\FSLogix\Apps\Rules\*.fxr", r"C:\ProgramData\FSLogix\Cache\*.vhdx"),
            *(r"C:\ProgramData\FSLogix\Proxy\*.vhdx", r"C:\Users\*\Profile_*.vhdx", r"C:\Users\UVHD-*.vhdx"),
        ),
    ),
    Territory(
        "disks of Linux distributions in Windows",
        "run phaseout inside: wsl -d NAME",
        _WINDOWS,
        (
            *(r"~\AppData\Local\Packages\*\LocalState\ext4.vhdx", r"~\AppData\Local\wsl\*\ext4.vhdx"),
            *(r"~\AppData\Local\Docker\wsl\*\*.vhdx", r"~\AppData\Local\Docker\wsl\*\*\*.vhdx"),
            r"~\.local\share\containers\podman\machine\wsl\wsldist\*\ext4.vhdx",
        ),
    ),
    # Homes that are locked
    Territory(
        "encrypted homes that are not open",
        _LOGGED_IN,
        _LINUX,
        (
            *("~/Access-Your-Private-Data.desktop", "/home/.ecryptfs/*/.Private", "/home/*/gocryptfs.conf"),
            *("/home/*/.encfs6.xml", "/home/*/cryfs.config"),
        ),
    ),
    Territory(
        "homes of systemd-homed",
        _LOGGED_IN,
        _LINUX,
        ("/home/*.home", "/home/*.homedir", "/var/lib/systemd/home/*.identity"),
    ),
    Territory(
        "encrypted homes that are not open",
        _LOGGED_IN,
        _MACOS,
        ("/Users/*/*.sparsebundle", "/Users/*/*.sparseimage"),
    ),
    Territory(
        "disk images of deleted users",
        "open them, and scan them with --root",
        _MACOS,
        ("/Users/Deleted Users/*.dmg",),
    ),
    # Other systems on the disks of this one
    Territory(
        "another system on a disk of this machine",
        _MOUNT,
        _LINUX,
        (
            *(f"{top}/EFI/Microsoft/Boot/BCD" for top in ("/boot/efi", "/efi", "/boot")),
            *(
                f"{top}/{mark}"
                for top in ("/mnt", "/mnt/*", "/media/*", "/media/*/*", "/run/media/*/*")
                for mark in _MARKS_OF_SYSTEMS
            ),
        ),
    ),
    Territory(
        "another system on a disk of this machine",
        "scan it with --root",
        _MACOS,
        ("/Volumes/*/System/Library/CoreServices/SystemVersion.plist", "/Volumes/*/Windows/System32/config/SOFTWARE"),
    ),
    Territory(
        "an earlier Windows",
        "remove it with Disk Clean-up, or scan it with --root",
        _WINDOWS,
        (r"C:\Windows.old\*", r"C:\Windows.old.*\*"),
    ),
    Territory(
        "another system on a disk of this machine",
        "scan it with --root",
        _WINDOWS,
        tuple(
            rf"{drive}:\{folder}\System32\config\SOFTWARE" for drive in "CDEFGHIJKLM" for folder in ("Win*", "WINNT")
        ),
    ),
)


def collect(host: Host) -> Iterator[Trace]:
    """A problem for every kind of place that is there, with the first of its paths."""
    for territory in TERRITORIES:
        if host.info.platform in territory.platforms:
            before = len(host.files.problems)
            found = [place for place in places(host, territory.patterns) if _counts(host, place.path)]
            # A network mount on the way is named among the host's own: nothing promises software there.
            host.files.problems[before:] = [one for one in host.files.problems[before:] if one.cause != "mount"]
            if found:
                more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
                why = f"{territory.what}, which phaseout does not read"
                yield Problem(f"{found[0].path}{more}", why, "unsupported", remedy=territory.remedy)
    if host.info.platform == "linux":
        yield from _locked_homes(host)
        yield from _linked_homes(host)
        if not host.live:
            yield from _volumes(host)
    elif host.info.platform == "windows":
        yield from promised_places(host)
    yield from _parts(host)


def _volumes(host: Host) -> Iterator[Problem]:
    """A problem for every volume and folder that is not there: a mounted disk may be one of several."""
    for path in _STANDARD:
        if not host.files.list(path) and host.files.link(path) is None:
            yield Problem(path, "missing or empty, though every system fills it", "missing", remedy=_VOLUME)
    fstab = host.files.text("/etc/fstab", 1 << 20) or ""
    encrypted = tuple(encrypted_volumes(host.files.text(_CRYPTTAB, 1 << 20) or ""))
    needed = {entry.point for entry in fstab_entries(fstab) if not entry.optional and entry.kind not in _NOT_ON_A_DISK}
    units = [
        f"{_UNITS}/{entry.name}" for entry in host.files.list(_UNITS) if entry.name.endswith((".mount", ".automount"))
    ]
    texts = [host.files.text(unit, 1 << 20) or "" for unit in units]
    points = {found[1].rstrip("/") for text in texts if (found := _WHERE.search(text))}
    shares = {
        found[1].rstrip("/")
        for text in texts
        if (found := _WHERE.search(text)) and (kind := _TYPE.search(text)) and kind[1] in _NOT_ON_A_DISK
    }
    needed |= {point for point in points - shares if not point.startswith(_REMOVABLE)}
    for path in dict.fromkeys((*volumes_of_linux(host), *needed)):
        below = path not in _STANDARD and any(f"{path}/".startswith(f"{top}/") for top in _FILLED)
        kept = path in needed and not any(f"{path}/".startswith(f"{top}/") for top in _NEVER_FILLED)
        if (below or kept) and not path.startswith(_NO_SOFTWARE) and not host.files.list(path):
            yield Problem(
                path, "empty, though a volume is mounted there when the system runs", "missing", remedy=_VOLUME
            )
    # The first may hold the root itself, perhaps below LVM, where no name in fstab shows it.
    said = "\n".join((fstab, *texts))
    for name, point in _MAPPED.findall(fstab):
        if name in encrypted and point.startswith("/") and not host.files.list(point):
            why = f"an encrypted volume that is not open: {point} is empty"
            yield Problem(f"{_CRYPTTAB}: {name}", why, "unsupported", remedy="open it, and scan it with --root")
    names = [name for name in encrypted if name not in said]
    for name in names[1:]:
        why = "an encrypted volume that nothing shows to be open"
        yield Problem(f"{_CRYPTTAB}: {name}", why, "unsupported", remedy="open it, and scan it with --root")


def _locked_homes(host: Host) -> Iterator[Problem]:
    """A problem for every home in which all names are encrypted."""
    for home in host.homes:
        names = [entry.name for entry in host.files.list(home)]
        if names and all(map(_ENCRYPTED.fullmatch, names)):
            yield Problem(home, "an encrypted home that is not open", "unsupported", remedy=_LOGGED_IN)


def _linked_homes(host: Host) -> Iterator[Problem]:
    """A problem for every folder of a user's settings and programs that is a link to where nothing is."""
    for home in host.homes:
        for base, names in _OF_HOMES.items():
            folder = f"{home}/{base}" if base else home
            for name, kind in host.files.list(folder):
                path = f"{folder}/{name}"
                if kind == "link" and name in names and host.files.gone(path):
                    target = printable(host.files.link(path) or "")
                    yield Problem(path, f"leads to {target}, which is not there", "missing", remedy=_VOLUME)


def _parts(host: Host) -> Iterator[Problem]:
    """A problem for every standard folder that is not there: a volume that the system counts on is missing."""
    if host.info.platform == "macos":
        for path in _EVERY_MAC:
            if not host.files.list(path):
                yield Problem(path, "not there or empty, which it is on no Mac", "missing", remedy=_VOLUME)
    elif host.info.platform == "linux":
        for path in _LINKED:
            target = host.files.link(path)
            if target is not None and host.files.gone(path):
                yield Problem(path, f"leads to {printable(target)}, which is not there", "missing", remedy=_VOLUME)


def _counts(host: Host, path: str) -> bool:
    """A home that is encrypted is seen where it is open; on macOS the system itself is one of the volumes."""
    parts = path.split("/")
    if path.endswith(_HIVE):
        own = host.files.real(host.variables.get("systemroot", "") + _HIVE)
        return (host.files.real(path) or path).lower() != (own or "").lower()
    if path.startswith("/home/.ecryptfs/"):
        return _is_locked(host, f"/home/{parts[3]}")
    if path.startswith("/home/") and not path.endswith(".desktop") and len(parts) <= 4 and parts[2] != ".ecryptfs":
        home, _, kind = f"/home/{parts[2]}".partition(".")
        if kind == "homedir" and host.files.exists(f"{path}/.identity"):
            return False  # a plain folder, which is read
        return (len(parts) == 4 and not kind) or _is_locked(host, home)
    if path.startswith("/var/lib/systemd/home/"):
        name = parts[-1].removesuffix(".identity")
        images = (f"/home/{name}.home", f"/home/{name}.homedir")  # named themselves
        return not any(map(host.files.exists, images)) and _is_locked(host, f"/home/{name}")
    if path.startswith("/Users/") and len(parts) == 4 and not path.endswith(".dmg"):
        return parts[3].rpartition(".")[0].casefold() == parts[2].casefold()  # else a disk image like any other
    if path.endswith("/Microsoft/Boot/BCD"):
        return _has_partition_of_windows(host)
    if path.startswith("/Volumes/"):
        return host.files.link("/".join(parts[:3])) != "/"
    return True


def _has_partition_of_windows(host: Host) -> bool:
    """Whether a partition may hold the Windows that a boot entry names, as udev knows them; a copy does not tell."""
    known = [host.files.text(f"{_UDEV}/{entry.name}", 1 << 20) or "" for entry in host.files.list(_UDEV)]
    disks = [text for text in known if "\nE:ID_FS_TYPE=" in f"\n{text}"]
    return not disks or any(_OF_WINDOWS.search(text) for text in disks)


def _is_locked(host: Host, home: str) -> bool:
    return all(entry.name in _OF_LOCKED for entry in host.files.list(home))


SOURCE = Source(
    name="territory",
    title="Places that no source reads",
    platforms=("linux", "macos", "windows"),
    kinds=get_args(Kind),
    needs=(),
    reads=(
        *VOLUME_LISTS,
        *(_CRYPTTAB, f"{_UNITS}/*.automount"),
        *PROMISED,
        *_STANDARD,
        *_EVERY_MAC,
        *_LINKED,
        *(f"{top}/**" for top in _FILLED),
        *(f"~/{base}".rstrip("/") for base in _OF_HOMES),
        *("~", f"{_UDEV}/*"),
        *(pattern for territory in TERRITORIES for pattern in territory.patterns),
    ),
    limits="What lies there is not read: the report names each place and what helps.",
    collect=collect,
)
