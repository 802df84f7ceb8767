r"""The paths that a configuration file, command line or script names, whatever its syntax is.

Many programs can be told to keep what they have in another folder, each in its own words: `--user-data-dir=/data/web`,
`graphroot = "/data/c"`, `"path"  "/games"`, `WINEPREFIX=$HOME/w`. What is said about a path is left to what lies there.

References:
    environ(7), systemd.unit(5) (specifiers), pam_env.conf(5) (`@{HOME}`), desktop entry specification (Exec);
    https://chromeenterprise.google/policies/ (`${user_home}`, `${user_name}`).
"""

import re
from collections.abc import Iterator

from phaseout.model.regex import regex

HOME = "~"
USER = "\0"  # stands for the name of a user within a path

# Where the programs and settings of the system itself are, and what only a running one has: no folder is moved there.
_SYSTEM = (
    r"(?!(?:s?bin|lib(?:x?32|64)?|etc|proc|sys|dev|run|boot|usr/(?:s?bin|lib(?:x?32|64|exec)?|include|share)"
    r"|var/(?:run|lock|log))(?:[/\s\"':;,]|$))"
)
_HOMES = (
    *(r"~", r"\$HOME", r"\$\{HOME\}", r"\$env:HOME", r"%h", r"@\{HOME\}", r"\$\{user_home\}", r"\$\{home\}"),
    r"\$\{userHome\}",
)
_HOME = f"(?:{'|'.join(_HOMES)})"
_USER = r"(?:\$USER|\$\{USER\}|\$LOGNAME|\$\{user_name\}|%u|@\{PAM_USER\})"
_NAMES = rf"(?!/)(?:[^\s\"'`;|&<>()\[\]{{}},:=$*?#%@\\\0]|\\ |\\x20|\\040|@(?!\{{)|{_USER})+"
# After a letter only as in `-D/srv/jail`: `and/or` is no path, and neither is what follows a variable. All patterns
# that are tried on every text begin with a character because that is what makes them fast.
_BEFORE = r"(?:(?<![\w./~}@$%*\\+!|-]/)|(?<=[\s=:\"'][@+!|-]/)|(?<=\s-[A-Za-z]/))"
_PATH = regex(rf"/{_BEFORE}{_SYSTEM}{_NAMES}")
_BELOW_HOME = rf"/(?:{'|'.join(f'(?<={home}/)' for home in _HOMES)})"
_HAS_HOME = regex(_BELOW_HOME)
_IN_HOME = regex(_BELOW_HOME + _NAMES)
_SOME = r"[^\n\"'=\0]{0,300}"  # a limit, since what has no end here would be read again from each quote
_BLANK_WITHIN = rf"""{_SYSTEM}[^\n"'=\0/]{_SOME}[ ]{_SOME}(?=["']|$)"""
_WITH_BLANK = regex(rf"""/(?<=["'=]/){_BLANK_WITHIN}""", re.MULTILINE)
_WITH_BLANK_APART = regex(rf"=[ \t]+(/{_BLANK_WITHIN})", re.MULTILINE)
_WITH_BLANK_IN_HOME = regex(rf"""["'=](?:(?<==)[ \t]*)?{_HOME}(/{_BLANK_WITHIN})""", re.MULTILINE)
_COMMENT = regex(r"\n[ \t]*(?:[#;]|//)")
_BLANK = regex(r"\\ |\\x20|\\040")
_USERS = regex(_USER)


def named_paths(text: str) -> Iterator[str]:
    """The absolute paths outside of the folders of the system itself; `~` stands for the home of whose file it is.

    Comments are left out. A path ends where it can be no longer followed: at a variable, or a `*`.
    """
    if "\\/" in text:
        text = text.replace("\\/", "/")
    commented = "#" in text or ";" in text or "//" in text
    if commented:
        text = f"\n{text}"
    in_home = _HAS_HOME.search(text) is not None
    patterns = [("", _PATH)]
    if in_home:
        patterns.append((HOME, _IN_HOME))
    if " " in text:
        patterns += (("", _WITH_BLANK), ("", _WITH_BLANK_APART))
        if in_home:
            patterns.append((HOME, _WITH_BLANK_IN_HOME))
    for home, pattern in patterns:
        for found in pattern.finditer(text):
            if commented and _COMMENT.match(text, text.rfind("\n", 0, found.start())):
                continue
            if path := _plain(home, found[found.lastindex or 0]):  # `/..` is nothing
                yield path


def _plain(home: str, path: str) -> str:
    if "\\" in path:
        path = _BLANK.sub(" ", path)
    if "$" in path or "%" in path or "@" in path:
        path = _USERS.sub(USER, path)
    return (HOME if home else "") + path.rstrip("/.")
