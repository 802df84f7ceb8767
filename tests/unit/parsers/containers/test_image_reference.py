"""Names of container images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.containers.image_reference import image_purl, image_reference


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "purl"),
    [
        ("nginx:1.25", "nginx", "1.25", "pkg:docker/nginx@1.25"),
        ("docker.io/library/nginx:1.25", "docker.io/library/nginx", "1.25", "pkg:docker/nginx@1.25"),
        ("kaspersky/tool", "kaspersky/tool", "", "pkg:docker/kaspersky/tool"),
        ("host:5000/a/b:2", "host:5000/a/b", "2", "pkg:docker/a/b@2?repository_url=host:5000"),
        ("host:5000/a", "host:5000/a", "", "pkg:docker/a?repository_url=host:5000"),
        ("localhost/a:1", "localhost/a", "1", "pkg:docker/a@1?repository_url=localhost"),
        ("a@sha256:12", "a", "sha256:12", "pkg:docker/a@sha256:12"),
        ("a:1@sha256:12", "a", "1", "pkg:docker/a@1"),
    ],
)
def test_names(reference: str, repository: str, tag: str, purl: str) -> None:
    assert image_reference(reference) == (repository, tag)
    assert image_purl(repository, tag) == purl


@given(st.text(max_size=30))
def test_any_text(reference: str) -> None:
    assert image_purl(*image_reference(reference)).startswith("pkg:docker/")
