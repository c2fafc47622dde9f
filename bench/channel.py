"""What the channel to a shard costs: the real front and service, with next to no shard."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Protocol, cast

from actors import Stage, Ticket
from actors.channel.folder import SocketFolder
from actors.shard import Shard
from actors.shards.front import Front
from actors.shards.service import Service
from bench.cpu import cpu_seconds
from bench.instant import InstantShard
from bench.items import Forger, Mail
from bench.load import Item, Load
from protocol.ids import digest_id
from protocol.message import Verified
from storage import MemoryJournal

PATIENCE_SECONDS = 10.0
START_SECONDS = 30.0
IN_FLIGHT = 64
PROCESSES = 256

ROUNDS = 3
"""Of which the middle one counts, against what else happens on the machine."""


@dataclass(frozen=True, slots=True)
class ChannelCost:
    """What a scheduled message costs on its way to a shard and back, with all three stages.

    Attributes:
        round_trip_us: from submission to STORED, median, when nothing else is under way; more
            than the same shard takes when it is asked in the asking program.
        lone_cpu_us: CPU time of both programs for each of those, beyond the same.
        cpu_us: the same with 64 in flight, so that letters share reads and writes.
        near_us, near_cpu_us: of the shard in the asking program: the time and, with 64 in
            flight, the CPU time that was taken off.
    """

    round_trip_us: float
    lone_cpu_us: float
    cpu_us: float
    near_us: float
    near_cpu_us: float


@dataclass(frozen=True, slots=True)
class _Cost:
    seconds: float
    lone_cpu: float
    cpu: float


class _Way(Protocol):
    def ticket(self, patience: float) -> Ticket: ...

    def submit(self, message: Verified, ticket: Ticket) -> None: ...


def channel_cost(messages: int) -> ChannelCost:
    """Measure it with so many messages at a time, one after the other and 64 in flight.

    Both ways end in the same stand-in for a shard, by the same load. What differs is the
    front, both ends of the channel and the service, with their threads: that is the cost.
    """
    processes = [digest_id(b"%d" % n) for n in range(PROCESSES)]
    items = Mail(Forger(), digest_id(b"nobody")).messages(processes, messages)
    with _near() as shard:
        near = _cost(shard, items, {os.getpid()})
    with _far() as (front, pid):
        far = _cost(front, items, {os.getpid(), pid})
    return ChannelCost(
        round_trip_us=(far.seconds - near.seconds) * 1e6,
        lone_cpu_us=(far.lone_cpu - near.lone_cpu) * 1e6,
        cpu_us=(far.cpu - near.cpu) * 1e6,
        near_us=near.seconds * 1e6,
        near_cpu_us=near.cpu * 1e6,
    )


def _cost(way: _Way, items: Sequence[Verified], pids: set[int]) -> _Cost:
    _drive(way, items[: len(items) // 10], IN_FLIGHT, pids)
    lone = [_drive(way, items, 1, pids) for _ in range(ROUNDS)]
    many = [_drive(way, items, IN_FLIGHT, pids) for _ in range(ROUNDS)]
    return _Cost(
        seconds=median(seconds for seconds, _ in lone),
        lone_cpu=median(cpu for _, cpu in lone),
        cpu=median(cpu for _, cpu in many),
    )


def _drive(
    way: _Way, items: Sequence[Verified], in_flight: int, pids: set[int]
) -> tuple[float, float]:
    before = cpu_seconds(pids)
    done = Load(partial(_schedule, way), Stage.STORED, in_flight).run(items)
    return median(d.seconds for d in done), (cpu_seconds(pids) - before) / len(items)


def _schedule(way: _Way, item: Item) -> Ticket:
    ticket = way.ticket(PATIENCE_SECONDS)
    way.submit(cast(Verified, item), ticket)
    return ticket


@contextmanager
def _near() -> Iterator[InstantShard]:
    shard = InstantShard()
    shard.start()
    yield shard
    shard.close()


@contextmanager
def _far() -> Iterator[tuple[Front, int]]:
    spawn = get_context("spawn")
    sockets = SocketFolder.create()
    ours, theirs = spawn.Pipe()
    program = spawn.Process(target=serve, args=(sockets, theirs))
    program.start()
    try:
        theirs.close()
        if not ours.poll(START_SECONDS):
            raise TimeoutError("the stand-in for a shard did not start")
        pid: int = ours.recv()
        front = Front(sockets, 1, MemoryJournal())
        if not front.start(START_SECONDS):
            raise TimeoutError("the stand-in for a shard does not answer")
        yield front, pid
        front.close()
    finally:
        ours.close()
        program.join(START_SECONDS)
        program.kill()
        sockets.remove()


def serve(sockets: SocketFolder, pipe: Connection) -> None:
    """Be the program with the stand-in for a shard until the other end of the pipe closes."""
    shard = InstantShard()
    shard.start()
    service = Service(cast(Shard, shard), 0, 1, 1, sockets.socket(0))
    service.start()
    pipe.send(os.getpid())
    pipe.poll(None)
    service.stop()
    shard.close()
