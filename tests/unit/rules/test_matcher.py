"""Which items are which products, and how sure that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.cli.rule_files import rules_and_policy
from phaseout.model.nouns import Item
from phaseout.model.rules import Match, Product, Ruleset, Specimen, Vendor, VersionRange
from phaseout.rules.matcher import Matcher, NotIndexableError
from phaseout.rules.patterns import Texts


def product(identifier: str, *match: Match, role: str = "covered", unless: tuple[Match, ...] = ()) -> Product:
    return Product(
        id=identifier,
        name=identifier,
        category="antivirus",
        role=role,  # type: ignore[arg-type]
        platforms=("linux",),
        match=match,
        unless=unless,
        hit=(Specimen(name="x"),),
    )


def matcher(*products: Product, unless: tuple[Match, ...] = ()) -> Matcher:
    vendor = Vendor(
        id="kaspersky",
        name="Kaspersky",
        publishers=("AO Kaspersky Lab", "Kaspersky"),
        signers=("AO Kaspersky Lab",),
        team_ids=("2Y8XE5CQ94",),
        unless=unless,
        product=products,
    )
    return Matcher(Ruleset(vendors=(vendor,), measures=(), digest=""))


KESL = product(
    "kesl",
    Match(kind="package", name=("kesl", "kesl-gui"), vendor="@publishers"),
    Match(kind="package", name="kesl"),
    Match(kind=("process", "service"), path="/opt/kaspersky/kesl/*"),
)
ANY = product("any", Match(vendor="@publishers"), Match(ids={"team_id": "@team_ids"}), role="vendor")


def found(one: Matcher, item: Item) -> list[tuple[str, str]]:
    return [(hit.product.id, hit.confidence) for hit in one.match([item])]


def test_identity_before_vendor_before_name() -> None:
    rules = matcher(KESL, ANY)
    assert found(rules, Item(kind="package", name="kesl", vendor="Kaspersky Lab")) == [("kesl", "certain")]
    assert found(rules, Item(kind="package", name="kesl")) == [("kesl", "possible")]
    assert found(rules, Item(kind="process", name="kesl", path="/opt/kaspersky/kesl/libexec/kesl")) == [
        ("kesl", "likely")
    ]
    assert found(rules, Item(kind="package", name="fakesleep")) == []


def test_who_is_certainly_the_vendor_makes_its_product_certain() -> None:
    signed = product("signed", Match(signer="@signers"), role="vendor")
    embedded = product("embedded", Match(name="kesl"), role="embedded")
    item = Item(kind="process", name="kesl", path="/opt/kaspersky/kesl/libexec/kesl", signer="AO Kaspersky Lab")
    (hit, other) = matcher(KESL, ANY, signed, embedded).match([item])
    assert (hit.product.id, hit.confidence) == ("kesl", "certain")
    assert hit.because == ('process with path "/opt/kaspersky/kesl/libexec/kesl" and signer "AO Kaspersky Lab"')
    assert (other.product.id, other.confidence) == ("embedded", "possible")


def test_the_reason_says_what_fitted() -> None:
    (hit,) = matcher(KESL).match([Item(kind="package", name="kesl", vendor="AO Kaspersky Lab")])
    assert hit.because == 'package with name "kesl" and vendor "AO Kaspersky Lab"'


def test_catch_all_only_where_nothing_else_fits() -> None:
    rules = matcher(KESL, ANY)
    assert found(rules, Item(kind="program", name="Something New", vendor="Kaspersky Lab")) == [("any", "likely")]
    assert found(rules, Item(kind="app", name="New", ids={"team_id": "2Y8XE5CQ94"})) == [("any", "certain")]
    assert found(rules, Item(kind="app", name="New", ids={"team_id": "ABCDEFGHIJ"})) == []


def test_publishers_with_dots_are_found_through_the_index() -> None:
    vendor = Vendor(
        id="x", name="X", publishers=("Baidu.com, Inc.",), product=(product("x", Match(vendor="@publishers")),)
    )
    rules = Matcher(Ruleset(vendors=(vendor,), measures=(), digest=""))
    assert found(rules, Item(kind="program", name="Anything", vendor="BAIDU.COM")) == [("x", "likely")]


def test_unless_takes_back() -> None:
    shortcut = Match(path="*/applications (parallels)/*")
    rules = matcher(product("app", Match(name="kaspersky*"), unless=(shortcut,)))
    assert found(rules, Item(kind="app", name="Kaspersky Free")) == [("app", "possible")]
    coherence = Item(
        kind="app", name="Kaspersky Free", path="/Users/ada/Applications (Parallels)/{1}/Kaspersky Free.app"
    )
    assert found(rules, coherence) == []
    assert found(matcher(product("app", Match(name="kaspersky*")), unless=(shortcut,)), coherence) == []


def test_versions_of_services() -> None:
    rules = matcher(
        product("avp", Match(kind="service", name="avp2*", path="*/kaspersky lab/*")),
        product("old", Match(name="kaspersky*", version=VersionRange(max="10"))),
    )
    service = Item(kind="service", name="AVP21.3", path=r"C:\Program Files (x86)\Kaspersky Lab\Kaspersky 21.3\avp.exe")
    assert found(rules, service) == [("avp", "likely")]
    assert found(rules, Item(kind="program", name="Kaspersky", version="9.1")) == [("old", "possible")]
    assert found(rules, Item(kind="program", name="Kaspersky", version="11")) == []


def test_native_names() -> None:
    rules = matcher(product("zh", Match(name="卡巴斯基*")), product("ru", Match(name="Антивирус Касперского*")))
    assert found(rules, Item(kind="program", name="卡巴斯基反病毒软件")) == [("zh", "possible")]
    assert found(rules, Item(kind="program", name="антивирус  касперского 2017")) == [("ru", "possible")]


def test_long_names_are_judged_in_linear_time() -> None:
    rules = matcher(product("worst", Match(name="kaspersky" + "*a" * 30 + "*b")))
    assert found(rules, Item(kind="program", name="kaspersky " + "a" * 1_000_000)) == []


@pytest.mark.slow
def test_a_million_characters_against_every_shipped_pattern() -> None:
    """For each pattern the text that it all but fits, as often as that goes into a million characters."""
    rules = Matcher(rules_and_policy()[0])
    tried = 0
    for block in rules.blocks:
        for field, patterns in block.fields:
            for pattern in patterns.patterns if isinstance(patterns, Texts) else ():
                parts = [part for part in pattern.lower().split("*") if part] or ["x"]
                near = parts[0] + max(parts, key=len)[:-1] * (1_000_000 // max(len(part) for part in parts))
                patterns.fits(near[:1_000_000])
                assert field
                tried += 1
    assert tried > 1000
    for name in ("kaspersky " * 100_000, "k" * 1_000_000, "卡巴斯基" * 250_000, "/opt/kaspersky" * 70_000):
        rules.match([Item(kind="program", name=name, vendor=name, path=name, command=name)])


def test_what_cannot_be_indexed_is_refused() -> None:
    with pytest.raises(NotIndexableError):
        matcher(product("worst", Match(name="a*b*c")))


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_the_index_loses_nothing(name: str, vendor: str, path: str) -> None:
    """Whatever a block fits is found through the index as well."""
    rules = matcher(KESL, ANY)
    item = Item(kind="package", name=name, vendor=vendor, path=path)
    indexed = {block for block, misses in rules.nearest(item) if not misses}
    assert len(indexed) == sum(not block.misses(_spelled(item)) for block in rules.blocks)


def _spelled(item: Item):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from phaseout.rules.matcher import _Spelled

    return _Spelled(item)


_WORDS = st.sampled_from(("kesl", "Kaspersky", "bash", "lib kesl-tools", "касперский", "AO Kaspersky Lab", "", "x\ny"))
_ITEMS = st.lists(
    st.builds(
        lambda kind, name, vendor, path, purl: Item(
            kind=kind, name=name, vendor=vendor, path=path, ids={"purl": purl} if purl else {}
        ),
        st.sampled_from(("package", "file")),
        _WORDS,
        _WORDS,
        _WORDS,
        _WORDS,
    )
)


@given(_ITEMS, _ITEMS)
def test_what_was_matched_before_changes_nothing(earlier: list[Item], items: list[Item]) -> None:
    used = matcher(KESL)
    used.match(earlier)
    assert used.match(items) == matcher(KESL).match(items)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phaseout.rules.matcher._REMEMBERED", 10)
    used = matcher(KESL)
    items = [Item(kind="package", name=f"lib{number}") for number in range(50)]
    found = Item(kind="package", name="kesl", vendor="Kaspersky")
    many = [Item(kind="package", name="kesl", vendor="Kaspersky", version=str(number)) for number in range(50)]
    for _ in range(2):
        assert [hit.item for hit in used.match([*items, found, *many])] == list(range(50, 101))
    assert len(used._ordinary) == 10
    assert len(used._judged) == 10
