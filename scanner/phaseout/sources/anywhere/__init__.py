"""Sources that are found on every system."""
