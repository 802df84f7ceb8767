"""Finds the values of settings and options whose names tell of a secret: `DB_PASS=x`, `--token x`, `<password>x`.

Names are judged by their words, since an administrator makes them up: what is called `…password`, `…token` or `…key` is
one, `token_file` is the place of one. A value ends where the shell, JSON or XML around it ends it.

References:
    POSIX.1-2024, Shell Command Language, 2.2 (quoting); RFC 9110, section 5 (header fields);
    https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments (quoting on Windows)
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

from phaseout.model.regex import regex

MASK = "***"
_WEAK, _STRONG = 1, 2
_LONGEST = 80  # characters of a name
# What a name of a secret has in it, its words written as one.
_CONTAINED = (
    *("passw", "passphrase", "passcode", "passkey", "secret", "credential", "authorization", "bearer", "sharedaccess"),
    *("kennwort", "contrase", "senha", "motdepasse", "parola", "heslo", "haslo", "hasło", "wachtwoord", "lösenord"),
    *("losenord", "salasana", "adgangskode", "passord", "jelsz", "sifre", "şifre", "пароль", "密码", "密碼", "口令"),
    *("パスワード", "비밀번호", "암호", "κωδικ", "סיסמ"),
)
# What a word of it is, or ends with.
_ENDINGS = ("token", "pass", "pwd", "psk", "secret", "rootpw", "adminpw", "userpw", "dbpw", "sapw", "bindpw", "cookie")
_WORDS = frozenset(("pw", "mdp", "clave", "jwt", "cred", "creds", "otp", "totp", "pin", "puk", "ipk"))
_FOLDERS = ("PWD", "OLDPWD")  # of every shell
_NO_ENDINGS = ("bypass", "compass", "trespass", "multipass", "surpass")
# Names that are secrets if their value looks like one.
_WEAK_WORDS = frozenset(
    (
        "auth",
        "sig",
        "signature",
        "sas",
        "pat",
        "dsn",
        "sid",
        "sessionid",
        "session",
        "login",
        "license",
        "licence",
        "serial",
    )
)
_WEAK_ENDINGS = ("key", "serialnumber", "activationcode", "authcode", "productcode", "registrationcode")
_OTHER_KEYS = frozenset(("public", "primary", "foreign", "sort", "partition", "hot", "group", "cache", "host", "order"))
_JOINED = dict.fromkeys(map(ord, "_-."))
# One of these is in every text that such a name is in, in lower case and without marks between its words.
_SIGNS = (
    *("pass", "pw", "secret", "token", "key", "cred", "auth", "sig", "otp", "pin", "puk", "psk", "bearer", "cookie"),
    *(
        "session",
        "sid",
        "login",
        "sas",
        "pat",
        "dsn",
        "jwt",
        "mdp",
        "clave",
        "ipk",
        "licens",
        "licenc",
        "serial",
        "code",
    ),
    *("ticket", "hash", "kennwort", *_CONTAINED[7:]),
)
# With one of these as its last word, a name says something about a secret.
_ABOUT = frozenset(
    (
        *("file", "files", "path", "paths", "dir", "directory", "folder", "fd", "policy", "prompt", "stdin"),
        *("length", "type", "url", "uri", "env", "store", "manager", "mode", "method", "expiry", "expires"),
        *("age", "timeout", "server", "socket", "sock", "enabled", "required", "format", "provider"),
        *("algorithm", "cipher", "helper", "hint", "history", "count", "min", "max"),
        *(
            "complexity",
            "changed",
            "lastset",
            "size",
            "limit",
            "service",
            "target",
            "timer",
            "limits",
            "name",
            "names",
            "version",
            "class",
        ),
        "agent",
    )
)
_READING = frozenset(("load", "import", "condition", "assert"))  # systemd's settings for names and places of them
_PLAIN = frozenset(
    (
        *("true", "false", "yes", "no", "on", "off", "none", "null", "nil", "auto", "never", "always"),
        *("prompt", "ask", "stdin", "basic", "ntlm", "kerberos", "digest", "sasl", "ldap", "pam", "enabled"),
        *("disabled", "enable", "disable", "default", "required", "optional", "yourpassword"),
    )
)
_PLACE = regex(
    r"(?:/(?:etc|run|var|home|root|usr|opt|tmp|srv|mnt|media|dev|proc|snap|nix|Users|Library|private|System|secrets)/"
    r"|/(?:root|tmp|home)?$|[a-z]:[\\/]|~/|\.\.?/|\\\\|file:|env:|fd:\d|/[^/\s]+/)",
    re.IGNORECASE,
)
_REFERENCE = regex(
    r"\$\{[^{}]*\}$|\$[A-Z_][A-Z0-9_]*$|%\w+%$|\$\(|\$env:\w+$|\{\{|\{\d*\}$|\[\w+\]$|<[\w -]+>$|-$|\.\.\.$|…$"
)
_LICENCE = regex(r"(?:[AL]?GPL|BSD|MIT|Apache|CC|MPL|EPL|ISC|Zlib)\b", re.IGNORECASE)
_PLAIN_SHAPE = regex(r"[\w+.-]+://|[\w.-]+\.[a-z]{1,6}$|[\d.]+(?::\d+)?$|[\d.]*[a-z]{0,3}$", re.IGNORECASE)

_ASSIGNMENT = regex(r"=>?|:=?|%3[ad]", re.IGNORECASE)
_OPTION = regex(r"(?<![\w/\\.])(?:--?|/)([^\W\d][\w.-]{0,80})\s{1,3}(?=[^\s/-]|[/-][^\s/-])")
_BARE = regex(r"(?<![\w./\\@-])(_?[^\W\d_][\w-]{0,60}(?:\.[\w-]{1,40})?)\s{1,3}(?=[^\s=:/-])")
_ELEMENT = regex(r"<([\w.:-]{1,80})(?:\s[^<>]{0,200})?>")
_ATTRIBUTE = regex(r"\b(?:key|name|id)=([\"'])([^\"']{1,80})\1\s{1,9}value=([\"'])", re.IGNORECASE)
_SPAN = regex(r"""\\.|"(?:[^"\\]|\\.)*"|'[^']*'""", re.DOTALL)
# A word of a shell. What separates commands belongs to it if no setting and no blank follow, as in `Pwd=a;b`.
_WORD = regex(
    r"""(?:\\(["'])(?:(?!\\?\1)[^\n])*\\?\1|\\.|\$?"(?:[^"\\]|\\.)*(?:"|\Z)|\$?'[^']*(?:'|\Z)"""
    r"""|[;&|,](?=[^\s=;&|,"'\\]{1,200}(?:[\s;&|,"'\\]|\Z))|[^\s"'\\;&|,])+""",
    re.DOTALL,
)
_COMMAND = regex(r"(?:\s[-/]\w*c|-Command)\s{1,3}[\"']\Z", re.IGNORECASE)  # what follows is a whole command line
_QUERY = regex(r"[^\s\"'&#]+")
_CASE = regex(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTS = regex(r"[\W_]+")
_DIGITS = "0123456789"


def may_name_values(lower: str) -> bool:
    """Whether a string, in lower case, has anything to mask; quick, and wrong only in saying yes too often."""
    for sign in ("=", " -", " /", "_", "</", "%3", "passw", "psk "):
        if sign in lower:
            break
    else:
        if ":" not in lower or ":" not in lower.replace("://", ""):
            return False
    joined = lower.translate(_JOINED)  # `p_w` is `pw`
    for sign in _SIGNS:  # noqa: SIM110  (twice as fast)
        if sign in joined:
            return True
    return False


def masked_values(text: str) -> str:
    """The string with `***` in place of the values of what is named like a secret."""
    found = sorted({span for span in _values(text) if span[0] < span[1] and not text.startswith(MASK, span[0])})
    parts: list[str] = []
    at = 0
    for start, end in found:
        if start >= at:
            parts += (text[at:start], MASK)
        at = max(at, end)
    return "".join(parts) + text[at:] if parts else text


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Where each value begins and ends."""
    quoted = _Quoted(text)
    taken = 0
    for one in _ASSIGNMENT.finditer(text):
        if one.start() >= taken:
            for start, taken in _assigned(text, one, quoted):
                yield start, taken
    for one in _OPTION.finditer(text):
        if (kind := _telling(one[1])) and not _ASSIGNMENT.match(text, one.end()):
            yield from _taken(text, one.end(), kind, quoted, option=True)
    for one in _BARE.finditer(text):  # words of a language of commands, or of a sentence
        if kind := _telling(one[1]):
            named = kind == _STRONG and ("_" in one[1].strip("_") or text[one.end()] in "\"'")
            yield from _taken(text, one.end(), kind if named else _WEAK, quoted, option=True)
    if "<" in text:
        for one in _ELEMENT.finditer(text):
            if _telling(one[1]):
                end = text.find("</" + one[1], one.end())
                yield one.end(), end if end >= 0 else len(text)
    for one in _ATTRIBUTE.finditer(text):
        if _telling(one[2]):
            end = text.find(one[3], one.end())
            yield one.end(), end if end >= 0 else len(text)


def _assigned(text: str, one: re.Match[str], quoted: "_Quoted") -> Iterator[tuple[int, int]]:
    """The value behind an equals sign or colon, if the name before it tells of a secret."""
    end = one.start()
    while end and end > one.start() - 3 and text[end - 1] in " \t":
        end -= 1
    while end and text[end - 1] in "\"'\\":
        end -= 1
    start = end
    while start and end - start < _LONGEST and (text[start - 1].isalnum() or text[start - 1] in "_-."):
        start -= 1
    name = text[start:end]
    begin = _behind_blanks(text, one.end())
    in_query = start > 0 and text[start - 1] in "?&#" and begin == one.end() and one[0] == "="
    kind = _telling(name.lstrip("-")) if name else 0
    if in_query and name.lower() in {"key", "code", "ticket", "hash", "sign"}:
        kind = _WEAK
    if not kind or (name in _FOLDERS and text.startswith("/", begin)):
        return
    if in_query or one[0].startswith("%"):
        value = _QUERY.match(text, begin)
        if value and not _harmless(value[0], kind):
            yield begin, value.end()
        return
    span = quoted.around(start)
    if (
        span
        and start == span[0] + 1
        and one.start() < span[1]
        and (one[0] == ":" or not _COMMAND.search(text[max(0, start - 20) : start]))
    ):
        end = span[1] - 1  # a header or setting: all of it, which may be several words
        if begin >= end:  # what a program asks, and what it is answered
            yield from _taken(text, _behind_blanks(text, span[1]), kind, quoted, option=True)
        elif not _harmless(text[begin:end], kind):
            yield begin, end
    elif one[0] == ":" and "authorization" in name.lower():  # the name of a scheme, and what it takes
        for value in (_WORD.match(text, begin), _WORD.match(text, _next_word(text, begin))):
            if value:
                yield begin, value.end()
    else:
        yield from _taken(text, begin, kind, quoted, option=False)


def _behind_blanks(text: str, at: int) -> int:
    end = at
    while end < min(at + 3, len(text)) and text[end].isspace():
        end += 1
    return end


def _next_word(text: str, at: int) -> int:
    found = _WORD.match(text, at)
    end = found.end() if found else at
    return end + 1 if text[end : end + 1] == " " else end


def _taken(text: str, begin: int, kind: int, quoted: "_Quoted", *, option: bool) -> Iterator[tuple[int, int]]:
    """The word that begins here, unless it looks harmless."""
    around = quoted.around(begin)
    value = _WORD.match(text, begin, around[1] - 1) if around else _WORD.match(text, begin)
    if value is None:
        return
    plain = value[0].strip("\"'\\")
    if option and plain.startswith(("-", "/")) and (plain.startswith("-") or kind < _STRONG or len(plain) < 3):
        return
    if not _harmless(plain, kind):
        yield begin, value.end()


class _Quoted:
    """The quoted parts of a string, found when they are first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: list[tuple[int, int]] | None = None

    def around(self, at: int) -> tuple[int, int] | None:
        """Where the quoted part begins and ends that has the character in it."""
        if self._spans is None:
            self._spans = [one.span() for one in _SPAN.finditer(self._text) if one[0][0] != "\\"]
        number = bisect_left(self._spans, (at, 0)) - 1
        if number >= 0 and self._spans[number][1] > at:
            return self._spans[number]
        return None


@lru_cache(maxsize=1024)
def _telling(name: str) -> int:
    """What a name tells of its value: a secret (2), perhaps one (1), nothing (0)."""
    parts = [part.rstrip(_DIGITS) for part in _PARTS.split(_CASE.sub("-", name).lower()) if part.rstrip(_DIGITS)]
    if not parts or parts[-1] in _ABOUT or parts[0] in _READING:
        return 0
    joined = "".join(parts).removesuffix("value")
    if joined.endswith(("file", "path", "dir", "url", "store")):
        return 0
    for part in (*parts, joined):
        if part in _WORDS or (part.endswith(_ENDINGS) and not part.endswith(_NO_ENDINGS)):
            return _STRONG
    if any(word in joined for word in _CONTAINED) and parts[-1] != "secrets":
        return _STRONG
    if parts[-1] in _WEAK_WORDS or joined.endswith(_WEAK_ENDINGS):
        return 0 if len(parts) > 1 and parts[-2] in _OTHER_KEYS else _WEAK
    return 0


def _harmless(value: str, kind: int) -> bool:
    """Whether a value is no secret by its looks: a switch, a place, a reference to a variable."""
    plain = value.strip("\"'\\")
    if not plain or plain.lower() in _PLAIN or (plain.isdecimal() and len(plain) < 3):
        return True
    if _PLACE.match(plain) or _REFERENCE.match(plain):
        return True
    if kind == _STRONG:
        return False
    if len(plain) < 6 or _PLAIN_SHAPE.match(plain) or _LICENCE.match(plain):
        return True
    return not any(one.isdigit() for one in plain) or not any(one.isalpha() for one in plain)
