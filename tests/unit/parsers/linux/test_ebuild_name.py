"""Name and version of an ebuild."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.ebuild_name import split


@pytest.mark.parametrize(
    ("pf", "expected"),
    [
        ("skopeo-1.5.1", ("skopeo", "1.5.1")),
        ("Getopt-Long-2.580.0", ("Getopt-Long", "2.580.0")),
        ("gtk+-3.24.41-r1", ("gtk+", "3.24.41-r1")),
        ("foo-1b_alpha4_pre3-r12", ("foo", "1b_alpha4_pre3-r12")),
        ("font-bh-100dpi-1.0.4", ("font-bh-100dpi", "1.0.4")),
        ("openssl-3.0.13_p1", ("openssl", "3.0.13_p1")),
        ("live-9999", ("live", "9999")),
        ("Getopt-Long", None),
        ("2.580.0", None),
        ("{}", None),
        ("", None),
        ("foo-1.2-beta", None),
        ("a" * 300 + "-1", None),
    ],
)
def test_split(pf: str, expected: tuple[str, str] | None) -> None:
    assert split(pf) == expected


@given(st.text(alphabet=st.sampled_from("a-1._r+pZ\n"), max_size=40))
def test_the_parts_are_the_whole(pf: str) -> None:
    found = split(pf)
    assert found is None or "-".join(found) == pf
