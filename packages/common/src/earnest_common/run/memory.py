"""Memory that is still free for this process."""

import os
import resource
from pathlib import Path

__all__ = ["available_memory", "gigabytes"]

_CGROUPS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def available_memory() -> int | None:
    """Return the bytes that this process can still take, ``None`` where the system does not say.

    The least of what the machine has free without swapping, of what its control group allows and of its limit on
    address space (``ulimit -v``).

    Examples
    --------
    >>> found = available_memory()
    >>> found is None or found > 0
    True
    """
    known = [limit for limit in (_machine(), _control_group(), _address_space()) if limit is not None]
    return max(min(known), 0) if known else None


def gigabytes(n_bytes: float) -> str:
    """Return an amount of memory in words.

    Examples
    --------
    >>> gigabytes(2.34e9), gigabytes(4e7)
    ('2.3 GB', '0.04 GB')
    """
    return f"{n_bytes / 1e9:.2g} GB"


def _machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux: all there is, in use or not
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if "SC_PHYS_PAGES" in os.sysconf_names else None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _control_group() -> int | None:
    """Return what a container may still use; files that it has read count as used, though they would make room."""
    for limit, used in _CGROUPS:
        try:
            limits, now = (Path("/sys/fs/cgroup", name).read_text(encoding="ascii").strip() for name in (limit, used))
        except OSError:
            continue
        return int(limits) - int(now) + _cached() if limits != "max" else None
    return None


def _cached() -> int:
    """Return the bytes of files in the control group's memory that would make room."""
    for name in ("memory.stat", "memory/memory.stat"):
        try:
            rows = dict(line.split() for line in Path("/sys/fs/cgroup", name).read_text(encoding="ascii").splitlines())
        except OSError:
            continue
        return int(rows.get("inactive_file", 0))
    return 0


def _address_space() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return limit
    return limit - pages * resource.getpagesize()
