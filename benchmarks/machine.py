"""On which machine the figures were taken, without anything that names it."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime


def describe_machine() -> dict[str, str]:
    """Return cores, versions and the date; no host name, no path."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
