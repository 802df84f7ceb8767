"""Starts a scan as the options ask for it, and waits for its inventory."""

import datetime as dt
import gc
import sys
from collections.abc import Callable, Iterator

import click
from msgspec.structs import replace

from phaseout import __version__
from phaseout.cli.interruption import interruptible
from phaseout.cli.progress import Progress
from phaseout.cli.scan_options import ScanOptions
from phaseout.model.nouns import Inventory, Item
from phaseout.scan.messages import Request
from phaseout.scan.supervisor import ScanError, ScanSupervisor, SeveralHostsError
from phaseout.scan.worker_process import Prepared

TOOL = f"phaseout {__version__}"


class Scan:
    """A scan that is under way. Make it first, load the rules meanwhile, then ask for the inventory."""

    def __init__(
        self, request: Request, seconds: float, prepared: Prepared | None = None, *, quiet: bool = False
    ) -> None:
        self._request = request
        self._seconds = seconds
        self._progress = Progress(quiet=quiet)
        self._supervisor = ScanSupervisor(request, whole=seconds, prepared=prepared, progress=self._progress.scan)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it early."""
        return self._supervisor.interrupted

    def inventories(self, now: dt.datetime, found: Callable[[list[Item]], object] | None = None) -> Iterator[Inventory]:
        """Everything that was seen: of one host, or of each host in an image, one after the other.

        Args:
            now: the time of the scan.
            found: is called with the items as they come.

        Raises:
            click.UsageError: as `_inventory` does.
            KeyboardInterrupt: it was interrupted before anything was seen.
        """
        try:
            yield self._inventory(now, found)
        except SeveralHostsError as several:
            for image in several.images:
                request = replace(self._request, image=image)
                self._supervisor = ScanSupervisor(request, whole=self._seconds, progress=self._progress.scan)
                yield self._inventory(now, found)
                if self.interrupted:
                    return

    def _inventory(self, now: dt.datetime, found: Callable[[list[Item]], object] | None) -> Inventory:
        """Everything that was seen of one host.

        Raises:
            click.UsageError: the root is no host, or there is no such source.
            KeyboardInterrupt: it was interrupted before anything was seen.
        """
        gc.disable()  # items and findings have no cycles, and there may be hundreds of thousands
        try:
            with interruptible():
                moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
                return self._supervisor.inventory(scanned_at=moment, tool=TOOL, found=found)
        except ScanError as error:
            if self._supervisor.interrupted:  # before the host was open
                raise KeyboardInterrupt from error
            raise click.UsageError(str(error)) from error
        finally:
            self._progress.erase()

    def abandon(self) -> None:
        """Ends it without a result."""
        self._supervisor.abandon()


def start_scan(options: ScanOptions, *, quiet: bool = False) -> Scan:
    """Starts the scan that the options ask for; `quiet` shows no progress.

    Raises:
        click.UsageError: this system does not offer what was asked for.
    """
    if options.root is not None and options.image is not None:
        raise click.UsageError("--root and --image: a scan has one of them")
    if options.modules and options.root is None and options.image is None and sys.platform == "darwin":
        raise click.UsageError("--modules: macOS does not show what a process has loaded")
    low = options.priority == "low" or (options.priority is None and (sys.stdout is None or not sys.stdout.isatty()))
    request = Request(
        root=options.root,
        image=options.image,
        platform=options.platform,
        only=options.only,
        skip=options.skip,
        low_priority=low,
        deep=options.deep,
        modules=options.modules,
        hardware_ids=options.hardware_ids,
        mask=options.mask,
    )
    prepared = click.get_current_context().find_root().obj
    worker = prepared if isinstance(prepared, Prepared) else None
    return Scan(request, options.seconds, worker, quiet=quiet)
