"""Who does the work, as users ask for it."""

from __future__ import annotations

import os

from banditroute.errors import InputError

from .executor import Executor
from .serial import Serial


def executor_of(jobs: int = 1, cluster: str | None = None) -> Executor:
    """Who does the work.

    Args:
        jobs: processes of this machine; 1 = this one, 0 = one for each processor that it may use.
        cluster: address of a Dask scheduler, whose workers do it instead.

    Raises:
        InputError: both are asked for, or fewer processes than none.
    """
    if cluster is not None and jobs != 1:
        raise InputError("--jobs and --cluster exclude each other", remedy="give one", field="--cluster")
    if cluster is not None:
        from .dask_cluster import DaskCluster

        return DaskCluster(cluster)
    if jobs < 0:
        raise InputError(f"{jobs} is not a number of processes", remedy="give 0 or more", field="--jobs")
    wanted = jobs or processors()
    if wanted == 1:
        return Serial()
    from .processes import Processes  # half a megabyte that no gateway has use for

    return Processes(wanted)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
