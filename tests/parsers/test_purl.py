"""Package URLs."""

from scanner.parsers.purl import purl


def test_what_is_empty_is_left_out() -> None:
    assert purl("apk", "musl", "1.2.4-r4", "x86_64") == "pkg:apk/musl@1.2.4-r4?arch=x86_64"
    assert purl("alpm", "musl", "", "any") == "pkg:alpm/musl?arch=any"
    assert purl("alpm", "musl") == "pkg:alpm/musl"
