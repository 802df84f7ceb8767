"""`metadata.xml` of Solus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.eopkg_metadata import Metadata, metadata


def test_the_first_update_is_the_newest() -> None:
    data = b"<PISI><Package><Name>x</Name><History><Update><Version>2</Version></Update>"
    data += b"<Update><Version>1</Version></Update></History></Package></PISI>"
    assert metadata(data) == Metadata("x", "2")


@given(data=st.binary())
def test_other_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(ValueError, match="XML"):
        metadata(data)
