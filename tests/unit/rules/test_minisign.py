"""minisign's signatures, ours against its own program and its own against ours."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.rules.minisign import MinisignError, public_key, signature

from tests.support.signer import ADA, BOB

NEEDED = pytest.mark.skipif(not shutil.which("minisign"), reason="no minisign (Debian: minisign)")


@NEEDED
@pytest.mark.parametrize("hashed", [True, False])
def test_minisign_accepts_our_signature(tmp_path: Path, *, hashed: bool) -> None:
    (tmp_path / "manifest.json").write_bytes(b"{}")
    (tmp_path / "own.minisig").write_bytes(ADA.sign(b"{}", hashed=hashed))
    command = ["minisign", "-V", "-P", ADA.public, "-x", "own.minisig", "-m", "manifest.json"]
    assert subprocess.run(command, check=False, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "manifest.json").write_bytes(b"{ }")
    assert subprocess.run(command, check=False, cwd=tmp_path, capture_output=True).returncode == 1


@NEEDED
@pytest.mark.parametrize("option", ["-H", "-l"])
def test_we_accept_a_signature_of_minisign(tmp_path: Path, option: str) -> None:
    message = b"some manifest\n" * 100
    (tmp_path / "m").write_bytes(message)
    subprocess.run(["minisign", "-GW", "-p", "p", "-s", "s"], check=True, cwd=tmp_path, capture_output=True)
    subprocess.run(["minisign", "-S", option, "-s", "s", "-m", "m"], check=True, cwd=tmp_path, capture_output=True)
    key = public_key((tmp_path / "p").read_text().splitlines()[1])
    one = signature((tmp_path / "m.minisig").read_bytes())
    assert one.hashed == (option == "-H")
    assert f" {one.name.lstrip('0')}\n" in (tmp_path / "p").read_text()  # minisign writes no leading zeros
    assert one.is_of(key, message)
    assert not one.is_of(key, message + b"x")


def test_the_trusted_comment_is_signed() -> None:
    signed = ADA.sign(b"text", "serial 7")
    assert signature(signed).is_of(public_key(ADA.public), b"text")
    assert not signature(signed.replace(b"serial 7", b"serial 8")).is_of(public_key(ADA.public), b"text")


def test_a_signature_is_of_the_key_that_it_names() -> None:
    assert not signature(ADA.sign(b"text")).is_of(public_key(BOB.public), b"text")
    named = BOB._replace(secret=ADA.secret)  # the id of one and the key of another
    assert not signature(named.sign(b"text")).is_of(public_key(BOB.public), b"text")


@given(st.binary(max_size=300))
def test_damaged_signatures_are_refused(content: bytes) -> None:
    with pytest.raises(MinisignError):
        signature(content)


@given(st.text(max_size=60))
def test_damaged_keys_are_refused(text: str) -> None:
    with pytest.raises(MinisignError):
        public_key(text)
