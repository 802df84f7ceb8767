"""phaseout: which software of a restricted vendor is on this machine, what must be replaced, and by when."""

__version__ = "0.2.0"
