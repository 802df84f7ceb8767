"""Which answers are of one machine."""

import itertools
from collections.abc import Sequence

import pytest
from phaseout.fleet.machines import Machine, Track, machines, new_track, track_key
from phaseout.model.nouns import Identity
from phaseout.parsers.encodings.identity import comparable

UUID_1, UUID_2 = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"


def track(name: str, first: int, last: int, *, uuid: str = "", installation: str = "", platform: str = "") -> Track:
    ids = [Identity("smbios_uuid", uuid)] if uuid else []
    ids += [Identity("machine_guid", installation)] if installation else []
    words = [(one.kind, comparable(one)) for one in ids]
    key = track_key(name, platform, [word for _, word in words])
    return new_track(key, name, platform, words, first, last)


def shown(found: Sequence[Machine]) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    return {(tuple(one.name for one in machine.tracks), machine.flags) for machine in found}


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        pytest.param(
            [track("old", 0, 5, uuid=UUID_1, installation="a"), track("new", 6, 9, uuid=UUID_1, installation="a")],
            {(("old", "new"), ("renamed",))},
            id="renamed",
        ),
        pytest.param(
            [track("pc", 0, 5, uuid=UUID_1, installation="a"), track("pc", 6, 9, uuid=UUID_1, installation="b")],
            {(("pc", "pc"), ("reinstalled",))},
            id="reinstalled",
        ),
        pytest.param(
            [track("vm1", 0, 9, uuid=UUID_1, installation="a"), track("vm2", 5, 12, uuid=UUID_1, installation="a")],
            {(("vm1",), ("cloned",)), (("vm2",), ("cloned",))},
            id="cloned",
        ),
        pytest.param(
            [track("vm1", 0, 9, uuid=UUID_1, installation="a"), track("vm2", 5, 12, uuid=UUID_2, installation="a")],
            {(("vm1",), ("shared_installation",)), (("vm2",), ("shared_installation",))},
            id="image",
        ),
        pytest.param(
            [
                track("pc", 0, 9, uuid=UUID_1, installation="a", platform="linux"),
                track("pc", 5, 12, uuid=UUID_1, installation="b", platform="windows"),
            ],
            {(("pc",), ("several_systems",))},
            id="two systems",
        ),
        pytest.param(
            [track("pc", 0, 9, uuid=UUID_1, installation="a"), track("pc", 2, 3, installation="a")],
            {(("pc", "pc"), ())},
            id="without the rights to read its hardware ids",
        ),
        pytest.param(
            [track("pc", 0, 9, uuid=UUID_1), track("pc", 2, 3)], {(("pc", "pc"), ())}, id="a name that one host has"
        ),
        pytest.param(
            [track("pc", 0, 9, uuid=UUID_1), track("pc", 0, 9, uuid=UUID_2), track("pc", 2, 3)],
            {(("pc",), ()), (("pc",), ("ambiguous_name",))},
            id="a name that two hosts have",
        ),
        pytest.param([track("pc", 0, 9)], {(("pc",), ("no_identity",))}, id="nothing but a name"),
    ],
)
def test_machines(tracks: list[Track], expected: set[tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
    for order in itertools.permutations(tracks):
        assert shown(machines(order)) == expected


def test_both_spellings_of_a_uuid_are_one() -> None:
    swapped = "11111111-2222-3333-4444-555555555555"
    other = "".join(reversed([swapped[at : at + 2] for at in range(0, 8, 2)])) + "-2222-3333-4444-555555555555"
    found = machines([track("pc", 0, 5, uuid=swapped), track("pc", 2, 9, uuid=other)])
    assert len(found) == 1
