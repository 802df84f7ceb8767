"""Sources that are found on Linux."""
