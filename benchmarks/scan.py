"""The whole command against its peers, and where its time goes."""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

QUERY = (
    "select name,version from deb_packages; select name,path,cmdline from processes; "
    "select name,version from python_packages; select name,version from npm_packages;"
)
# What phaseout also reads, as far as osquery has a table for it.
MORE = (
    "select name,version from rpm_packages; "
    "select identifier,name,version from users cross join chrome_extensions using (uid); "
    "select name,version from users cross join firefox_addons using (uid); "
    "select name,version from users cross join vscode_extensions using (uid); "
    "select id,fragment_path from systemd_units; select command,path from crontab; select name from kernel_modules;"
)


def measure(command: Sequence[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of one run; the peak is of the largest single process."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = 0
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(commands: dict[str, Sequence[str]], runs: int) -> dict[str, tuple[float, float, float]]:
    """Medians of each command, the commands in turn so that a machine that drifts drifts for all."""
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            measured = measure(command)
            if run:  # the first warms the caches
                figures[name].append(measured)
    return {
        name: (
            statistics.median(one[0] for one in measured),
            statistics.median(one[1] for one in measured),
            statistics.median(one[2] for one in measured),
        )
        for name, measured in figures.items()
    }


def shares() -> None:
    """One scan inside this process, its parts timed."""
    mark = time.perf_counter()
    parts: list[tuple[str, float]] = []

    def done(name: str) -> None:
        nonlocal mark
        now = time.perf_counter()
        parts.append((name, now - mark))
        mark = now

    from phaseout.cli.rule_files import rules_and_policy
    from phaseout.cli.scan import command  # noqa: F401  (its imports are what is measured)

    done("imports of the command")
    ruleset, policy = rules_and_policy()
    done(f"rules ({sum(len(vendor.product) for vendor in ruleset.vendors)} products, {len(ruleset.measures)} measures)")
    from phaseout.rules.matcher import Matcher

    matcher = Matcher(ruleset)
    done("index of the rules")
    from phaseout.host.opening import live_host
    from phaseout.sources import load

    host = live_host()
    sources = load(host.info.platform)
    done("host and imports of the sources")
    from phaseout.model.nouns import INVENTORY_SCHEMA, Inventory, Item
    from phaseout.scan.worker import run_source

    items: list[Item] = []
    runs = tuple(run_source(source, host, items.append) for source in sources)
    inventory = Inventory(
        schema=INVENTORY_SCHEMA,
        tool="benchmark",
        scanned_at="2026-01-01T00:00:00Z",
        host=host.info,
        items=tuple(items),
        runs=runs,
    )
    done(f"all sources ({len(inventory.items)} items)")
    hits = matcher.match(inventory.items)
    done("matching")
    import datetime as dt

    from phaseout.judgement.verdict import judge
    from phaseout.report import format_named

    report = judge(inventory, hits, ruleset, policy, dt.datetime.now(dt.UTC))
    form = format_named("csv")
    assert form is not None
    "".join(form.write_report(report))
    done("verdict and report")
    total = sum(seconds for _, seconds in parts)
    for name, seconds in parts:
        print(f"  {seconds * 1000:7.1f} ms {seconds / total:5.0%}  {name}")
    for run in sorted(inventory.runs, key=lambda run: -run.seconds):
        print(f"      {run.seconds * 1000:7.1f} ms  {run.source} ({run.rows} rows, {run.items} items, {run.status})")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    """Prints medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osquery", default=shutil.which("osqueryi"))
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    ours = [sys.executable, "-m", "phaseout"]
    commands: dict[str, Sequence[str]] = {
        "phaseout scan": [*ours, "scan", "--priority", "normal"],
        "phaseout --version": [*ours, "--version"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    if arguments.osquery:
        commands["osquery, four tables"] = [arguments.osquery, "--json", QUERY]
        commands["osquery, eleven tables"] = [arguments.osquery, "--json", f"{QUERY} {MORE}"]
    if shutil.which("fusioninventory-inventory"):
        commands["fusioninventory"] = ["fusioninventory-inventory"]
    medians = compare(commands, arguments.runs)
    wall, _, peak = medians["phaseout scan"]
    print(f"medians of {arguments.runs} runs: wall s, CPU s, peak MiB; ratio of phaseout scan to it")
    for name, (seconds, cpu, memory) in medians.items():
        ratio = f"wall 1/{seconds / wall:.1f}  memory {peak / memory:.2f}"
        print(f"  {name:24} {seconds:7.3f} {cpu:7.3f} {memory:7.1f}   {ratio}")
    version = medians["phaseout --version"][0] / medians["python -c pass"][0]
    print(f"  phaseout --version takes {version:.2f} times python -c pass")
    print("where the time goes, all in one process (the command reads the rules while its worker looks):")
    shares()


if __name__ == "__main__":
    main()
