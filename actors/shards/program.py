"""A shard as a program of its own: its store, its actors, and the service that leads to them."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from actors.channel.folder import SocketFolder
from actors.events import log
from actors.shard import Shard, ShardOptions
from actors.shards.child import ChildSpec
from actors.shards.control import Control
from actors.shards.endings import FENCED_EXIT
from actors.shards.service import Service
from storage import StoreSettings, open_writer
from storage.journal import Journal

SWITCH_SECONDS = 0.005
"""How long a thread of a shard may keep the interpreter while others want it. Measured, 64 in
flight over two shards: 0.5, 2 and 5 ms give 0.74, 0.72 and 0.73 of the crypto floor, which is
noise; 0.1 ms costs a fifth more CPU where nothing is signed."""


@dataclass(frozen=True, slots=True)
class ShardOrder:
    """What a shard's program is told; it travels pickled, over an inherited socket.

    Attributes:
        root: of the store.
        shard: its number.
        shards: how many the store has.
        sockets: where it listens.
        options: what the shard is given from outside, wallets included.
        store: how it opens its part of the store.
        switch_seconds: the interpreter's switch interval.
        log_level: the lowest level of events it writes, to standard error.
    """

    root: Path
    shard: int
    shards: int
    sockets: SocketFolder
    options: ShardOptions
    store: StoreSettings
    switch_seconds: float = SWITCH_SECONDS
    log_level: str = "quiet"


def shard_spec(
    root: Path,
    shard: int,
    shards: int,
    sockets: SocketFolder,
    options: ShardOptions,
    store: StoreSettings,
) -> ChildSpec:
    """Return what a supervisor runs one shard by. It writes the events that this program does."""
    order = ShardOrder(root, shard, shards, sockets, options, store, log_level=log.level)
    return ChildSpec(f"shard {shard}", shard, run_shard, (order,))


def run_shard(control: Control, order: ShardOrder) -> None:
    """Be a shard until told to end; then finish what was accepted.

    Once it is fenced, this program ends at once with `FENCED_EXIT`.

    Raises:
        SchedulerError: the store cannot be opened.
        OSError: nor can the socket.
    """
    sys.setswitchinterval(order.switch_seconds)
    log.configure(order.log_level, shard=order.shard)
    path = order.sockets.socket(order.shard)
    with ExitStack() as closing:
        closing.callback(_leave, control, order.sockets)
        shard = _opened(order, control, closing)
        service = Service(shard, order.shard, order.shards, control.generation, path)
        service.start()
        # Last in, first out: the shard finishes what it accepted, and its callers hear of it.
        closing.callback(service.stop)
        closing.callback(shard.close)
        closing.callback(service.refuse_new)
        control.ready()
        control.run()


def _leave(control: Control, sockets: SocketFolder) -> None:
    # While the parent is there the folder is for the next life of this shard.
    if control.orphaned:
        sockets.leave()


def _opened(order: ShardOrder, control: Control, closing: ExitStack) -> Shard:
    journal = open_writer(order.root, shard=order.shard, shards=order.shards, settings=order.store)
    closing.callback(journal.close)
    shard = _ProgramsShard(journal, order.options, control)
    shard.start()
    return shard


class _ProgramsShard(Shard):
    # A shard that takes its program with it.

    def __init__(self, journal: Journal, options: ShardOptions, control: Control) -> None:
        super().__init__(journal, options)
        self._control = control

    def fenced(self, reason: BaseException) -> None:
        """Stop for good, and end this program: its successor opens the store anew."""
        super().fenced(reason)
        if self.fence is not None:
            self._control.ending(f"was fenced: {reason}")
            os._exit(FENCED_EXIT)
