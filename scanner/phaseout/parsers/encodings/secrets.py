"""Masks what looks like a secret in command lines, URLs and settings, before it comes into an inventory.

A pattern that hides too much costs a reader a word; one that hides too little gives a password to everybody who reads a
report. Four kinds are looked for: the values of what is named like a secret (`secret_names`), passwords in URLs, the
options and places by which well-known programs take one, and tokens that are known by their form or look drawn by lot.
Rules match names, paths and programs, none of which are masked.

References:
    RFC 3986, section 3.2.1 (user information); RFC 6750 (Bearer); mysql(1), sshpass(1), curl(1), ldapsearch(1),
    snmpcmd(1), smbclient(1), sqlplus, net use and reg add in their manuals;
    https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    https://docs.gitlab.com/security/tokens/#token-prefixes
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from phaseout.model.nouns import Evidence, Inventory, Item
from phaseout.model.regex import regex
from phaseout.parsers.encodings.secret_names import MASK, masked_values, may_name_values

_NAMED_BY_COMMAND = frozenset(("process", "service", "task"))  # a job of cron has no other name
_OF_A_SESSION = regex(r"[A-Za-z]+_[0-9a-f]{3,8}")  # a service of a user of Windows, such as CDPUserSvc_2d3f1a
_COMMAND = regex(r"[\s=]|://")
_WORD = r"""(?:"[^"]{0,4000}"|'[^']{0,4000}'|\\.|[^\s"'\\])+"""


class _Rule(NamedTuple):
    """What a secret looks like, and what stands in its place.

    Attributes:
        signs: of each of these, one is in every text that the pattern fits: in lower case, with a blank for any white
            space and before the text.
        pattern: a regular expression that ignores case.
        new: what replaces it.
    """

    signs: tuple[tuple[str, ...], ...]
    pattern: str
    new: str | Callable[[re.Match[str]], str]


# Programs of which -p is a port, a folder or no value at all.
_OTHER_P = frozenset(
    (
        *("ssh", "scp", "sftp", "rsync", "autossh", "mosh", "nc", "ncat", "netcat", "nmap", "telnet", "cp"),
        *("mv", "mkdir", "install", "rmdir", "tar", "cpio", "touch", "ps", "pgrep", "pkill", "kill", "find"),
        *("grep", "sed", "sort", "patch", "git", "less", "more", "nginx", "tcpdump", "perl", "python"),
        *("python3", "ruby", "systemctl", "journalctl", "docker-proxy", "make", "ninja", "php", "postgres"),
        *("pg_ctl", "redis-server", "mongod", "memcached", "uwsgi", "gunicorn", "node", "npm", "npx"),
        *("cargo", "lsof", "ss", "iptables", "login", "agetty", "getty", "dpkg", "apt", "rpm", "df", "read"),
        *("bash", "sh", "dash", "zsh", "test", "chrome", "screen", "tmux", "java", "strace", "gdb", "xargs"),
        *("pip", "systemd-run", "ionice", "taskset", "chrt", "ping", "traceroute", "dig", "snap", "flatpak"),
        *("wine", "kesl", "iperf", "iperf3", "fuser", "getent", "klnagent"),
    )
)
_CONTAINERS = frozenset(("docker", "podman", "nerdctl", "buildah"))
_WRAPPERS = frozenset(
    (
        *("sudo", "env", "nice", "nohup", "exec", "time", "doas", "setsid", "ionice", "chroot", "cmd", "/c"),
        *("-c", "sh", "bash", "start", "call"),
    )
)


def _program(text: str, at: int) -> str:
    """The name of the program whose option begins here."""
    start = max(text.rfind(mark, 0, at) for mark in (";", "|", "&", "\n", "(", "`", '"', "'")) + 1
    for word in text[start:at].split()[:8]:
        name = re.split(r"[\\/]", word)[-1].lower().removesuffix(".exe")
        if name and name not in _WRAPPERS and "=" not in name and not name.startswith("-") and not name.isdecimal():
            return name
    return ""


def _dash_p(found: re.Match[str]) -> str:
    """-p is the password of most programs, and a port or a folder of the others."""
    value = found[2].strip("\"'")
    if re.match(r"[-/.~*$]|[a-z]:\\|[\d:.,/]+(?:tcp|udp)?$|$", value, re.IGNORECASE):
        return found[0]
    program = _program(found.string, found.start(2) - 3)
    if program in _OTHER_P or (program in _CONTAINERS and " login" not in found.string[: found.start()]):
        return found[0]
    return found[1] + MASK


def _user(found: re.Match[str]) -> str:
    """`name:password`, which of containers and of chown is a user and a group."""
    user, password = found[2], found[3]
    if password.isdecimal() or password.strip("\"'") == user or password.startswith(("//", "\\")):
        return found[0]
    return found[0] if _program(found.string, found.start()) in _CONTAINERS else f"{found[1]}{user}:{MASK}"


def _words_of_net(found: re.Match[str]) -> str:
    """`net use` and `net user` take a password without an option, wherever the name and the share may stand."""
    words = re.split(r"(\s+)", found[2])
    number = 0 if found[1].lower().rstrip().endswith("use") else 1  # names that come before it
    for index, word in enumerate(words):
        if word.strip() and not re.match(r"[/*]|\\\\|[a-z]:$|lpt\d", word, re.IGNORECASE):
            if number:
                number -= 1
            else:
                words[index] = MASK
    return found[1] + "".join(words)


def _drawn(found: re.Match[str]) -> str:
    """Letters and digits that change between upper case, lower case and digits as often as if drawn by lot."""
    word = found[0]
    if _OF_A_SESSION.fullmatch(word):
        return word
    kinds = ["d" if one.isdigit() else "u" if one.isupper() else "l" if one.islower() else "" for one in word]
    changes = sum(one != two for one, two in pairwise(kinds))
    return MASK if {"d", "u", "l"} <= set(kinds) and changes * 5 >= len(word) * 2 else word


def _behind(programs: str, option: str) -> tuple[str, Callable[[re.Match[str]], str]]:
    """A pattern of a command line of these programs, and what masks each word behind the option in it."""
    word = rf"(\s(?:{option}))(?!\*\*\*){_WORD}"

    def new(found: re.Match[str]) -> str:
        return found[1] + _compiled(word).sub(_KEPT, found[2])

    return rf"(\b(?:{programs})(?:\.exe)?\b)(?=[^\n]{{0,2000}}?\s(?:{option}))([^\n]+)", new


_KEPT = rf"\1{MASK}"
_STDIN = (
    r"(?:sudo|su|passwd|chpasswd|kinit|cryptsetup|openconnect|smbpasswd|pdbedit|ssh-add|gpg|login|docker|podman"
    r"|veracrypt)"
)
_OPTION = (" -", " /")
_OF_SERVICES = (  # programs whose secret is behind a command of theirs
    *("vault ", "ngrok ", "rclone ", "consul ", "snyk ", "rabbitmqctl ", "dscl ", "mc alias ", "vncpasswd "),
    *("mkpasswd ", "bw ", "networksetup ", "mysqladmin ", "npm "),
)
_PLACES = (  # programs that take one without an option, and words that stand before one
    *("isql ", "smbclient ", "openssl passwd", "sqlplus ", "rman ", "exp ", "expdp ", "imp ", "impdp ", "sqlldr "),
    *("net use", "net1 use", "net.exe use", "net1.exe use", "autologon", "securestring", "wpa_passphrase", "nmcli "),
    *("netsh ", "iwconfig ", "bearer ", "basic ", "digest ", "negotiate ", "token ", "apikey ", "jdbc:"),
    *("private key-", "<<<", "<(", "|", "send ", *_OF_SERVICES),
)
# The first signs of a rule are the rarer ones; rules that share them are asked together.
_RULES = (
    # scheme://user:password@host, a token in place of the user, and hooks whose path is the secret
    _Rule((("@",), ("://",)), r"(://[^\s/:@\"'?#]{0,200}):[^\s@\"']{1,2000}@", rf"\1:{MASK}@"),
    _Rule(
        (("@",), ("://",)), r"(https?://)(?=[^\s/:@\"'?#]*\d|[^\s/:@\"'?#]{16})[^\s/:@\"'?#]{5,2000}@", rf"\1{MASK}@"
    ),
    _Rule((("@",), ("://",)), r"(://)[^\s/:@\"'?#]{16,2000}@", rf"\1{MASK}@"),
    _Rule((("://",), ("hook",)), r"(://(?:[^\s/]{0,200}hook[^\s/]{0,200}/|[^\s?#]{0,300}?hooks?/))[^\s\"'<>]+", _KEPT),
    _Rule((("://",), ("/bot", "hc-ping")), r"(://[^\s/]{1,200}/bot\d{1,20}:|://hc-ping\.com/)[\w-]+", _KEPT),
    # user:password@host and user/password@host
    _Rule(
        (("@",), (":",)),
        r"(?<![\w/.+:@-])(?!(?:mailto|sips?|xmpp|acct|npm|pkg|tel|jid|news|workspace|github|gitlab|docker|unix|local):)"
        r"((?:[\w.-]{1,60}/)?[\w.+$-]{1,100}:)(?!//|\*\*\*)[^\s/@:\"',;]{1,200}@(?=[a-z\d\[(])(?!sha\d{3}:)",
        rf"\1{MASK}@",
    ),
    _Rule((_PLACES, ("jdbc:",)), rf"(\bjdbc:oracle:\w+:[^\s/@:]{{1,200}}/){_WORD}?(?=@)", _KEPT),
    # options by which single programs take a password
    _Rule((_OPTION, ("mysql", "mariadb")), r"(\b(?:mysql|mariadb)[^\n]{0,2000}?\s-p)(?!\s)\S+", _KEPT),
    _Rule(
        (_OPTION, ("sshpass", "psexec", "mongo", "rdesktop", "wmic", "signtool")),
        *_behind(r"sshpass|psexec|mongo\w*|rdesktop|wmic|signtool", r"[-/]p\s{0,3}"),
    ),
    _Rule(
        (_OPTION, ("plink", "pscp", "psftp", "putty", "blat")),
        *_behind("plink|pscp|psftp|putty|blat", r"-pw\s{1,3}"),
    ),
    _Rule(
        (_OPTION, ("bcp", "osql", "isql", "sqlcmd", "tsql", "ipmi")),
        *_behind(r"bcp|[oi]sql|sqlcmd|tsql|ipmi\w+", r"-P\s{0,3}"),
    ),
    _Rule((_PLACES, ("isql",)), rf"(\bisql\s+[^\s-]\S*\s+[^\s-]\S*\s+)(?!-){_WORD}", _KEPT),
    _Rule(
        (_OPTION, ("curl", "wget")),
        r"(\b(?:curl|wget)[^\n]{0,2000}?\s(?:-u|--user|--proxy-user|-(?-i:E)|--cert|--proxy-cert)[\s=]{0,3}[\"']?[^\s:]{0,200}:)"
        r"[^\s\"']+",
        _KEPT,
    ),
    _Rule(
        (_OPTION, ("curl",), (" -b", " --cookie")),
        rf"(\bcurl\b[^\n]{{0,2000}}?\s(?:-b|--cookie)[\s=]{{0,3}})(?=\S*=){_WORD}",
        _KEPT,
    ),
    _Rule((_OPTION, ("ftp",)), r"(\b(?:lftp|ncftp\w*)\b[^\n]{0,2000}?\s-u\s{0,3}[^\s,]{1,200},)\S+", _KEPT),
    _Rule(
        (_OPTION, ("%",), ("smb", "rpcclient", "cifs", "net ", "wbinfo")),
        r"(\b(?:smb\w+|rpcclient|mount\.cifs|net|wbinfo)\b[^\n]{0,2000}?\s(?:-U|-a|--user|--authenticate)[\s=]{0,3}[\"']?"
        r"[^\s%]{0,200}%)[^\s\"']+",
        _KEPT,
    ),
    _Rule((_PLACES, ("smbclient",)), rf"(\bsmbclient\s+[\"']?//\S+\s+)(?!-){_WORD}", _KEPT),
    _Rule(
        (_OPTION, ("ldap",)),
        *_behind("ldap[a-z]{3,10}", r"-[a-z]{0,4}w\s{0,3}"),
    ),
    _Rule(
        (_OPTION, ("ldappasswd",)),
        *_behind("ldappasswd", r"-[as]\s{1,3}"),
    ),
    _Rule((_OPTION, ("netdom",)), *_behind("netdom", r"/p(?:assword)?[do]:")),
    _Rule(
        (_OPTION, ("redis-cli",)),
        *_behind("redis-cli", r"-a\s{1,3}"),
    ),
    _Rule(
        (_OPTION, ("snmp",)),
        *_behind(r"snmp\w+", r"-(?-i:[cAXk])\s{0,3}"),
    ),
    _Rule(
        (_OPTION, ("schtasks",)),
        *_behind("schtasks", r"/r?p\s{1,3}"),
    ),
    _Rule((_OPTION, ("freerdp",)), rf"(freerdp[^\n]{{0,2000}}?\s/g?p:){_WORD}", _KEPT),
    _Rule(
        (_OPTION, ("openssl",), (" -k",)),
        *_behind("openssl", r"-k\s{1,3}"),
    ),
    _Rule((_PLACES, ("openssl passwd",)), rf"(\bopenssl\s+passwd(?:\s+-\S+){{0,6}}\s+)(?!-){_WORD}", _KEPT),
    _Rule(
        (_PLACES, ("/",)),
        r"(\b(?:sqlplus|rman|expd?p?|impd?p?|sqlldr)\b(?:\s+-\S+){0,4}\s+(?:userid=|target\s+)?[\"']?[\w$#]{1,100}/)"
        r"(?:\"[^\"]*\"|[^\s@\"']+)",
        _KEPT,
    ),
    _Rule(
        (_OPTION, ("htpasswd",)),
        rf"(\bhtpasswd\s[^\n]{{0,200}}?-\w{{0,5}}b\w{{0,5}}\s+\S+\s+)(\S+\s+)?{_WORD}",
        rf"\1\2{MASK}",
    ),
    _Rule(
        (_OPTION, ("7z", "rar", "zip")),
        r"(\b(?:7z[a-z]{0,2}|rar|unrar|(?:un)?zip)\b[^\n]{0,2000}?\s-h?p)(?!\s)\S+",
        _KEPT,
    ),
    _Rule(
        (_PLACES, ("net",)),
        r"(\bnet1?(?:\.exe)?\suser?\s+)([^\n;|&]{1,500})",
        _words_of_net,
    ),
    _Rule((_PLACES, ("autologon",)), rf"(\bautologon(?:64)?(?:\.exe)?\s+(?:/\S+\s+)?\S+\s+\S+\s+)(?!/){_WORD}", _KEPT),
    _Rule(
        (_OPTION, ("reg",), (" /d",)),
        rf"(\breg(?:\.exe)?\s+add\s[^\n]{{0,1000}}?/v\s+[\"']?\w*(?:pass|pwd|secret|token|key)[^\n]{{0,200}}?\s/d\s+){_WORD}",
        _KEPT,
    ),
    _Rule((_PLACES, ("securestring",)), rf"(\bConvertTo-SecureString\s+(?:-String\s+)?)(?![-$(]){_WORD}", _KEPT),
    _Rule(
        (_OPTION, ("manage-bde",)),
        *_behind("manage-bde", r"[-/]rp\s{1,3}"),
    ),
    _Rule(
        (_OPTION, ("powershell", "pwsh")),
        *_behind("powershell|pwsh", r"[-/]e(?:c|nc\w*)?\s{1,3}(?=[\w+/=]{40})"),
    ),
    _Rule((_PLACES, ("wpa_passphrase",)), rf"(\bwpa_passphrase\s+{_WORD}\s+){_WORD}", _KEPT),
    _Rule(
        (_PLACES, ("nmcli", "netsh", "iwconfig")),
        rf"(\b(?:nmcli|netsh|iwconfig)\b[^\n]{{0,1000}}?\b(?:password|psk|key(?:material)?)[\s=]{{1,3}}){_WORD}",
        _KEPT,
    ),
    _Rule(
        (_PLACES, _OF_SERVICES),
        r"(\b(?:vault\s+(?:login|unwrap)|ngrok\s+authtoken|ngrok\s+config\s+add-authtoken|rclone\s+obscure|snyk\s+auth"
        r"|consul\b[^\n]{0,500}?\s-encrypt|rabbitmqctl\s+(?:add_user|change_password|authenticate_user)\s+\S+"
        r"|dscl\s+\S+\s+-(?:passwd|authonly)\s+\S+|mc\s+alias\s+set\s+\S+\s+\S+\s+\S+|vncpasswd|mkpasswd(?:\s+-\S+(?:\s+sha\S+|\s+\S*crypt)?)*"
        r"|bw\s+(?:unlock|login\s+\S+)|networksetup\s+-setairportnetwork\s+\S+\s+\S+|mysqladmin\b[^\n]{0,500}?\spassword"
        rf"|npm\s+config\s+set\s+\S*_auth\w*)[\s=]{{1,3}})(?!-){_WORD}",
        _KEPT,
    ),
    _Rule((_OPTION, ("security ",)), *_behind("security", r"-[wopP]\s{1,3}")),
    _Rule((_OPTION, ("sentinel",)), *_behind(r"sentinel\w+", r"-[kt]\s{1,3}")),
    _Rule((_OPTION, ("ss-",)), *_behind(r"ss-(?:server|local|redir|tunnel|manager)", r"-k\s{1,3}")),
    _Rule((_OPTION, ("--from-literal",)), rf"(--from-literal[=\s]{{1,3}}[\"']?[^\s=]{{1,100}}=){_WORD}", _KEPT),
    _Rule((_OPTION, ("qpdf",)), rf"(\bqpdf\b[^\n]{{0,500}}?--encrypt\s+){_WORD}\s+{_WORD}", rf"\1{MASK} {MASK}"),
    _Rule(
        (_OPTION, ("swaks", "sendemail")),
        *_behind("swaks|sendemail", r"-[ax]p\s{1,3}"),
    ),
    _Rule(
        (_PLACES, ("echo ", "printf ")),
        rf"(\b(?:echo|printf)\s+(?:-[neE]+\s+)*)(?![-$`|])([^|\n$`/]{{1,500}}?)(\s*\|\s*(?:\S+=\S+\s+)*(?:\S+/)?{_STDIN}\b|\s*\|[^|\n]{{1,300}}?-(?:stdin|passw(?:or)?d)\b)",
        rf"\1{MASK}\3",
    ),
    _Rule((_PLACES, ("<<<",)), rf"(<<<\s{{0,3}}){_WORD}", _KEPT),
    _Rule((_PLACES, ("<(",)), r"(<\((?:echo|printf)\s+(?:-[neE]+\s+)*)[^()]{1,500}", _KEPT),
    _Rule((_PLACES, ("expect",)), r"(\bexpect\b[^\n]{0,2000}?\bsend\s+(?:--\s+)?)[^;\n]{1,200}", _KEPT),
    _Rule((_PLACES, ("private key-",)), r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^\n]*", _KEPT),
    # -p and -u of others
    _Rule((_OPTION, (" -p", " /p:")), rf"((?:^|(?<=\s))(?:-p\s{{1,3}}|[-/]p:))({_WORD})", _dash_p),
    _Rule((_OPTION, (" -p",)), r"(\s-p)(?=[^\s/:]*\d)(?=[^\s/:]*[a-z])[^\s/:]{6,}(?=\s|$)", _KEPT),
    _Rule(
        ((" -", "login", "userpass", "cred"), (":",), ("-u", "-a", "login", "basic", "auth", "cred", "userpass")),
        r"((?:^|(?<=[\s_]))(?:-u|-a|--?(?:[\w-]{0,20}-)?(?:user|login|basic|auth|creds?|credentials|userpass)"
        r"|\w{0,30}(?:login|userpass|creds?))(?:\s{1,3}|=)[\"']?)([^\s:/\"'=]{1,100}):([^\s\"':]{2,200})(?=[\s\"']|$)",
        _user,
    ),
    _Rule(
        (_PLACES, ("bearer ", "basic ", "digest ", "negotiate ", "token ", "apikey ")),
        r"\b(bearer|basic|digest|negotiate|token|apikey)(\s+)(?=[a-z+/=._~-]{0,200}\d|[a-z0-9+/=._~-]{16})"
        r"(?=[\d+/=._~-]{0,200}[a-z])[a-z0-9+/=._~-]{6,}",
        rf"\1\2{MASK}",
    ),
)
# Tokens that are known by their form. The longest word of each has at least `_LOT_LENGTH` characters, and one of these.
_TOKEN_SIGNS = (
    *("eyj", "akia", "asia", "aiza", "eaa", "age-", "nrak-", "pmak-", "atatt", "glpat-", "glrt-", "gldt-", "glptt-"),
    *(
        "glft-",
        "glcbt-",
        "gloas-",
        "glsoat-",
        "xox",
        "xapp-",
        "sk-",
        "pypi-",
        "tskey-",
        "gocspx-",
        "nvapi-",
        "sq0",
        "key-",
    ),
    *(
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "pat_",
        "npm_",
        "hf_",
        "_live_",
        "_test_",
        "whsec_",
        "_v1_",
        "shp",
        "_api_",
    ),
    *("rubygems_", "sntry", "gla_", "glsa_", "glc_", "figd_", "r8_", "gsk_", "sg.", "ya29.", "hvs.", "hvb.", "hvr."),
    *(" s.", "dp.", "sl.", "1//"),
)
_TOKENS = (
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
    (
        r"\b(?-i:(?:AKIA|ASIA)[A-Z0-9]{15,17}\b|AIza[\w-]{20,}|EAA[A-Z][A-Za-z0-9]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
        r"|NRAK-[A-Z0-9]{20,}|PMAK-[\w-]{20,}|ATATT3[\w=-]{20,})"
    ),
    (
        r"\b(?-i:gl(?:pat|rt|dt|ptt|ft|cbt|oas|soat)-|xox[abeprs](?:\.xox[bp])?-|xapp-|sk-|pypi-|tskey-|GOCSPX-|nvapi-"
        r"|sq0\w{3}-|key-(?=[0-9a-z]{26}))[\w-]{16,}"
    ),
    (
        r"\b(?-i:gh[pousr]_|github_pat_|npm_|hf_|[sr]k_(?:live|test)_|pk_live_|whsec_|do[opr]_v1_|dckr_pat_|shp(?:at|ca|pa|ss)_"
        r"|lin_api_|rubygems_|sntry[su]_|gls?[ac]_|figd_|r8_|gsk_)[\w-]{16,}"
    ),
    (
        r"(?<![\w./-])(?-i:SG\.[\w-]{16,}\.|ya29\.|hv[sbr]\.|s\.(?=\w{24})|dp\.[a-z]{2,8}\.(?:[a-z]{2,8}\.)?|sl\.(?=\w{40}))"
        r"[\w.-]{16,}"
    ),
    r"(?<![\w./:-])1//[\w-]{24,}",
)
_LOT_LENGTH = 20
_LONG = regex(rf"[\w.-]{{{_LOT_LENGTH}}}")
# A word that only ids and tokens are long enough for. Dashes would join the words of a name.
_LOT = regex(rf"(?<![\w./\\{{-])[A-Za-z0-9_]{{{_LOT_LENGTH},}}(?![\w./\\}}])")
# Letters that fit `s` and `i` where a pattern ignores case, and that `lower` keeps or takes apart.
_WHITE_SPACE = regex(r"\s")
_LIKE_ASCII = str.maketrans({"\u017f": "s", "\u0131": "i", "\u0307": None})


def masked(text: str) -> str:
    """The string with `***` in place of what looks like a secret."""
    lower = _searchable(text)
    for rule in _rules_for(lower):
        text = _compiled(rule.pattern).sub(rule.new, text)
    if may_name_values(lower):
        text = masked_values(text)
    if len(text) >= _LOT_LENGTH and _LONG.search(text):
        if _has_all(lower, (_TOKEN_SIGNS,)):
            for pattern in _TOKENS:
                text = _compiled(pattern).sub(MASK, text)
        text = _LOT.sub(_drawn, text)
    return text


def _searchable(text: str) -> str:
    """The string in lower case, with blanks for white space, in which signs are looked for."""
    lower = " " + text.lower()
    if not lower.isascii():
        lower = lower.translate(_LIKE_ASCII)
    return lower if lower.isprintable() else _WHITE_SPACE.sub(" ", lower)


def _rules_for(lower: str) -> list[_Rule]:
    """The rules whose signs the string has, in their order; for most strings none.

    Plain loops are twice as fast as `any`, and this is asked of every item.
    """
    for sign in _FIRST_SIGNS:
        if sign in lower:
            break
    else:
        return []
    found: list[int] = []
    for signs, rules in _BY_FIRST_SIGNS:
        for sign in signs:
            if sign in lower:
                found += [number for number, others in rules if not others or _has_all(lower, others)]
                break
    return [_RULES[number] for number in sorted(found)] if found else []


def _has_all(text: str, groups: tuple[tuple[str, ...], ...]) -> bool:
    """Whether the string has a sign of each group."""
    for signs in groups:
        for sign in signs:
            if sign in text:
                break
        else:
            return False
    return True


_Signs = tuple[str, ...]


def _by_first_signs() -> tuple[tuple[_Signs, list[tuple[int, tuple[_Signs, ...]]]], ...]:
    """For each group of signs that rules begin with: these rules by number, with the other groups that they need."""
    groups: dict[_Signs, list[tuple[int, tuple[_Signs, ...]]]] = {}
    for number, rule in enumerate(_RULES):
        groups.setdefault(rule.signs[0], []).append((number, rule.signs[1:]))
    return tuple(groups.items())


_BY_FIRST_SIGNS = _by_first_signs()
_ALL_FIRST_SIGNS = {sign for signs, _ in _BY_FIRST_SIGNS for sign in signs}
# Without those that have another one in them.
_FIRST_SIGNS = sorted(one for one in _ALL_FIRST_SIGNS if not any(other in one for other in _ALL_FIRST_SIGNS - {one}))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, compiled when it is first needed: most scans need few, and together they take 20 milliseconds."""
    return re.compile(pattern, re.IGNORECASE)


def masked_item(item: Item) -> Item:
    """The item without secrets; the same object if there are none, which is the usual case."""
    named = item.kind in _NAMED_BY_COMMAND and _COMMAND.search(item.name) is not None
    package = item.kind == "package"  # of most items; records of packages have secrets in addresses only
    texts = (item.name if named else "", item.command, *item.details.values(), *item.notes)
    for text in (*texts, *(one.what for one in item.evidence)):
        if text and not (package and "//" not in text and "=" not in text) and _masked(text) != text:
            break
    else:
        return item
    return replace(
        item,
        name=_masked(item.name) if named else item.name,
        command=_masked(item.command),
        details={key: _masked(value) for key, value in item.details.items()},
        notes=tuple(map(_masked, item.notes)),
        evidence=tuple(Evidence(one.where, _masked(one.what)) for one in item.evidence),
    )


_masked = lru_cache(maxsize=4096)(masked)  # packages share makers, addresses and states


def masked_once(item: Item) -> Item:
    """The item as `masked_inventory` leaves it."""
    return masked_item(item) if item.command or "uninstall" in item.details else item


def masked_inventory(inventory: Inventory) -> Inventory:
    """The same of every item that quotes a command; the same object if there are no secrets."""
    items = tuple(map(masked_once, inventory.items))
    changed = any(new is not old for new, old in zip(items, inventory.items, strict=True))
    return replace(inventory, items=items) if changed else inventory
