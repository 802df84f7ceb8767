"""Writes what was found on several hosts into every output, host by host."""

from collections.abc import Sequence

import click

from phaseout.cli.output import Outputs
from phaseout.report import FORMATS
from phaseout.report.several import Several


class SeveralHosts:
    """The outputs of a command that has several hosts.

    Args:
        outputs: where they are written.

    Raises:
        click.UsageError: a format holds one host only.
    """

    def __init__(self, outputs: Outputs) -> None:
        single = next((one.format.name for one in outputs.all if not one.format.several), None)
        if single is not None:
            many = ", ".join(one.name for one in FORMATS if one.several)
            raise click.UsageError(f"-f {single} holds one host; several are held by {many}")
        self._outputs = outputs
        self._together = [Several(one.format) for one in outputs.all]

    def add(self, texts: Sequence[Sequence[str]]) -> None:
        """Writes one host, whose text in every format comes in the order of the outputs."""
        for output, together, chunks in zip(self._outputs.all, self._together, texts, strict=True):
            output.add(together.host(chunks))

    def end(self, sentence: str, tone: str = "inventory") -> None:
        """Brings all files to their places; the sentence sums up the hosts, and the tone is their gravest verdict."""
        for output, together in zip(self._outputs.all, self._together, strict=True):
            output.add(together.end(sentence, tone))
            output.end()

    def abandon(self) -> None:
        """Leaves all places as they were."""
        for output in self._outputs.all:
            output.abandon()
