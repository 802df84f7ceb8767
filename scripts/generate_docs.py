"""Writes the parts of the documents that follow from code and rules: sources, vendors, measures, formats, help texts.

`--check` writes nothing and fails if a document is not up to date.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scanner"))

import click  # noqa: E402
import msgspec  # noqa: E402
from phaseout.cli import COMMANDS, group  # noqa: E402
from phaseout.cli.rule_files import read_rules  # noqa: E402
from phaseout.fleet.status import FleetView  # noqa: E402
from phaseout.judgement.diff import Difference  # noqa: E402
from phaseout.model.details import DETAILS  # noqa: E402
from phaseout.model.findings import Report  # noqa: E402
from phaseout.model.nouns import Inventory  # noqa: E402
from phaseout.model.rules import Measure, Policy, Role, RoleFile, Vendor  # noqa: E402
from phaseout.report import FORMATS  # noqa: E402
from phaseout.sources import load  # noqa: E402


def sources() -> Iterator[str]:
    """A row for each source: what it lists, reads and cannot see."""
    yield "| source | on | gives | lists | reads | cannot see |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for source in load():
        reads = ", ".join(f"`{place}`" for place in source.reads) or "the process list"
        cells = (
            f"`{source.name}`",
            ", ".join(source.platforms),
            ", ".join(kind.replace("_", " ") for kind in source.kinds),
            source.title,
            reads,
            source.limits,
        )
        yield row(*cells)


_TOOL = ("shutil.which", "subprocess.", "PHASEOUT_OSQUERY")
_CAPTURE = "PHASEOUT_CORPORA"


def tested() -> Iterator[str]:
    """A row for each source and each kind of inventory: what its tests hold it against, as they themselves show."""
    from phaseout.inventories import READERS

    tests = ROOT / "tests" / "unit"
    captures = (tests / "sources" / "test_captures.py").read_text()
    yield "| system or input | files made by hand | files that the real tool wrote | the real tool |"
    yield "| --- | --- | --- | --- |"
    for source in load():
        files = sorted(tests.glob(f"sources/**/test_{source.name}.py"))
        text = "".join(file.read_text() for file in files)
        yield _tested_row(f"`{source.name}`: {source.title}", text, captured=f'"{source.name}", (' in captures)
    for reader in READERS:
        own = tests / "inventories" / f"test_{reader.name}.py"
        text = (own if own.exists() else tests / "inventories" / "test_sboms.py").read_text()
        yield _tested_row(f"input: {reader.title}", text)


def _tested_row(name: str, text: str, *, captured: bool = False) -> str:
    tool = any(sign in text for sign in _TOOL)
    return row(name, "yes" if text else "", "yes" if captured or _CAPTURE in text else "", "yes" if tool else "")


def vendors(found: tuple[Vendor, ...]) -> Iterator[str]:
    """A row for each product, by vendor."""
    yield "| vendor | product | id | category | recognised as | platforms |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for vendor in found:
        for product in vendor.product:
            platforms = ", ".join(product.platforms)
            yield row(vendor.name, product.name, f"`{product.id}`", product.category, product.role, platforms)


def roles(found: tuple[Role, ...]) -> Iterator[str]:
    """Every role that a policy may declare."""
    yield row("role", "is", "home", "implies")
    yield row("---", "---", "---", "---")
    for role in found:
        yield row(f"`{role.id}`", role.title, role.home, ", ".join(f"`{one}`" for one in role.implies))


def measures(found: tuple[Measure, ...]) -> Iterator[str]:
    """A row for each milestone of each measure."""
    yield "| measure | where | force | date | milestone | who must act | verified | status |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for measure in found:
        for milestone in measure.milestone:
            date = milestone.at.date().isoformat() if milestone.at else milestone.when
            yield row(
                f"`{measure.id}`",
                measure.jurisdiction,
                measure.force,
                date,
                milestone.kind,
                milestone.actor,
                milestone.verified,
                f"{measure.status.state}, {measure.status.as_of}",
            )


def formats() -> Iterator[str]:
    """A row for each format."""
    yield "| format | endings | for | holds | several hosts |"
    yield "| --- | --- | --- | --- | --- |"
    for one in FORMATS:
        endings = " ".join(f"`{ending}`" for ending in one.endings)
        yield row(f"`{one.name}`", endings, one.title, ", ".join(one.holds), "yes" if one.several else "")


def helps() -> Iterator[str]:
    """The help text of every command."""
    width = {"max_content_width": 100, "terminal_width": 100}
    top = click.Context(group, info_name="phaseout", **width)  # type: ignore[arg-type]
    yield from _help(group, top)
    for name in COMMANDS:
        command = group.get_command(top, name)
        assert command is not None
        yield from _help(command, click.Context(command, info_name=name, parent=top, **width))  # type: ignore[arg-type]


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    """The help text of a command, and below it those of the commands that it groups."""
    yield f"## {context.command_path}"
    yield ""
    yield "```text"
    yield command.get_help(context)
    yield "```"
    yield ""
    if isinstance(command, click.Group) and context.parent is not None:
        for name, inner in command.commands.items():
            own = click.Context(inner, info_name=name, parent=context, max_content_width=100, terminal_width=100)
            yield from _help(inner, own)


def details() -> Iterator[str]:
    """The keys of `details`, each with its sentence."""
    yield row("key", "what it says")
    yield row("---", "---")
    for key, sentence in DETAILS.items():
        yield row(f"`{key}`", sentence)


def schemas() -> dict[str, str]:
    """The published JSON Schemas: file name → content."""
    shapes = {
        "phaseout-inventory-1": Inventory,
        "phaseout-fleet-1": FleetView,
        "phaseout-report-1": Report,
        "phaseout-diff-1": Difference,
        "vendor": Vendor,
        "measure": Measure,
        "roles": RoleFile,
        "policy": Policy,
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        f"docs/schemas/{name}.json": json.dumps({**head, **msgspec.json.schema(shape)}, indent=1) + "\n"
        for name, shape in shapes.items()
    }


def row(*cells: str) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def filled(text: str, name: str, lines: Iterator[str]) -> str:
    """The text with the lines put between `<!-- name -->` and `<!-- end -->`."""
    before, mark, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not mark or not end:
        raise SystemExit(f"no part {name!r} between <!-- {name} --> and <!-- end -->")
    return before + mark + "\n".join(lines) + "\n" + end + after


def main() -> None:
    """Writes the documents, or checks them."""
    ruleset = read_rules()
    parts = {
        "docs/sources.md": {"sources": sources(), "tested": tested(), "details": details()},
        "docs/rules.md": {
            "vendors": vendors(ruleset.vendors),
            "measures": measures(ruleset.measures),
            "roles": roles(ruleset.roles),
        },
        "docs/commands.md": {"commands": helps()},
        "docs/formats.md": {"formats": formats()},
    }
    stale = []
    for name, fillings in parts.items():
        path = ROOT / name
        old = text = path.read_text()
        for part, lines in fillings.items():
            text = filled(text, part, lines)
        if text != old:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text)
    for name, text in schemas().items():
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
    if stale and "--check" in sys.argv:
        raise SystemExit(f"not up to date: {', '.join(stale)}; run python scripts/generate_docs.py")


if __name__ == "__main__":
    main()
