"""Jobs of at."""

from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.linux.at_job import AtJob, at_job

HEAD = """\
#!/bin/sh
# atrun uid=1000 gid=1000
# mail ada 0
umask 22
HOME=/home/ada; export HOME
cd /home/ada || {
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}
"""


def test_the_commands_come_behind_the_environment() -> None:
    assert at_job(HEAD + "/opt/kaspersky/update --now\nlogger done\n") == AtJob(
        1000, "/opt/kaspersky/update --now; logger done"
    )


def test_the_commands_in_a_here_document() -> None:
    body = "${SHELL:-/bin/sh} << 'marcinDELIMITER27f0b6a2'\n/opt/kaspersky/update\n\nmarcinDELIMITER27f0b6a2\n"
    assert at_job(HEAD + body) == AtJob(1000, "/opt/kaspersky/update")


def test_another_script_is_a_command_as_a_whole() -> None:
    assert at_job("#!/bin/sh\n/bin/x\n") == AtJob(-1, "#!/bin/sh; /bin/x")


@given(st.text())
def test_any_text_is_some_job(text: str) -> None:
    assert isinstance(at_job(text).command, str)
