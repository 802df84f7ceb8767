"""Feeds the parsers what a hostile machine could hold, guided by coverage, and says which input broke one.

    pip install 'phaseout[fuzz]'
    python scripts/fuzz.py [--seconds 600] [--jobs 2] [--corpus DIR] [--seeds DIR] [NAME]…

A target is a module of `phaseout.parsers`, or another place that reads bytes of strangers; `--list` names them.
Each runs in a process of its own under libFuzzer (atheris). What raised something that its documentation does not
announce, took more than five seconds, or more than 2 GiB, goes to `fuzz-findings/`, one input for each distinct place,
so that it can become a test. Inputs that reach new code stay in the corpus: a later run begins there.

References:
    https://llvm.org/docs/LibFuzzer.html (options, meaning of the final statistics); https://github.com/google/atheris
"""

import argparse
import contextlib
import importlib
import inspect
import io
import itertools
import pkgutil
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import typing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scanner"))

LIMIT = 1 << 16  # bytes of an input
SEEDS = 300  # of a target
PATIENCE = 5  # seconds of CPU for one input
OURS = ("regf.checksum", "regf_log.marvin32", "sha256.sha256")  # they get what their module has measured

Target = Callable[[bytes], object]


class TooLongError(BaseException):
    """One input took too long. Parsers that answer for any `Exception` must not answer for this."""


def targets() -> dict[str, list[Target]]:
    """What is run on an input, by the name of the target."""
    found = {name: [target] for name, target in _WRITTEN.items()}
    import phaseout.parsers

    for module in pkgutil.walk_packages(phaseout.parsers.__path__, "phaseout.parsers."):
        if module.ispkg:
            continue
        loaded = importlib.import_module(module.name)
        target = module.name.rpartition(".")[2]
        own = found.setdefault(target, [])
        own += [
            _called(function, kind)
            for name, function in inspect.getmembers(loaded, inspect.isfunction)
            if not name.startswith("_")
            and function.__module__ == loaded.__name__
            and f"{target}.{name}" not in OURS
            and (kind := _input(function))
        ]
    return {name: found[name] for name in sorted(found) if found[name]}


def run(calls: list[Target], data: bytes) -> None:
    """Runs a target on one input."""
    for call in calls:
        consume(call(data))


def consume(result: object) -> None:
    """Runs a generator to its end: a lazy parser raises only then."""
    if isinstance(result, Iterator):
        for count, _ in enumerate(result):
            if count > 100_000:
                break


def _input(function: Callable[..., object]) -> type | None:
    """The type of what a function reads, if that is all it needs."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or any(one.default is one.empty for one in parameters[1:]):
        return None
    kind = parameters[0].annotation  # the others may be names that only a type checker knows
    return kind if kind in (bytes, str) else None


def _called(function: Callable[[typing.Any], object], kind: type) -> Target:
    refuses = "Raises:" in (inspect.getdoc(function) or "")

    def call(data: bytes) -> None:
        with contextlib.suppress(*((ValueError,) if refuses else ())):
            consume(function(data if kind is bytes else _text(data)))

    return call


def _text(data: bytes) -> str:
    """As `Files.text` gives it."""
    return data.decode("utf-8", "backslashreplace")


def _at(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, size: data[offset : offset + size] if offset >= 0 else b""


# Targets that need more than the bytes. Imports are theirs, so that only what runs is instrumented.


def _regf(data: bytes) -> None:
    from phaseout.parsers.windows import regf

    with contextlib.suppress(ValueError):
        _walk(regf.root(data), 0)


def _walk(node: typing.Any, depth: int) -> None:
    for _ in node.values(200, 1 << 16):
        pass
    node.child("Software")
    for child in node.subkeys(50):
        if depth < 4:
            _walk(child, depth + 1)


class _Anything(bytes):
    """A hash that equals every other: fuzzing must not stop at checksums."""

    def __ne__(self, other: object) -> bool:
        return False

    __eq__ = bytes.__eq__
    __hash__ = bytes.__hash__


def _regf_log(data: bytes) -> None:
    """A hive and its log, one after the other."""
    from phaseout.parsers.windows import regf_log

    at = data.find(b"regf", 4)
    if at >= 512:
        same = _Anything(b"12345678")
        with patch.multiple(regf_log, marvin32=lambda _: same, checksum=lambda _: same):
            regf_log.recovered(data[:at], [data[at:]])


def _bbolt(data: bytes) -> None:
    """The pages behind a sound first one, and those of the buckets that they hold."""
    from phaseout.parsers.containers import bbolt

    first = struct.pack("<QHHI IIII QQQQQQ", 0, 4, 0, 0, 0xED0CDAED, 2, 512, 0, 1, 0, 0, 0, 1, 0)
    with patch.object(bbolt, "_fnv", return_value=0), contextlib.suppress(ValueError):
        buckets = [bbolt.Database(first.ljust(512, b"\0") + data).root]
        for bucket in itertools.islice(buckets, 50):  # grows meanwhile
            with contextlib.suppress(ValueError):
                bucket.values()
            with contextlib.suppress(ValueError):
                buckets += [inner for _, inner in bucket.buckets()]


def _zip(data: bytes) -> None:
    from phaseout.parsers.encodings.zip_archive import Archive

    with contextlib.suppress(ValueError):
        archive = Archive(io.BytesIO(data))
        for name in ("manifest.json", "META-INF/MANIFEST.MF", "a"):
            with contextlib.suppress(ValueError):
                archive.read(name)


def _thrift(data: bytes) -> None:
    from phaseout.parsers.encodings import thrift

    def read(count: int) -> bytes:
        piece = stream.read(count)
        if len(piece) < count:
            raise EOFError
        return piece

    stream = io.BytesIO(data)
    with contextlib.suppress(thrift.ThriftError, EOFError):
        thrift.write_message(thrift.read_message(read))


def _keyed_archive(data: bytes) -> None:
    from phaseout.parsers.encodings import keyed_archive, property_list

    with contextlib.suppress(ValueError):
        keyed_archive.unarchived(property_list.mapping(data) or {})


def _chrome_policy(data: bytes) -> None:
    from phaseout.parsers.browsers import chrome_policy
    from phaseout.parsers.encodings import lenient_json

    with contextlib.suppress(ValueError):
        policies = lenient_json.decode(data)
        consume(chrome_policy.forcelist(policies))
        consume(chrome_policy.brought(policies))


def _dconf_database(data: bytes) -> None:
    from phaseout.parsers.linux import dconf_database

    with contextlib.suppress(ValueError):
        dconf_database.settings(data, "/system/proxy/")


def _crontab(data: bytes) -> None:
    from phaseout.parsers.linux import crontab

    for form in ("user", "system", "anacron"):
        consume(crontab.lines(_text(data), form))


def _deb822(data: bytes) -> None:
    from phaseout.parsers.linux import deb822

    consume(deb822.stanzas(_text(data).split("\n"), ("Package", "Version", "Status")))


def _extension_locales(data: bytes) -> None:
    from phaseout.parsers.browsers import extension_locales

    for function in (extension_locales.message, extension_locales.nls):
        with contextlib.suppress(ValueError):
            function("name", data)


def _gemspec(data: bytes) -> None:
    from phaseout.parsers.languages import gemspec

    gemspec.gem(data, "some-1.0.gemspec")


def _identity(data: bytes) -> None:
    from phaseout.parsers.encodings.identity import KINDS, identity

    for kind in KINDS:
        identity(kind, _text(data))


def _image_path(data: bytes) -> None:
    from phaseout.parsers.windows import image_path

    text, variables = _text(data), {"SYSTEMROOT": "C:\\Windows", "PATH": "%SYSTEMROOT%;%PATH%"}
    image_path.program(text, variables)
    image_path.absolute(text, variables)
    image_path.expand(text, image_path.for_user({"X": text}, "C:\\Users\\a"))


def _named_paths(data: bytes) -> None:
    from phaseout.parsers.linux import named_paths

    consume(named_paths.named_paths(_text(data)))


def _registry_values(data: bytes) -> None:
    from phaseout.parsers.windows import registry_values

    with contextlib.suppress(ValueError):
        registry_values.decode(data[0] % 14 if data else 0, data[1:])


def _systemd_unit(data: bytes) -> None:
    from phaseout.parsers.linux import systemd_unit

    systemd_unit.executable(_text(data), {"i": "x", "h": "/root"})


def _code_signature(data: bytes) -> None:
    from phaseout.parsers.macos import code_signature

    code_signature.signature(_at(data))


def _macho(data: bytes) -> None:
    from phaseout.parsers.macos import macho

    macho.slices(_at(data))


def _pe(data: bytes) -> None:
    from phaseout.parsers.windows import authenticode, pe, version_resource

    read = _at(data)
    found = pe.image(read)
    if found is not None:
        authenticode.signers(pe.certificate_table(read, found))
        for resource_ in pe.version_resources(read, found):
            version_resource.version(resource_)


def _go_buildinfo(data: bytes) -> None:
    from phaseout.parsers.languages import go_buildinfo

    go_buildinfo.build_info(_at(data))


def _windows_dates(data: bytes) -> None:
    from phaseout.parsers.windows import windows_dates

    number = int.from_bytes(data[:8], "little")
    windows_dates.filetime(number)
    for value in (_text(data), number):
        with contextlib.suppress(ValueError):
            windows_dates.install_date(value)


def _epoch(data: bytes) -> None:
    from phaseout.parsers.encodings import epoch

    epoch.rfc3339(_text(data))
    epoch.rfc3339(int.from_bytes(data[:9], "little", signed=True))


def _mounts(data: bytes) -> None:
    from phaseout.host import mounts

    mounts.unsafe_mounts(data)


def _inventories(data: bytes) -> None:
    from phaseout.inventories import read, read_one

    consume(read(io.BytesIO(data), "file"))
    read_one(io.BytesIO(data), "file")


def _matching(data: bytes) -> None:
    """A name on its way from a machine through the shipped rules into every report."""
    from phaseout.model.nouns import Item
    from phaseout.report.safe import cell, json_text, visible

    text = _text(data)
    _matcher().match([Item(kind="program", name=text, vendor=text, path=text, command=text)])
    for printed in (visible(text), cell(text), json_text({text: [text]})):
        printed.encode()


@cache
def _matcher() -> typing.Any:
    from phaseout.cli.rule_files import rules_and_policy
    from phaseout.rules.matcher import Matcher

    return Matcher(rules_and_policy()[0])


def _ruleset(data: bytes) -> None:
    from phaseout.rules.load import RuleError, load, load_policy

    for name in ("vendors/some.toml", "measures/some.toml"):
        with contextlib.suppress(RuleError):
            load({name: data})
    with contextlib.suppress(RuleError):
        load_policy("phaseout.toml", data)


def _winsw(data: bytes) -> None:
    from phaseout.parsers.windows.winsw import winsw

    with contextlib.suppress(ValueError):
        winsw(data, "C:\\Tools")


def _partition_table(data: bytes) -> None:
    from phaseout.parsers.images.partition_table import BrokenTableError, partition_table

    with contextlib.suppress(BrokenTableError):
        partition_table(lambda offset, size: data[offset : offset + size], len(data))


def _xfs(data: bytes) -> None:
    from phaseout.parsers.images.xfs import log_is_clean

    log_is_clean(lambda offset, size: data[offset : offset + size])


def _tar(data: bytes) -> None:
    from phaseout.parsers.images.tar import BrokenTarError, members

    with contextlib.suppress(BrokenTarError):
        consume(members(lambda offset, size: data[offset : offset + size], len(data)))


_WRITTEN: dict[str, Target] = {
    "bbolt": _bbolt,
    "chrome_policy": _chrome_policy,
    "code_signature": _code_signature,
    "crontab": _crontab,
    "dconf_database": _dconf_database,
    "deb822": _deb822,
    "epoch": _epoch,
    "extension_locales": _extension_locales,
    "gemspec": _gemspec,
    "go_buildinfo": _go_buildinfo,
    "identity": _identity,
    "image_path": _image_path,
    "inventories": _inventories,
    "keyed_archive": _keyed_archive,
    "macho": _macho,
    "matching": _matching,
    "mounts": _mounts,
    "named_paths": _named_paths,
    "pe": _pe,
    "regf": _regf,
    "regf_log": _regf_log,
    "registry_values": _registry_values,
    "ruleset": _ruleset,
    "systemd_unit": _systemd_unit,
    "partition_table": _partition_table,
    "tar": _tar,
    "thrift": _thrift,
    "windows_dates": _windows_dates,
    "winsw": _winsw,
    "xfs": _xfs,
    "zip_archive": _zip,
}


def fuzz(name: str, seconds: int, corpus: Path, findings: Path) -> None:
    """Runs one target in this process until its time is over."""
    import atheris

    with atheris.instrument_imports(include=["phaseout"]):
        calls = targets()[name]
        run(calls, b"")  # what is imported late is instrumented as well
    found: set[str] = set()

    def one(data: bytes) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
        try:
            run(calls, data)
        except (Exception, TooLongError) as error:  # noqa: BLE001  (that is what is looked for)
            what = _place(error)
            if what not in found:
                found.add(what)
                place = findings / f"{name}-{len(found)}"
                place.write_bytes(data)
                print(f"\nFINDING {name}: {what}: {error!r:.200} in {place.name}", file=sys.stderr, flush=True)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def too_long(*_: object) -> None:
        raise TooLongError(f"more than {PATIENCE} s of CPU")

    signal.signal(signal.SIGVTALRM, too_long)
    options = {
        "max_total_time": seconds,
        "max_len": LIMIT,
        "timeout": PATIENCE * 4,  # what does not come back from C
        "rss_limit_mb": 2048,
        "print_final_stats": 1,
        "artifact_prefix": f"{findings}/{name}-",
    }
    atheris.Setup([name, str(corpus), *(f"-{option}={value}" for option, value in options.items())], one)
    atheris.Fuzz()


def _place(error: BaseException) -> str:
    """Type and innermost line: what is one finding."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__} at {where}"


def supervise(name: str, seconds: int, corpus: Path) -> int:
    """Runs a target in a process of its own and prints a line about it; how much it found."""
    own = corpus / name
    began = time.monotonic()
    command = [sys.executable, __file__, "--one", "--seconds", str(seconds), "--corpus", str(own), name]
    child = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    said = child.stderr.decode("utf-8", "replace")
    inputs = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    cover = re.findall(r"cov: (\d+)", said) or ["?"]
    count = said.count("\nFINDING ") + (child.returncode != 0)
    print(
        f"{name:22} {int(inputs[1]) if inputs else 0:12,} inputs, coverage {cover[0]} to {cover[-1]}, "
        f"{time.monotonic() - began:.0f} s, {count} findings",
        flush=True,
    )
    for line in said.splitlines():
        if line.startswith("FINDING "):
            print(f"    {line}", flush=True)
    if child.returncode:
        print(f"    ended with {child.returncode}: {said[-2000:]}", flush=True)
    return count


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def plant(names: list[str], seeds: Path, corpus: Path) -> None:
    """Gives every target some small real files to begin with."""
    files = sorted(path for path in seeds.rglob("*") if path.is_file()) if seeds.is_dir() else []
    small = sorted((path.stat().st_size, path) for path in files)
    chosen = [path.read_bytes()[:LIMIT] for size, path in small if size <= 4 * LIMIT][:SEEDS]
    for name in names:
        own = corpus / name
        own.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(chosen):
            (own / f"seed-{number}").write_bytes(data)


def main() -> None:
    """Reads the command line and runs what it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these targets")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once")
    parser.add_argument("--corpus", type=Path, help="inputs are kept here, a folder for each target")
    parser.add_argument("--seeds", type=Path, default=ROOT.parent / "shared" / "corpora", help="real files; a start")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    findings = ROOT / "fuzz-findings"
    findings.mkdir(exist_ok=True)
    if arguments.one:
        fuzz(arguments.names[0], arguments.seconds, arguments.corpus, findings)
        return
    names = list(targets())
    if arguments.list:
        print("\n".join(names))
        return
    wanted = arguments.names or names
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        parser.error(f"no target {', '.join(unknown)}")
    with contextlib.ExitStack() as stack:
        corpus = arguments.corpus or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plant(wanted, arguments.seeds, corpus)
        print(f"{len(wanted)} targets, {arguments.seconds} s each, {arguments.jobs} at once", flush=True)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            counts = list(pool.map(lambda name: supervise(name, arguments.seconds, corpus), wanted))
    print(f"{_children_cpu() / 3600:.2f} hours of CPU, {sum(counts)} findings")
    sys.exit(1 if sum(counts) else 0)


if __name__ == "__main__":
    main()
