"""The places where software leaves a trace: one file a source, and the one list of them."""

from importlib import import_module
from typing import cast

from scanner.model import Platform
from scanner.sources.source import Source

ALL: tuple[str, ...] = (
    "linux.dpkg",
    "linux.rpm",
    "linux.apk",
    "linux.pacman",
    "linux.opkg",
    "linux.portage",
    "linux.snap",
    "linux.flatpak",
    "linux.appimage",
    "linux.systemd",
    "linux.sysv",
    "linux.cron",
    "linux.kernel_modules",
    "linux.desktop_entries",
    "linux.vendor_folders",
    "windows.uninstall",
    "anywhere.processes",
)
_PLATFORMS: dict[str, tuple[Platform, ...]] = {
    "linux": ("linux",),
    "macos": ("macos",),
    "windows": ("windows",),
    "anywhere": ("linux", "macos", "windows"),
}


def load(platform: Platform | None = None) -> tuple[Source, ...]:
    """The sources for a platform, or all; only those are imported."""
    return tuple(
        cast("Source", import_module(f"scanner.sources.{name}").SOURCE)
        for name in ALL
        if platform is None or platform in _PLATFORMS[name.partition(".")[0]]
    )
