r"""Ruby gems of the system, of its users, and of the tools that keep several versions of Ruby.

References:
    https://guides.rubygems.org/faqs/ ("gem environment"); https://wiki.debian.org/Teams/Ruby/Packaging
    (/usr/share/rubygems-integration); https://rvm.io/rvm/install; https://github.com/rbenv/rbenv
"""

from collections.abc import Iterator

from phaseout.host import Host
from phaseout.model.nouns import Evidence, Item
from phaseout.parsers.encodings.purl import purl
from phaseout.parsers.languages.gemspec import gem
from phaseout.sources.kit.places import places
from phaseout.sources.source import Source, Trace

# Every folder of gems below has its `specifications`.
_GEMS = (
    *("/var/lib/gems/*", "/usr/share/rubygems-integration/*", "/usr/lib/ruby/gems/*", "/usr/lib64/ruby/gems/*"),
    *("/usr/share/gems", "/usr/lib/*-linux-gnu/rubygems-integration/*", "/usr/local/lib/ruby/gems/*"),
    *(
        "/usr/local/bundle",
        "/usr/local/rvm/gems/*",
        "/usr/local/rbenv/versions/*/lib/ruby/gems/*",
        "/opt/*/embedded/lib/ruby/gems/*",
        "/opt/homebrew/lib/ruby/gems/*",
    ),
    *("/Library/Ruby/Gems/*", "/System/Library/Frameworks/Ruby.framework/Versions/*/usr/lib/ruby/gems/*"),
    *("~/.gem/ruby/*", "~/.local/share/gem/ruby/*", "~/.rbenv/versions/*/lib/ruby/gems/*", "~/.rvm/gems/*"),
    *("~/.asdf/installs/ruby/*/lib/ruby/gems/*", "~/.local/share/mise/installs/ruby/*/lib/ruby/gems/*"),
    *("~/.rubies/*/lib/ruby/gems/*", "/opt/rubies/*/lib/ruby/gems/*"),
    *(r"C:\Ruby*\lib\ruby\gems\*", r"~\.gem\ruby\*", r"~\.local\share\gem\ruby\*"),
    r"C:\tools\ruby*\lib\ruby\gems\*",
)
_SPECIFICATIONS = tuple(
    f"{gems}{separator}specifications{below}"
    for gems in _GEMS
    for separator in ("\\" if "\\" in gems else "/",)
    for below in ("", f"{separator}default")
)
_HEAD = 8 << 10


def collect(host: Host) -> Iterator[Trace]:
    """An item for every specification, those that come with Ruby itself included."""
    separator = "\\" if host.info.platform == "windows" else "/"
    for place in places(host, _SPECIFICATIONS):
        for entry in host.files.list(place.path):
            if entry.kind == "dir" or not entry.name.endswith(".gemspec"):
                continue
            path = f"{place.path}{separator}{entry.name}"
            found = gem(host.files.head(path, _HEAD) or b"", entry.name)
            yield Item(
                kind="library",
                name=found.name,
                vendor=found.authors,
                version=found.version,
                path=path,
                user=place.user,
                ids={"purl": purl("gem", found.name, found.version)},
                details={"homepage": found.homepage, "language": "Ruby", "platform": found.platform},
                evidence=(Evidence(path, f"{found.name} {found.version}".rstrip()),),
            )


SOURCE = Source(
    name="ruby_gems",
    title="Ruby gems",
    platforms=("linux", "macos", "windows"),
    kinds=("library",),
    needs=(),
    reads=tuple(
        f"{place}{separator}*.gemspec" for place in _SPECIFICATIONS for separator in ("\\" if "\\" in place else "/",)
    ),
    limits="Gems that a project keeps in a folder of its own (vendor/bundle) are not seen.",
    collect=collect,
)
