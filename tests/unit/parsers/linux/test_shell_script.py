"""Literals and headers of shell scripts."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.shell_script import header, literals

SCRIPT = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          kesl
# Required-Start:    $local_fs
# Short-Description: Kaspersky Endpoint Security
### END INIT INFO
NAME=kesl
DIR="/opt/kaspersky/${NAME}"
 export DAEMON=$DIR/libexec/$NAME-launcher # the daemon
OPTS='$not expanded'
CONF=${CONF:-/etc/x.conf}
PID=`cat /run/x`
WHEN=$(date)
HOST=$UNKNOWN/x
DAEMON=/second
"""


def test_literals_are_filled_in() -> None:
    assert literals(SCRIPT) == {
        "NAME": "kesl",
        "DIR": "/opt/kaspersky/kesl",
        "DAEMON": "/opt/kaspersky/kesl/libexec/kesl-launcher",
        "OPTS": "$not expanded",
        "CONF": "/etc/x.conf",
        "PID": "",
    }


def test_header_of_an_init_script() -> None:
    assert header(SCRIPT) == {"provides": "kesl", "short-description": "Kaspersky Endpoint Security"}
    assert header("# chkconfig: 35 20 80\n# description: Guards \\\n#  the host\n") == {"description": "Guards"}


def test_values_that_hold_each_other_do_not_grow() -> None:
    script = "A=xx\n" + "\n".join(f"{chr(66 + n % 20)}{n}=$A$A" for n in range(3))
    script += "\nZ0=yyyyyyyy\n" + "\n".join(f"Z{n + 1}=$Z{n}$Z{n}" for n in range(64))
    assert max(map(len, literals(script).values())) <= 4096


@given(st.text(alphabet=st.sampled_from("AB=\"'$(){}:-`\\\n #x/é\x00"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert all(name.isidentifier() for name in literals(text))
    assert set(header(text)) <= {"provides", "short-description", "description"}
