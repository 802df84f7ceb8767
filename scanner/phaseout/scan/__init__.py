"""The scan: a worker that runs the sources, and the supervisor that holds its budgets."""
