"""Formats of programming languages and their editors."""
