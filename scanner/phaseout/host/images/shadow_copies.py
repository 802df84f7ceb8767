"""Earlier states of a volume, as the Volume Shadow Copy Service of Windows keeps them on it.

References:
    https://github.com/libyal/libvshadow (documentation of the format); vssadmin (`list shadows` shows the identifiers)
"""

import datetime as dt
from importlib import import_module
from typing import NamedTuple

from phaseout.host.images.disk_files import Cached, Checked, FileObject, LibraryBytes
from phaseout.host.images.stored import Stored

_HEADER_END = 0x2000


class ShadowCopy(NamedTuple):
    """An earlier state of a volume.

    Attributes:
        number: 1 for the oldest, as vshadowmount counts.
        id: as `vssadmin list shadows` shows it, in lower case and without braces.
        made: when, in UTC.
        stored: the bytes of the volume as they were.
    """

    number: int
    id: str
    made: dt.datetime
    stored: Stored

    @property
    def described(self) -> str:
        """Number and time, for a report."""
        return f"{self.number} ({self.made:%Y-%m-%d %H:%M} UTC)"


def shadow_copies(volume: Stored) -> list[ShadowCopy]:
    """The earlier states that are kept on a volume, the oldest first.

    Raises:
        ImportError: the library is not installed.
        OSError: they cannot be read.
    """
    module = import_module("pyvshadow")
    if volume.size < _HEADER_END:
        return []
    file = FileObject(Cached(volume))
    with Checked():
        if not module.check_volume_signature_file_object(file):
            return []
        service = module.volume()
        service.open_file_object(file)
        stores = [service.get_store(index) for index in range(service.get_number_of_stores())]
        return [
            ShadowCopy(
                number,
                str(store.get_copy_identifier()).strip("{}").lower(),
                store.get_creation_time(),
                LibraryBytes(store, store.get_volume_size(), service, file),
            )
            for number, store in enumerate(stores, 1)
            if store.has_in_volume_data()
        ]
