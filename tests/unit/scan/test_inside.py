"""Hosts within a host: what the runner makes of what other sources see there."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from phaseout import sources
from phaseout.host import Host
from phaseout.host.filesystem.layers import layered_host
from phaseout.model.nouns import Item, Problem
from phaseout.scan.worker import run_source
from phaseout.sources.source import Inside, Source, Trace

from tests.support.trees import Tree


def outer(collect: object) -> Source:
    return Source("outer", "Outer", ("linux",), ("package",), (), (), "It sees nothing.", collect)  # type: ignore[arg-type]


def container(tree: Tree) -> Iterator[Trace]:
    inner = layered_host(tree.host(), ["/srv/root"], "web")
    assert inner is not None
    yield Inside("container web", "ada", inner)


def test_every_source_for_hosts_inside_is_registered() -> None:
    assert set(sources.INSIDE) <= set(sources.ALL)
    assert all(not source.needs and "linux" in source.platforms for source in sources.load_inside())
    kinds = {kind for source in sources.load_inside() for kind in source.kinds}
    for holder in ("linux.guests", "anywhere.containers"):
        assert kinds <= set(import_module(f"phaseout.sources.{holder}").SOURCE.kinds)
    assert {kind for source in sources.load_inside("windows") for kind in source.kinds} == {"program"}


def test_what_is_seen_inside_counts_for_the_source_that_found_the_place(tree: Tree) -> None:
    tree.write("/srv/root/var/lib/dpkg/status", "Version: 1\n\nPackage: x\nStatus: install ok installed\n")
    tree.fifo("/srv/root/lib/apk/db/installed")
    items: list[Item] = []
    outcome = run_source(outer(lambda _: container(tree)), tree.host(), items.append)
    (item,) = items
    assert (item.name, item.source, item.user) == ("x", "outer", "ada")
    assert (item.details["inside"], item.details["seen_by"]) == ("container web", "dpkg")
    assert outcome.left_out == {"damaged": 1}
    assert outcome.rows == 2
    assert outcome.problems == (
        Problem("container web: /var/lib/dpkg/status:1", "a stanza without a package name", "damaged"),
        Problem("container web: /lib/apk/db/installed", "not a regular file but a FIFO", "not_regular"),
    )


def test_a_source_that_raises_inside_costs_a_problem(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("/srv/root/var/lib/dpkg/status", "Package: x\nStatus: install ok installed\n")
    dpkg, *_ = sources.load_inside()

    def broken(_: Host) -> Iterator[Trace]:
        yield from ()
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(sources, "load_inside", lambda _: (dpkg._replace(name="broken", collect=broken), dpkg))
    items: list[Item] = []
    outcome = run_source(outer(lambda _: container(tree)), tree.host(), items.append)
    assert [item.name for item in items] == ["x"]
    assert outcome.problems == (Problem("container web: broken", "ZeroDivisionError: inside", "error"),)
    assert outcome.status == "partial"
