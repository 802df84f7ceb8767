"""Prepares the checkout for a test run, so that no process that a test starts compiles the program or reads TOML.

A program of an installed wheel is compiled and its rules are packed. In a checkout neither is the case, and a new
interpreter would need three times as long to answer.
"""

import compileall
import sys
from contextlib import suppress

import pytest

from tests.support.places import CODE, ROOT

_PACKED = ROOT / "rules" / "packed"


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the program and packs the rules. Where tests run in several processes, the first one does it for all."""
    # Whatever the environment says: pytest compiles all tests in each process, unless it may keep the result.
    sys.dont_write_bytecode = False
    if hasattr(config, "workerinput"):
        return
    compileall.compile_dir(CODE / "phaseout", quiet=2)
    from phaseout.cli.rule_files import read_rules
    from phaseout.rules.load import RuleError, pack

    _PACKED.unlink(missing_ok=True)
    with suppress(RuleError):  # a test of the rules says so
        _PACKED.write_bytes(pack(read_rules()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the packed rules: between test runs, the program reads the TOML files of the checkout."""
    if not hasattr(config, "workerinput"):
        _PACKED.unlink(missing_ok=True)
