"""Users who may have software of their own.

References:
    passwd(5), shadow(5), login.defs(5) (`UID_MIN`), skel: useradd(8); https://systemd.io/USER_RECORD/ and homectl(1)
    (`*.homedir`, `*.user`); libnss-extrausers(8); nss-altfiles (`/usr/lib/passwd`).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host.filesystem.files import Files
from phaseout.model.nouns import Problem
from phaseout.parsers.linux.fstab import fstab_entries
from phaseout.parsers.linux.home_folders import HomeFolder, automount_points, home_folders, mapped_folders

_ACCOUNTS = ("/etc/passwd", "/var/lib/extrausers/passwd", "/usr/lib/passwd")
_USER_RECORDS = ("/etc/userdb", "/usr/lib/userdb")
_TOPS = ("/home", "/var/home", "/export/home")
_SKELETON = "/etc/skel"  # what every new user gets
_NO_HOME = frozenset(
    (*("", "/", "/nonexistent", "/dev/null", "/bin", "/sbin", "/usr/sbin", "/usr/bin", "/proc", "/var/empty"),)
)
_NO_LOGIN = frozenset(("nologin", "false", "true", "sync", "halt", "shutdown"))
_DEPTH = 3  # of a home below /home, where a directory service puts it into a folder of its domain
_SETTINGS = (
    "/etc/sssd/sssd.conf",
    "/etc/samba/smb.conf",
    "/etc/nslcd.conf",
    "/etc/default/useradd",
    "/etc/adduser.conf",
)
_MORE_SETTINGS = "/etc/sssd/conf.d"
_UID_MIN = re.compile(r"^[ \t]*UID_MIN[ \t]+(\d{1,9})", re.MULTILINE)
_NOBODY = 65534
_NIS = re.compile(r"^[ \t]*passwd:[^\n#]*\bnis", re.MULTILINE)
_NAMED = 20  # missing homes; the report needs no more
_HOMED = ".homedir"
_PASSWORDS = "/etc/shadow"
_LOCKED = frozenset(("!", "!!", "*", "!*"))
_LINE_LIMIT = 4 << 20
_MOUNT = "mount the disk that holds it there, then scan again"
_NONE = "if the account needs no home, give it the shell nologin"


class User(NamedTuple):
    """An account with its home folder; `uid` is -1 where only the folder is known, and for Windows, which has `sid`."""

    name: str
    uid: int
    home: str
    sid: str = ""


class _Account(NamedTuple):
    """A user, and whether somebody can log in as one."""

    user: User
    logs_in: bool


class _Settings:
    """What a host's own files say of its users, each read once. A damaged line is a problem.

    Of a container, it is what `/etc/passwd` says.
    """

    def __init__(self, files: Files, *, container: bool = False) -> None:
        passwd = files.text(_ACCOUNTS[0], _LINE_LIMIT) or ""
        self.accounts = tuple(_accounts(files, passwd, container=container))
        self.tops = _TOPS[:1] if container else _TOPS
        self.skeleton = "" if container else _SKELETON
        self.folders = () if container else tuple(_home_folders(files))
        self.automounts = () if container else tuple(_automounts(files))
        self.has_nis_entry = any(line.startswith("+") for line in passwd.split("\n"))


def posix_users(files: Files) -> tuple[User, ...]:
    """The users of a container or the like: everybody in `/etc/passwd`, and the owners of further homes in `/home`."""
    return tuple(_users(files, _Settings(files, container=True)))


def posix_homes(files: Files) -> tuple[tuple[User, ...], tuple[Problem, ...]]:
    """The users of a whole host, and a problem for every home that is promised and not here.

    Users are all whom its databases name, and the owners of further homes (accounts of a directory service). No home is
    there twice, whatever links lead to it.
    """
    settings = _Settings(files)
    return tuple(_users(files, settings)), (*_missing(files, settings), *_mounted(files, settings))


def _users(files: Files, settings: _Settings) -> Iterator[User]:
    met: dict[str, str] = {}  # real path → home
    for user, _ in settings.accounts:
        home = user.home
        if home:
            real = files.real(home) or home
            home = home if met.setdefault(real, home) == home and real != "/" else ""
        yield user._replace(home=home)
    for home in _further_homes(files, settings, set(met)):
        real = files.real(home) or home
        if real not in met and real not in _NO_HOME:
            met[real] = home
            name = home.rpartition("/")[2].removesuffix(_HOMED)
            if name != home.rpartition("/")[2] and files.list(home.removesuffix(_HOMED)):
                continue  # open, and seen under its own name
            yield User(name, -1, home)


def _missing(files: Files, settings: _Settings) -> Iterator[Problem]:
    """A problem for every home that an account or a setting promises and that is not here."""
    first = _first_uid(files)
    absent = [user for user, _ in settings.accounts if user.home and files.gone(user.home)]
    persons = {
        user.name
        for user, logs_in in settings.accounts
        if logs_in and (user.uid == 0 or (user.uid >= first and user.uid != _NOBODY))
    }
    fstab = (files.text("/etc/fstab", 1 << 20) or "") if absent else ""
    unmounted = tuple(f"{entry.point}/" for entry in fstab_entries(fstab) if not files.list(entry.point))
    mounted = [user for user in absent if f"{user.home}/".startswith(unmounted)]
    never = [user for user in absent if user.name in persons and user not in mounted and _was_never_made(files, user)]
    promised = [user for user in absent if user in mounted or (user.name in persons and user not in never)]
    for user in promised[:_NAMED]:
        yield Problem(user.home, f"the home of {user.name} is missing", "missing", remedy=f"{_MOUNT}; {_NONE}")
    if len(promised) > _NAMED:
        yield Problem(_ACCOUNTS[0], f"{len(promised) - _NAMED} further homes are missing", "missing", remedy=_MOUNT)
    for user in never[:_NAMED]:
        yield Problem(user.home, f"{user.name} has no home folder", "missing", hides=False)
    if not settings.accounts:
        why = "names no account: homes outside /home are not known"
        yield Problem(_ACCOUNTS[0], why, "missing", remedy="scan the whole root of the system")
    for where, folder in settings.folders:
        if files.gone(folder.path):
            yield Problem(folder.path, f"{where} puts homes there, and it is missing", "missing", remedy=_MOUNT)


def _was_never_made(files: Files, user: User) -> bool:
    """Whether an account was made without a home (`useradd -M`), or lost it, and no disk is missing.

    Then the folder that would hold the home is there, and holds other homes, or nobody has ever been able to log in:
    the password is locked, as it is before the first one is set.
    """
    top = user.home.rpartition("/")[0] or "/"
    if user.uid == 0 or not files.is_dir(top):
        return False
    if top != "/" and any(kind == "dir" and name != "lost+found" for name, kind in files.list(top)):
        return True
    entry = re.search(rf"^{re.escape(user.name)}:([^:\n]*):", files.text(_PASSWORDS, _LINE_LIMIT) or "", re.MULTILINE)
    return entry is not None and entry[1] in _LOCKED


def _mounted(files: Files, settings: _Settings) -> Iterator[Problem]:
    """A problem for every folder of homes that is filled from elsewhere when it is used, and is empty now."""
    for point, _ in settings.automounts:
        if "home" in point and not files.list(point) and not any(point == one.where for one in files.problems):
            why = "autofs mounts homes there when they are used"
            yield Problem(point, why, "mount", remedy="scan the machine that holds them")
    is_nis = settings.has_nis_entry or _NIS.search(files.text("/etc/nsswitch.conf") or "")
    if is_nis and not any(files.list(top) for top in _TOPS):
        yield Problem(_TOPS[0], "holds no home, though accounts come from NIS", "missing", remedy=_MOUNT)


def _accounts(files: Files, passwd: str, *, container: bool) -> Iterator[_Account]:
    """The accounts of all files and records."""
    problems = files.problems
    for path in _ACCOUNTS[:1] if container else _ACCOUNTS:
        text = passwd if path == _ACCOUNTS[0] else files.text(path, _LINE_LIMIT) or ""
        # Not `splitlines`: a user may put what Unicode calls the end of a line into their own name.
        for number, line in enumerate(text.split("\n"), 1):
            fields = line.split(":")
            if not line.strip() or line.startswith(("#", "+", "-")):
                continue
            if len(fields) < 7:
                problems.append(Problem(f"{path}:{number}", "no line of a user: the home in it is not seen", "damaged"))
                continue
            uid = int(fields[2]) if fields[2].isdecimal() else -1
            logs_in = fields[6].strip().rpartition("/")[2] not in _NO_LOGIN
            yield _Account(User(fields[0], uid, _home(fields[5])), logs_in)
    for folder in () if container else _USER_RECORDS:
        for entry in files.list(folder):
            if entry.name.endswith(".user"):
                record = _record(files.text(f"{folder}/{entry.name}", 1 << 20) or "")
                if record is None:
                    problems.append(
                        Problem(f"{folder}/{entry.name}", "no record of a user: the home in it is not seen", "damaged")
                    )
                elif entry.kind != "link":  # by number, to the one by name
                    yield record


def _record(text: str) -> _Account | None:
    import json  # late: few systems have such records, and every scan loads this module

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    name, uid, home, shell = (found.get(key) for key in ("userName", "uid", "homeDirectory", "shell"))
    user = User(str(name or ""), uid if isinstance(uid, int) else -1, _home(home if isinstance(home, str) else ""))
    return _Account(user, str(shell or "").rpartition("/")[2] not in _NO_LOGIN)


def _home(path: str) -> str:
    home = path.rstrip("/")
    return "" if home in _NO_HOME or not home.startswith("/") else home


def _further_homes(files: Files, settings: _Settings, known: set[str]) -> Iterator[str]:
    """Homes without an account here, also where the host's settings put them; `known` are those with one."""
    for top in settings.tops:
        yield from _below(files, top, known)
    for _, folder in settings.folders:
        yield from _at(files, folder)
    for _, name in settings.automounts:
        if name.startswith("/"):
            for folder in mapped_folders(files.text(name, 1 << 20) or ""):
                yield from _at(files, folder)
    if settings.skeleton and files.is_dir(settings.skeleton):
        yield settings.skeleton


def _below(files: Files, top: str, known: set[str], depth: int = 1) -> Iterator[str]:
    """The folders in a folder of homes, and the homes below those that only group them (`/home/local/DOMAIN/anna`)."""
    for folder in _folders(files, top, links_lead=depth == 1):
        if files.real(folder) in known:
            continue
        home = any(inside.name.startswith(".") for inside in files.list(folder))
        if home or depth == 1:
            yield folder
        if not home and depth < _DEPTH:
            yield from _below(files, folder, known, depth + 1)


def _at(files: Files, folder: HomeFolder) -> Iterator[str]:
    """The folders that many levels below a folder."""
    if folder.levels == 0:
        if files.is_dir(folder.path):
            yield folder.path
    elif folder.levels <= _DEPTH:
        for below in _folders(files, folder.path):
            yield from _at(files, HomeFolder(below, folder.levels - 1))
    else:
        why = f"homes lie more than {_DEPTH} levels below: they were not read"
        files.problems.append(Problem(folder.path, why, "limit"))


def _folders(files: Files, top: str, *, links_lead: bool = False) -> Iterator[str]:
    """Folders in a folder of homes, and links to some; what begins with a dot holds copies and keys, and no home.

    Args:
        files: the file system.
        top: the folder.
        links_lead: whether a link that leads nowhere stands for a home that is missing.
    """
    for entry in files.list(top):
        if entry.name == "lost+found" or entry.name.startswith(".") or entry.kind not in {"dir", "link"}:
            continue
        folder = f"{top}/{entry.name}"
        if entry.kind == "dir" or files.is_dir(folder):
            yield folder
        elif links_lead and files.gone(folder):
            why = f"a link to {files.link(folder)}, which is not here"
            files.problems.append(Problem(folder, why, "missing", remedy=_MOUNT))


def _home_folders(files: Files) -> Iterator[tuple[str, HomeFolder]]:
    """The folders of homes that settings name, with the file that does."""
    more = [f"{_MORE_SETTINGS}/{entry.name}" for entry in files.list(_MORE_SETTINGS) if entry.name.endswith(".conf")]
    for path in (*_SETTINGS, *more):
        for folder in home_folders(files.text(path, 1 << 20) or ""):
            yield path, folder


def _automounts(files: Files) -> Iterator[tuple[str, str]]:
    folder = "/etc/auto.master.d"
    more = [f"{folder}/{entry.name}" for entry in files.list(folder) if entry.name.endswith(".autofs")]
    for path in ("/etc/auto.master", "/etc/autofs/auto.master", *more):
        yield from automount_points(files.text(path, 1 << 20) or "")


def _first_uid(files: Files) -> int:
    found = _UID_MIN.search(files.text("/etc/login.defs", 1 << 20) or "")
    return int(found[1]) if found else 1000
