"""What has to be done to a store now and then."""

from __future__ import annotations

import threading

from actors.events import log
from protocol.errors import SchedulerError
from storage.journal import Journal

INTERVAL_SECONDS = 60.0
"""Between two looks for readers that died: they keep old pages alive, and the file grows."""


class Upkeep:
    """Maintain a journal in the background."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, without waiting for the interval to pass."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_SECONDS):
            try:
                self._journal.maintain()
            except SchedulerError as exc:
                log.warning("upkeep_failed", code=exc.code, reason=exc.detail)
