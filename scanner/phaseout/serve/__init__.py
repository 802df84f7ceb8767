"""Serves results to other programs."""
