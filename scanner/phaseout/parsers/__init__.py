"""Bytes into values, without touching the machine."""
