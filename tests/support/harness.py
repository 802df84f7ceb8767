"""Runs one source over a host, and checks what must hold for every source."""

from collections.abc import Sequence
from importlib import import_module

from phaseout.host import Host
from phaseout.host.users import posix_users
from phaseout.model.nouns import HostInfo, Item, Problem, SourceRun
from phaseout.scan.worker import run_source
from phaseout.sources import ALL, load_inside, load_named
from phaseout.sources.kit.folder_shapes import SHAPES, Shape
from phaseout.sources.source import Source

from tests.support.observer import ObservedFiles, ObservedRegistry, Touch, undeclared

# What opening a root asks of it, to know whose homes it has.
_OPENING = ("/etc/passwd", "/home/*", "/home/*/*", "/home/*/*/*")


class Result:
    """What one source gave."""

    def __init__(self, run: SourceRun, items: tuple[Item, ...]) -> None:
        self.run = run
        self.items = items

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.run.problems

    def names(self) -> list[str]:
        return [item.name for item in self.items]

    def one(self, name: str) -> Item:
        """The only item of that name."""
        (item,) = (item for item in self.items if item.name == name)
        return item


def source(name: str) -> Source:
    """The registered source of that name."""
    (module,) = (module for module in ALL if module.rpartition(".")[2] == name)
    found = import_module(f"phaseout.sources.{module}").SOURCE
    assert isinstance(found, Source)
    return found


def run(name: str, host: Host) -> Result:
    """Runs one source over a host, and checks what must hold for every source.

    The places that it touches are those that it declares, and no row is lost.
    """
    return run_one(source(name), host)


def run_one(one: Source, host: Host) -> Result:
    """Runs a source with the same checks, registered or not."""
    files = ObservedFiles(host.files)
    registry = None if host.registry is None else ObservedRegistry(host.registry, files)
    watched = Host(
        host.info,
        files,
        host.users,
        host.processes,
        registry,
        host.variables,
        deep=host.deep,
        modules=host.modules,
    )
    items: list[Item] = []
    outcome = run_source(one, watched, items.append)
    assert outcome.status != "failed", outcome.reason
    assert outcome.items == len(items)
    assert outcome.rows == outcome.items + sum(outcome.left_out.values())
    assert {item.kind for item in items} <= set(one.kinds)
    found = beyond(one, host, items, files, registry)
    assert not found, f"touched without declaring it in `reads`: {found}"
    return Result(
        outcome, tuple(sorted(items, key=lambda item: (item.kind, item.name, item.version, item.path, item.user)))
    )


def beyond(
    one: Source, host: Host, items: Sequence[Item], files: ObservedFiles, registry: ObservedRegistry | None = None
) -> list[Touch]:
    """What was touched beyond what the source declares, or in roots within the host, what those of `INSIDE` declare."""
    found = undeclared(files.touched, one.reads, host, items, files.texts)
    if registry is not None:
        found = undeclared({*found, *registry.touched}, one.reads, host, items, registry.texts())
    for inside in files.inside:
        if inside.separator == "\\":
            continue  # a prefix of Wine, of whose drive the source declares everything
        names = [name for shape in SHAPES if _at(shape) == inside.placed_at for name in shape.sources]
        sources = load_named(names) if inside.placed_at else load_inside()
        reads = (*_OPENING, *(place for each in sources for place in each.reads))
        root = Host(HostInfo(name="inside", platform="linux"), inside, posix_users(inside))
        found += undeclared(inside.touched, reads, root, items, inside.texts)
    return found


def _at(shape: Shape) -> str:
    return shape.at.replace("~", "/home/user", 1)
