"""The fleet: all shards of a store, started and watched by this program, and the way to them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

from actors.channel.folder import SocketFolder
from actors.shard import ShardOptions
from actors.shards.front import Front
from actors.shards.orphans import wait_for_orphans
from actors.shards.program import shard_spec
from actors.shards.settings import SupervisionSettings
from actors.shards.supervisor import Supervisor
from storage import StoreSettings, open_readers
from storage.creation import ensure_store
from storage.layout import Layout
from storage.unfinished import layout_for_writing

MARGIN_SECONDS = 1.0
"""How much longer than they have programs are waited for."""

HEARD_SECONDS = 5.0
"""How long it may take to read what shards that have ended said last: much, after a busy end."""

REACHED_SECONDS = 10.0
"""How long shards that are ready may take to be reached; they listen already."""


class Fleet(Front):
    """A front that keeps its shards running itself.

    Attributes:
        supervisor: starts, watches and ends the shards' programs.
        sockets: where they listen.
    """

    supervisor: Supervisor
    sockets: SocketFolder

    @classmethod
    def launch(
        cls,
        root: Path,
        shards: int,
        options: ShardOptions,
        store: StoreSettings,
        settings: SupervisionSettings | None = None,
    ) -> Self:
        """Create the store if there is none, start every shard, and connect to it.

        Raises:
            SchedulerError: as `Scheduler.open`; what the first shard that failed ended with.
        """
        settings = _patient(settings or SupervisionSettings(), options.settings.close_seconds)
        with ExitStack() as undo:
            ensure_store(Layout(root), shards, store)
            layout_for_writing(root, shards)
            wait_for_orphans(root, shards, settings.orphan_seconds + MARGIN_SECONDS)
            sockets = SocketFolder.create()
            undo.callback(sockets.remove)
            reader = open_readers(root, settings=store)
            undo.callback(reader.close)
            fleet = cls(sockets, shards, reader, options.observer, options.settings.close_seconds)
            fleet.sockets = sockets
            specs = [shard_spec(root, n, shards, sockets, options, store) for n in range(shards)]
            fleet.supervisor = Supervisor(specs, settings, failed=fleet.fail)
            undo.callback(fleet.close)
            fleet.supervisor.start()
            fleet.start(REACHED_SECONDS)
            undo.pop_all()
        return fleet

    def _drain(self) -> None:
        # Letters are taken in order: who has answered has accepted what was sent before.
        _ = self.load
        # The shards finish what they accepted, and what they tell of it still arrives here.
        self.supervisor.stop()
        if not self._loop.is_current:
            until = time.monotonic() + HEARD_SECONDS
            for line in self._lines:
                line.hear_out(max(0.0, until - time.monotonic()))

    def _end(self) -> None:
        super()._end()
        self.sockets.remove()


def _patient(settings: SupervisionSettings, close_seconds: float) -> SupervisionSettings:
    """Give shards the time that they are told to take for closing."""
    needed = close_seconds + MARGIN_SECONDS
    return replace(settings, stop_seconds=max(settings.stop_seconds, needed))
