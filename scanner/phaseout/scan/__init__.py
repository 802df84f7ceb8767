"""The scan: a worker that runs the sources, and the supervisor that holds its budgets."""

WHOLE_SECONDS = 120.0  # of a scan, unless its caller names others
