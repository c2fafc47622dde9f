"""The program that is killed: it schedules as it is told to, and tells what it was told."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from functools import partial
from itertools import cycle
from pathlib import Path

import storage.opening
from actors import Scheduler, SchedulingMode, Stage, Ticket
from actors.futures import StageFuture
from actors.opening import started
from actors.probe import Point, no_probe
from actors.shard import ShardOptions
from actors.uploader import FolderUploader
from protocol.assignment import Assignment
from protocol.errors import StoreInUse
from protocol.ids import Id
from protocol.message import ACCEPTED
from protocol.wallet import Wallet
from storage.lock import WriterLock
from tests.crash.barred import BarredBlocks
from tests.crash.load import SMALL_UPLOADS
from tests.crash.telling import (
    Done,
    Failed,
    Item,
    Job,
    Opened,
    Opening,
    Refused,
    Teller,
    Told,
)

PATIENCE_SECONDS = 60.0
"""For a busy machine: no request is to end for being late."""


class SelfKiller:
    """A probe that ends this program, as `kill -9` does, at one call of one point."""

    def __init__(self, point: Point | None, call: int) -> None:
        self._point = point
        self._left = call
        self._lock = threading.Lock()

    def __call__(self, point: Point) -> None:
        if point is not self._point:
            return
        with self._lock:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


class Senders:
    """Send items, as many at once as there are senders, each waiting as its mode says."""

    def __init__(self, scheduler: Scheduler, job: Job, teller: Teller) -> None:
        self._scheduler = scheduler
        self._job = job
        self._teller = teller
        self._free = threading.Semaphore(job.in_flight)
        self._tickets: list[Ticket] = []

    def send_all(self) -> None:
        """Send everything; return once all of it is published."""
        for item in cycle(self._job.items) if self._job.again else self._job.items:
            self._free.acquire()
            self._send(item)
        for ticket in self._tickets:
            ticket.published.get(timeout=PATIENCE_SECONDS)

    def _send(self, item: Item) -> None:
        ticket = self._scheduler.schedule(item.message)
        for stage in Stage:
            ticket.future(stage).add_done_callback(partial(self._tell, item.id, stage))
        ticket.future(item.mode.stage).add_done_callback(lambda _: self._free.release())
        if not self._job.again:
            self._tickets.append(ticket)

    def _tell(self, item: Id, stage: Stage, future: StageFuture[Assignment]) -> None:
        # In the thread that completes the future: nothing goes on before this is told.
        if future.error is None:
            self._teller.tell(Told(item, stage, future.get()))
        else:
            self._teller.tell(Failed(item, stage, repr(future.error)))


class NoLock(WriterLock):
    """Take the lock from nobody, and hold it against nobody."""

    def _take(self, path: Path) -> None:
        pass


def opened(job: Job, wallets: list[Wallet]) -> Scheduler:
    """Open the store, or one shard of it alone."""
    if job.shard is not None:
        return opened_alone(job, job.shard, tuple(wallets))
    return Scheduler.open(
        job.root,
        wallets,
        shards=job.shards,
        deadline=PATIENCE_SECONDS,
        block_clock=BarredBlocks(job.bar) if job.bar else None,
        probe=SelfKiller(job.point, job.call) if job.point else no_probe,
        settings=SMALL_UPLOADS,
    )


def opened_alone(job: Job, number: int, wallets: tuple[Wallet, ...]) -> Scheduler:
    """Open one of several shards in this program."""
    journal = storage.open_writer(job.root, shard=number, shards=job.shards)
    shard = started(journal, ShardOptions(wallets, FolderUploader(job.root / "published")))
    mode = SchedulingMode.LOCAL_CONFIRMATION
    return Scheduler(job.root, journal, shard, mode, ACCEPTED, PATIENCE_SECONDS)


def main(job_file: str, descriptor: str) -> None:
    """Do the job in `job_file`, telling through `descriptor`."""
    with open(job_file, "rb") as file:
        job: Job = pickle.load(file)
    teller = Teller(int(descriptor))
    wallets = [Wallet.load(file) for file in job.wallets]
    if job.past_the_lock:
        storage.opening.WriterLock = NoLock
    teller.tell(Opening())
    try:
        scheduler = opened(job, wallets)
    except StoreInUse as exc:
        teller.tell(Refused(exc.detail))
        return
    with scheduler:
        teller.tell(Opened())
        Senders(scheduler, job, teller).send_all()
        if not job.items:
            sys.stdin.read()
    teller.tell(Done())


if __name__ == "__main__":
    main(*sys.argv[1:])
