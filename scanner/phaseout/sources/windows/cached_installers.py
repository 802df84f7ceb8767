r"""Installers that Windows keeps to repair, deploy or install again: what brings a product back after its removal.

Read are the caches of WiX bundles, Configuration Manager, Intune and the agent of Kaspersky's server. The copies that
Windows Installer needs to uninstall a product are not among them: they go with it.

References:
    https://docs.firegiant.com/wip/4278-redirectable-package-cache/ (Package Cache);
    https://learn.microsoft.com/mem/configmgr/core/clients/manage/manage-clients (ccmcache);
    https://learn.microsoft.com/mem/intune/apps/apps-win32-app-management (IMECache, Content);
    https://support.kaspersky.com/KSC/14/en-US/174989.htm (adminkit: what the agent downloads)
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.parsers.windows.image_path import absolute
from phaseout.sources.kit.user_data import homes
from phaseout.sources.kit.windows_registry import registry_of
from phaseout.sources.source import Source, Trace

_MOVED = r"HKLM\SOFTWARE\Policies\WiX\Burn"
_BUNDLES = "Package Cache"
_PLACES = (  # a folder, and the tool that fills it
    (r"%systemroot%\ccmcache", "Configuration Manager"),
    (r"%systemroot%\IMECache", "Intune"),
    (r"%programfiles(x86)%\Microsoft Intune Management Extension\Content", "Intune"),
    (r"%programdata%\KasperskyLab\adminkit", "the agent of Kaspersky Security Center"),
)
_ENDINGS = (".exe", ".msi", ".msix", ".msixbundle", ".appx", ".appxbundle", ".msp")
_DEPTH = 6
_MOST = 20_000  # entries of a cache
_EFFECT = "the product can be installed again from it: delete it once the product is gone"


def collect(host: Host) -> Iterator[Trace]:
    """An item for every installer in a cache, with its maker as its file says."""
    moved = registry_of(host).key(_MOVED)
    bundles = absolute(moved.text("PackageCache"), host.variables) if moved is not None else ""
    data = host.variables.get("programdata", "")
    places = [("", rf"{data}\{_BUNDLES}", "an installer's bundle"), ("", bundles, "an installer's bundle")]
    places += [("", absolute(path, host.variables), tool) for path, tool in _PLACES]
    places += [(user, rf"{home}\AppData\Local\{_BUNDLES}", "an installer's bundle") for user, home in homes(host)]
    for user, top, tool in places:
        if top and host.files.is_dir(top):
            for folder, entries in host.files.walk(top, _DEPTH, _MOST):
                for entry in entries:
                    if entry.kind == "dir":
                        continue
                    if entry.name.lower().endswith(_ENDINGS):
                        yield _item(host, rf"{folder}\{entry.name}", user, tool)
                    else:
                        yield LeftOut("not a program")


def _item(host: Host, path: str, user: str, tool: str) -> Item:
    identity = host.executables.identity(path) if path.lower().endswith(".exe") else None
    return Item(
        kind="file",
        name=path.rpartition("\\")[2],
        state="leftover",
        vendor=identity.company if identity else "",
        version=identity.version if identity else "",
        path=path,
        user=user,
        signer=identity.signer if identity else "",
        details={
            **(identity.details if identity else {}),
            "type": "cached installer",
            "product": identity.product if identity else "",
            "location": f"kept by {tool}",
            "effect": _EFFECT,
        },
        evidence=(Evidence(path),),
    )


SOURCE = Source(
    name="cached_installers",
    title="Installers in the caches of deployment tools",
    platforms=("windows",),
    kinds=("file",),
    needs=("registry",),
    reads=(
        _MOVED,
        rf"C:\ProgramData\{_BUNDLES}\**\*",
        rf"~\AppData\Local\{_BUNDLES}\**\*",
        r"C:\Windows\ccmcache\**\*",
        r"C:\Windows\IMECache\**\*",
        r"C:\Program Files (x86)\Microsoft Intune Management Extension\Content\**\*",
        r"C:\ProgramData\KasperskyLab\adminkit\**\*",
    ),
    limits="An MSI package is known by its file name alone.",
    collect=collect,
)
