"""Rules of fapolicyd for Linux: the folders and programs of restricted vendors.

fapolicyd knows no signers and no packages, so a program elsewhere or of another name is not recognised.

References:
    fapolicyd.rules(5) (decision, subject, object; the first rule that fits decides), fagenrules(8)
"""

import re
from collections.abc import Collection, Iterator

from phaseout.export.blocking import heading, traits
from phaseout.model.nouns import Platform
from phaseout.model.rules import Ruleset

# What a rule can hold without quotes, and neither a whole top folder nor a place of macOS.
_PLAIN = re.compile(r"(?!/(?:Applications|Library|System|Users)/)(/[A-Za-z0-9._+-]*[A-Za-z0-9]){2,}")
_SENTENCES = (
    "They are about programs in these folders and at these paths, no matter who starts them.",
    "They do not see other paths, renamed or moved copies, packages or signers: fapolicyd knows none.",
    "A program that runs already goes on.",
    "Put this file into /etc/fapolicyd/rules.d as 20-phaseout.rules and run fagenrules --load.",
)
_AUDIT = (
    "Audit only: allow_audit reports each start and lets it run, also where a later rule would have refused it. "
    "Make the file again with --enforce to block."
)
_ENFORCED = "They block: deny_audit refuses each start and reports it."


def export(ruleset: Ruleset, platforms: Collection[Platform], *, enforce: bool) -> str:
    """The rules as one file, with what they block and what not in comments."""
    found: set[str] = set()
    covered: set[str] = set()
    for trait in traits(ruleset, platforms):
        if trait.field == "path" and trait.is_of("process", "package", "program", "app"):
            for thing in _objects(trait.pattern):
                found.add(thing)
                covered.add(trait.product.id)
    lines = heading(ruleset, platforms, covered, (_ENFORCED if enforce else _AUDIT, *_SENTENCES))
    decision = "deny_audit" if enforce else "allow_audit"
    folders = {thing.removeprefix("dir=").removesuffix("/") for thing in found if thing.startswith("dir=")}
    rules = [
        f"{decision} perm=execute all : {thing}\n"
        for thing in sorted(found)
        if thing.removeprefix("path=") not in folders
    ]
    return "".join((*(f"# {line}\n" for line in lines), *rules))


def _objects(pattern: str) -> Iterator[str]:
    """A path as an object: `/opt/x/*` and `/opt/x*` are the folder /opt/x, all else is one file."""
    head = pattern.removesuffix("*").removesuffix("/")
    if _PLAIN.fullmatch(head):
        yield f"dir={head}/" if pattern.endswith("*") else f"path={head}"
