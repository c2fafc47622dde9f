"""The numbers a supervisor runs with; each says its unit and its consequence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SupervisionSettings:
    """How programs are watched, ended and started again."""

    beat_seconds: float = 0.5
    """How often a program says that it is alive."""

    silence_seconds: float = 10.0
    """Without a word for so long it is killed: what a frozen program costs its callers. Far more
    than a slow disk or a busy machine takes from one beat to the next."""

    start_seconds: float = 120.0
    """How long it may take from its start until it is ready; it gives no beats meanwhile."""

    stop_seconds: float = 30.0
    """How long it may take to finish what it accepted once it is told to stop. Longer than
    `close_seconds` of a scheduler, and than the grace of requests."""

    orphan_seconds: float = 5.0
    """The same for one whose parent is gone: nobody hears its answers, and its successor waits
    for the store."""

    backoff_seconds: float = 0.25
    """Wait before the second start within the window below; the first comes at once. Doubles
    with each further one."""

    backoff_limit_seconds: float = 5.0
    """The longest such wait."""

    max_restarts: int = 5
    """Restarts of one program within the window; one more and all are stopped for good."""

    restart_window_seconds: float = 60.0
    """Time after which a restart counts no more."""
