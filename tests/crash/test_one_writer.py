"""One program writes to a store; the others are told who, and may read."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from actors import Scheduler, SchedulingMode
from protocol.errors import StoreInUse
from protocol.wallet import Wallet
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.telling import Item, Job, Opened, Refused, Told
from tests.crash.testimony import Testimony


@pytest.mark.guarantee("S9")
def test_a_second_program_is_told_who_writes(
    root: Path, items: tuple[Item, ...], wallets: tuple[Wallet, ...], wallet_files: tuple[Path, ...]
) -> None:
    """While this program schedules, another one does not get the store, and disturbs nothing."""
    with Scheduler.open(root, wallets, deadline=60) as scheduler:
        with Program(Job(root, wallet_files, items), root.parent) as program:
            refusal = program.wait_for(Refused)
            assert program.listen_to_its_end() == 0
        assert refusal.error == f"{root} is in use by PID {os.getpid()}"
        assert scheduler.processes() == []
        assert scheduler.assign(items[0].encoded).slot == 0


@pytest.mark.guarantee("S9")
def test_reading_goes_on_beside_a_writer(
    root: Path, items: tuple[Item, ...], wallets: tuple[Wallet, ...], wallet_files: tuple[Path, ...]
) -> None:
    """While another program schedules, this one cannot, but reads whatever is stored."""
    with Program(Job(root, wallet_files, items, again=True), root.parent) as program:
        program.wait_for(Opened)
        told = program.wait_for(Told).assignment
        with pytest.raises(StoreInUse, match=f"in use by PID {program.pid}$"):
            Scheduler.open(root, wallets)
        with Scheduler.open(root, mode=SchedulingMode.DISABLED) as reader:
            assert told.process in reader.processes()


@pytest.mark.guarantee("S1", "S4", "S9", "S13")
def test_a_stopped_program_keeps_its_store_until_it_dies(
    testimony: Testimony,
    items: tuple[Item, ...],
    wallets: tuple[Wallet, ...],
    wallet_files: tuple[Path, ...],
) -> None:
    """A program that is suspended may go on at any time; once killed, the next one takes over."""
    job = Job(testimony.root, wallet_files, items, again=True)
    with Program(job, testimony.root.parent) as program:
        program.wait_for(Told)
        program.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, program.pid, os.WSTOPPED | os.WNOWAIT)
        with pytest.raises(StoreInUse, match=f"in use by PID {program.pid}$"):
            Scheduler.open(testimony.root, wallets)
        program.kill()
    testimony.hear(program.records)
    recover(testimony, wallets, items)
