"""Serves what is found to other programs."""
