"""The Windows registry: one interface, live, from hives or in memory."""
