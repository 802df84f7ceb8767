"""Snaps: mounted or not, noted by snapd in either way, revisions, publishers, and damage."""

import json
from pathlib import Path

import pytest
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import Evidence, Problem

from tests.support.harness import run
from tests.support.trees import Tree

SNAPD = "/var/lib/snapd"
YAML = "name: kesl\nversion: '12.1'\ntitle: Endpoint\ntype: app\narchitectures:\n- amd64\n"
DECLARATION = """\
type: snap-declaration
authority-id: canonical
series: 16
snap-id: M7yvgnqOvyQj64bolfpawIAEwHv7dQ5G
publisher-id: 2kQ1Yd8hYlGzMzMnUxxGxSXqWuaPBQ9d
snap-name: kesl
plugs:
  network:
    allow-installation: true

c2lnbmF0dXJl
"""
ACCOUNT = "type: account\naccount-id: 2kQ1Yd8hYlGzMzMnUxxGxSXqWuaPBQ9d\ndisplay-name: Kaspersky Lab\n\nc2ln\n"


def installed(tree: Tree, mounts: str = "/snap") -> None:
    tree.folder(f"{mounts}/bin")
    tree.write(f"{mounts}/README", "no snap")
    tree.write(f"{mounts}/kesl/42/meta/snap.yaml", YAML)
    tree.write(f"{mounts}/kesl/41/meta/snap.yaml", YAML.replace("12.1", "12.0"))
    tree.link(f"{mounts}/kesl/current", "42")
    for revision in ("41", "42"):
        tree.write(f"{SNAPD}/snaps/kesl_{revision}.snap", "hsqs")
    tree.folder(f"{SNAPD}/snaps/partial")
    tree.write(f"{SNAPD}/snaps/.local-install-123", "hsqs")


def assertions(tree: Tree) -> None:
    folder = f"{SNAPD}/assertions/asserts-v0"
    declaration = f"{folder}/snap-declaration/16/M7yvgnqOvyQj64bolfpawIAEwHv7dQ5G"
    tree.write(f"{declaration}/active", DECLARATION.replace("publisher-id: 2", "publisher-id: 1"))
    tree.write(f"{declaration}/active.4", DECLARATION)
    tree.write(f"{folder}/account/2kQ1Yd8hYlGzMzMnUxxGxSXqWuaPBQ9d/active", ACCOUNT)


@pytest.mark.parametrize("mounts", ["/snap", f"{SNAPD}/snap"])
def test_the_current_revision_is_installed_and_the_other_a_leftover(tree: Tree, mounts: str) -> None:
    installed(tree, mounts)
    assertions(tree)
    result = run("snap", tree.host())
    old, new = result.items
    assert (old.name, old.version, old.state, old.details["revision"]) == ("kesl", "12.0", "leftover", "41")
    assert (new.name, new.version, new.state, new.vendor) == ("kesl", "12.1", "installed", "Kaspersky Lab")
    assert new.path == f"{mounts}/kesl/42"
    assert new.details == {"arch": "amd64", "revision": "42", "title": "Endpoint", "type": "app"}
    assert new.evidence == (
        Evidence(f"{mounts}/kesl/42/meta/snap.yaml", "kesl 12.1 (42)"),
        Evidence(f"{SNAPD}/snaps/kesl_42.snap", "kesl 12.1 (42)"),
    )
    assert result.run.status == "ok"


def test_mounts_under_both_names_count_once(tree: Tree) -> None:
    installed(tree, f"{SNAPD}/snap")
    tree.link("/snap", f"{SNAPD}/snap")
    result = run("snap", tree.host())
    assert [item.path for item in result.items] == ["/snap/kesl/41", "/snap/kesl/42"]


def test_files_alone_tell_names_and_revisions(tree: Tree) -> None:
    for name in ("kesl_41.snap", "kesl_x1.snap", "kesl_second_7.snap", "noise.snap", "kesl+comp_3.comp"):
        tree.write(f"{SNAPD}/snaps/{name}", "hsqs")
    result = run("snap", tree.host())
    assert [(item.name, item.details["revision"], item.state) for item in result.items] == [
        ("kesl", "41", "installed"),
        ("kesl", "7", "installed"),
        ("kesl", "x1", "installed"),
    ]
    assert result.items[1].details["instance"] == "kesl_second"
    assert result.run.status == "ok"


def note(revisions: list[str], current: str, *, nested: bool = False) -> dict[str, object]:
    sides = [{"name": "kesl", "snap-id": f"id{one}", "revision": one, "channel": "latest/edge"} for one in revisions]
    return {
        "type": "app",
        "sequence": [{"snap": side, "components": []} for side in sides] if nested else sides,
        "current": current,
        "channel": "latest/stable",
    }


@pytest.mark.parametrize("nested", [False, True])
def test_snapd_notes_what_is_current(tree: Tree, *, nested: bool) -> None:
    tree.write(
        f"{SNAPD}/state.json", json.dumps({"data": {"snaps": {"kesl": note(["41", "42"], "42", nested=nested)}}})
    )
    tree.write(f"{SNAPD}/snaps/kesl_41.snap", "hsqs")
    new, old = run("snap", tree.host()).items
    assert (new.path, old.path) == ("", f"{SNAPD}/snaps/kesl_41.snap")
    assert (old.state, old.evidence[0].where) == ("leftover", f"{SNAPD}/snaps/kesl_41.snap")
    assert (new.state, new.evidence[0].where) == ("installed", f"{SNAPD}/state.json")
    assert new.details == {"channel": "latest/stable", "revision": "42", "snap_id": "id42", "type": "app"}


def test_sequence_files_spare_the_state_that_only_root_may_read(tree: Tree) -> None:
    tree.write(f"{SNAPD}/state.json", "{damaged")
    sequence = note(["41", "42"], "41")
    tree.write(f"{SNAPD}/sequence/kesl.json", json.dumps({"sequence": sequence["sequence"], "current": "41"}))
    result = run("snap", tree.host())
    assert [(item.details["revision"], item.state) for item in result.items] == [
        ("41", "installed"),
        ("42", "leftover"),
    ]
    assert result.items[0].details["channel"] == "latest/edge"
    assert result.run.status == "ok"


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{",
        "[]",
        '{"data": 1}',
        '{"data": {"snaps": []}}',
        '{"data": {"snaps": {"a": null, "b": {"sequence": 1}}}}',
        '{"data": {"snaps": {"a": {"sequence": [1, null, {"revision": {}}], "current": []}}}}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_damaged_state_leaves_what_is_on_disk(tree: Tree, state: str) -> None:
    installed(tree)
    tree.write(f"{SNAPD}/state.json", state.encode("utf-8", "surrogateescape"))
    result = run("snap", tree.host())
    assert [item.state for item in result.items] == ["leftover", "installed"]
    assert all(problem.where == f"{SNAPD}/state.json" for problem in result.problems)
    assert bool(result.problems) == (state in ("", "{", "\udcff") or len(state) > 1000)


def test_a_mount_that_is_skipped_costs_the_version_only(tree: Tree) -> None:
    installed(tree)
    host = tree.host()
    host.files = PosixFiles(str(tree.root), {"/snap/kesl/42": "fuse.squashfuse"})
    result = run("snap", host)
    assert [(item.version, item.state) for item in result.items] == [("", "installed"), ("12.0", "leftover")]
    assert result.items[0].path == f"{SNAPD}/snaps/kesl_42.snap"
    assert result.problems == (Problem("/snap/kesl/42", "fuse.squashfuse mount, skipped", "mount"),)


SCALIBR = "packages/osv-scalibr/extractor/filesystem/os/snap/testdata"
SYFT = "packages/syft/syft/pkg/cataloger/snap/testdata"


@pytest.mark.parametrize(
    ("capture", "version", "arch", "problems"),
    [
        (f"{SCALIBR}/single-arch.yaml", "16-2.61.4-20240607", "amd64", 0),
        (f"{SCALIBR}/multi-arch.yaml", "16-2.61.4-20240607", "amd64, arm64", 0),
        (f"{SCALIBR}/missing-name.yaml", "16-2.61.4-20240607", "amd64", 0),
        (f"{SCALIBR}/missing-version.yaml", "", "amd64", 0),
        (f"{SCALIBR}/invalid", "", "", 1),
        (f"{SYFT}/manifest.yaml", "24-0.1", "amd64", 0),
        (f"{SYFT}/glob-paths/system/snap/manifest.yaml", "1.0", "", 0),
        (f"{SYFT}/dpkg.yaml", "", "", 0),
        (f"{SYFT}/real-dpkg.yaml", "", "", 0),
        (f"{SYFT}/glob-paths/base/usr/share/snappy/dpkg.yaml", "", "", 0),
    ],
)
def test_real_captures(tree: Tree, corpora: Path, capture: str, version: str, arch: str, problems: int) -> None:
    tree.copy("/snap/core/17200/meta/snap.yaml", corpora / capture)
    result = run("snap", tree.host())
    (item,) = result.items
    assert (item.name, item.version, item.details.get("arch", "")) == ("core", version, arch)
    assert len(result.problems) == problems
