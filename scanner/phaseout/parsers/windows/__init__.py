"""Formats of Windows."""
