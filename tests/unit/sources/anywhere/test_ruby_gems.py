"""Ruby gems: places, forms of the name, damage, and gem's own answer."""

import re
import shutil
import subprocess

import pytest
from phaseout.host import Host
from phaseout.host.filesystem.posix import PosixFiles
from phaseout.model.nouns import HostInfo, Item
from phaseout.scan.worker import run_source
from phaseout.sources.anywhere import ruby_gems

from tests.support.harness import run
from tests.support.trees import Tree, WindowsTree
from tests.unit.parsers.languages.test_gemspec import RAKE


@pytest.mark.parametrize(
    ("folder", "user"),
    [
        ("/var/lib/gems/3.1.0/specifications", ""),
        ("/usr/share/rubygems-integration/all/specifications", ""),
        ("/usr/lib/ruby/gems/3.1.0/specifications/default", ""),
        ("/opt/tool/embedded/lib/ruby/gems/3.1.0/specifications", ""),
        ("/Library/Ruby/Gems/2.6.0/specifications", ""),
        ("/home/ada/.gem/ruby/3.1.0/specifications", "ada"),
        ("/home/ada/.local/share/gem/ruby/3.1.0/specifications", "ada"),
        ("/home/ada/.rbenv/versions/3.1.0/lib/ruby/gems/3.1.0/specifications", "ada"),
        ("/home/ada/.rvm/gems/ruby-3.1.0/specifications", "ada"),
    ],
)
def test_places(tree: Tree, folder: str, user: str) -> None:
    tree.write(f"{folder}/rake-13.0.6.gemspec", RAKE)
    (item,) = run("ruby_gems", tree.host()).items
    assert (item.kind, item.name, item.version, item.user) == ("library", "rake", "13.0.6", user)
    assert item.vendor.startswith("Hiroshi SHIBATA, ")
    assert item.ids == {"purl": "pkg:gem/rake@13.0.6"}
    assert item.details["platform"] == "ruby"


def test_place_of_windows(windows_tree: WindowsTree) -> None:
    windows_tree.write(r"C:\Ruby31-x64\lib\ruby\gems\3.1.0\specifications\rake-13.0.6.gemspec", RAKE)
    assert run("ruby_gems", windows_tree.host()).names() == ["rake"]


def test_damage_does_not_hide_a_gem(tree: Tree) -> None:
    folder = "/var/lib/gems/3.1.0/specifications"
    tree.write(f"{folder}/a-1.gemspec", b"\xff\0")
    tree.fifo(f"{folder}/b-2-x86_64-linux.gemspec")
    tree.link(f"{folder}/c-3.gemspec", "/nowhere")
    tree.write(f"{folder}/README")
    result = run("ruby_gems", tree.host())
    assert [(item.name, item.version) for item in result.items] == [("a", "1"), ("b", "2"), ("c", "3")]
    assert [problem.where for problem in result.problems] == [f"{folder}/b-2-x86_64-linux.gemspec"]


@pytest.mark.slow
def test_as_gem_lists() -> None:
    gem = shutil.which("gem")
    if gem is None:
        pytest.skip("no gem here")
    answer = subprocess.run([gem, "list", "--local"], capture_output=True, text=True, check=True).stdout
    told = set()
    for line in answer.splitlines():
        match = re.fullmatch(r"(\S+) \((.+)\)", line.strip())
        if match:
            told |= {(match[1], version.removeprefix("default: ").split()[0]) for version in match[2].split(", ")}
    items: list[Item] = []
    outcome = run_source(ruby_gems.SOURCE, Host(HostInfo(name="here", platform="linux"), PosixFiles("/")), items.append)
    assert outcome.status == "ok"
    if not items:
        pytest.skip("gem keeps nothing in a place of the system here")
    assert told
    assert told <= {(item.name, item.version) for item in items}
