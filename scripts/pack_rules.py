"""Build hook: puts the shipped rules into the wheel a second time, checked and packed, because every scan reads them.

The packed form counts only as long as its digest is that of the TOML files beside it. The digest also goes into the
file `release`, for `phaseout --version`.

References:
    https://hatch.pypa.io/latest/plugins/build-hook/custom/
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PackRules(BuildHookInterface[Any]):
    """Called by hatchling for a wheel, and for an editable installation, whose packed rules lie beside the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Writes the packed rules and adds them to the wheel. Broken rules end the build with every error."""
        root = Path(self.root)
        sys.path.insert(0, str(root / "scanner"))
        from msgspec.structs import replace
        from phaseout.rules.load import load, pack
        from phaseout.rules.matcher import index_of

        files = {
            f"rules/{folder}/{path.name}": path.read_bytes()
            for folder in ("vendors", "measures")
            for path in sorted((root / "rules" / folder).glob("*.toml"))
        }
        files["rules/roles.toml"] = (root / "rules" / "roles.toml").read_bytes()
        ruleset = load(files)
        if version == "editable":
            # Without the index, which belongs to one state of the code.
            (root / "rules" / "packed").write_bytes(pack(ruleset))
            return
        packed = Path(self.directory) / "packed-rules"
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.write_bytes(pack(replace(ruleset, index=index_of(ruleset))))
        build_data["force_include"][str(packed)] = "phaseout/rules/packed"
        release = packed.with_name("release")
        release.write_bytes((root / "rules" / "release").read_bytes() + f"digest {ruleset.digest}\n".encode())
        build_data["force_include"][str(release)] = "phaseout/rules/release"
