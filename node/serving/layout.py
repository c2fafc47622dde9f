"""Which programs serve a node: one for everything, or several."""

from __future__ import annotations

import os
from collections.abc import Callable

from actors import SchedulingMode
from node.config import Config
from storage import stored_shards
from storage.layout import MAX_SHARDS


def run_node(config: Config, announce: Callable[[str], None]) -> None:
    """Serve a node as the configuration says, until interrupted or told to terminate.

    Args:
        config: the effective configuration.
        announce: told the node's address once requests are taken.

    Raises:
        OSError: the address cannot be listened on.
        SchedulerError: the node cannot be opened, or its programs cannot be kept running.
    """
    # Only what is used: each of them takes a while to import.
    if (shards := shards_of(config)) or config.server.gateways > 1:
        from node.serving.programs import run_programs

        run_programs(config, shards, announce)
    else:
        from node.serving.service import run

        run(config, announce)


def shards_of(config: Config) -> int:
    """Return how many programs are to schedule; 0 when the one that speaks HTTP does.

    Raises:
        StoreInvalid: the folder's manifest cannot be read.
    """
    if config.scheduling.mode is SchedulingMode.DISABLED:
        return 0
    if config.store.shards is not None:
        return config.store.shards
    return stored_shards(config.store.data) or min(max(1, _cores() - 1), MAX_SHARDS)


def _cores() -> int:
    # Those that this program may use, which in a container are not all there are.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
