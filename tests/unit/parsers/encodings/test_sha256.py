"""The digest of the standard, and that OpenSSL stays away."""

import hashlib
import subprocess
import sys

from phaseout.parsers.encodings.sha256 import sha256


def test_is_sha_256() -> None:
    for text in (b"", b"abc", bytes(range(256)) * 40):
        assert sha256(text).hexdigest() == hashlib.sha256(text).hexdigest()


def test_a_scan_does_not_load_openssl() -> None:
    code = (
        "import sys; from phaseout.cli.rule_files import rules_and_policy; rules_and_policy();"
        "from phaseout.sources import load; load('windows'); print('_hashlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
