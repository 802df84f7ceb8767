"""Which family of systems a host says it belongs to.

References:
    os-release(5) (ID, ID_LIKE)
"""

from phaseout.host import Host

READS = ("/etc/os-release", "/usr/lib/os-release")


def families(host: Host) -> frozenset[str]:
    """The identifiers of the distribution and of those that it derives from, such as `ubuntu` and `debian`."""
    text = next(filter(None, (host.files.text(path, 1 << 16) for path in READS)), "") or ""
    fields = dict(line.partition("=")[::2] for line in text.split("\n"))
    words = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}"
    return frozenset(words.lower().replace('"', " ").replace("'", " ").split())
