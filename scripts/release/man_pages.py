"""Writes a manual page for each command, and the completion of each shell, from what the command line says of itself.

    python scripts/release/man_pages.py FOLDER

FOLDER gets `man/phaseout.1`, `man/phaseout-scan.1`, … and `completion/phaseout.bash`, `.zsh` and `.fish`.
SOURCE_DATE_EPOCH is the date of the pages.

References:
    man-pages(7) and groff_man(7); https://click.palletsprojects.com/en/stable/shell-completion/
"""

import datetime as dt
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scanner"))

import click  # noqa: E402
from click.shell_completion import get_completion_class  # noqa: E402
from phaseout import __version__  # noqa: E402
from phaseout.cli import group  # noqa: E402

FILES = {
    "/etc/phaseout/phaseout.toml": "Your policy: roles, waivers, deadlines and replacements.",
    "~/.config/phaseout/phaseout.toml": "The policy of an ordinary user. A scan by root does not read it.",
    "/var/lib/phaseout/rules": "Rules that were imported with phaseout rules import.",
}


def main() -> None:
    """Fills the folder that the command line names."""
    folder = Path(sys.argv[1])
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))
    date = dt.datetime.fromtimestamp(epoch, dt.UTC).date().isoformat()
    (folder / "man").mkdir(parents=True)
    (folder / "completion").mkdir()
    for context in commands(click.Context(group, info_name="phaseout", **group.context_settings)):
        (folder / "man" / f"{_name(context)}.1").write_text("\n".join(page(context, date)) + "\n", encoding="utf-8")
    for shell in ("bash", "zsh", "fish"):
        completion = get_completion_class(shell)
        assert completion is not None
        text = completion(group, {}, "phaseout", "_PHASEOUT_COMPLETE").source()
        (folder / "completion" / f"phaseout.{shell}").write_text(text.strip() + "\n", encoding="utf-8")


def commands(context: click.Context) -> Iterator[click.Context]:
    """The context itself and those of all commands below it."""
    yield context
    for inner in _inner(context):
        yield from commands(inner)


def page(context: click.Context, date: str) -> Iterator[str]:
    """The lines of the manual page of a command."""
    command, name = context.command, _name(context)
    yield f'.TH "{name.upper()}" "1" "{date}" "phaseout {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"{_text(name)} \\- {_text(command.get_short_help_str(limit=200).rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_text(context.command_path)}"
    yield _text(" ".join(command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    yield from _paragraphs(command.help or "")
    yield ".SH OPTIONS"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1]:
            yield from (".TP", rf"\fB{_text(record[0])}\fR", _text(record[1]))
    inner = [_name(one) for one in _inner(context)]
    above = [_name(context.parent)] if context.parent else []
    if inner:
        yield ".SH COMMANDS"
        for one in _inner(context):
            yield from (".TP", rf"\fB{_text(str(one.info_name))}\fR", _text(one.command.get_short_help_str(limit=200)))
    if not above:
        yield ".SH FILES"
        for path, what in FILES.items():
            yield from (".TP", f".I {_text(path)}", _text(what))
    yield ".SH SEE ALSO"
    yield ",\n".join(rf"\fB{_text(one)}\fR(1)" for one in [*above, *inner])


def _inner(context: click.Context) -> list[click.Context]:
    command = context.command
    if not isinstance(command, click.Group):
        return []
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [click.Context(one, info_name=name, parent=context) for name, one in found if one and not one.hidden]


def _name(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _paragraphs(text: str) -> Iterator[str]:
    r"""Paragraphs of a help text; one that begins with `\b` keeps its lines. "Exit status:" becomes a section."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        lines = paragraph.strip("\n").split("\n")
        if lines[0].strip() != "\b":
            yield from ([".PP"] if number else [])
            yield _text(" ".join(line.strip() for line in lines))
            continue
        if title := re.fullmatch(r"(Exit status|Examples):", lines[1].strip()):
            yield f".SH {title[1].upper()}"
            del lines[1]
        yield from (".nf", *(_text(line) for line in lines[1:]), ".fi")


def _text(text: str) -> str:
    """Text as roff reads it: no hyphen turns into a dash, and no line is taken for a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    main()
