"""Encodings that several systems share."""
