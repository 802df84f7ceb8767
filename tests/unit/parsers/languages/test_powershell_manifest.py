"""Manifests of PowerShell: what people write, what PowerShell writes, and what is neither."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.languages.powershell_manifest import Manifest, module_manifest, script_info

WHOLE = """#
# Module manifest for module 'KeslTools'
#
@{
# RootModule = 'not this one'
RootModule = 'KeslTools.psm1'
ModuleVersion = "1.2.3"; GUID = '959615c7-6b89-40b7-b654-9dbb1df31ef8'
Author = 'O''Hara'
CompanyName = 'AO Kaspersky Lab' <# a comment
of two lines #>
Description = @'
A text with } and 'quotes', and
ModuleVersion = '9'
'@
FunctionsToExport = @('Get-X', 'Set-X')
RequiredModules = @(@{ ModuleName = 'Other'; ModuleVersion = '7.7' })
PrivateData = @{ PSData = @{
    Tags = @('a')
    Prerelease = 'beta1'
} }
}
# SIG # Begin signature block
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_whole(encoding: str) -> None:
    found = module_manifest(WHOLE.encode(encoding))
    assert found == Manifest("1.2.3-beta1", "AO Kaspersky Lab", "959615c7-6b89-40b7-b654-9dbb1df31ef8")


@pytest.mark.parametrize(
    ("text", "vendor"),
    [
        ("@{ CompanyName = 'Unknown'; Author = 'Ada' }", "Ada"),
        ("@{ companyname = 'Acme `\"x' }", 'Acme `"x'),
        ('@{ CompanyName = "Acme `"x`"" }', 'Acme "x"'),
        ("@{ CompanyName = ''; Author = '' }", ""),
        ("@{ CompanyName = $env:X }", "$env:X"),
        ("@{ PrivateData = @{ CompanyName = 'inner' } }", ""),
    ],
)
def test_vendors(text: str, vendor: str) -> None:
    assert module_manifest(text.encode()).vendor == vendor


@pytest.mark.parametrize("text", ["", "# nothing", "Write-Host 'x'", "@{ ModuleVersion = '1'", "'text'"])
def test_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="table"):
        module_manifest(text.encode())


def test_scripts() -> None:
    text = (
        "<#PSScriptInfo\n\n.VERSION 1.4\n.GUID 9a\n.AUTHOR Ada\n.COMPANYNAME AO Kaspersky Lab\r\n.TAGS\n#>\nparam()\n"
    )
    assert script_info(text.encode()) == Manifest("1.4", "AO Kaspersky Lab", "9a")
    assert script_info(b"param()") is None


@given(st.text(st.sampled_from("@{}()'\"`#<>=;\n aA1.$")))
def test_any_text_ends(text: str) -> None:
    with contextlib.suppress(ValueError):
        module_manifest(f"@{{{text}".encode())
    script_info(f"<#PSScriptInfo{text}#>".encode())
