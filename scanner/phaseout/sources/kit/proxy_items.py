"""Proxies and proxy scripts (PAC) as items: what every place that sets one has in common.

A program that filters the web puts itself there. If it is removed and the setting stays, programs reach nothing. A
script in a file is an item with that file as its path, which tells whose it is.
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.windows.image_path import absolute
from phaseout.parsers.windows.proxy_settings import ProxySettings
from phaseout.sources.kit.missing_files import MissingFiles

_EFFECT = "browsers and other programs reach nothing once the program behind it is gone: clear the setting first"


class Proxies:
    """The proxies of one host.

    Args:
        host: where they are set.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._missing = MissingFiles(host)
        self._seen: set[tuple[str, str]] = set()

    def items(self, found: ProxySettings, user: str, where: str) -> Iterator[Item | LeftOut]:
        """The items of one place; what an earlier place of the same user says as well is no second item."""
        if not (found.proxy or found.script):
            yield LeftOut("a setting")
        for text, kind in ((found.proxy, "proxy"), (found.script, "proxy script")):
            name = _without_secrets(text)
            if name and (user, name) in self._seen:
                yield LeftOut("listed as another item")
            elif name:
                self._seen.add((user, name))
                path = _file(self._host, text) if kind == "proxy script" else ""
                state, notes = self._missing.state(path)
                yield Item(
                    kind="setting",
                    name=name,
                    state=state,
                    path=path,
                    user=user,
                    details={"type": kind, "effect": _EFFECT},
                    notes=notes,
                    evidence=(Evidence(where, name),),
                )


def _file(host: Host, url: str) -> str:
    """The file that a URL of a script names; empty for one that is fetched."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() != "file":
        return ""
    from urllib.parse import unquote  # late: few hosts have such a proxy

    path = unquote(rest.removeprefix("//").removeprefix("localhost"))
    return absolute(path.lstrip("/"), host.variables) if host.info.platform == "windows" else path


def _without_secrets(text: str) -> str:
    """An address without user name and password, and without the query of a script."""
    parts = []
    for part in text.partition("?")[0].split(";"):
        head, slashes, rest = part.rpartition("//")
        parts.append(head + slashes + rest.rpartition("@")[2])
    return ";".join(parts).strip()
