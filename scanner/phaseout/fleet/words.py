"""The fleet in words, the same on the terminal and on the page."""

from phaseout.fleet.status import Status
from phaseout.model.counting import counted

FLAGS = {
    "renamed": "had another name before",
    "reinstalled": "got a new installation",
    "cloned": "with all ids of another machine that answers under another name",
    "shared_installation": "with an installation's id that other hardware has as well (a cloned image)",
    "several_systems": "with several systems on the same hardware",
    "no_identity": "with nothing but a name",
    "ambiguous_name": "with nothing but a name, which others have too",
    "contradicts": "gave two different answers for one moment",
    "clock_ahead": "with a clock that is ahead",
}


def sentence(status: Status) -> str:
    """The fleet in one sentence."""
    if not status.members:
        return "No machine is known yet: `phaseout fleet add` adds reports, `phaseout fleet assets` a list of machines."
    listed = status.states["never_seen"] or status.parts or status.unlisted
    what = f"{counted(status.members, 'machine')} in the list" if listed else counted(status.members, "host")
    return (
        f"{what}: {status.states['replace']:,} must replace software, {status.states['review']:,} need a decision."
        f" {_share(status.answered, status.members)} answered within {counted(status.valid_days, 'day')};"
        f" {_share(status.wholly_seen, status.members)} were wholly seen."
    )


def how_counted(valid: int) -> tuple[str, ...]:
    """How each number is counted, a sentence or two each.

    Args:
        valid: days after which a host without an answer is silent.
    """
    return (
        f"A host has the verdict of its newest answer; without an answer for {counted(valid, 'day')} it is silent.",
        "A machine of the list is found by SMBIOS UUID or serial number; by its name only where that is beyond doubt.",
        "Without protection: a product that had to be replaced is gone, and the newest answer shows no protection.",
        "A product counts until an answer that saw everything has shown the host without it.",
        "“Wholly seen”: every source of the scan ran to its end. The documentation says what no source can see.",
        "The trend shows the state at the end of each day in UTC.",
    )


def _share(part: int, whole: int) -> str:
    """A percentage that is never rounded up to all of it."""
    return f"{int(1000 * part / whole) / 10:.1f} %"
