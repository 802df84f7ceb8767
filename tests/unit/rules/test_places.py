"""Where in a TOML file a value stands."""

import pytest
from phaseout.rules.places import line_of, lines_of

TEXT = """\
roles = ["us_contractor"]
rules = [
  "a",
]

[defaults]   # of the operator
fail_on = "never"

[[waiver]]
product = "a"

[[waiver]]
product = "b"
[[product.match]]
name = "x"
[[product]]
id = "p"
[[product.match]]
name = "y"
[product.match.also]
"z z" = 1
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("roles[0]", 1),
        ("rules[1]", 2),
        ("defaults.fail_on", 7),
        ("defaults", 6),
        ("waiver[0].product", 10),
        ("waiver[1].product", 13),
        ("waiver[1].expires", 12),
        ("product[0].match[0].name", 19),
        ("nothing", 0),
        ("", 0),
    ],
)
def test_the_line_of_a_value_or_of_its_table(place: str, line: int) -> None:
    text = TEXT.replace('[[product.match]]\nname = "x"\n', "# a comment\n# another\n")
    assert line_of(lines_of(text), place) == line
