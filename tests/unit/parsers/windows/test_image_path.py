"""Program paths out of services, uninstall strings and autostarts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.windows.image_path import absolute, candidates, expand, for_user, launched, program

VARIABLES = {
    "systemroot": r"C:\Windows",
    "programfiles": r"C:\Program Files",
    "programfiles(x86)": r"C:\Program Files (x86)",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (r'"C:\Program Files\A B\x.exe" /S "C:\other"', r"C:\Program Files\A B\x.exe"),
        (r"C:\Program Files\A B\x.exe /uninstall", r"C:\Program Files\A B\x.exe"),
        (r"C:\Program Files\A B\x.exe", r"C:\Program Files\A B\x.exe"),
        (r"c:\dir.exe.d\x.exe -k", r"C:\dir.exe.d\x.exe"),
        (r"C:\x.dll,-3", r"C:\x.dll"),
        (r"C:\A B\x.ico,0", r"C:\A B\x.ico"),
        (r"C:\tool", r"C:\tool"),
        (r"C:\A B\tool -k", ""),
        (r"C:\Booking.com App\x.exe -k", r"C:\Booking.com App\x.exe"),
        (r"C:\x.com -k", r"C:\x.com"),
        (r"%SystemRoot%\system32\svchost.exe -k netsvcs", r"C:\Windows\system32\svchost.exe"),
        (r"%ProgramFiles(x86)%\a\b.exe", r"C:\Program Files (x86)\a\b.exe"),
        (r"\SystemRoot\System32\drivers\klif.sys", r"C:\Windows\System32\drivers\klif.sys"),
        (r"System32\drivers\klif.sys", r"C:\Windows\System32\drivers\klif.sys"),
        (r"SysWOW64\x.exe", r"C:\Windows\SysWOW64\x.exe"),
        (r"\??\C:\Program Files\x\y.sys", r"C:\Program Files\x\y.sys"),
        (r"\\?\C:\x.exe", r"C:\x.exe"),
        (r"\??\UNC\server\share\x.exe", r"\\server\share\x.exe"),
        (r"\\server\share\x.exe /q", r"\\server\share\x.exe"),
        ("C:/unix/x.exe", r"C:\unix\x.exe"),
        ("MsiExec.exe /X{90120000-0010-0409-0000-0000000FF1CE}", ""),
        ("rundll32.exe advpack.dll,LaunchINFSection", ""),
        (r"\Device\HarddiskVolume3\x.exe", ""),
        (r"%NOWHERE%\x.exe", ""),
        (r"C:\%NOWHERE%\x.exe", ""),
        ("", ""),
        ('"', ""),
    ],
)
def test_program(command: str, expected: str) -> None:
    assert program(command, VARIABLES) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r'"C:\Program Files\A\"', r"C:\Program Files\A"),
        ("C:\\", "C:\\"),
        ("d:", ""),
        (r"relative\x", ""),
        ("C:\\a\0b", ""),
        (r'C:\a";', ""),
        (r"%programfiles%\A", r"C:\Program Files\A"),
    ],
)
def test_absolute(path: str, expected: str) -> None:
    assert absolute(path, VARIABLES) == expected


def test_variables_of_a_user() -> None:
    variables = for_user(VARIABLES, r"D:\Users\ada")
    assert expand("%APPDATA%|%UserProfile%|%SYSTEMROOT%|%other%|100%", variables) == (
        r"D:\Users\ada\AppData\Roaming|D:\Users\ada|C:\Windows|%other%|100%"
    )


@given(st.text())
def test_nothing_raises(text: str) -> None:
    for found in (program(text, VARIABLES), absolute(text, VARIABLES)):
        assert found == "" or found[1:3] == ":\\" or found.startswith("\\\\")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (r"rundll32.exe C:\KL\kl.dll,Start", r"C:\KL\kl.dll"),
        (r'C:\Windows\System32\rundll32.exe "C:\A B\kl.dll",Start', r"C:\A B\kl.dll"),
        (r'cmd /c start "" "C:\A B\a.exe" -x', r"C:\A B\a.exe"),
        (r"cmd.exe /c C:\Windows\System32\rundll32.exe C:\a\b.dll,c", r"C:\a\b.dll"),
        (r'"C:\Windows\System32\cmd.exe" /c "%ProgramFiles%\a b\c.bat"', r"C:\Program Files\a b\c.bat"),
        (r"powershell -File C:\x y\z.ps1 -q", r"C:\x y\z.ps1"),
        (r"java -jar C:\x\a.jar -q", r"C:\x\a.jar"),
        (r'C:\x.exe "C:\y.exe"', ""),
        ("cmd /c echo hi", ""),
        ("explorer.exe", ""),
        ("", ""),
    ],
)
def test_launchers(command: str, expected: str) -> None:
    assert launched(command, {"programfiles": r"C:\Program Files"}) == expected


def test_what_windows_tries_in_turn() -> None:
    assert list(candidates(r"C:\Program Files\A B\tool -x", {})) == [
        r"C:\Program",
        r"C:\Program Files\A",
        r"C:\Program Files\A B\tool",
        r"C:\Program Files\A B\tool -x",
    ]
    assert list(candidates("tool -x", {})) == []


@given(st.text(alphabet='cmd exe/C:\\"%.dl,rundll32 ', max_size=60))
def test_arbitrary_command_lines(command: str) -> None:
    launched(command, {})
    list(candidates(command, {}))
