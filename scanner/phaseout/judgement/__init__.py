"""From recognised items to findings, and from two scans to a difference."""
