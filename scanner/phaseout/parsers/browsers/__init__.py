"""Formats of browsers."""
