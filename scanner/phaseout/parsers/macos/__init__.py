"""Formats of macOS."""
