"""What only a Windows host has."""
