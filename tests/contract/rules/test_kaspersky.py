"""The vendor file of Kaspersky against graded identifiers, real records of hosts, and names that only look alike."""

import csv
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import msgspec
import pytest
from phaseout.model.nouns import Item, Kind
from phaseout.model.rules import Match, Patterns, Ruleset, Vendor, VersionRange
from phaseout.rules.matcher import Matcher
from phaseout.rules.self_check import specimen_item

from tests.support.places import CORPORA

FILE = Path(__file__).parents[3] / "rules" / "vendors" / "kaspersky.toml"
KNOWLEDGE = CORPORA.parent / "knowledge"

# Cells of grade X and U → field and words that no rule may hold or, on its own, fit.
FORBIDDEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "proton.exe": ("name", ("proton.exe",)),
    "KAVSTART.exe, KAVPFW.exe, KAVSVCUI.exe, KAVMM.exe, KAV.exe, KAVPF.exe": (
        "name",
        ("kavstart.exe", "kavpfw.exe", "kavsvcui.exe", "kavmm.exe", "kav.exe", "kavpf.exe"),
    ),
    "kpf4ss.exe": ("name", ("kpf4ss.exe",)),
    "uninstall.exe, getsysteminfo.exe": ("name", ("uninstall.exe", "getsysteminfo.exe")),
    "KSDE5": ("name", ("ksde5", "ksde5.0")),
    "kneps.sys": ("name", ()),  # three independent code bases attest it since
    "Kaspersky Lab ZAO": ("signer", ("kaspersky lab zao",)),
    "com.kaspersky.kpm, com.kaspersky.securekids, ru.kaspersky.kis": (
        "ids.bundle_id",
        ("com.kaspersky.kpm", "com.kaspersky.securekids", "ru.kaspersky.kis"),
    ),
    "Edge store id": ("ids.extension_id", ()),  # a remark: there is no identifier
    "dchlnpcodkpfdpacogkljefecpegganj, hakdifolhalapjijoafobooafbilfakh, hghkgaeecgjhjkannahfamoehjmkjail, "
    "eahebamiopdhefndnmappcihfajigkka": (
        "ids.extension_id",
        (
            "dchlnpcodkpfdpacogkljefecpegganj",
            "hakdifolhalapjijoafobooafbilfakh",
            "hghkgaeecgjhjkannahfamoehjmkjail",
            "eahebamiopdhefndnmappcihfajigkka",
        ),
    ),
    "com.kaspersky.antivirus": ("ids.bundle_id", ("com.kaspersky.antivirus",)),
}

# Cells of grade A and B that are prose → the words that a specimen must hold; every other cell is its own word.
IN_WORDS: dict[str, tuple[str, ...]] = {
    "kavremover.exe / kavremvr.exe / cleanapi.exe": ("kavremover.exe", "kavremvr.exe", "cleanapi.exe"),
    "AVP<ver> e.g. AVP21.3, AVP21.25": ("avp21.3", "avp21.25"),
    "AVP.KES.<ver> e.g. AVP.KES.14.1, AVP.KES.21.19": ("avp.kes.14.1", "avp.kes.21.19"),
    "avpsus / avpsus.KES.<ver>": ("avpsus", "avpsus.kes.14.1"),
    "HKLM\\SOFTWARE\\KasperskyLab (and WOW6432Node)": (
        "hklm\\software\\kasperskylab",
        "hklm\\software\\wow6432node\\kasperskylab",
    ),
    "...\\KasperskyLab\\AVP<ver>\\environment : ProductName, ProductVersion, ProductRoot, ProductCode": (
        "\\kasperskylab\\avp21.3\\environment",
    ),
    "...\\KasperskyLab\\protected\\(AVP|KES|PURE)<ver>": ("\\protected\\kes11", "\\protected\\pure"),
    "...\\KasperskyLab\\Components\\34 ; ...\\Components\\27\\1103\\1.0.0.0\\Installer (KLMOVE_EXE) ; "
    "1103 = Network Agent, 1093 = Administration Server": (
        "\\components\\34\\1103",
        "\\components\\27\\1103\\1.0.0.0\\installer",
        "\\components\\34\\1093",
    ),
    "%ProgramFiles%, %ProgramFiles(x86)%\\Kaspersky Lab\\": (
        "\\program files\\kaspersky lab",
        "\\program files (x86)\\kaspersky lab",
    ),
    "%ProgramData%\\Kaspersky Lab\\<AVPxx|KES>\\": (
        "\\programdata\\kaspersky lab\\avp21.3",
        "\\programdata\\kaspersky lab\\kes",
    ),
    "%ProgramData%\\KasperskyLab\\adminkit\\ (note: no space)": ("\\programdata\\kasperskylab\\adminkit",),
    "C:\\Program Files (x86)\\Kaspersky Lab\\NetworkAgent\\": ("\\kaspersky lab\\networkagent\\klnagent.exe",),
    "C:\\Program Files (x86)\\Kaspersky Lab\\Endpoint Agent\\ (agent.exe)": (
        "\\kaspersky lab\\endpoint agent\\agent.exe",
    ),
    "C:\\Program Files (x86)\\Kaspersky Lab\\KES* , \\Kaspersky Endpoint Security for Windows\\ , "
    "\\Kaspersky Small Office Security*": (
        "\\kaspersky lab\\kes.12.1.0\\",
        "\\kaspersky lab\\kaspersky endpoint security for windows\\",
        "\\kaspersky lab\\kaspersky small office security",
    ),
    "\\Kaspersky Internet Security 16.0.0 | 20.0 | 2009, \\Kaspersky Anti-Virus 14.0.0, \\Kaspersky Free 21.3, "
    "\\Kaspersky VPN 5.9, \\Kaspersky Total Security 21.2": (
        "\\kaspersky internet security 20.0\\",
        "\\kaspersky anti-virus 14.0.0\\",
        "\\kaspersky free 21.3\\",
        "\\kaspersky vpn 5.9\\",
        "\\kaspersky total security 21.2\\",
    ),
    "Kaspersky Total Security / Internet Security / Anti-Virus / Free / PURE 3.0 / Small Office Security / "
    "Password Manager / Security Cloud / Safe Kids / VPN Secure Connection / Secure Connection": (
        "kaspersky total security",
        "kaspersky internet security",
        "kaspersky anti-virus",
        "kaspersky free",
        "kaspersky pure 3.0",
        "kaspersky small office security",
        "kaspersky password manager",
        "kaspersky security cloud",
        "kaspersky safe kids",
        "kaspersky vpn secure connection",
        "kaspersky secure connection",
    ),
    "Plug-in for Microsoft Exchange ActiveSync (Publisher Kaspersky, {8CCB15BC-2D37-49A3-BF21-6D030D822CEA})": (
        "plug-in for microsoft exchange activesync",
        "{8ccb15bc-2d37-49a3-bf21-6d030d822cea}",
    ),
    "klupd_K4W-21-25_arkmon.sys, klupd_KES-21-9_arkmon.sys, KLIF.KES-21-9.sys, klbackupflt.KES-21-9.sys": (
        "klupd_k4w-21-25_arkmon",
        "klupd_kes-21-9_arkmon",
        "klif.kes-21-9",
        "klbackupflt.kes-21-9",
    ),
    "Kaspersky.ShellEx22 (Kaspersky.ShellEx*) ; KasperskyLab.KasperskyNow*": (
        "kaspersky.shellex22",
        "kasperskylab.kasperskynow",
    ),
    "com.kaspersky.kext.klif, com.kaspersky.kext.kimul*, com.kaspersky.nke, com.kaspersky.nke.interceptors": (
        "com.kaspersky.kext.klif",
        "com.kaspersky.kext.kimul",
        "com.kaspersky.nke",
        "com.kaspersky.nke.interceptors",
    ),
    "com.kaspersky.kav.core, .oas, .webav, .parctl, .wksconnector, .webtoolbar, .vkbd, .finder_plugin": tuple(
        f"com.kaspersky.kav.{part}"
        for part in ("core", "oas", "webav", "parctl", "wksconnector", "webtoolbar", "vkbd", "finder_plugin")
    ),
    "/Applications/Kaspersky Anti-Virus For Mac.app (also Kaspersky Anti-Virus.app, Kaspersky.app, "
    "Kaspersky Security.app)": (
        "/applications/kaspersky anti-virus for mac.app",
        "/applications/kaspersky.app",
        "/applications/kaspersky security.app",
    ),
    "/Library/Application Support/Kaspersky Lab/KAV/Binaries ; "
    "/Library/Application Support/Kaspersky Lab/klnagent/Binaries/klnagent": (
        "/library/application support/kaspersky lab/kav/binaries",
        "/library/application support/kaspersky lab/klnagent/binaries/klnagent",
    ),
    "processes kav, kav_app, kav_agent, kavd, klnagent": ("kav_agent", "kavd"),
    "klnagent64 / klnagent": ("klnagent64", "klnagent"),
    "/etc/init.d/kesl, /etc/init.d/kesl-supervisor": ("/etc/init.d/kesl", "/etc/init.d/kesl-supervisor"),
    "/opt/kaspersky/{kesl,klnagent,klnagent64,kess,kics,ksc64}": tuple(
        f"/opt/kaspersky/{name}/" for name in ("kesl", "klnagent64", "kess", "kics", "ksc64")
    ),
    "/var/opt/kaspersky/{kesl,klnagent_srv,ksc-web-console}": tuple(
        f"/var/opt/kaspersky/{name}" for name in ("kesl", "klnagent_srv", "ksc-web-console")
    ),
    "processes kesl, kesl-gui, klnagent, wdserver (only with the path above), kavstart": (
        "/opt/kaspersky/kesl/libexec/kesl",
        "/kesl-gui",
        "/opt/kaspersky/klnagent64/",
        "/opt/kaspersky/kesl/libexec/wdserver",
        "/opt/kaspersky/kesl/libexec/kavstart",
    ),
    "anti_banner@, online_banking@, virtual_keyboard@, url_advisor@ kaspersky.com": (
        "anti_banner@kaspersky.com",
        "online_banking@kaspersky.com",
        "virtual_keyboard@kaspersky.com",
        "url_advisor@kaspersky.com",
    ),
    "Parallels Internet Security Powered by Kaspersky (avp.exe, KLIMX86\\netcfg.exe under "
    "C:\\Program Files\\Parallels\\...)": ("parallels internet security powered by kaspersky", "\\parallels\\"),
    "Check Point Harmony Endpoint / SandBlast Agent / ZoneAlarm: Kaspersky SDK *or* Sophos SAVI engine by build": (
        "check point harmony endpoint",
        "zonealarm",
    ),
    "UltraAV / UltraVPN (Pango)": ("ultraav", "ultravpn"),
}
# Cells that list several plain names.
LISTS = frozenset(
    (
        "KSDE1.0.0, KSDE2.0.0",
        "KAVFS, KAVFSGT, kavfsslp",
        "klbackupdisk, klbackupflt, klflt, klhk, KLIF, klim6, klkbdflt, klmouflt, klpd, kltap",
        "kess, kess-gui",
        "ksc64, ksc-web-console",
        "kesl.service, kesl-supervisor.service, klnagent64.service",
        "urladvisor@kaspersky.com, wvkbd@kaspersky.com",
    )
)


@cache
def vendor() -> Vendor:
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Vendor)


@cache
def matcher() -> Matcher:
    return Matcher(Ruleset(vendors=(vendor(),), measures=(), digest=""))


def found(item: Item) -> dict[str, str]:
    """Product → confidence."""
    return {hit.product.id: hit.confidence for hit in matcher().match([item])}


def identifiers(grades: str) -> list[str]:
    file = KNOWLEDGE / "kaspersky_identifiers.csv"
    if not file.is_file():
        pytest.skip(f"the graded identifiers are not here: {file}")
    with file.open(encoding="utf-8", newline="") as lines:
        return [row["value"] for row in csv.DictReader(lines) if row["grade"] in grades]


def rows(corpora: Path, name: str) -> list[dict[str, str]]:
    with (corpora / "names" / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def blocks() -> Iterator[Match]:
    for product in vendor().product:
        yield from product.match


def exceptions() -> Iterator[Match]:
    yield from vendor().unless
    for product in vendor().product:
        yield from product.unless


def patterns(match: Match) -> dict[str, tuple[str, ...]]:
    """Field → its patterns in lower case."""
    fields: dict[str, Patterns | VersionRange] = {
        **{field: getattr(match, field) for field in ("name", "vendor", "version", "path", "command", "signer")},
        **{f"ids.{key}": value for key, value in match.ids.items()},
    }
    lists = {"@publishers": vendor().publishers, "@signers": vendor().signers, "@team_ids": vendor().team_ids}
    return {
        field: tuple(one.lower() for pattern in _several(value) for one in lists.get(pattern, (pattern,)))
        for field, value in fields.items()
        if value and not isinstance(value, VersionRange)
    }


def _several(value: Patterns | VersionRange) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()


def test_every_specimen_is_told_right_and_by_one_product_only() -> None:
    wrong = []
    for product in vendor().product:
        wrong += [(product.id, one) for one in product.hit if list(found(specimen_item(one))) != [product.id]]
        wrong += [(product.id, one) for one in product.miss if product.id in found(specimen_item(one))]
    assert not wrong


def test_what_belongs_to_nobody_here_matches_nothing() -> None:
    """The catch-all's misses are names that no product of this vendor may claim, successors apart."""
    (other,) = (product for product in vendor().product if product.id == "kaspersky-other")
    for specimen in other.miss:
        claimed = [hit.product for hit in matcher().match([specimen_item(specimen)])]
        assert all(product.role == "successor" for product in claimed), specimen


def test_every_block_is_shown_by_a_specimen() -> None:
    """A block without a specimen is one that nobody can check."""
    unshown = []
    for product in vendor().product:
        items = [specimen_item(specimen) for specimen in product.hit]
        for number, match in enumerate(product.match):
            alone = msgspec.structs.replace(product, match=(match,))
            single = Matcher(
                Ruleset(
                    vendors=(msgspec.structs.replace(vendor(), product=(alone,)),),
                    measures=(),
                    digest="",
                )
            )
            if not single.match(items):
                unshown.append((product.id, number, patterns(match)))
    assert not unshown


def test_names_of_other_software_and_unattested_ones_stand_in_no_pattern() -> None:
    assert sorted(identifiers("XU")) == sorted(FORBIDDEN)
    for field, words in FORBIDDEN.values():
        for match in (*blocks(), *exceptions()):
            assert not [one for held in patterns(match).values() for one in held if one in words], match
        for match in blocks():
            alone = patterns(match).get(field, ()) if len(patterns(match)) == 1 else ()
            assert not [word for word in words for one in alone if fnmatchcase(word, one)], match


def test_every_attested_identifier_has_a_specimen() -> None:
    shown = "\n".join(
        "\n".join((one.name, one.vendor, one.path, one.command, one.signer, *one.ids.values()))
        for product in vendor().product
        for one in product.hit
    ).lower()
    missing = []
    for value in identifiers("AB"):
        words = IN_WORDS.get(value, tuple(value.split(", ")) if value in LISTS else (value,))
        missing += [word for word in words if not _mentioned(word.lower(), shown)]
    assert not missing


def _mentioned(word: str, text: str) -> bool:
    """Whether the whole word stands in the text, and not only as a part of a longer one."""
    before = r"(?<![\w.@-])" if word[0].isalnum() else ""
    after = r"(?![\w.@-])" if word[-1].isalnum() else ""
    return re.search(before + re.escape(word) + after, text) is not None


def test_weak_identifiers_never_stand_alone() -> None:
    alone = [match for match in blocks() if match.grade == "C" and len(patterns(match)) < 2]
    assert not alone


# What stands in the logs of real hosts → the product that it must be.
EXCERPTS: tuple[tuple[str, Kind, str], ...] = (
    ("AV: Kaspersky Anti-Virus (Enabled", "security_product", "kaspersky-home-windows"),
    ("AV: Kaspersky Internet Security *", "security_product", "kaspersky-home-windows"),
    ("\\Kaspersky Internet Security 20.0\\avpui.exe", "process", "kaspersky-home-windows"),
)


def test_every_line_of_the_real_logs_is_the_right_product(corpora: Path) -> None:
    lines = [
        line
        for record in (corpora / "kaspersky" / "real_host_excerpts.jsonl").read_text(encoding="utf-8").splitlines()
        for line in json.loads(record)["lines"]
        if "kaspersky" in line.lower()
    ]
    for line in lines:
        ((kind, product),) = ((kind, product) for text, kind, product in EXCERPTS if text in line)
        if kind == "security_product":
            name, _, rest = line.removeprefix("AV: ").replace("*", "(", 1).partition("(")
            item = Item(kind=kind, name=name.strip(), ids={"clsid": rest[rest.index("{") :]})
        else:
            item = Item(kind=kind, name=line.rpartition("\\")[2], path=line)
        assert list(found(item)) == [product], line
    assert len(lines) == len(EXCERPTS)


def test_real_records_of_a_signature_and_of_security_center(corpora: Path) -> None:
    text = (corpora / "kaspersky" / "real_records.jsonl").read_text(encoding="utf-8")
    program, signature = (json.loads(line)["record"] for line in text.splitlines())
    assert found(Item(kind="program", name=program["DisplayName"], version=program["ProdVersion"])) == {
        "kaspersky-endpoint-security-windows": "possible"
    }
    assert found(Item(kind="file", name=program["FileName"], path=program["CustomName"])) == {
        "kaspersky-endpoint-security-windows": "likely"
    }
    assert found(Item(kind="file", name="", path=program["DataFolder"])) == {"kaspersky-other": "likely"}
    subject = signature["subject"]
    for signer in (subject, subject.partition(",")[0].removeprefix("CN=")):
        assert found(Item(kind="process", name="avp.exe", signer=signer)) == {"kaspersky-other": "certain"}


def test_no_ordinary_windows_program_matches(corpora: Path) -> None:
    programs = rows(corpora, "windows_programs_ordinary.csv") + rows(corpora, "windows_programs_restricted_like.csv")
    items = [Item(kind="program", name=row["display_name"], vendor=row["publisher"]) for row in programs]
    assert len(items) > 5000
    assert [(items[hit.item].name, hit.product.id) for hit in matcher().match(items)] == []


def test_of_all_minifilters_only_those_of_the_vendor_match(corpora: Path) -> None:
    listed = rows(corpora, "windows_minifilter_drivers.csv")
    drivers = [row["driver"] for row in listed]
    theirs = {index for index, row in enumerate(listed) if row["company"].startswith("Kaspersky")}
    assert theirs
    for spelled in (drivers, [name.removesuffix(".sys") for name in drivers]):
        alone = matcher().match([Item(kind="driver", name=name) for name in spelled])
        assert {hit.item for hit in alone} == theirs
        assert {(hit.product.id, hit.confidence) for hit in alone} == {("kaspersky-drivers-windows", "possible")}
    items = [Item(kind="driver", name=row["driver"], vendor=row["company"]) for row in listed]
    assert {(hit.item, hit.confidence) for hit in matcher().match(items)} == {(index, "likely") for index in theirs}


def test_no_ordinary_mac_program_matches(corpora: Path) -> None:
    bundles = [
        Item(kind="app", name=row["name"], ids={"bundle_id": row["bundle_id_candidate"]})
        for row in rows(corpora, "macos_bundle_ids.csv")
    ]
    teams = [
        Item(kind="app", name=row["name"], ids={"team_id": row["expectedTeamID"]})
        for row in rows(corpora, "macos_team_ids.csv")
        if row["expectedTeamID"]
    ]
    items = bundles + teams
    assert len(items) > 1500
    assert [(items[hit.item].name, hit.product.id) for hit in matcher().match(items)] == []


@pytest.mark.parametrize("kind", ["package", "process", "file", "program"])
def test_the_known_traps_match_nothing(kind: Kind) -> None:
    file = KNOWLEDGE / "false_positive_traps.csv"
    if not file.is_file():
        pytest.skip(f"the traps are not here: {file}")
    with file.open(encoding="utf-8", newline="") as lines:
        names = [name.strip(' "') for row in csv.DictReader(lines) for name in row["value"].split(",")]
    for name in names:
        if name.startswith(("UltraAV", "UltraVPN")):  # shown, never restricted
            continue
        path = name if name.startswith(("/", "C:\\")) else ""
        covered = [
            hit.product.id
            for hit in matcher().match([Item(kind=kind, name=name.rpartition("/")[2], path=path)])
            # Where it says "Powered by Kaspersky", a person is asked to look.
            if hit.product.role != "embedded"
        ]
        assert covered == [], name
