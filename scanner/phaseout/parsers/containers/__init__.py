"""Formats of container engines."""
