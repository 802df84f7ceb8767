"""Command lines as a shell reads them: the program that is meant, without the launchers before it.

References:
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html (2.2 Quoting, 2.3 Token Recognition);
    https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html (the same quoting, less of it).
"""

import re
from collections.abc import Iterator

from phaseout.model.regex import regex

_TOKEN = regex(
    r"""(?P<word>(?:[^\s"'\\;&|()<>]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)|(?P<operator>[;&|()<>\n]+)""", re.DOTALL
)
_QUOTED = regex(r""""((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)""", re.DOTALL)
_ESCAPED = regex(r'\\(["\\$`])')
_ASSIGNMENT = regex(r"[A-Za-z_]\w*=")
# What stands before the program and is not the program.
_KEYWORDS = frozenset(("if", "then", "else", "elif", "do", "while", "until", "!", "{"))
_LAUNCHERS = frozenset(
    (
        *("chronic", "chrt", "env", "exec", "ionice", "nice", "nohup"),
        *("setsid", "stdbuf", "sudo", "taskset", "time", "timeout"),
    )
)
_WITH_NAME = frozenset(("-u", "-g"))  # sudo's options whose argument is a word
_TESTS = frozenset(("test", "[", "[["))
_LENGTH = 8192  # characters of a line that are read


def words(text: str) -> Iterator[tuple[str, bool]]:
    """The words of a command line without their quotes, and whether each is an operator (`&&`, `>`, `(`)."""
    for found in _TOKEN.finditer(text[:_LENGTH]):
        if found["operator"]:
            yield found["operator"], True
        elif "\\" in found["word"] or '"' in found["word"] or "'" in found["word"]:
            yield _QUOTED.sub(_unquoted, found["word"]), False
        else:
            yield found["word"], False


def executable(text: str) -> str:
    """The absolute path of the program that a command line runs; empty if it names no path.

    Skipped are assignments, keywords and programs that start another one (`env A=b nice -n 10 /opt/x/y`), and
    commands without a path before it (`cd / && /opt/x/y`). A path tested with `test -x` is the program that is meant.
    """
    at_start, launched, tested, redirected, option = True, False, False, False, ""
    for word, operator in words(text):
        if operator:
            redirected = word[-1] in "<>"
            if not redirected and not word.strip("&").endswith((">", "<")):  # not `2>&1`
                at_start, launched, tested, option = True, False, False, ""
        elif redirected:
            redirected = False
        elif tested:
            if word.startswith("/"):
                return word
            tested = word == "-x"
        elif at_start or launched:
            base = word.rpartition("/")[2]
            if word.startswith("/") and base not in _LAUNCHERS and option not in _WITH_NAME:
                return word
            is_argument = launched and (word[:1] in "-0123456789" or option in _WITH_NAME)
            option = word
            if is_argument or word in _KEYWORDS or _ASSIGNMENT.match(word):
                continue
            at_start = False
            launched = base in _LAUNCHERS
            tested = word in _TESTS
    return ""


def _unquoted(found: re.Match[str]) -> str:
    if found[1] is not None:
        return _ESCAPED.sub(r"\1", found[1])
    return found[2] if found[2] is not None else found[3]
