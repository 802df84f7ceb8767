"""Who has a profile on a Windows machine, and which of the hives are not here."""

from pathlib import Path

import pytest
from phaseout.host import Host
from phaseout.host.opening import offline_host

from tests.support.harness import run
from tests.support.regf_writer import Tree, hive

ADA = "S-1-5-21-1-2-3-1001"
EVE = "S-1-5-21-1-2-3-1002"
LIST = r"Microsoft\Windows NT\CurrentVersion\ProfileList"
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"


class Disk:
    """Drive C: of a machine, with hives as Windows writes them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.software: dict[str, dict[str, str | int]] = {
            LIST: {},
            r"Microsoft\Windows NT\CurrentVersion": {"SystemRoot": r"C:\Windows"},
        }
        self.system: dict[str, dict[str, str | int]] = {"Select": {"Current": 1}, r"ControlSet001\Services": {}}
        self.folder(r"Windows\System32\drivers")

    def profile(self, sid: str, folder: str) -> None:
        """Adds an entry to ProfileList."""
        self.software[rf"{LIST}\{sid}"] = {"ProfileImagePath": folder} if folder else {}

    def folder(self, path: str) -> None:
        """Makes a folder."""
        (self.root / path.replace("\\", "/")).mkdir(parents=True, exist_ok=True)

    def hive(self, path: str, tree: Tree) -> None:
        """Writes a hive."""
        file = self.root / path.replace("\\", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(hive(tree))

    def programs(self, path: str, *names: str) -> None:
        """Writes the hive of a user who has programs of those names."""
        self.hive(path, {rf"{UNINSTALL}\{name}": {"DisplayName": name} for name in names} or {"Software": {}})

    def host(self) -> Host:
        self.hive(r"Windows\System32\config\SOFTWARE", self.software)
        self.hive(r"Windows\System32\config\SYSTEM", self.system)
        return offline_host(str(self.root))

    def found(self) -> list[tuple[str, str]]:
        """The programs of all users."""
        return [(item.name, item.user) for item in run("uninstall", self.host()).items]

    def missing(self) -> list[str]:
        """The places that could not be seen, as the host says when it is opened."""
        host = self.host()
        problems = [problem for problem in host.files.problems if problem.hides]
        assert all(problem.remedy or problem.cause == "mount" for problem in problems)
        return [problem.where for problem in problems]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_a_folder_that_profile_list_has_forgotten(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.DAT", "A")
    disk.programs(r"Users\carol\NTUSER.DAT", "C")
    disk.folder(r"Users\Public")
    assert disk.found() == [("A", "ada"), ("C", "carol")]
    assert disk.missing() == []
    assert [user.name for user in disk.host().users if user.name == "ada"] == ["ada"]


def test_what_every_new_user_gets(disk: Disk) -> None:
    disk.programs(r"Users\Default\NTUSER.DAT", "D")
    assert disk.found() == [("D", "Default")]


def test_profiles_where_the_registry_says(disk: Disk) -> None:
    disk.software[LIST] = {"ProfilesDirectory": r"%SystemDrive%\Profiles", "Default": r"C:\Templates\Default"}
    disk.programs(r"Profiles\bob\NTUSER.DAT", "B")
    disk.programs(r"Templates\Default\NTUSER.DAT", "D")
    assert disk.found() == [("B", "bob"), ("D", "Default")]


def test_old_windows(disk: Disk) -> None:
    disk.programs(r"Documents and Settings\bob\NTUSER.DAT", "B")
    assert disk.found() == [("B", "bob")]


def test_a_folder_that_two_names_lead_to_is_one(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.DAT", "A")
    (disk.root / "Documents and Settings").symlink_to("Users")
    (disk.root / "Users" / "Ada Old").symlink_to("ada")
    assert disk.found() == [("A", "ada")]


def test_profiles_of_the_system(disk: Disk) -> None:
    """Services of 32 bits that run as SYSTEM have a folder of their own, and ProfileList may name none of these."""
    disk.hive(r"Windows\System32\config\DEFAULT", {rf"{UNINSTALL}\S": {"DisplayName": "S"}})
    disk.programs(r"Windows\ServiceProfiles\LocalService\NTUSER.DAT", "L")
    disk.programs(r"Windows\ServiceProfiles\MSSQL\NTUSER.DAT", "M")
    disk.folder(r"Windows\SysWOW64\config\systemprofile\AppData")
    assert disk.found() == [("L", "LOCAL SERVICE"), ("M", "MSSQL"), ("S", "SYSTEM")]
    assert disk.host().homes[r"C:\Windows\SysWOW64\config\systemprofile"] == "SYSTEM"
    assert disk.missing() == []


def test_a_mandatory_profile(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.MAN", "M")
    assert disk.found() == [("M", "ada")]
    assert disk.missing() == []


def test_a_mandatory_hive_hides_no_ordinary_one(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.MAN", "M")
    disk.programs(r"Users\ada\NTUSER.DAT", "O")
    assert disk.found() == [("M", "ada"), ("O", "ada")]


def test_hives_that_profile_list_promises(disk: Disk) -> None:
    places = (r"C:\Users\bob", r"D:\Profiles\carl", r"C:\Users\dora", "", r"\\server\profiles\emil")
    for number, folder in enumerate(places):
        disk.profile(f"{ADA}{number}", folder)
    disk.folder(r"Users\dora\Desktop")
    assert disk.missing() == [
        *("D:\\", r"C:\Users\bob\NTUSER.DAT", r"D:\Profiles\carl\NTUSER.DAT", r"C:\Users\dora\NTUSER.DAT"),
        *(rf"HKLM\SOFTWARE\{LIST}\{ADA}3", r"\\server\profiles\emil"),
    ]


def test_a_temporary_profile_that_is_gone(disk: Disk) -> None:
    """Windows gives one where the user's own cannot be loaded, sets the own one aside, and deletes it at log-off."""
    disk.profile(ADA, r"C:\Users\TEMP")
    disk.profile(f"{ADA}.bak", r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.DAT", "A")
    assert disk.found() == [("A", "ada")]
    assert disk.missing() == []
    disk.profile(EVE, r"C:\Users\TEMP.PC")
    assert disk.missing() == [r"C:\Users\TEMP.PC\NTUSER.DAT"]


def test_a_flood_of_profiles_is_cut_with_a_word(disk: Disk) -> None:
    for number in range(60):
        disk.profile(f"{ADA}{number}", rf"C:\Users\user{number}")
    assert len(disk.missing()) == 51


def test_a_damaged_hive_is_not_a_missing_one(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.folder(r"Users\ada")
    (disk.root / "Users" / "ada" / "NTUSER.DAT").write_bytes(b"")
    assert disk.missing() == []
    assert run("uninstall", disk.host()).run.status == "partial"


@pytest.mark.parametrize(
    ("hive", "key", "values"),
    [
        ("software", r"FSLogix\Profiles", {"Enabled": 1, "VHDLocations": r"\\server\profiles"}),
        ("software", r"FSLogix\Profiles", {"Enabled": 1, "CCDLocations": "type=smb,connectionString=x"}),
        ("software", r"Policies\Citrix\UserProfileManager", {"DeleteCachedProfilesOnLogoff": 1}),
        ("software", r"Policies\Microsoft\Windows\System", {"DeleteRoamingCache": 1}),
        ("system", r"ControlSet001\Control\Terminal Server\ClusterSettings", {"UvhdEnabled": 1}),
    ],
)
def test_profiles_that_are_kept_elsewhere(disk: Disk, hive: str, key: str, values: dict[str, str | int]) -> None:
    tree = disk.software if hive == "software" else disk.system
    tree[key] = values
    (where,) = disk.missing()
    assert where.endswith(key.removeprefix("ControlSet001\\"))
    tree[key] = dict.fromkeys(values, 0)
    assert disk.missing() == []


def test_without_a_current_set_of_settings_that_of_another_time_may_be_read(disk: Disk) -> None:
    disk.system["Select"] = {"Current": 0}
    assert run("services", disk.host()).run.status == "partial"


CLASSES = r"Users\ada\AppData\Local\Microsoft\Windows\UsrClass.dat"


def test_a_hive_of_classes_that_a_log_on_has_left_is_missed(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.DAT")
    assert disk.missing() == []  # prepared, and never used
    disk.folder(r"Users\ada\AppData\Local\Microsoft\Windows")
    assert disk.missing() == [rf"C:\{CLASSES}"]
    disk.hive(CLASSES, {"Local Settings": {}})
    assert disk.missing() == []


def test_a_user_with_packages_has_a_hive_of_classes(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.DAT")
    disk.software[rf"Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\{ADA}"] = {}
    assert disk.missing() == [rf"C:\{CLASSES}"]


def test_a_profile_that_comes_from_a_server(disk: Disk) -> None:
    disk.profile(ADA, r"C:\Users\ada")
    disk.programs(r"Users\ada\NTUSER.DAT")
    disk.software[rf"{LIST}\{ADA}"]["CentralProfile"] = r"\\server\profiles\ada.V6"
    assert disk.missing() == []  # what it has now is here
    assert [problem.where for problem in disk.host().files.problems] == [r"\\server\profiles\ada.V6"]
