"""Which answers are of one machine: by what tells machines apart, never by a name alone.

Answers with the same name and the same identities are a track. Tracks that share an identity or a name are a cluster,
and a cluster is taken apart into machines. The result depends on the tracks alone, not on the order in which they
came:

- The same hardware is one machine. Where its tracks follow each other, it was renamed or installed anew. Where they
  overlap in time, they are clones of one virtual machine or several systems on one disk, each a machine of its own.
- A track without hardware ids belongs to the hardware that shows the same installation and the same name, or that
  alone shows this installation.
- A track without any identity belongs to the only machine of its name, if there is only one.

References:
    `phaseout.parsers.encodings.identity`; machine-id(5); DMTF DSP0134 (SMBIOS)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from phaseout.parsers.encodings.identity import HARDWARE

Flag = Literal[
    "renamed",  # it had another name before
    "reinstalled",  # the same hardware with another installation
    "cloned",  # answers of one identity overlap under several names or installations
    "shared_installation",  # the id of its installation is that of other hardware too: a cloned image
    "several_systems",  # systems of different kinds on the same hardware
    "no_identity",  # nothing but its name tells it from others
    "ambiguous_name",  # only a name, and several machines have it
]


class Track(NamedTuple):
    """Answers with the same name and the same identities.

    Attributes:
        key: the same for the same name and identities.
        name: of the host.
        platform: of the host; empty where no answer said it.
        hardware: what tells its hardware from other hardware: kind → identity as one word.
        installations: what tells its installation from others, as words, the strongest first.
        first: seconds since 1970 of the first answer.
        last: of the last one.
    """

    key: str
    name: str
    platform: str
    hardware: Mapping[str, str]
    installations: tuple[str, ...]
    first: int
    last: int


class Machine(NamedTuple):
    """The tracks of one machine, the earliest first, and what a person should know of it."""

    tracks: tuple[Track, ...]
    flags: tuple[Flag, ...]


def track_key(name: str, platform: str, words: Iterable[str]) -> str:
    """The key of the track that an answer belongs to.

    Args:
        name: of the host.
        platform: of the host.
        words: its identities, each as one word.
    """
    return f"{name.casefold()}|{platform}|{';'.join(sorted(words))}"


def new_track(key: str, name: str, platform: str, words: Iterable[tuple[str, str]], first: int, last: int) -> Track:
    """A track, with what tells its hardware apart from what tells its installation.

    Args:
        key: of the track.
        name: of the host.
        platform: of the host.
        words: kind of each identity, and the identity as one word.
        first: seconds since 1970 of the first answer.
        last: of the last one.
    """
    pairs = list(words)
    return Track(
        key=key,
        name=name,
        platform=platform,
        hardware={kind: word for kind, word in pairs if kind in HARDWARE},
        installations=tuple(word for kind, word in pairs if kind not in HARDWARE),
        first=first,
        last=last,
    )


def machines(cluster: Iterable[Track]) -> list[Machine]:
    """The machines in a cluster, which must hold every track that shares an identity or a name with one in it."""
    tracks = _ordered(cluster)
    if len(tracks) == 1:
        only = tracks[0]
        return [Machine(tracks, flags_alone(identified=bool(only.hardware or only.installations)))]
    by_hardware, rest = _by_hardware(tracks)
    nameless: list[Track] = []
    shown: dict[str, list[int]] = {}  # installation → the groups of hardware that show it
    for number, group in enumerate(by_hardware):
        for installation in {one for track in group for one in track.installations}:
            shown.setdefault(installation, []).append(number)
    by_installation: dict[str, list[Track]] = {}
    for track in rest:
        installations = track.installations
        if not installations:
            nameless.append(track)
            continue
        numbers = sorted({number for one in installations for number in shown.get(one, [])})
        same = [number for number in numbers if any(_named_alike(track, one) for one in by_hardware[number])]
        if len(same) == 1 or len(numbers) == 1:
            by_hardware[(same or numbers)[0]].append(track)
        else:
            by_installation.setdefault(installations[0], []).append(track)
    found = [machine for group in (*by_hardware, *by_installation.values()) for machine in _apart(group, shown)]
    return sorted(_with_names(found, nameless), key=lambda one: one.tracks[0].key)


def flags_alone(*, identified: bool) -> tuple[Flag, ...]:
    """What a person should know of a machine that shares neither an identity nor its name with another.

    Args:
        identified: whether it has any identity.
    """
    return () if identified else ("no_identity",)


def _by_hardware(tracks: Sequence[Track]) -> tuple[list[list[Track]], list[Track]]:
    """Tracks with equal hardware, and those that show none. A UUID decides; a serial number only where it is alone."""
    groups: dict[str, list[Track]] = {}
    uuids_of: dict[str, set[str]] = {}  # serial number → UUIDs shown beside it
    for track in tracks:
        ids = track.hardware
        if "serial" in ids:
            uuids_of.setdefault(ids["serial"], set()).update(filter(None, [ids.get("smbios_uuid")]))
    rest: list[Track] = []
    for track in tracks:
        ids = track.hardware
        serial = ids.get("serial", "")
        beside = uuids_of.get(serial, set())
        alone = next(iter(beside)) if len(beside) == 1 else ""
        key = ids.get("smbios_uuid") or alone or serial or ids.get("ioplatform_uuid", "")
        if key:
            groups.setdefault(key, []).append(track)
        else:
            rest.append(track)
    return list(groups.values()), rest


def _apart(group: list[Track], shown: dict[str, list[int]]) -> Iterator[Machine]:
    """The machines among tracks of one hardware or one installation."""
    faces: dict[tuple[str, str], list[Track]] = {}  # name and installation → its tracks
    for track in group:
        installations = track.installations
        faces.setdefault((track.name.casefold(), installations[0] if installations else ""), []).append(track)
    for face in [
        one for one in faces if not one[1]
    ]:  # no installation shown: that of the same name, if it is the only one
        same = [one for one in faces if one[0] == face[0] and one[1]]
        if len(same) == 1:
            faces[same[0]] += faces.pop(face)
    spans = {face: (min(one.first for one in own), max(one.last for one in own)) for face, own in faces.items()}
    platforms = {face: {one.platform for one in own if one.platform} for face, own in faces.items()}
    shared = any(len(shown.get(installation, ())) > 1 for _, installation in faces)
    overlapping = (
        any(
            spans[one][0] < spans[other][1] and spans[other][0] < spans[one][1]
            for one in faces
            for other in faces
            if one < other
        )
        if len(faces) <= 100
        else True
    )
    extra: tuple[Flag, ...] = ("shared_installation",) if shared else ()
    if overlapping:
        kinds = [frozenset(one) for one in platforms.values()]
        systems = len(set(kinds)) == len(kinds) and all(kinds)
        flag: Flag = "several_systems" if systems else "cloned"
        for own in faces.values():
            yield Machine(_ordered(own), (flag, *extra))
        return
    names = {name for name, _ in faces}
    flags: list[Flag] = []
    if len(names) > 1:
        flags.append("renamed")
    if len({one for _, one in faces if one}) > 1:
        flags.append("reinstalled")
    yield Machine(_ordered(group), (*flags, *extra))


def _with_names(found: list[Machine], nameless: Sequence[Track]) -> Iterator[Machine]:
    """The machines with the tracks that show nothing but a name."""
    by_name: dict[str, list[Track]] = {}
    for track in nameless:
        by_name.setdefault(track.name.casefold(), []).append(track)
    holders: dict[str, list[int]] = {}
    for number, machine in enumerate(found):
        holders.setdefault(_latest_name(machine), []).append(number)
    added: dict[int, list[Track]] = {}
    for name, tracks in sorted(by_name.items()):
        numbers = holders.get(name, [])
        if len(numbers) == 1:
            added[numbers[0]] = tracks
        else:
            yield Machine(_ordered(tracks), ("ambiguous_name",) if numbers else ("no_identity",))
    for number, machine in enumerate(found):
        yield machine._replace(tracks=_ordered([*machine.tracks, *added.get(number, [])]))


def _latest_name(machine: Machine) -> str:
    return max(machine.tracks, key=lambda one: (one.last, one.key)).name.casefold()


def _ordered(tracks: Iterable[Track]) -> tuple[Track, ...]:
    return tuple(sorted(tracks, key=lambda one: (one.first, one.last, one.key)))


def _named_alike(one: Track, other: Track) -> bool:
    return one.name.casefold() == other.name.casefold()
