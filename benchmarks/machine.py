"""Where a benchmark ran: facts of the machine and the versions that took part, for the stored results."""

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "numpy",
    "numba",
    "llvmlite",
    "scipy",
    "optree",
    "jax",
    "jaxlib",
    "torch",
    "autograd",
    "casadi",
    "matplotlib",
)


def facts() -> dict:
    """Date (UTC), processor, cores that may be used, load before the run, system and Python."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": usable,
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions by distribution name; those that are not installed are left out."""
    found = {}
    for name in ("numba-gradgen", *PACKAGES):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    found.setdefault("numba-gradgen", "checkout")
    return found
