"""The job object of Windows. Wine takes the limit of memory and does not hold it; what it holds is tested."""

from collections.abc import Callable
from typing import Any

LIVE = """
import subprocess, time
from phaseout.scan.windows_job import Job

sleeps = "import time; time.sleep(3600)"
starts = f"input(); import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {sleeps!r}]).pid, flush=True)"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
told = []
for ends in (Job.end, lambda job: job._kernel.CloseHandle(job._handle)):
    worker = subprocess.Popen([sys.executable, "-c", f"{starts}; {sleeps}"], **pipes)
    job = Job(int(worker._handle), 1 << 28)
    worker.stdin.write(b"\\n")
    worker.stdin.flush()
    child = int(worker.stdout.readline())
    ends(job)
    worker.wait()
    import psutil
    while psutil.pid_exists(child):  # the test has ten minutes
        time.sleep(0.05)
    told.append("both ended")
worker = subprocess.Popen([sys.executable, "-c", sleeps])
job = Job(int(worker._handle), 1 << 28)
job.end()
job.end()
worker.wait()
try:
    Job(12345, 1 << 28)
except OSError as error:
    told.append(type(error).__name__)
tell(told)
"""


def test_a_job_ends_whatever_belongs_to_the_worker(on_windows: Callable[..., Any]) -> None:
    assert on_windows(LIVE) == ["both ended", "both ended", "OSError"]
