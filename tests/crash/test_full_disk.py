"""A disk that fills up under a live scheduler."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import Scheduler, Stage
from actors.probe import Point
from protocol.errors import Closed, OutcomeUnknown, StoreFull
from protocol.wallet import Wallet
from storage import StoreSettings
from tests.crash.answers import answers, ending
from tests.crash.probes import Hold
from tests.crash.recovery import recover
from tests.crash.telling import Item, Told
from tests.crash.testimony import Testimony
from tests.items import message_item

RESERVE = StoreSettings(min_free_bytes=64 << 10)


class Disk:
    """What `statvfs` says is free."""

    free = 1 << 40

    def statvfs(self, _: object) -> os.statvfs_result:
        return os.statvfs_result((1, 1, self.free, self.free, self.free, 0, 0, 0, 0, 255))


@pytest.mark.guarantee("L3")
def test_below_the_reserve_messages_wait_outside(
    testimony: Testimony,
    one_process: tuple[Item, ...],
    wallet: Wallet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Short of space a message is refused and told when to come again; reads go on meanwhile."""
    spawn, message, *_ = one_process
    disk = Disk()
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    # Room for the first message, to the byte.
    disk.free = RESERVE.min_free_bytes + len(spawn.encoded)
    with Scheduler.open(testimony.root, wallet, store=RESERVE, deadline=60) as scheduler:
        first = scheduler.assign(spawn.encoded, Stage.PUBLISHED)
        disk.free = RESERVE.min_free_bytes
        refusal = ending(scheduler.schedule(message.encoded), Stage.ASSIGNED)
        assert isinstance(refusal, StoreFull)
        assert refusal.retry_after
        assert scheduler.assign(spawn.encoded) == scheduler.latest(spawn.id) == first
        assert scheduler.status().fenced is None
        disk.free = 1 << 40
        assert scheduler.assign(message.encoded).slot == 1
    recover(testimony, wallet, [spawn, message])


class SmallDisk:
    """A filesystem of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no free block."""
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:
                return

    def clear(self) -> None:
        """Have room again."""
        self._ballast.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("NOT SHOWN HERE: a disk that is really full needs permission to mount one")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.guarantee("S1", "S4", "S13", "L1", "L3")
def test_a_disk_that_is_full_inside_a_commit(
    small_disk: SmallDisk, one_process: tuple[Item, ...], wallet: Wallet, user_wallet: Wallet
) -> None:
    """The scheduler stops and does not know; reopened it reads, refuses, and then goes on."""
    testimony = Testimony(small_disk.folder / "store")
    spawn, message, *_ = one_process
    heavy = Item.of(message_item(user_wallet, spawn.id, data=bytes(500_000)))
    hold = Hold(Point.BEFORE_PIN_COMMIT)
    with Scheduler.open(testimony.root, wallet, store=RESERVE, probe=hold, deadline=60) as stopped:
        testimony.hear(
            Told(spawn.id, *answer) for answer in answers(stopped.schedule(spawn.encoded)).items()
        )
        hold.arm()
        ticket = stopped.schedule(heavy.encoded)
        hold.wait()
        small_disk.fill()
        hold.release()
        assert isinstance(ending(ticket, Stage.ASSIGNED), OutcomeUnknown)
        with pytest.raises(Closed, match="fenced"):
            stopped.schedule(message.encoded)
    testimony.judge()
    with Scheduler.open(testimony.root, wallet, store=RESERVE, deadline=60) as scheduler:
        assert scheduler.latest(spawn.id).slot == 0
        refusal = ending(scheduler.schedule(heavy.encoded), Stage.ASSIGNED)
        assert isinstance(refusal, StoreFull)
        assert refusal.retry_after
        small_disk.clear()
        assert scheduler.assign(heavy.encoded, Stage.PUBLISHED).slot == 1
        assert scheduler.assign(message.encoded, Stage.PUBLISHED).slot == 2
    recover(testimony, wallet, [spawn, heavy, message])
