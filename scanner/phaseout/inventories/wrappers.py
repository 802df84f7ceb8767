"""Documents within documents: what services and signatures put around a bill of materials.

References:
    https://docs.github.com/rest/dependency-graph/sboms (`{"sbom": {…}}`); https://github.com/in-toto/attestation
    (`predicate`); https://github.com/secure-systems-lab/dsse (`payload`)
"""

import base64
import binascii

import msgspec

from phaseout.inventories.document import JSON_ERRORS, Members

_WRAPPERS = ("sbom", "predicate", "bom")
_DEPTH = 4


def unwrapped(members: Members) -> Members:
    """The members of the document inside; the same where nothing is around it."""
    for _ in range(_DEPTH):
        inner = next((members[name] for name in _WRAPPERS if bytes(members.get(name, b""))[:1] == b"{"), None)
        try:
            if inner is None and "payload" in members and "payloadType" in members:
                inner = msgspec.Raw(base64.b64decode(msgspec.json.decode(members["payload"], type=str)))
            if inner is None:
                break
            members = msgspec.json.decode(inner, type=Members)
        except (*JSON_ERRORS, binascii.Error, ValueError):
            break
    return members
