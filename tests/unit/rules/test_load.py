"""Every error of every rule file at once, each with its file and place."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phaseout.model.rules import Policy, Waiver
from phaseout.rules.load import RuleError, check_names, load, load_policy, pack, unpack

VENDOR = """
id = "kaspersky"
name = "Kaspersky"
publishers = ["AO Kaspersky Lab"]
[[product]]
id = "kesl"
name = "Endpoint Security for Linux"
category = "endpoint_security"
platforms = ["linux"]
match = [{kind = "package", name = "kesl", vendor = "@publishers"}]
hit = [{name = "kesl", vendor = "AO Kaspersky Lab"}]
"""
MEASURE = """
id = "some-act"
title = "Some act"
issuer = "Parliament"
instrument = "statute"
citation = ["1 Stat. 1"]
jurisdiction = "US"
force = "binding"
vendors = ["kaspersky"]
components = "embedded"
bound = [{role = "us_federal_agency", duty = "remove"}]
user = "Not bound."
action = "Remove it."
status = {state = "in_force", as_of = 2026-01-01, review_by = 2026-06-01}
reference = [{id = "r1", tier = "primary", citation = "1 Stat. 1"}]
[[milestone]]
id = "m1"
kind = "use_ban"
text = "No use."
at = 2024-09-29T00:00:00-04:00
actor = "us_federal_agency"
verified = "primary"
references = ["r1"]
"""


ROLES = """
[[role]]
id = "us_federal_agency"
title = "an agency"
home = "US"
"""
FILES = {
    "vendors/kaspersky.toml": VENDOR.encode(),
    "measures/some-act.toml": MEASURE.encode(),
    "roles.toml": ROLES.encode(),
}


def errors(vendor: str = VENDOR, measure: str = MEASURE) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load(
            {
                "x/vendors/kaspersky.toml": vendor.encode(),
                "x/measures/some-act.toml": measure.encode(),
                "x/roles.toml": ROLES.encode(),
            }
        )
    return caught.value.errors


def test_good_files() -> None:
    rules = load(FILES)
    assert [vendor.id for vendor in rules.vendors] == ["kaspersky"]
    assert rules.measures[0].milestone[0].at is not None
    assert len(rules.digest) == 64


def test_all_errors_at_once_with_suggestions() -> None:
    vendor = VENDOR.replace('name = "kesl", vendor', 'nmae = "kesl", vendor', 1).replace('"linux"', '"linus"')
    measure = MEASURE.replace('force = "binding"', 'force = "bindin"').replace('issuer = "Parliament"', "issuer = 3")
    assert errors(vendor, measure) == [
        "x/measures/some-act.toml: line 4: issuer: must be a string, not 3",
        (
            'x/measures/some-act.toml: line 8: force: must be one of "advisory", "binding", "contractual", "funding", '
            'not "bindin", did you mean "binding"?'
        ),
        (
            'x/vendors/kaspersky.toml: line 9: product[0].platforms[0]: must be one of "android", "ios", "linux", '
            '"macos", "windows", not "linus", did you mean "linux"?'
        ),
        'x/vendors/kaspersky.toml: line 10: product[0].match[0].nmae: unknown field, did you mean "name"?',
    ]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('name = "kesl", vendor', 'name = "*", vendor', 'product[0].match[0].name: "*" fits everything'),
        ('kind = "package", name = "kesl", vendor = "@publishers"', 'kind = "package"', "an empty block would match"),
        ('name = "kesl", vendor = "@publishers"', 'name = "agent.exe"', "too generic without path, signer or vendor"),
        ('name = "kesl", vendor = "@publishers"', 'name = "kesl", grade = "C"', "grade C needs a second field"),
        ('name = "kesl", vendor = "@publishers"', 'name = "*kesl*"', "no field whose every pattern has a word"),
        ('vendor = "@publishers"', 'vendor = "@signers"', "@signers belongs in signer"),
        ('vendor = "@publishers"', 'signer = "@signers"', "@signers is empty"),
        ('id = "kaspersky"', 'id = "other"', 'must be the name of the file, "kaspersky"'),
        ('id = "kesl"', 'id = "KESL"', "must be lower case words"),
        ('hit = [{name = "kesl", vendor = "AO Kaspersky Lab"}]', "hit = []", "needs at least one specimen"),
        ('hit = [{name = "kesl", vendor = "AO Kaspersky Lab"}]', "", "product[0].hit: missing"),
        ('name = "Kaspersky"', 'name = "Kaspersky', "line 3"),
        ('name = "Kaspersky"', "product = 1", "Cannot"),
    ],
)
def test_rules_that_would_do_harm(old: str, new: str, error: str) -> None:
    assert old in VENDOR
    (found,) = [line for line in errors(vendor=VENDOR.replace(old, new, 1)) if error in line] or ["nothing"]
    assert found.startswith("x/vendors/kaspersky.toml: ")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("00:00-04:00", "00:00", "milestone[0].at: an instant needs its offset"),
        ('references = ["r1"]', "references = []", "a date without provenance"),
        ('references = ["r1"]', 'references = ["r9"]', '"r9" is no [[reference]] of this file'),
        ("at = 2024-09-29T00:00:00-04:00", "", "milestone[0]: needs at or when"),
        ("review_by = 2026-06-01", "review_by = 2025-06-01", "must lie after as_of"),
        ('vendors = ["kaspersky"]', 'vendors = ["kasperski"]', 'there is no vendor file "kasperski"'),
        ('components = "embedded"', 'components = "embedded"\nproducts = ["nope"]', 'there is no product "nope"'),
        ('role = "us_federal_agency"', 'role = "us_federal_agenzy"', 'did you mean "us_federal_agency"?'),
        ('actor = "us_federal_agency"', 'actor = "nobody"', 'milestone[0].actor: roles.toml has no role "nobody"'),
    ],
)
def test_measures_that_nobody_could_check(old: str, new: str, error: str) -> None:
    assert old in MEASURE
    assert [line for line in errors(measure=MEASURE.replace(old, new, 1)) if error in line]


def test_files_that_are_no_rules() -> None:
    with pytest.raises(RuleError) as caught:
        load(
            {
                "vendors/a.toml": b"\xff",
                "vendors/b.toml": b"x = " + b"[" * 5000,
                "c.toml": b"",
                "measures/d.toml": b"x" * (2 << 20),
            }
        )
    assert caught.value.errors == [
        "c.toml: must be roles.toml, or lie in a folder named vendors or measures",
        "measures/d.toml: larger than 1 MiB",
        "vendors/a.toml: line 1: not UTF-8",
        "vendors/b.toml: nested too deeply",
    ]
    with pytest.raises(RuleError, match="nothing would ever be found"):
        load({})


@pytest.mark.parametrize("place", ["{}", "[{}]", '"x"\nreplacements = {{a = {}}}', '"x"\nwaiver = [{{expires = {}}}]'])
@pytest.mark.parametrize(
    ("number", "error"),
    [("9" * 5000, "a number has more digits than can be read"), ("0x" + "f" * 5000, "not a number of thousands")],
)
def test_numbers_of_thousands_of_digits(place: str, number: str, error: str) -> None:
    content = f"roles = {place.format(number)}\n".encode()
    with pytest.raises(RuleError) as caught:
        load_policy("phaseout.toml", content)
    assert all(line.startswith("phaseout.toml: ") for line in caught.value.errors)
    assert error in str(caught.value)
    with pytest.raises(RuleError, match=r"^vendors/x\.toml: "):
        load({"vendors/x.toml": content})


@pytest.mark.parametrize("names", ["a.", "a . ", '"\\"".', "'\"'.", "-\t."])
@pytest.mark.parametrize(("before", "after"), [("", "a = 1"), ("[", "a]"), ("x = {", "a = 1}")])
def test_dotted_keys_are_refused_before_they_cost_minutes(names: str, before: str, after: str) -> None:
    content = f"roles = []\n{before}{names * (1_000_000 // len(names))}{after}\n".encode()
    with pytest.raises(RuleError) as caught:
        load_policy("phaseout.toml", content)
    assert caught.value.errors == ["phaseout.toml: line 2: more than 32 names joined by dots"]


def test_dots_in_honest_text_are_none_of_keys() -> None:
    sentence = "One. Two... Three. 1.3.6.1.4.1.311.2.1.12 and www.example.com. " * 100
    policy = load_policy("phaseout.toml", f"[replacements]\nkesl = '{sentence}'\n".encode())
    assert policy.replacements == {"kesl": sentence}


def test_policy_errors() -> None:
    with pytest.raises(RuleError) as caught:
        load_policy("phaseout.toml", b'role = ["us_contractor"]\nwaiver = [{product = "kesl"}]')
    assert caught.value.errors == [
        'phaseout.toml: line 1: role: unknown field, did you mean "roles"?',
        "phaseout.toml: line 2: waiver[0].approver: missing",
        "phaseout.toml: line 2: waiver[0].reason: missing",
        "phaseout.toml: line 2: waiver[0].expires: missing",
    ]


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        load({"vendors/x.toml": text.encode("utf-8", "surrogatepass")})
    except RuleError as error:
        assert all(line.startswith("vendors/x.toml: ") for line in error.errors)  # noqa: PT017


def test_packed_rules_are_those_of_their_files_or_none() -> None:
    files = FILES
    rules = load(files)
    packed = pack(rules)
    assert unpack(packed, files) == rules
    assert repr(unpack(packed, files)) == repr(rules), "instants keep their offsets"
    assert unpack(packed, files | {"vendors/kaspersky.toml": VENDOR.encode() + b"\n"}) is None
    assert unpack(packed, {}) is None
    assert unpack(packed[:-1], files) is None
    assert unpack(b"", files) is None


@given(st.binary(max_size=60))
def test_damaged_packs_are_none(packed: bytes) -> None:
    assert unpack(packed, {}) is None


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('home = "US"', 'home = "USA"', 'home must be a country or a state of it, such as US or US-TX, not "USA"'),
        ('home = "US"', 'home = "US"\nimplies = ["us_person"]', 'implies an unknown role "us_person"'),
        ("[[role]]", '[[role]]\nid = "us_federal_agency"\ntitle = "x"\nhome = "US"\n[[role]]', "is there already"),
        ('id = "us_federal_agency"', 'id = "vendor"', "is there already"),
    ],
)
def test_roles_that_cannot_be(old: str, new: str, error: str) -> None:
    with pytest.raises(RuleError) as caught:
        load({**FILES, "roles.toml": ROLES.replace(old, new, 1).encode()})
    assert any(error in line for line in caught.value.errors)


def test_a_policy_names_what_exists() -> None:
    policy = Policy(
        roles=("us_federal_agenci",),
        waiver=(Waiver(product="kessl", approver="x", reason="y", expires=dt.date(2027, 1, 1)),),
        replacements={"nope": "x"},
    )
    with pytest.raises(RuleError) as caught:
        check_names("p.toml", policy, load(FILES))
    assert caught.value.errors == [
        'p.toml: roles[0]: unknown role "us_federal_agenci", did you mean "us_federal_agency"?',
        'p.toml: waiver[0].product: no product "kessl", did you mean "kesl"?',
        'p.toml: replacements: no product or vendor "nope"',
    ]


def test_errors_are_in_words_of_toml() -> None:
    with pytest.raises(RuleError) as caught:
        load_policy("p.toml", b"roles = [2026-12-31, true, 1.5, 07:30:00]")
    assert caught.value.errors == [
        "p.toml: line 1: roles[0]: must be a string, not 2026-12-31",
        "p.toml: line 1: roles[1]: must be a string, not true",
        "p.toml: line 1: roles[2]: must be a string, not 1.5",
        "p.toml: line 1: roles[3]: must be a string, not 07:30:00",
    ]


def refused(files: dict[str, bytes]) -> list[str]:
    with pytest.raises(RuleError) as error:
        load(files)
    return error.value.errors


def test_rules_are_bounded_together() -> None:
    comment = b"#" * 900_000
    files = {**FILES, **{f"vendors/v{number}.toml": comment for number in range(5)}}
    assert refused(files) == ["vendors/v4.toml: with this file, all rules together are larger than 4 MiB"]


def test_patterns_are_bounded() -> None:
    long, many = '"kesl' + "x" * 300 + '"', ", ".join(f'"kesl{number}"' for number in range(501))
    for wrong, words in ((long, "is longer than 256 characters"), (many, "501 patterns, more than 500")):
        match = VENDOR.replace('name = "kesl", vendor = "@publishers"', f"name = [{wrong}]")
        assert any(words in error for error in refused({**FILES, "vendors/kaspersky.toml": match.encode()}))
        head = VENDOR.replace('"AO Kaspersky Lab"', wrong, 1)
        assert "publishers: more than" in refused({**FILES, "vendors/kaspersky.toml": head.encode()})[0]


def test_measures_are_bounded() -> None:
    acts = {f"measures/a{number}.toml": MEASURE.replace('"some-act"', f'"a{number}"').encode() for number in range(251)}
    (error,) = refused({"vendors/kaspersky.toml": VENDOR.encode(), "roles.toml": ROLES.encode(), **acts})
    assert error.endswith("with this file, there are more than 250 measures")


def test_errors_are_bounded() -> None:
    wrong = VENDOR + "\n".join(f"unknown{number} = 1" for number in range(5_000)).join(("\n", "\n"))
    errors = refused({**FILES, "vendors/kaspersky.toml": wrong.encode()})
    assert len(errors) == 101
    assert errors[-1] == "vendors/kaspersky.toml: has more errors than 100; the others are not named"
    roles = ", ".join(f'"role_{number}"' for number in range(5_000))
    with pytest.raises(RuleError) as error:
        check_names("phaseout.toml", load_policy("phaseout.toml", f"roles = [{roles}]".encode()), load(FILES))
    assert len(error.value.errors) == 101


def test_a_policy_has_a_bounded_number_of_waivers() -> None:
    one = Waiver(product="kesl", approver="Ada", reason="laboratory", expires=dt.date(2030, 1, 1))
    with pytest.raises(RuleError, match="waiver: there are 1001, more than 1000"):
        check_names("phaseout.toml", Policy(waiver=(one,) * 1_001), load(FILES))
