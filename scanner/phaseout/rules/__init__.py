"""Rules: loading, checking, matching."""
