"""The products among the programs of a package: other makers may have put them there, in a file system of its own."""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item, LeftOut
from phaseout.sources.source import Trace

_LEVELS = 32
_ENTRIES = 20_000


def packaged_programs(host: Host, top: str, package: str) -> Iterator[Trace]:
    """An item for each product among the programs below a folder; where there are none, among the libraries.

    Args:
        host: the host.
        top: the folder.
        package: the name of the package, for the items.
    """
    programs: list[str] = []
    libraries: list[str] = []
    for folder, entries in host.files.walk(top, _LEVELS, _ENTRIES):
        for entry in entries:
            name = entry.name.lower()
            if entry.kind != "dir" and name.endswith((".exe", ".dll")):
                (programs if name.endswith(".exe") else libraries).append(rf"{folder}\{entry.name}")
    products: set[tuple[str, str, str]] = set()
    for path in programs or libraries:
        identity = host.executables.identity(path)
        if identity is None or not (identity.product or identity.company or identity.signer):
            yield LeftOut("part of another item")
            continue
        product = (identity.company.casefold(), identity.product.casefold(), identity.signer)
        if product in products:
            yield LeftOut("part of another item")
            continue
        products.add(product)
        yield Item(
            kind="program",
            name=identity.product or path.rpartition("\\")[2],
            vendor=identity.company,
            version=identity.version,
            path=path,
            signer=identity.signer,
            details={**identity.details, "inside": package},
            evidence=(Evidence(path),),
        )
