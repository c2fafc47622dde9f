"""The fleet: all shards of a store, started and watched by this program, and the way to them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from actors.channel.folder import SocketFolder
from actors.shard import ShardOptions
from actors.shards.front import Front
from actors.shards.program import shard_spec
from actors.shards.settings import SupervisionSettings
from actors.shards.supervisor import Supervisor
from storage import StoreSettings, open_readers
from storage.creation import ensure_store
from storage.layout import Layout

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
        with ExitStack() as undo:
            ensure_store(Layout(root), shards, store)
            reader = open_readers(root, settings=store)
            undo.callback(reader.close)
            sockets = SocketFolder.create()
            undo.callback(sockets.remove)
            fleet = cls(sockets, shards, reader, options.observer, options.settings.close_seconds)
            fleet.sockets = sockets
            fleet.supervisor = Supervisor(
                [shard_spec(root, n, shards, sockets, options, store) for n in range(shards)],
                settings or SupervisionSettings(),
                failed=fleet.fail,
            )
            fleet.supervisor.start()
            undo.pop_all()
        fleet.start(REACHED_SECONDS)
        return fleet

    def _drain(self) -> None:
        # The shards finish what they accepted, and what they tell of it still arrives here.
        self.supervisor.stop()

    def _end(self) -> None:
        super()._end()
        self.sockets.remove()
