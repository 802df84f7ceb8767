"""Namespaces of their own for what tests start: a container without extra capabilities may not make any.

References:
    unshare(1), capabilities(7) (CAP_SYS_ADMIN)
"""

import functools
import os
import shutil
import subprocess


@functools.cache
def can_unshare(*options: str) -> bool:
    """Whether `unshare OPTIONS…` works here, as root."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", *options, "true"], check=False, capture_output=True).returncode == 0
