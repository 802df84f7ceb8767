"""Items without their secrets."""

from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.secrets import masked_item


def test_every_field_that_may_quote_a_command() -> None:
    item = Item(
        kind="task",
        name="mysqldump -phunter2 db",
        path="/usr/bin/mysqldump",
        command="mysqldump -phunter2 db",
        details={"uninstall": "remove.exe /password:hunter2", "arch": "amd64"},
        notes=("it says token=hunter2",),
        evidence=(Evidence("/etc/cron.d/backup", "* * * * * root mysqldump -phunter2 db"),),
    )
    masked = masked_item(item)
    assert "hunter2" not in repr(masked)
    assert (masked.name, masked.path) == ("mysqldump -p*** db", "/usr/bin/mysqldump")
    assert masked.details == {"uninstall": "remove.exe /password:***", "arch": "amd64"}


def test_names_of_programs_stay_and_the_usual_item_is_not_copied() -> None:
    program = Item(kind="program", name="Password: Keeper", vendor="X")
    assert masked_item(program).name == "Password: Keeper"
    usual = Item(kind="package", name="bash", details={"homepage": "https://www.gnu.org/software/bash"})
    assert masked_item(usual) is usual
