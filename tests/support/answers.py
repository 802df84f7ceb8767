"""Answers of hosts, for the tests of the fleet."""

from collections.abc import Sequence

from phaseout.fleet.nouns import JSON, Answer, Detail, Outcome, Subject
from phaseout.model.nouns import Identity

DAY = 86_400
START = 1_760_000_000  # 9 October 2025


def subject(product: str = "kes", verdict: str = "replace", state: str = "installed") -> Subject:
    """A product of which a host is asked something."""
    return Subject(
        product_id=product,
        vendor_id="kaspersky",
        product=product.upper(),
        vendor="Kaspersky",
        verdict=verdict,  # type: ignore[arg-type]
        state=state,  # type: ignore[arg-type]
        measure="us-commerce",
        milestone="update_cutoff",
        due="2024-09-29",
    )


def answer(
    name: str = "pc1",
    day: float = 0,
    *,
    uuid: str = "",
    serial: str = "",
    installation: str = "",
    products: Sequence[str] = (),
    complete: bool = True,
    rules: str = "r1",
    form: int = JSON,
    platform: str = "windows",
) -> Answer:
    """What a host said on a day."""
    ids = (("smbios_uuid", uuid), ("serial", serial), ("machine_guid", installation))
    found = tuple(sorted(map(subject, products)))
    verdict = "replace" if found else "clean" if complete else "incomplete"
    return Answer(
        name=name,
        platform=platform,
        os="Windows 11",
        identity=tuple(Identity(kind, value) for kind, value in ids if value),  # type: ignore[arg-type]
        at=int(START + day * DAY),
        outcome=Outcome(form, "2026-11-01", verdict, complete, rules, "phaseout 0.2.0", found),  # type: ignore[arg-type]
        details=tuple(Detail(("12.1",), ("ada",), ("C:/kes",), "Replace it.", "", 1) for _ in found),
    )
