"""Formats of Linux."""
