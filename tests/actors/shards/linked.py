"""A shard with its service, and a scheduler that reaches it over the channel, in one program."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors import Scheduler, SchedulingMode, Stage
from actors.channel.folder import SocketFolder
from actors.shard import Shard, ShardOptions
from actors.shards.front import Front
from actors.shards.service import Service
from actors.uploader import FolderUploader
from protocol.errors import Recovering, SchedulerError
from protocol.message import ACCEPTED
from protocol.wallet import Wallet
from storage import LmdbReader
from storage.journal import Journal
from tests.actors.outside import PATIENCE


class Ours:
    """The shard's own journal as the front's reader: one program opens a store once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)

    def close(self) -> None:
        """It is the shard's."""


class Linked:
    """The two ends of a channel, and ways to disturb it.

    Attributes:
        shard: the only one of its store.
        scheduler: reaches it through `front`.
    """

    def __init__(self, journal: LmdbReader, root: Path, wallet: Wallet, **options) -> None:
        self._root = root
        options = {"uploader": FolderUploader(root / "published"), **options}
        self.shard = Shard(journal, ShardOptions((wallet,), **options))
        self.shard.start()
        self.sockets = SocketFolder.create()
        self.generation = 0
        self.begin_service()
        self.front = Front(self.sockets, 1, Ours(journal), close_seconds=PATIENCE)
        assert self.front.start(PATIENCE)

    def begin_service(self, *, number: int = 0) -> None:
        """Let the shard be reached, as the next generation."""
        self.generation += 1
        path = self.sockets.socket(0)
        self._service = Service(self.shard, number, 1, self.generation, path)
        self._service.start()

    def end_service(self) -> None:
        """Let nobody reach the shard; it goes on."""
        self._service.stop()

    def open(self, deadline: float = 2 * PATIENCE) -> Scheduler:
        """Return a scheduler over the front."""
        mode = SchedulingMode.LOCAL_CONFIRMATION
        return Scheduler(self._root, self.front.reader, self.front, mode, ACCEPTED, deadline)

    def close(self) -> None:
        """End everything."""
        self.shard.close()
        self.front.close()
        self._service.stop()
        self.sockets.remove()


def assigned_again(scheduler, item):
    """Ask with the same message until the shard is back."""
    while True:
        try:
            return scheduler.assign(item)
        except Recovering:
            continue


def codes(ticket) -> set[str]:
    """The codes of the errors that the three futures end with."""
    found = set()
    for stage in Stage:
        with pytest.raises(SchedulerError) as caught:
            ticket.future(stage).get(timeout=PATIENCE)
        found.add(caught.value.code)
    return found
