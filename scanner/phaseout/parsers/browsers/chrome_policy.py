"""Policies of the Chromium family and of Mozilla's browsers that bring extensions with them.

References:
    https://chromeenterprise.google/policies/ (ExtensionInstallForcelist, ExtensionSettings);
    https://mozilla.github.io/policy-templates/ (ExtensionSettings, Extensions).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from phaseout.parsers.encodings.lenient_json import decode, member, text

_INSTALLING = frozenset(("force_installed", "normal_installed"))


class Brought(NamedTuple):
    """An extension that a policy names: its identifier, what the policy does with it, and where it is to come from."""

    id: str
    mode: str
    url: str

    @property
    def installs(self) -> bool:
        """Whether the policy brings it, and does not only allow or forbid it."""
        return self.mode in _INSTALLING


def brought(policies: Any) -> Iterator[Brought]:
    """What the policies of Chromium or Firefox say of extensions.

    Args:
        policies: names → values; a value may be JSON in a text, as in the Windows registry.

    Raises:
        ValueError: a string that should be JSON is not; what comes before it has been yielded.
    """
    if not isinstance(policies, Mapping):
        return
    yield from forcelist(policies.get("ExtensionInstallForcelist"))
    install = member(policies.get("Extensions"), "Install")
    for url in install if isinstance(install, list) else ():
        if text(url):
            yield Brought("", "force_installed", text(url))
    settings = policies.get("ExtensionSettings")
    if isinstance(settings, str):
        settings = decode(settings.encode("utf-8", "replace"))
    if isinstance(settings, Mapping):
        for names, setting in settings.items():
            mode = text(member(setting, "installation_mode")) or "allowed"
            url = text(member(setting, "update_url")) or text(member(setting, "install_url"))
            for name in names.split(",") if isinstance(names, str) else ():
                if name.strip() not in ("", "*"):
                    yield Brought(name.strip(), mode, url)


def forcelist(entries: Any) -> Iterator[Brought]:
    """The entries `identifier;address` of `ExtensionInstallForcelist`."""
    for entry in entries if isinstance(entries, (list, tuple)) else ():
        name, _, url = text(entry).partition(";")
        if name.strip():
            yield Brought(name.strip(), "force_installed", url.strip())
