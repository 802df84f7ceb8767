"""The one table of matchable fields: what rules ask for, how it is compared, and what it proves.

Loading, matching, explaining, cleaning and exporting iterate over it. A new identifier is one line here and one in
`nouns.IdType`; a new text is one line here and one attribute of `Item`, `Match` and `Specimen`.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from phaseout.model.nouns import IdType, Item, Kind, Platform

IDS = "ids."


class Field(NamedTuple):
    """A field of an item that a rule may ask for.

    Attributes:
        name: the attribute of `Item`, or `ids.` and a key of `Item.ids`.
        shown: what it holds, as help texts say it.
        company: whether it names a company, so that legal forms (Inc, GmbH, AO) are no difference.
        head_list: the list at the head of a vendor file that `@` and its name stand for.
        identity: whether the vendor alone can have chosen it: what fits by it is certain.
        platform: the only platform that has it.
        indexed: whether a block can be found by it.
    """

    name: str
    shown: str
    company: bool = False
    head_list: str = ""
    identity: bool = False
    platform: Platform | Literal[""] = ""
    indexed: bool = True


FIELDS = (
    Field("name", "The name."),
    Field("vendor", "The publisher, as the machine shows it.", company=True, head_list="publishers"),
    Field("path", "The path of the file or folder."),
    Field("command", "The command line."),
    Field("signer", "Who signed it.", company=True, head_list="signers", identity=True, platform="windows"),
    Field("version", "The version.", indexed=False),
    Field("ids.product_code", "The MSI product code.", identity=True, platform="windows"),
    Field("ids.upgrade_code", "The MSI upgrade code.", identity=True, platform="windows"),
    Field("ids.package_family", "The family name of an MSIX package.", identity=True, platform="windows"),
    Field("ids.bundle_id", "The identifier of a bundle.", identity=True, platform="macos"),
    Field("ids.team_id", "Apple's Team ID.", head_list="team_ids", identity=True, platform="macos"),
    Field("ids.extension_id", "The identifier of a browser or editor extension.", identity=True),
    Field("ids.purl", "The package URL.", identity=True),
    Field("ids.clsid", "The class or Security Center identifier.", identity=True, platform="windows"),
    Field("ids.registry_key", "The registry key.", platform="windows"),
    Field("ids.receipt_id", "The identifier of an installer receipt.", identity=True, platform="macos"),
    Field("ids.certificate_sha256", "The SHA-256 of a certificate.", identity=True),
    Field("ids.key_sha256", "The SHA-256 of the public key of a certificate.", identity=True),
)
BY_NAME = {field.name: field for field in FIELDS}
TEXTS = tuple(field.name for field in FIELDS if not field.name.startswith(IDS))  # attributes that hold one text
HEAD_LISTS = {f"@{field.head_list}": field for field in FIELDS if field.head_list}  # pattern → the field it belongs in


def item_of(kind: Kind, texts: Mapping[str, str], ids: Mapping[IdType, str]) -> Item:
    """An item with the fields that rules may ask for.

    Args:
        kind: its kind.
        texts: name of one of `TEXTS` → value.
        ids: its identifiers.
    """
    return Item(kind=kind, ids=dict(ids), **cast("Any", dict(texts)))
