"""What supervision costs: a scan through the worker against the same sources in this process.

    python benchmarks/worker.py [--runs 21]

Each run is a process of its own, as every scan is, so that nothing is warm that would not be. The budget for Linux is
25 ms of wall time.
"""

import argparse
import statistics
import subprocess
import sys

# Both load what a scan loads first; what is timed is the scan, with its imports.
START = """
import time, phaseout.scan.supervisor, phaseout.scan.worker_process
from phaseout.scan.messages import Request
from phaseout.scan.worker import work
"""
INSIDE = """
messages = []
began = time.perf_counter()
work(Request(), messages.append)
print(time.perf_counter() - began)
"""
WORKER = """
began = time.perf_counter()
scan = phaseout.scan.supervisor.ScanSupervisor(Request(), fork={fork})
inventory = scan.inventory(scanned_at="", tool="")
print(time.perf_counter() - began)
"""
READY = """
began = time.perf_counter()
prepared = phaseout.scan.worker_process.prepare()
scan = phaseout.scan.supervisor.ScanSupervisor(Request(), prepared=prepared)
inventory = scan.inventory(scanned_at="", tool="")
print(time.perf_counter() - began)
"""


def main() -> None:
    """Prints the median of each way, and what the worker adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21)
    arguments = parser.parse_args()
    ways = {"in this process": INSIDE, "in a new interpreter": WORKER.format(fork=False)}
    if sys.platform == "linux":
        ways["in a fork"] = WORKER.format(fork=True)
        ways["in the fork that a scan makes ready"] = READY
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(arguments.runs + 1):
        for name, code in ways.items():
            child = subprocess.run([sys.executable, "-c", START + code], capture_output=True, check=True)
            if run:  # the first warms the caches of files
                figures[name].append(float(child.stdout) * 1000)
    base = statistics.median(figures["in this process"])
    print(f"medians of {arguments.runs} runs: a live scan, ms; what the worker adds, ms")
    for name, measured in figures.items():
        median = statistics.median(measured)
        print(f"  {name:36} {median:7.1f}  {median - base:+7.1f}   ({min(measured):.1f} to {max(measured):.1f})")


if __name__ == "__main__":
    main()
