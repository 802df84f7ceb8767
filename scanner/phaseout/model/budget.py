"""What the work on one host may use after its scan: CPU time, and bytes of text that a report repeats.

Names and rules decide how long matching takes and how often a text is repeated, and both may be hostile. So what works
on them asks the budget between its steps, stops where it is used up, and says what it left out.

References:
    docs/security.md has the numbers.
"""

import time

SECONDS = 8.0  # of CPU time, for each step: a busy machine leaves less out
TEXT = 16 << 20  # bytes; a host with hundreds of findings has one


class Budget:
    """A budget that is being used.

    Args:
        seconds: of CPU time for each step.
        text: bytes for all steps.
    """

    def __init__(self, seconds: float = SECONDS, text: int = TEXT) -> None:
        self._seconds = seconds
        self._whole = self.text = text  # bytes that are left
        self.begin_step()

    def begin_step(self) -> None:
        """Starts the clock of the next step: what was found in time is judged, even if the search ended early."""
        self._end = time.process_time() + self._seconds

    def take(self, text: int) -> None:
        """Uses up bytes."""
        self.text -= text

    @property
    def out_of_time(self) -> str:
        """Why no further step may begin; empty while there is time."""
        return f"the limit is {self._seconds:g} s of CPU time" if time.process_time() >= self._end else ""

    @property
    def out_of_text(self) -> bool:
        """Whether a report must not grow except for what it has not shown at all."""
        return self.text <= 0

    @property
    def overdrawn(self) -> bool:
        """Whether it must not grow at all."""
        return self.text <= -2 * self._whole
