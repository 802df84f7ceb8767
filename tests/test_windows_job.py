"""The job object of Windows. Wine takes the limit of memory and does not hold it; what it holds is tested."""

import json
import os
import subprocess
from pathlib import Path

import pytest

LIVE = """
import json, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from scanner.windows_job import Job

sleeps = "import time; time.sleep(60)"
starts = f"input(); import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {sleeps!r}]).pid, flush=True)"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
told = []
for ends in (Job.end, lambda job: job._kernel.CloseHandle(job._handle)):
    worker = subprocess.Popen([sys.executable, "-c", f"{starts}; {sleeps}"], **pipes)
    job = Job(int(worker._handle), 1 << 28)
    worker.stdin.write(b"\\n")
    worker.stdin.flush()
    child = int(worker.stdout.readline())
    before = time.monotonic()
    ends(job)
    worker.wait()
    import psutil
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    told.append([time.monotonic() - before < 30, psutil.pid_exists(child)])
worker = subprocess.Popen([sys.executable, "-c", sleeps])
job = Job(int(worker._handle), 1 << 28)
job.end()
job.end()
worker.wait()
try:
    Job(12345, 1 << 28)
except OSError as error:
    told.append(type(error).__name__)
print("@@" + json.dumps(told))
"""


def test_a_job_ends_whatever_belongs_to_the_worker(tmp_path: Path) -> None:
    wine = Path(os.environ.get("PHASEOUT_WINE", ""))
    if not (wine / "run").is_file():
        pytest.skip("no Windows Python: scripts/wine_python FOLDER makes one, and PHASEOUT_WINE names it")
    script = tmp_path / "live.py"
    script.write_text(LIVE)
    run = subprocess.run(
        [wine / "run", f"Z:{script}", f"Z:{Path(__file__).parents[1]}"], capture_output=True, check=False, timeout=120
    )
    output = run.stdout.decode("utf-8", "replace")
    assert "@@" in output, output
    assert json.loads(output.split("@@")[1]) == [[True, False], [True, False], "OSError"]
