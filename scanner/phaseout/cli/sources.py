"""`phaseout sources`."""

import click

from phaseout.cli.choices import OneOf
from phaseout.cli.output import say
from phaseout.sources import load


@click.command("sources")
@click.option("--os", "platform", type=OneOf(("linux", "macos", "windows"), "system"), help="Only those of one system.")
@click.option("-f", "--format", "format_name", type=OneOf(("table", "json"), "format"), default="table")
def command(platform: str | None, format_name: str) -> None:
    """List the places that a scan reads, and what each source cannot see.

    \b
    Examples:
      phaseout sources --os windows
      phaseout sources -f json
    """
    sources = [source for source in load() if platform is None or platform in source.platforms]
    if format_name == "json":
        import msgspec

        members = [
            {key: value for key, value in source._asdict().items() if key != "collect"}  # metadata only
            for source in sources
        ]
        click.echo(msgspec.json.format(msgspec.json.encode(members), indent=2).decode())
        return
    for source in sources:
        say(f"{source.name} ({', '.join(source.platforms)}): {source.title}")
        say(f"    gives  {', '.join(source.kinds)}")
        say(f"    reads  {', '.join(source.reads) or 'the system'}")
        say(f"    limits {source.limits}")
