"""What a Ruby gem says of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phaseout.parsers.languages.gemspec import Gem, gem

RAKE = b"""\
# -*- encoding: utf-8 -*-
# stub: rake 13.0.6 ruby lib

Gem::Specification.new do |s|
  s.name = "rake".freeze
  s.version = "13.0.6"
  s.authors = ["Hiroshi SHIBATA".freeze, "Eric \\"Hodel\\"".freeze, 'Jim Weirich']
  s.homepage = "https://github.com/ruby/rake".freeze
end
"""


def test_a_specification() -> None:
    authors = 'Hiroshi SHIBATA, Eric "Hodel", Jim Weirich'
    assert gem(RAKE, "rake-13.0.6.gemspec") == Gem("rake", "13.0.6", "ruby", authors, "https://github.com/ruby/rake")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("net-telnet-0.2.0.gemspec", ("net-telnet", "0.2.0", "")),
        ("nokogiri-1.15.4-x86_64-linux.gemspec", ("nokogiri", "1.15.4", "x86_64-linux")),
        ("rbs-2.0.0.pre1.gemspec", ("rbs", "2.0.0.pre1", "")),
        ("odd.gemspec", ("odd", "", "")),
    ],
)
def test_the_name_of_the_file_tells_where_the_text_does_not(file: str, told: tuple[str, str, str]) -> None:
    assert gem(b"", file)[:3] == told


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ('  s.author = "Ada"', "Ada"),
        ("  spec.authors=['Ada', %q<Bob>]", "Ada, Bob"),
        ('  s.authors = ["\\u{430}\\u0431"]', "аб"),
        ('  s.authors = ["\\u{d800}"]', "\\u{d800}"),
        ("  s.authors = File.read('AUTHORS')", "AUTHORS"),
        ("  s.authors = []", ""),
        ('  # s.authors = ["nobody"]', ""),
    ],
)
def test_authors(line: str, authors: str) -> None:
    assert gem(line.encode(), "x-1.gemspec").authors == authors


@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes(data: bytes, file: str) -> None:
    assert all(isinstance(field, str) for field in gem(data, file))


@given(st.lists(st.from_regex(r"[A-Za-z. ]{0,10}[a-z]", fullmatch=True), min_size=1, max_size=4))
def test_authors_come_back(names: list[str]) -> None:
    listed = ", ".join('"' + name + '".freeze' for name in names)
    line = f"  s.authors = [{listed}]"
    assert gem(line.encode(), "x-1.gemspec").authors == ", ".join(names)
