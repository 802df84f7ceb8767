"""The file system of the target."""
