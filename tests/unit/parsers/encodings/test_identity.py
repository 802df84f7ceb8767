"""Identities: what tells machines apart, what does not, and how two hosts relate."""

import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.model.nouns import HostInfo, Identity, IdentityKind
from phaseout.parsers.encodings.identity import APPLICATION, KINDS, compare, host_id, identities, identity

U1, U2 = "4c4c4544-0042-3510-8052-b4c04f4a3132", "4c4c4544-0042-3510-8052-b4c04f4a3133"
M1, M2 = "3d1219c7c4c5404aaa1f6d2a48adfda4", "3d1219c7c4c5404aaa1f6d2a48adfda5"


def host(name: str = "PC1", **raw: str) -> HostInfo:
    return HostInfo(name=name, platform="linux", identity=identities((kind, raw.get(kind, "")) for kind in KINDS))


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        *[
            ("serial", raw)
            for raw in (
                *("To be filled by O.E.M.", "To Be Filled By O.E.M. ", "Default string", "System Serial Number", "N/A"),
                *("0", "00000000", "None", "", "...", "123456789", "XXXXXXXX", "Not Specified", "a" * 200, "a\x1b[1mb"),
            )
        ],
        *[
            ("smbios_uuid", raw)
            for raw in (
                "03000200-0400-0500-0006-000700080009",
                "00020003-0004-0005-0006-000700080009",
                "00000000-0000-0000-0000-000000000000",
                "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
                "Not Settable",
                "",
            )
        ],
        *[("machine_id", raw) for raw in ("uninitialized", "", "0" * 32, "abc")],
    ],
)
def test_placeholders_are_no_identity(kind: IdentityKind, raw: str) -> None:
    assert identity(kind, raw) is None


def test_hardware_ids_stay_and_installation_ids_are_hashed() -> None:
    assert identity("serial", " PF3ABC12\n") == Identity("serial", "PF3ABC12")
    assert identity("smbios_uuid", U1.upper()) == Identity("smbios_uuid", U1)
    assert identity("machine_guid", "{" + U1 + "}") == identity("machine_guid", U1)
    for kind in ("machine_id", "machine_guid", "ioplatform_uuid"):
        made = identity(kind, M1)
        assert made is not None
        assert made.value not in (M1, str(UUID(M1)))
    assert len({identity("machine_id", M1), identity("machine_id", M2)}) == 2


def test_machine_id_is_hashed_as_systemd_does() -> None:
    tool, own = shutil.which("systemd-id128"), Path("/etc/machine-id")
    if tool is None or not own.is_file() or len(own.read_text().strip()) != 32:
        pytest.skip("no systemd-id128, or this machine has no machine-id")
    command = [tool, "machine-id", f"--app-specific={APPLICATION.hex}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    assert identity("machine_id", own.read_text()) == Identity("machine_id", shown)


def test_the_strongest_identity_is_the_id_of_the_host() -> None:
    assert host_id(host(machine_id=M1, serial="PF3ABC12", smbios_uuid=U1)) == f"smbios_uuid:{U1}"
    assert host_id(host(serial="PF3ABC12", smbios_uuid="0" * 32)) == "serial:PF3ABC12"
    assert host_id(host()) == ""


@pytest.mark.parametrize(
    ("old", "new", "sameness"),
    [
        (host(serial="PF3ABC12"), host(serial="pf3abc12"), "same"),
        (host(serial="PF3ABC12"), host("PC2", serial="PF3ABC12"), "renamed"),
        (host(serial="PF3ABC12", machine_id=M1), host(serial="PF3ABC12", machine_id=M2), "reimaged"),
        (host(smbios_uuid=U1, machine_id=M1), host(smbios_uuid=U2, machine_id=M1), "cloned"),
        (host(smbios_uuid=U1), host(smbios_uuid=U2), "other"),
        (host(machine_id=M1), host(machine_id=M2), "other"),
        (host(smbios_uuid=U1, serial="PF3ABC12"), host(smbios_uuid=U2, serial="PF3ABC12"), "unknown"),
        (host(machine_id=M1), host(machine_id=M1), "same"),
        (host(machine_id=M1), host("PC2", machine_id=M1), "unknown"),  # renamed or cloned
        (host(), host(), "unknown"),
        (host(serial="PF3ABC12"), host(machine_id=M1), "unknown"),
        (host(smbios_uuid=str(UUID(bytes_le=UUID(U1).bytes))), host(smbios_uuid=U1), "same"),  # either byte order
    ],
)
def test_how_two_hosts_relate(old: HostInfo, new: HostInfo, sameness: str) -> None:
    comparison = compare(old, new)
    assert comparison.sameness == sameness
    assert comparison.same_machine == (sameness in {"same", "renamed", "reimaged"})
    assert bool(comparison.words) == (sameness != "same")


@given(st.sampled_from(KINDS), st.text())
def test_any_text_is_an_identity_or_none(kind: IdentityKind, raw: str) -> None:
    made = identity(kind, raw)
    assert made is None or (made.kind == kind and made.value.isprintable() and made.value)
