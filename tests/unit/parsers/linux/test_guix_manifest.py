"""Manifests of profiles of Guix."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.guix_manifest import Package, packages

V3 = b"""(manifest (version 3) (packages
 (("kesl" "12.1.0" "out" "/gnu/store/x-kesl" (propagated-inputs ()) (search-paths ())
   (properties (transformations . ((with . "a \\"b\\"")))))
  ("two" "1" "lib" "/gnu/store/x-two" (propagated-inputs ()) (search-paths ()) (properties)))))"""
V2 = b"""(manifest (version 2 0) (packages (("kesl" "12.1.0" "out" "/gnu/store/x-kesl"
  (propagated-inputs ("/gnu/store/x-lib-1")) (search-paths ())))))"""


@pytest.mark.parametrize("data", [V2, V3])
def test_older_versions(data: bytes) -> None:
    assert packages(data)[0] == Package("kesl", "12.1.0", "out", "/gnu/store/x-kesl", wanted=True)


@pytest.mark.parametrize(
    "data", [b"", b"(other)", b"(manifest", b"(manifest (version 4))", b"(" * 5000, b'(manifest "x']
)
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"manifest|expression|nested"):
        packages(data)


@given(data=st.text(alphabet='()"\\ ;\na1').map(lambda text: f"(manifest (packages ({text})))".encode()))
def test_any_input_is_a_list_or_damaged(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(packages(data), list)
