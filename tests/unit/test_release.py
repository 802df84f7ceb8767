"""Which release of the rules counts."""

import sys

import pytest
from phaseout import release


@pytest.mark.parametrize(
    ("wide", "programs", "folder"),
    [
        (r"D:\Programs", r"C:\Other", r"D:\Programs"),
        (None, r"D:\Programs", r"D:\Programs"),
        (None, None, r"C:\Program Files"),
        ("", "", r"C:\Program Files"),
        ("programs", r"\programs", r"C:\Program Files"),
        ("C:", ".", r"C:\Program Files"),
    ],
)
def test_the_folder_of_packs_is_a_whole_path(
    monkeypatch: pytest.MonkeyPatch, wide: str | None, programs: str | None, folder: str
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for name, value in (("PROGRAMW6432", wide), ("PROGRAMFILES", programs)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert release.installed_folder().replace("/", "\\") == rf"{folder}\phaseout\rules"


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("darwin", "/Library/Application Support/phaseout/rules"), ("linux", "/var/lib/phaseout/rules")],
)
def test_the_folder_of_packs_elsewhere(monkeypatch: pytest.MonkeyPatch, platform: str, folder: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert release.installed_folder() == folder
