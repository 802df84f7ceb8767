"""Whether a well-known product protects this Linux: is it there, does systemd start it, and how old are its signatures.

Only files are read: whether a product runs, what its console has set, and whether it scans in real time is known only
where a file says so.

References:
    https://docs.clamav.net/manual/Usage/Scanning.html (clamonacc scans on access, clamd on demand), clamav
    docs/signatures (the head of a database, `ClamAV-VDB:`); https://learn.microsoft.com/defender-endpoint/linux-preferences
    (enforcementLevel); the units are those of the products' packages
"""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.epoch import rfc3339
from phaseout.parsers.encodings.lenient_json import decode, member
from phaseout.sources.source import Source, Trace

_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_STARTED = ("/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/graphical.target.wants")
_MASKED = "/dev/null"
_CLAMAV = "/var/lib/clamav"
_DATABASES = ("daily.cld", "daily.cvd", "main.cvd", "main.cld")
_HEAD = 512  # bytes of a database
_ON_ACCESS = ("clamav-clamonacc.service", "clamonacc.service")
_DEFENDER = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json"
_SIZE = 1 << 20


class _Product(NamedTuple):
    name: str
    vendor: str
    folder: str  # without which it is not there
    units: tuple[str, ...]


_PRODUCTS = (
    _Product("ClamAV", "Cisco", "/usr/sbin/clamd", ("clamav-daemon.service", "clamd.service", "clamd@scan.service")),
    _Product("Microsoft Defender for Endpoint", "Microsoft", "/opt/microsoft/mdatp", ("mdatp.service",)),
    _Product("CrowdStrike Falcon", "CrowdStrike", "/opt/CrowdStrike", ("falcon-sensor.service",)),
    _Product("SentinelOne", "SentinelOne", "/opt/sentinelone", ("sentinelone.service",)),
    _Product("Sophos Protection for Linux", "Sophos", "/opt/sophos-spl", ("sophos-spl.service",)),
    _Product("ESET Endpoint Antivirus", "ESET", "/opt/eset/eea", ("eea.service",)),
    _Product("ESET Server Security", "ESET", "/opt/eset/efs", ("efs.service",)),
    _Product("Trend Micro Deep Security", "Trend Micro", "/opt/ds_agent", ("ds_agent.service",)),
    _Product("Trellix Endpoint Security", "Trellix", "/opt/McAfee/ens", ("mfetpd.service",)),
    _Product("Bitdefender", "Bitdefender", "/opt/bitdefender-security-tools", ("bdsec.service",)),
    _Product("Cortex XDR", "Palo Alto Networks", "/opt/traps", ("traps_pmd.service",)),
    _Product("Elastic Defend", "Elastic", "/opt/Elastic/Endpoint", ("ElasticEndpoint.service",)),
)


def collect(host: Host) -> Iterator[Trace]:
    """An item for each of the products that is there."""
    started: dict[str, str] | None = None
    for product in _PRODUCTS:
        if not host.files.exists(product.folder):
            continue
        if started is None:
            started = {entry.name: folder for folder in _STARTED for entry in host.files.list(folder)}
        unit = next((unit for unit in product.units if unit in started), "")
        if not unit:
            unit = next((one for one in product.units if any(host.files.exists(f"{top}/{one}") for top in _UNITS)), "")
        is_masked = bool(unit) and host.files.link(f"{_UNITS[0]}/{unit}") == _MASKED
        details = {
            "type": "antivirus",
            "enabled": "yes" if unit in started and not is_masked else "no" if unit else "",
            "note": f"the unit {unit} is masked" if is_masked else "" if unit else "no unit of it is known here",
        }
        if product.name == "ClamAV":
            details.update(_clamav(host, started))
        elif product.folder == "/opt/microsoft/mdatp":
            details.update(_defender(host))
        evidence = [Evidence(product.folder)]
        evidence += [Evidence(f"{started[unit]}/{unit}")] if unit in started else []
        yield Item(
            kind="security_product",
            name=product.name,
            vendor=product.vendor,
            path=product.folder,
            details=details,
            evidence=tuple(evidence),
        )


def _clamav(host: Host, started: dict[str, str]) -> dict[str, str]:
    """Whether it scans on access, and of when its newest database is, as its head says."""
    found = {"mode": "" if any(unit in started for unit in _ON_ACCESS) else "on demand"}
    for name in _DATABASES:
        head = (host.files.head(f"{_CLAMAV}/{name}", _HEAD) or b"").decode("ascii", "replace").split(":")
        if head[0] == "ClamAV-VDB" and len(head) > 8:
            made = head[8].strip("\0 \n")  # seconds since 1970
            found["signatures"] = head[2]
            found["updated"] = rfc3339(made) if made.isdecimal() and len(made) < 12 else _day(head[1])
            break
    return found


def _day(text: str) -> str:
    """`22 Nov 2026 10-15 -0500` → `2026-11-22`; empty for anything else."""
    try:
        return dt.datetime.strptime(text[:11], "%d %b %Y").date().isoformat()  # noqa: DTZ007  (a day)
    except ValueError:
        return ""


def _defender(host: Host) -> dict[str, str]:
    """What its managed settings say of real-time protection."""
    data = host.files.read(_DEFENDER, _SIZE)
    if data is None:
        return {}
    try:
        level = member(decode(data), "antivirusEngine", "enforcementLevel")
    except ValueError:
        return {"note": f"{_DEFENDER} is damaged"}
    modes = {"passive": "passive", "on_demand": "on demand"}
    return {"mode": modes.get(level, "") if isinstance(level, str) else ""}


SOURCE = Source(
    name="antivirus",
    title="Well-known products that protect Linux",
    platforms=("linux",),
    kinds=("security_product",),
    needs=(),
    reads=(
        *(product.folder for product in _PRODUCTS),
        *(f"{top}/{unit}" for top in _UNITS for product in _PRODUCTS for unit in product.units),
        *_STARTED,
        *(f"{_CLAMAV}/{name}" for name in _DATABASES),
        _DEFENDER,
    ),
    limits="Whether a product runs, and what its console has set, is not in files; other products are not known here.",
    collect=collect,
)
