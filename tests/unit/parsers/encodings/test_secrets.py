"""What looks like a secret is masked, and nothing that rules match on."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.secret_names import masked_values, may_name_values
from phaseout.parsers.encodings.secrets import _RULES, _rules_for, _searchable, masked, masked_item

from tests.unit.parsers.encodings import secret_shapes

SECRETS = {
    "mysqldump -uroot -phunter2 --password=hunter2 db": "mysqldump -uroot -p*** --password=*** db",
    "/usr/bin/mysql -u root -phunter2secret db": "/usr/bin/mysql -u root -p*** db",
    "/usr/bin/agent --token=hunter2 --verbose": "/usr/bin/agent --token=*** --verbose",
    "agent --api-key hunter2 -v": "agent --api-key *** -v",
    "agent --client_secret 'hunter2 and more' -v": "agent --client_secret *** -v",
    'agent --password="hunter2 and more" -v': "agent --password=*** -v",
    "agent.exe /password:hunter2 /quiet": "agent.exe /password:*** /quiet",
    "msiexec /i x.msi KLPASSWORD=hunter2 /qn": "msiexec /i x.msi KLPASSWORD=*** /qn",
    "MYSQL_PWD=hunter2 mysql": "MYSQL_PWD=*** mysql",
    "Server=db;Uid=sa;Pwd=hunter2;Timeout=3": "Server=db;Uid=sa;Pwd=***;Timeout=3",
    '{"password": "hunter2", "user": "bob"}': '{"password": ***, "user": "bob"}',
    "git clone https://bob:hunter2@example.org/x.git": "git clone https://bob:***@example.org/x.git",
    "redis://:hunter2@cache:6379/0": "redis://:***@cache:6379/0",
    "https://hunter2hunter2hunter2@example.org/x": "https://***@example.org/x",
    "curl -u bob:hunter2 https://example.org": "curl -u bob:*** https://example.org",
    "curl -H 'Authorization: Bearer hunter2hunter2' https://x": "curl -H 'Authorization: ***' https://x",
    "sshpass -p hunter2 ssh host": "sshpass -p *** ssh host",
    "plink -ssh host -pw hunter2": "plink -ssh host -pw ***",
    "ldapsearch -D cn=admin -w hunter2 -b dc=x": "ldapsearch -D cn=admin -w *** -b dc=x",
    "schtasks /create /ru bob /rp hunter2 /tn x": "schtasks /create /ru bob /rp *** /tn x",
    r"net use Z: \\server\share hunter2 /user:bob": r"net use Z: \\server\share *** /user:bob",
    "smbclient //s/x -U bob%hunter2": "smbclient //s/x -U bob%***",
    "7z x -phunter2 archive.7z": "7z x -p*** archive.7z",
    "agent -p hunter2 -v": "agent -p *** -v",
    "agent -phunter2 -v": "agent -p*** -v",
    "sqlcmd -U sa -P hunter2": "sqlcmd -U sa -P ***",
    "setup.exe /p:hunter2 /quiet": "setup.exe /p:*** /quiet",
    "xfreerdp /u:bob /p:hunter2": "xfreerdp /u:bob /p:***",
    "openssl enc -k hunter2 -in x": "openssl enc -k *** -in x",
    "sqlplus scott/hunter2@db": "sqlplus scott/***@db",
    "htpasswd -b file bob hunter2": "htpasswd -b file bob ***",
    "runner hf_hunter2hunter2hunter2hunter2": "runner ***",
    "echo -----BEGIN RSA PRIVATE KEY----- hunter2": "echo -----BEGIN RSA PRIVATE KEY-----***",
    "runner ghp_hunter2hunter2hunter2hunter2": "runner ***",
    "runner eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIiOjJ9.hunter2": "runner ***",
    "AccountName=x;AccountKey=hunter2==;": "AccountName=x;AccountKey=***;",
}
PLAIN = (
    "/opt/kaspersky/kesl/libexec/kesl --daemon",
    "powershell.exe -ExecutionPolicy Bypass -File C:\\x.ps1",
    "agent --password-file /etc/agent.pw",
    "agent --token-path=/run/token",
    "pinentry --display :0",
    "ssh -i /root/.ssh/key bob@example.org",
    "/usr/bin/passwd",
    "https://example.org/author/keys",
    "Debian Maintainers <maintainers@example.org>",
    "mkdir -p /var/lib/mysql",
    "ssh -p 2222 host",
    "docker run -p 127.0.0.1:80:80/tcp nginx",
    "setup.exe /p:8080",
    "find . -print",
    "agent -p ~/profile",
    "agent -p C:\\profile",
    "/opt/kaspersky/kesl/bin/kesl -profile",
    "sig2dot --spinning=3",
    "PWD=/home/bob",
    "asia-pacific-mirror-settings.conf",
)


@pytest.mark.parametrize(("text", "expected"), SECRETS.items())
def test_secrets_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected
    assert "hunter2" not in masked(text)
    assert masked(expected) == expected


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", secret_shapes.SECRET)
def test_a_secret_is_masked_in_whatever_shape(text: str) -> None:
    assert "hunter2" not in masked(text).lower()


@pytest.mark.parametrize("text", secret_shapes.PLAIN)
def test_what_only_resembles_one_stays_readable(text: str) -> None:
    assert masked(text) == text


@given(st.text("ab /.é", max_size=100), st.sampled_from(tuple(SECRETS)), st.text("ab /.é", max_size=100))
def test_whatever_stands_around_a_secret(before: str, text: str, behind: str) -> None:
    assert "hunter2" not in masked(f"{before} {text} {behind}")


@given(st.text("abc -=/:@\"'.pwsd", max_size=200))
def test_nothing_grows_much(text: str) -> None:
    assert len(masked(text)) <= 4 * len(text) + 3


@given(st.text("a1 -_=/:<>\"'%pasword", max_size=60))
@example("p_w::")
def test_the_quick_check_of_names_misses_nothing(text: str) -> None:
    if not may_name_values(text.lower()):
        assert masked_values(text) == text


@given(st.lists(st.sampled_from((*SECRETS, " ", "=", ": ", "\n", "sıg=3 ", "paſſword=", "net  use x y /user:b"))))
def test_the_signs_of_a_rule_are_in_all_that_its_pattern_fits(pieces: list[str]) -> None:
    whole = "".join(pieces)
    asked = [rule.pattern for rule in _rules_for(_searchable(whole))]
    for rule in _RULES:
        changed = re.sub(rule.pattern, rule.new, whole, flags=re.IGNORECASE) != whole
        assert rule.pattern in asked or not changed


@pytest.mark.parametrize(
    "piece",
    [
        *("password", "-p ", "mysql ", "://", "password= ", "net use ", "7z ", '"', "token='", "curl -u ", "a-"),
        *(
            "<token>",
            "a=",
            "pw=\\",
            "pw=;",
            "-u a",
            "echo | ",
            "snmp -c",
            'key="a" value=',
            'pass:\\"',
            "'pw:",
            "a_",
            "@a:",
        ),
        *(
            "aA1",
            "a.",
            "/a",
            "<pw a",
            "net user a ",
            "sqlplus -a ",
            "$'",
            "'\\''",
            "psk a ",
            "hook/",
            "login",
            "%3d",
            "nmcli ",
        ),
    ],
)
def test_text_of_the_longest_length_that_was_made_to_be_slow(piece: str) -> None:
    """The work grows with the length times a bound: what takes longer than this test is a pattern gone wrong."""
    text = piece * (8192 // len(piece))
    assert len(masked(text)) <= 4 * len(text)


@pytest.mark.parametrize("name", ["ConsentUxUserSvc_b006d", "WpnUserService_4ad1f", "MessagingService_5c2d1"])
def test_a_service_of_a_user_of_windows_keeps_its_name(name: str) -> None:
    service = Item(kind="service", name=name, source="services", evidence=(Evidence("HKLM", name),))
    assert masked_item(service) is service


def test_a_job_that_has_no_name_but_its_command_is_masked() -> None:
    job = Item(kind="task", name="mysqldump --password=hunter2 x", source="cron")
    assert masked_item(job).name == "mysqldump --password=*** x"
