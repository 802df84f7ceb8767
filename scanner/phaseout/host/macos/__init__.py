"""What only a macOS host has."""
