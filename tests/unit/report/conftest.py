"""A report with everything in it."""

import pytest
from phaseout.model.findings import REPORT_SCHEMA, Applied, Finding, Report, RulesUsed
from phaseout.model.nouns import INVENTORY_SCHEMA, HostInfo, Identity, Inventory, Item, SourceRun, Unseen

SERIAL = (Identity("serial", "PF3ABC12"),)


def make_report(*, name: str = "kesl", found: bool = True, unseen: tuple[Unseen, ...] = ()) -> Report:
    item = Item(
        kind="package", name=name, source="dpkg", vendor="Kaspersky Lab", version="12.1.0-1543", path="/opt/kaspersky"
    )
    finding = Finding(
        vendor="Kaspersky",
        vendor_id="kaspersky",
        product="Kaspersky Endpoint Security for Linux",
        product_id="kaspersky-kesl",
        category="endpoint_security",
        role="covered",
        verdict="replace",
        state="running",
        confidence="certain",
        items=(item, Item(kind="process", name="kesl", state="running", path="/opt/kaspersky/kesl/libexec/kesl")),
        because=(f'package with name "{name}"', "process with path"),
        measures=(
            Applied(
                id="us-commerce",
                title="Commerce",
                applies="reaches",
                force="binding",
                status="in_force",
                milestone="update_cutoff",
                due="2024-09-29T00:00:00-04:00",
                days_left=-783,
            ),
            Applied(id="us-far", title="FAR", applies="names", force="contractual", status="in_force"),
        ),
        action="Replace it. Use is not penalised.",
        remove=("Remove the agent", "Remove the product"),
        replacement="Microsoft Defender",
    )
    return Report(
        schema=REPORT_SCHEMA,
        tool="phaseout 0",
        scanned_at="2026-11-21T12:00:00Z",
        as_of="2026-11-21T12:00:00Z",
        host=HostInfo(name="ada-laptop", platform="linux", os="Debian GNU/Linux", os_version="12", identity=SERIAL),
        rules=RulesUsed(
            vendors=1,
            products=2,
            measures=2,
            digest="0123456789abcdef",
            as_of="2026-11-20",
            warnings=("us-commerce: was to be reviewed",),
        ),
        verdict="replace" if found else "incomplete" if unseen else "clean",
        findings=(finding,) if found else (),
        runs=(SourceRun(source="dpkg", status="ok", rows=2, items=2, seconds=0.25),),
        unseen=unseen,
        items=2,
    )


@pytest.fixture
def denied() -> tuple[Unseen, ...]:
    return (Unseen("Running processes", "processes: permission denied: the executable of 9", "run as root"),)


def make_inventory(*, name: str = "kesl", unseen: tuple[Unseen, ...] = ()) -> Inventory:
    of = make_report(name=name)
    return Inventory(
        schema=INVENTORY_SCHEMA,
        tool=of.tool,
        scanned_at=of.scanned_at,
        host=of.host,
        items=of.findings[0].items,
        runs=of.runs,
        unseen=unseen,
    )
