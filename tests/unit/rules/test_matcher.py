"""Which items are which products, and how sure that is."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from phaseout.cli.rule_files import rules_and_policy
from phaseout.model.budget import Budget
from phaseout.model.nouns import Item
from phaseout.model.rules import Match, Product, Ruleset, Specimen, Vendor, VersionRange, WordIndex
from phaseout.rules.matcher import Matcher, NotIndexableError, index_of, listed_hits
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
    hits = one.match([item])
    assert list(hits) == one.all_hits([item])
    return [(hit.product.id, hit.confidence) for hit in hits]


def test_identity_before_vendor_before_name() -> None:
    rules = matcher(KESL, ANY)
    assert found(rules, Item(kind="package", name="kesl", vendor="Kaspersky Lab")) == [("kesl", "certain")]
    assert found(rules, Item(kind="package", name="kesl")) == [("kesl", "possible")]
    assert found(rules, Item(kind="process", name="kesl", path="/opt/kaspersky/kesl/libexec/kesl")) == [
        ("kesl", "likely")
    ]
    assert found(rules, Item(kind="package", name="fakesleep")) == []


def test_an_identifier_is_enough() -> None:
    """Nothing else in the item has a word of the rules.."""
    app = Item(kind="app", name="x", ids={"team_id": "2Y8XE5CQ94"})
    assert [hit.product.id for hit in matcher(ANY).all_hits([app])] == ["any"]
    assert found(matcher(ANY), app) == [("any", "certain")]


def test_the_exception_that_took_back_is_named() -> None:
    one = product("one", Match(name="kesl*"), unless=(Match(name="kesl-doc"),))
    rules = matcher(one)
    taken = rules.excluded(Item(kind="package", name="kesl-doc"), one)
    assert taken is not None
    assert taken.match.name == "kesl-doc"
    assert rules.excluded(Item(kind="package", name="kesl"), one) is None


def test_what_is_registered_as_protection_is_more_than_a_name() -> None:
    rules = matcher(product("kis", Match(kind=("program", "security_product"), name="Kaspersky Internet Security*")))
    assert found(rules, Item(kind="program", name="Kaspersky Internet Security")) == [("kis", "possible")]
    assert found(rules, Item(kind="security_product", name="Kaspersky Internet Security")) == [("kis", "likely")]


def test_who_is_certainly_the_vendor_makes_its_product_certain() -> None:
    signed = product("signed", Match(signer="@signers"), role="vendor")
    embedded = product("embedded", Match(name="kesl"), role="embedded")
    item = Item(kind="process", name="kesl", path="/opt/kaspersky/kesl/libexec/kesl", signer="AO Kaspersky Lab")
    (hit, other) = matcher(KESL, ANY, signed, embedded).match([item])
    assert (hit.product.id, hit.confidence) == ("kesl", "certain")
    assert hit.because == ('process with path "/opt/kaspersky/kesl/libexec/kesl" and signer "AO Kaspersky Lab"')
    assert (other.product.id, other.confidence) == ("embedded", "possible")


def test_a_publisher_of_another_legal_form_may_be_another_firm() -> None:
    rules = matcher(
        product("any", Match(vendor="@publishers"), role="vendor"),
        product("one", Match(name="One", vendor="@publishers")),
    )
    assert found(rules, Item(kind="program", name="x", vendor="Kaspersky")) == [("any", "likely")]
    assert found(rules, Item(kind="program", name="x", vendor="Kaspersky Lab ZAO")) == [("any", "likely")]  # like AO
    assert found(rules, Item(kind="program", name="x", vendor="Kaspersky GmbH")) == [("any", "possible")]
    assert found(rules, Item(kind="program", name="One", vendor="Kaspersky GmbH")) == [("one", "likely")]


def test_files_are_named_with_and_without_their_ending() -> None:
    rules = matcher(
        product("service", Match(kind=("process", "service"), name="klnagent.exe")),
        product("driver", Match(kind="driver", name="klif")),
    )
    assert found(rules, Item(kind="process", name="KLNAGENT")) == [("service", "possible")]
    assert found(rules, Item(kind="driver", name="klif.sys")) == [("driver", "possible")]
    assert found(rules, Item(kind="service", name="klnagent")) == []  # a service has no ending
    assert found(rules, Item(kind="process", name="klnagent", path="/opt/x/klnagent")) == []  # no .exe on this system


def test_a_folder_is_recognised_like_what_lies_in_it() -> None:
    rules = matcher(product("one", Match(path="*/Program Files*/Kaspersky Lab/*")))
    for path in (
        r"C:\Program Files\Kaspersky Lab\avp.exe",
        r"C:\Program Files\Kaspersky Lab",
        r"C:\PROGRA~2\Kaspersky Lab",
    ):
        assert found(rules, Item(kind="file", name="x", path=path)) == [("one", "likely")]
    assert found(rules, Item(kind="file", name="x", path=r"C:\Program Files\Kaspersky Lab2")) == []


def test_the_reason_says_what_fitted() -> None:
    (hit,) = matcher(KESL).match([Item(kind="package", name="kesl", vendor="AO Kaspersky Lab")])
    assert hit.because == 'package with name "kesl" and vendor "AO Kaspersky Lab"'


def test_a_setting_that_names_a_driver_is_matched_as_one() -> None:
    one = matcher(product("a", Match(kind="driver", name="klif")), product("b", Match(kind="program", name="klif")))
    assert found(one, Item(kind="setting", name="klif")) == [("a", "possible")]
    assert found(one, Item(kind="file", name="klif")) == []


def test_a_program_that_is_called_like_its_file_is_matched_as_a_process() -> None:
    one = matcher(product("a", Match(kind=("service", "process"), name=("kesl", "avp.exe"))))
    assert found(one, Item(kind="program", name="kesl", path="/usr/local/bin/kesl")) == [("a", "possible")]
    assert found(one, Item(kind="program", name="avp.exe", path="C:\\tools\\avp.exe")) == [("a", "possible")]
    assert found(one, Item(kind="task", name="kesl", path="/data/kesl")) == [("a", "possible")]
    assert found(one, Item(kind="program", name="kesl")) == []
    assert found(one, Item(kind="program", name="kesl", path="/opt/other/tool")) == []


def test_a_file_is_matched_as_what_it_is_when_it_runs() -> None:
    one = matcher(
        product("a", Match(kind="process", name="avp.exe")), product("b", Match(kind="driver", name="klif.sys"))
    )
    assert found(one, Item(kind="file", name="AVP.exe")) == [("a", "possible")]
    assert found(one, Item(kind="file", name="klif.sys", path="D:\\backup\\klif.sys")) == [("b", "possible")]
    assert found(one, Item(kind="file", name="avp")) == []
    library = matcher(product("c", Match(kind="library", name="avzkrnl.dll")))
    assert found(library, Item(kind="file", name="avzkrnl.dll")) == [("c", "possible")]
    assert found(one, Item(kind="library", name="avp.exe")) == []


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
    shortcut = Match(ids={"bundle_id": "com.parallels.winapp.*"})
    rules = matcher(product("app", Match(name="kaspersky*"), unless=(shortcut,)))
    assert found(rules, Item(kind="app", name="Kaspersky Free")) == [("app", "possible")]
    coherence = Item(kind="app", name="Kaspersky Free", ids={"bundle_id": "com.parallels.winapp.1"})
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


_SPELLED = st.sampled_from(
    (
        *(
            "kesl",
            "KESL-GUI",
            "Kaspersky Lab",
            "АО «Лаборатория Касперского»",
            "/opt/kaspersky/kesl/libexec/kesl",
            "main",
        ),
        *(r"C:\PROGRA~2\Kaspersky Lab\avp.exe", r"C:\Program Files\Kaspersky Lab", "mail.exe", "mailer", "maildrop 2"),
    )
)


@given(*[st.text(max_size=30) | _SPELLED] * 3)
def test_the_index_loses_nothing(name: str, vendor: str, path: str) -> None:
    """Whatever a block fits is found through the index as well."""
    cut = product("cut", Match(kind="package", name="mail*"), Match(path=r"*\Program*\Kaspersky*"))
    rules = matcher(KESL, ANY, cut)
    item = Item(kind="package", name=name, vendor=vendor, path=path)
    fits = {block.product.id for block in rules.blocks if block.product and not block.misses(_spelled(item))}
    nearest = {block.product.id for block, misses in rules.nearest(item) if block.product and not misses}
    assert nearest == fits
    found = {hit.product.id for hit in rules.all_hits([item])}
    assert found | {"any"} == fits | {"any"}, "a product stands for its vendor"


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
    used.learn(items)
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


def flood(name: str, count: int, note: str = "") -> list[Item]:
    return [Item(kind="package", name=name, version=str(number), notes=(note,)) for number in range(count)]


TWO = (
    product("kesl", Match(kind="package", name="kesl")),
    product("agent", Match(kind="package", name="klnagent")),
)


def test_a_flood_of_one_product_leaves_room_for_every_other() -> None:
    hits = matcher(*TWO).match([*flood("kesl", 3_000), *flood("klnagent", 2)])
    found = [hit.product.id for hit in hits]
    assert (found.count("kesl"), found.count("agent")) == (1_000, 2)
    (unseen,) = hits.unseen
    assert (unseen.why, unseen.cause) == ("2,000 more items of kesl: a report lists no more", "limit")


def test_a_few_items_that_say_too_much_leave_room_for_every_other_product() -> None:
    budget = Budget(text=100_000)
    hits = matcher(*TWO).match([*flood("kesl", 100, "x" * 8_000), *flood("klnagent", 2, "x" * 8_000)], budget)
    found = [hit.product.id for hit in hits]
    assert 10 < found.count("kesl") < 15
    assert found.count("agent") == 1  # the first is shown in any case
    assert hits.unseen[0].why.endswith("more items of kesl and of 1 more products: a report lists no more")


def test_matching_ends_with_its_time_and_says_so() -> None:
    hits = matcher(*TWO).match(flood("kesl", 100), Budget(seconds=0))
    assert len(hits) == 1
    (unseen,) = hits.unseen
    why = "stopped after 1 of 100 items: the limit is 0 s of CPU time"
    assert (unseen.why, unseen.cause, unseen.kinds) == (why, "limit", ())
    others = matcher(*TWO).match(flood("bash", 600), Budget(seconds=0))
    assert others.unseen[0].why == "stopped after 256 of 600 items: the limit is 0 s of CPU time"
    assert matcher(*TWO).match(flood("bash", 100), Budget(seconds=0)).unseen == [], "all were compared"
    (unseen,) = matcher(*TWO).match([*flood("bash", 300), *flood("kesl", 1)], Budget(seconds=0)).unseen
    assert unseen.why == "stopped after 256 of 301 items: the limit is 0 s of CPU time"
    (unseen,) = matcher(*TWO).match(flood("kesl", 1), Budget(seconds=0)).unseen
    assert unseen.why == "the last item was not compared with all rules: the limit is 0 s of CPU time"


def test_usual_hosts_meet_no_limit() -> None:
    assert matcher(*TWO).match([*flood("kesl", 300), *flood("bash", 3_000)]).unseen == []


BY_PATH = Match(path="*/Server/*")
HOME_OR_SERVER = (
    product("home", Match(kind="process", name="avp.exe", path="*/Kaspersky Lab/*"), unless=(BY_PATH,)),
    product("server", Match(kind="process", name="avp.exe", path="*/Kaspersky Lab/Server/*")),
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("C:/Kaspersky Lab/AVP/avp.exe", ["home"]),
        ("C:/Kaspersky Lab/Server/avp.exe", ["server"]),
        ("C:/Users/bob/Server/Kaspersky Lab/avp.exe", ["home"]),  # a folder of the user's choice
    ],
)
def test_an_exception_by_path_decides_between_products_and_hides_nothing(path: str, found: list[str]) -> None:
    hits = matcher(*HOME_OR_SERVER).match([Item(kind="process", name="avp.exe", path=path)])
    assert [hit.product.id for hit in hits] == found


def test_what_replaced_a_product_is_no_other_restricted_one() -> None:
    successor = product("successor", Match(kind="process", name="avp.exe", path="*/Server/*"), role="successor")
    hits = matcher(HOME_OR_SERVER[0], successor).match(
        [Item(kind="process", name="avp.exe", path="/Server/Kaspersky Lab/avp.exe")]
    )
    assert {hit.product.id for hit in hits} == {"home", "successor"}


@pytest.mark.parametrize("exception", [Match(vendor="Nobody"), Match(ids={"extension_id": "abc"})])
def test_an_exception_by_publisher_or_identifier_stands(exception: Match) -> None:
    rules = matcher(product("vpn", Match(name="kaspersky vpn"), unless=(exception,)))
    assert rules.match([Item(kind="app", name="Kaspersky VPN", vendor="Nobody", ids={"extension_id": "abc"})]) == []
    assert len(rules.match([Item(kind="app", name="Kaspersky VPN")])) == 1


def test_items_of_many_hosts_have_no_limit_and_what_one_host_lists_has_one() -> None:
    items = flood("kesl", 3_000)
    hits = matcher(*TWO).all_hits(items)
    assert len(hits) == 3_000
    shown = listed_hits(hits, items)
    assert (list(shown), shown.unseen[0].why) == (hits[:1_000], "2,000 more items of kesl: a report lists no more")


@pytest.mark.slow
def test_a_stored_index_finds_what_a_new_one_does() -> None:
    rules = rules_and_policy()[0]
    stored = msgspec.json.decode(msgspec.json.encode(index_of(rules)), type=WordIndex)
    new, old = Matcher(rules), Matcher(replace(rules, index=stored))
    specimens = [one for vendor in rules.vendors for product in vendor.product for one in product.hit]
    fields = [field for field in Specimen.__struct_fields__ if field != "why"]
    items = [Item(**{field: getattr(one, field) for field in fields}) for one in specimens]
    assert len(items) > 1000
    assert old.all_hits(items) == new.all_hits(items)
