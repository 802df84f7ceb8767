"""Sources of Windows."""
