"""Setup information of drivers: comments, quotes, tokens, continued lines, encodings."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.inf import Inf, inf

TEXT = r"""; a comment
[VERSION]
Signature = "$Windows NT$" ; another
Class=ActivityMonitor
provider = %KL%
DriverVer=03/01/2023, 30.727.0.1

[Strings]
kl = "Plain"
Name="A ""quoted"" 100%% name; not a comment"
[klif.Services]
AddService = %Name%, \
    0x2, klif.Service
AddService = klif,, other
[Other.NTamd64.services]
AddService = ,0x2
[strings.0409]
KL="AO Kaspersky Lab"
[version]
CatalogFile=klif.cat
"""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "cp1252"])
def test_what_a_package_says(encoding: str) -> None:
    assert inf(TEXT.replace("\n", "\r\n").encode(encoding)) == Inf(
        "AO Kaspersky Lab", "30.727.0.1", "ActivityMonitor", ('A "quoted" 100% name; not a comment', "klif")
    )


def test_little() -> None:
    assert inf(b"[Version]") == Inf("", "", "", ())
    assert inf(b"[Version]\nProvider=%None%\nDriverVer=1.2").provider == "%None%"
    assert inf("[Version]\nProvider=Käse".encode("cp1252")).provider == "Käse"
    with pytest.raises(ValueError, match="no section"):
        inf(b"hello")


@given(st.text(alphabet='[version]strings\n=%";,\\ a', max_size=80))
def test_arbitrary_text(text: str) -> None:
    with suppress(ValueError):
        inf(f"[version]\n{text}".encode())
