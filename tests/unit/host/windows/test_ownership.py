"""Who can change a file of Windows: the rights that count. `tests/contract/test_windows.py` asks the real functions."""

import pytest
from phaseout.host.windows.ownership import changed_by

SYSTEM, ADMINISTRATORS, USERS = "S-1-5-18", "S-1-5-32-544", "S-1-5-32-545"
TRUSTED = {SYSTEM, ADMINISTRATORS}
ALL, READ = 0x1F01FF, 0x1200A9
ADD_FILE, ADD_FOLDER, DELETE_CHILD, DELETE, WRITE_DAC, WRITE_OWNER = 0x2, 0x4, 0x40, 0x10000, 0x40000, 0x80000
GENERIC_ALL, GENERIC_WRITE = 0x10000000, 0x40000000
OURS = [(SYSTEM, ALL), (ADMINISTRATORS, ALL), (USERS, READ)]


def test_a_folder_as_windows_makes_it_in_programdata() -> None:
    """Users may add to it, as to `ProgramData` itself; what they add belongs to them."""
    assert not changed_by(SYSTEM, [*OURS, (USERS, ADD_FILE | ADD_FOLDER)], folder=True, trusted=TRUSTED)
    assert not changed_by(ADMINISTRATORS, OURS, folder=False, trusted=TRUSTED)


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("right", [DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL])
def test_rights_to_take_it_away(right: int, folder: bool) -> None:
    assert "S-1-5-32-545 can change it" in changed_by(SYSTEM, [*OURS, (USERS, right)], folder=folder, trusted=TRUSTED)


@pytest.mark.parametrize("right", [ADD_FILE, ADD_FOLDER, GENERIC_WRITE])  # of a file: to write and to append
def test_rights_to_write_a_file(right: int) -> None:
    assert changed_by(SYSTEM, [*OURS, (USERS, right)], folder=False, trusted=TRUSTED)


def test_who_may_delete_in_a_folder_may_replace_what_is_there() -> None:
    assert changed_by(SYSTEM, [*OURS, (USERS, DELETE_CHILD)], folder=True, trusted=TRUSTED)


def test_the_owner_counts_whatever_the_list_says() -> None:
    assert "it belongs to S-1-5-21-1-2-3-1001" in changed_by("S-1-5-21-1-2-3-1001", [], folder=False, trusted=TRUSTED)


def test_no_list_gives_everything_to_everybody_and_an_unknown_entry_to_somebody() -> None:
    assert changed_by(SYSTEM, None, folder=False, trusted=TRUSTED) == "every user can change it"
    assert not changed_by(SYSTEM, [], folder=False, trusted=TRUSTED)  # an empty list gives nothing to anybody
    assert changed_by(SYSTEM, [("", ALL)], folder=False, trusted=TRUSTED) == "somebody can change it"
