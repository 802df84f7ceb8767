"""The places where software leaves a trace: one file a source, and the one list of them."""

import functools
from collections.abc import Collection
from importlib import import_module
from typing import cast

from phaseout.model.nouns import Platform
from phaseout.sources.source import Source

ALL: tuple[str, ...] = (
    "linux.dpkg",
    "linux.rpm",
    "linux.apk",
    "linux.pacman",
    "linux.opkg",
    "linux.portage",
    "linux.xbps",
    "linux.pkgtools",
    "linux.guix",
    "linux.chisel",
    "linux.rpm_manifest",
    "linux.eopkg",
    "linux.snap",
    "linux.flatpak",
    "linux.appimage",
    "linux.loose_programs",
    "linux.systemd",
    "linux.sysv",
    "linux.boot_scripts",
    "linux.hooks",
    "linux.cron",
    "linux.kernel_modules",
    "linux.desktop_entries",
    "linux.vendor_folders",
    "linux.ca_certificates",
    "linux.antivirus",
    "linux.cached_packages",
    "linux.guests",
    "linux.containerd",
    "windows.uninstall",
    "windows.portable_programs",
    "windows.chocolatey",
    "windows.scoop",
    "windows.winget",
    "windows.amcache",
    "windows.msi_products",
    "windows.appx_packages",
    "windows.app_v",
    "windows.services",
    "windows.driver_packages",
    "windows.scheduled_tasks",
    "windows.autostart",
    "windows.security_products",
    "windows.defender",
    "windows.vendor_keys",
    "windows.certificate_stores",
    "windows.network_settings",
    "windows.driver_filters",
    "windows.filtering_platform",
    "windows.loaded_libraries",
    "windows.cached_installers",
    "windows.left_settings",
    "windows.group_policy",
    "windows.policy_files",
    "windows.wsl",
    "macos.applications",
    "macos.receipts",
    "macos.macports",
    "macos.launchd",
    "macos.scheduled_jobs",
    "macos.programs",
    "macos.login_items",
    "macos.kernel_extensions",
    "macos.system_extensions",
    "macos.profiles",
    "macos.support_folders",
    "macos.safari_extensions",
    "macos.xprotect",
    "macos.keychains",
    "anywhere.remains",
    "anywhere.processes",
    "anywhere.homebrew",
    "anywhere.nix",
    "anywhere.chromium_extensions",
    "anywhere.firefox_addons",
    "anywhere.nss_certificates",
    "anywhere.java_certificates",
    "anywhere.developer_trust",
    "anywhere.proxies",
    "anywhere.browser_proxies",
    "anywhere.name_resolution",
    "anywhere.pending_restart",
    "anywhere.boot_entries",
    "anywhere.native_messaging",
    "anywhere.editor_extensions",
    "anywhere.jetbrains_plugins",
    "anywhere.jetbrains_programs",
    "anywhere.python_packages",
    "anywhere.npm_packages",
    "anywhere.ruby_gems",
    "anywhere.cargo_binaries",
    "anywhere.go_binaries",
    "anywhere.deno_programs",
    "anywhere.dotnet_packages",
    "anywhere.powershell_modules",
    "anywhere.containers",
    "anywhere.portable_profiles",
    "anywhere.data_folders",
    "anywhere.wine",
    "linux.elsewhere",
    "territory",
)
_NOT_ON_WINDOWS = frozenset(("anywhere.homebrew", "anywhere.nix", "anywhere.remains", "anywhere.wine"))
_NOT_ON_MACOS = frozenset(("anywhere.pending_restart", "anywhere.boot_entries"))
_NOT_ON_LINUX = frozenset(("anywhere.portable_profiles",))
# Those that also read the containers and the like that others find within a host.
INSIDE: tuple[str, ...] = (
    "linux.dpkg",
    "linux.rpm",
    "linux.apk",
    "linux.pacman",
    "linux.opkg",
    "linux.portage",
    "linux.xbps",
    "linux.pkgtools",
    "anywhere.nix",
    "linux.guix",
    "linux.chisel",
    "linux.rpm_manifest",
    "linux.eopkg",
    "linux.loose_programs",
    "linux.systemd",
    "linux.vendor_folders",
    "anywhere.python_packages",
    "anywhere.npm_packages",
    "anywhere.ruby_gems",
    "anywhere.cargo_binaries",
    "anywhere.go_binaries",
    "anywhere.deno_programs",
    "anywhere.dotnet_packages",
    "anywhere.powershell_modules",
)
INSIDE_WINDOWS: tuple[str, ...] = ("windows.uninstall", "windows.portable_programs")
# What any host of a platform must show: of each group, at least one source must list at least one item. A root whose
# database of installed software is gone is never taken for one that has no software.
FLOOR: dict[Platform, dict[str, tuple[str, ...]]] = {
    "linux": {
        "Packages of the system": (
            *("dpkg", "rpm", "apk", "pacman", "opkg", "portage", "xbps", "pkgtools", "nix", "guix", "chisel"),
            *("rpm_manifest", "eopkg"),
        ),
    },
    "macos": {"Applications": ("applications",)},
    # That SYSTEM and SOFTWARE are there and whole, `services` and `uninstall` see for themselves.
    "windows": {"Installed programs": ("uninstall", "appx_packages", "msi_products")},
}
_PLATFORMS: dict[str, tuple[Platform, ...]] = {
    "linux": ("linux",),
    "macos": ("macos",),
    "windows": ("windows",),
    "territory": ("linux", "macos", "windows"),
    "anywhere": ("linux", "macos", "windows"),
}


def load(platform: Platform | None = None) -> tuple[Source, ...]:
    """The sources for a platform, or all; of the folders only those that can hold one are imported."""
    return tuple(_source(name) for name in ALL if platform is None or _is_for(name, platform))


@functools.cache
def names(platform: Platform) -> tuple[str, ...]:
    """The names of the sources for a platform; none of them is imported."""
    return tuple(name.rpartition(".")[2] for name in ALL if _is_for(name, platform))


def load_inside(platform: Platform = "linux") -> tuple[Source, ...]:
    """The sources that read the hosts of a platform within a host."""
    return tuple(_source(name) for name in (INSIDE_WINDOWS if platform == "windows" else INSIDE))


def load_named(wanted: Collection[str]) -> tuple[Source, ...]:
    """The sources of these names, in their usual order."""
    return tuple(_source(name) for name in ALL if name.rpartition(".")[2] in wanted)


def _is_for(name: str, platform: Platform) -> bool:
    if platform == "windows" and name in _NOT_ON_WINDOWS:
        return False
    if platform == "macos" and name in _NOT_ON_MACOS:
        return False
    if platform == "linux" and name in _NOT_ON_LINUX:
        return False
    return platform in _PLATFORMS[name.partition(".")[0]]


def _source(name: str) -> Source:
    return cast("Source", import_module(f"phaseout.sources.{name}").SOURCE)
