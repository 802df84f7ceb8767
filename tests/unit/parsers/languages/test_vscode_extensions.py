"""The lists of VS Code and its kin."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.parsers.languages.vscode_extensions import Listed, Package, listed, obsolete, package


def test_a_whole_entry() -> None:
    entry = {
        "identifier": {"id": "ms-python.python", "uuid": "x"},
        "version": "2025.2.0",
        "location": {"$mid": 1, "path": "/h/.vscode/extensions/ms-python.python-2025.2.0", "scheme": "file"},
        "relativeLocation": "ms-python.python-2025.2.0",
        "metadata": {
            "installedTimestamp": 1741259706874,
            "publisherDisplayName": "Microsoft",
            "source": "gallery",
            "targetPlatform": "undefined",
        },
    }
    assert list(listed(json.dumps([entry, {"identifier": {}}, 5, {"identifier": {"id": "a.b"}}]).encode())) == [
        Listed(
            "ms-python.python",
            "2025.2.0",
            "ms-python.python-2025.2.0",
            "/h/.vscode/extensions/ms-python.python-2025.2.0",
            "Microsoft",
            "2025-03-06T11:15:06Z",
            "gallery",
            "",
        ),
        None,
        None,
        Listed("a.b", "", "", "", "", "", "", ""),
    ]


@pytest.mark.parametrize("folder", ["../x", "a/b", "a\\b", "..", ".", 5, None, "a\0"])
def test_a_folder_is_a_name(folder: object) -> None:
    (found,) = listed(
        json.dumps([{"identifier": {"id": "a.b"}, "relativeLocation": folder, "location": "/p"}]).encode()
    )
    assert found is not None
    assert (found.folder, found.path) == ("", "/p")


def test_obsolete() -> None:
    assert obsolete(b'{"A.b-1": true, "c.d-1": false}') == {"a.b-1"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (
            {"publisher": "P", "name": "n", "displayName": "%title%", "version": "1"},
            Package("P.n", "%title%", "1", "P"),
        ),
        ({"name": "n", "author": {"name": "Ada"}}, Package("n", "", "", "Ada")),
        ({"author": "Ada"}, Package("", "", "", "Ada")),
        ({}, Package("", "", "", "")),
    ],
)
def test_package(value: object, found: Package) -> None:
    assert package(json.dumps(value).encode()) == found


def test_every_real_list_is_read(corpora: Path) -> None:
    top = corpora / "packages/osv-scalibr/extractor/filesystem/misc/vscodeextensions/testdata"
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(top.glob("*.json")):
        if path.name == "invalid.json":
            with pytest.raises(ValueError):
                list(listed(path.read_bytes()))
            continue
        found[path.name] = [(one.id, one.version) for one in listed(path.read_bytes()) if one is not None]
    assert found["one-extension.json"] == [("ms-vscode.cpptools", "1.23.6")]
    assert ("golang.go", "0.46.1") in found["extensions.json"]
    assert ("ms-python.debugpy", "2025.4.0") in found["extensions-windows.json"]
    for path in top.glob("extensions*.json"):
        assert len(found[path.name]) == len(json.loads(path.read_bytes()))


ENTRY = st.none() | st.dictionaries(
    st.sampled_from(["identifier", "version", "location", "metadata", "relativeLocation"]),
    st.none()
    | st.text(max_size=5)
    | st.integers()
    | st.dictionaries(
        st.sampled_from(["id", "path", "installedTimestamp", "targetPlatform"]),
        st.text(max_size=5) | st.integers() | st.floats(),
    ),
)


@given(st.lists(ENTRY, max_size=4).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
@settings(max_examples=100)
def test_any_bytes_raise_value_errors_only(data: bytes) -> None:
    for read in (lambda: list(listed(data)), lambda: obsolete(data), lambda: package(data)):
        try:
            read()
        except ValueError:
            continue
