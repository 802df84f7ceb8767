"""Starts a scan as the options ask for it, and waits for its inventory."""

import datetime as dt
import gc
import sys

import click

from phaseout import __version__
from phaseout.cli.interruption import interruptible
from phaseout.cli.progress import Progress
from phaseout.cli.scan_options import ScanOptions
from phaseout.model.nouns import Inventory
from phaseout.scan.messages import Request
from phaseout.scan.supervisor import ScanError, ScanSupervisor
from phaseout.scan.worker_process import PreparedWorker

TOOL = f"phaseout {__version__}"


class Scan:
    """A scan that is under way. Make it first, load the rules meanwhile, then ask for the inventory."""

    def __init__(self, request: Request, seconds: float, prepared: PreparedWorker | None = None) -> None:
        self._progress = Progress()
        self._supervisor = ScanSupervisor(request, whole=seconds, prepared=prepared, progress=self._progress.scan)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it early."""
        return self._supervisor.interrupted

    def inventory(self, now: dt.datetime) -> Inventory:
        """Everything that was seen.

        Raises:
            click.UsageError: the root is no host, or there is no such source.
            KeyboardInterrupt: it was interrupted before anything was seen.
        """
        gc.disable()  # items and findings have no cycles, and there may be hundreds of thousands
        try:
            with interruptible():
                return self._supervisor.inventory(scanned_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"), tool=TOOL)
        except ScanError as error:
            if self._supervisor.interrupted:  # before the host was open
                raise KeyboardInterrupt from error
            raise click.UsageError(str(error)) from error
        finally:
            self._progress.erase()

    def abandon(self) -> None:
        """Ends it without a result."""
        self._supervisor.abandon()


def start_scan(options: ScanOptions) -> Scan:
    """Starts the scan that the options ask for.

    Raises:
        click.UsageError: this system does not offer what was asked for.
    """
    if options.modules and options.root is None and sys.platform == "darwin":
        raise click.UsageError("--modules: macOS does not show what a process has loaded")
    low = options.priority == "low" or (options.priority is None and (sys.stdout is None or not sys.stdout.isatty()))
    request = Request(
        root=options.root,
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
    return Scan(request, options.seconds, prepared if isinstance(prepared, PreparedWorker) else None)
