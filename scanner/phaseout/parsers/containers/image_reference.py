"""Names of container images: registry, repository, tag and digest in one word.

References:
    https://pkg.go.dev/github.com/distribution/reference; https://github.com/package-url/purl-spec (type docker)
"""

from phaseout.parsers.encodings.purl import purl

_HUB = ("docker.io", "index.docker.io")


def image_reference(reference: str) -> tuple[str, str]:
    """Repository with its registry, and tag: (`example.org:5000/made/two`, `2`); of one without a tag the digest."""
    name, _, digest = reference.partition("@")
    path, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    return f"{path}{slash}{last}", tag if colon else digest


def image_purl(repository: str, tag: str) -> str:
    """`pkg:docker/made/two@2?repository_url=example.org:5000`; Docker's own registry is not named."""
    registry, slash, path = repository.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        return purl("docker", repository.removeprefix("library/"), tag)
    if registry in _HUB:
        return purl("docker", path.removeprefix("library/"), tag)
    return purl("docker", path, tag, repository_url=registry)
