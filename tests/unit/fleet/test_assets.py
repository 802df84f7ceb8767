"""Lists of machines, with the headings of the tools that export them; the rows are ours."""

import io

import pytest
from phaseout.fleet.assets import Asset, read_assets

UUID = "11111111-2222-3333-4444-555555555555"
ACTIVE_DIRECTORY = (
    "#TYPE Microsoft.ActiveDirectory.Management.ADComputer\r\n"
    '"DistinguishedName","DNSHostName","Enabled","ManagedBy","Name"\r\n'
    '"CN=PC1,OU=Sales,DC=example,DC=org","pc1.example.org","True","CN=Ada,DC=example,DC=org","PC1"\r\n'
    '"CN=PC2,OU=Lab,DC=example,DC=org","pc2.example.org","False","","PC2"\r\n'
)
INTUNE = (
    "Device ID,Device name,Managed by,Serial number,Category,Primary user UPN\r\n"
    f"{UUID},PC1,Intune,PF12345,Sales,ada@example.org\r\n"
)
SECURITY_CENTER = "Имя\tDNS-имя\tПолное название группы\tСтатус\r\nPC1\tpc1.example.org\tSales\tOK\r\n"
FLEET = (
    "id,hostname,uuid,platform,hardware_serial,computer_name,team_name\r\n"
    f"7,pc1.local,{UUID},darwin,PF12345,PC1,Sales\r\n"
)


def machines(data: bytes) -> list[Asset]:
    found = list(read_assets(io.BytesIO(data), "list.csv"))
    assert all(isinstance(one, Asset) for one in found), found
    return [one for one in found if isinstance(one, Asset)]


def test_active_directory() -> None:
    one, other = machines(ACTIVE_DIRECTORY.encode("utf-16"))
    assert (one.name, one.part, one.owner, one.retired) == ("PC1", "Sales", "CN=Ada,DC=example,DC=org", False)
    assert (other.name, other.part, other.retired) == ("PC2", "Lab", True)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (INTUNE.encode("utf-8-sig"), ("PC1", "PF12345", "", "Sales", "", "ada@example.org")),
        (SECURITY_CENTER.encode("utf-16"), ("PC1", "", "", "Sales", "", "")),
        (FLEET.encode(), ("pc1.local", "PF12345", UUID.replace("-", ""), "Sales", "", "")),
    ],
    ids=["intune", "security center", "fleet"],
)
def test_other_exports(data: bytes, expected: tuple[str, ...]) -> None:
    (found,) = machines(data)
    assert found[:6] == expected


def test_of_several_headings_for_one_field_the_plainest_counts_wherever_it_stands() -> None:
    (one,) = machines(b"DNSHostName,Computer,Name\npc1.example.org,C1,PC1\n")
    (other,) = machines(b"Name,Computer,DNSHostName\nPC1,C1,pc1.example.org\n")
    assert one.name == other.name == "PC1"
