"""Disks and container images in files, read where they lie: nothing is mounted, and no other program is asked."""
