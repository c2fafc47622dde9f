"""Workers are programs of their own: what ends them is reported, and ends nothing else."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from protocol.errors import Unavailable
from protocol.ids import Id
from protocol.wallet import Wallet
from storage import StoreSettings, open_writer
from storage.verify import Fault, crew, verify_store
from tests.storage.programs import run
from tests.storage.signed import SignedSchedule
from tests.storage.sound import Sound
from tests.storage.tamper import flip

UNGUARDED = """
import sys
from storage.verify import verify_store
print(verify_store(sys.argv[1], workers=2).ok)
"""


@pytest.fixture
def large(tmp_path: Path, user_wallet: Wallet, wallet: Wallet) -> tuple[Path, list[Id]]:
    """A store with two processes whose messages are all files."""
    root = tmp_path / "store"
    schedules = [SignedSchedule(user_wallet, wallet, number) for number in range(2)]
    with open_writer(root, settings=StoreSettings(large_body=1)) as journal:
        for schedule in schedules:
            batch = schedule.pinned(2)
            for pin in batch.pins:
                journal.keep_body(pin.assignment.message_id, pin.body)
            journal.append(batch)
    return root, sorted(schedule.process for schedule in schedules)


def test_a_killed_worker_is_reported(large: tuple[Path, list[Id]]) -> None:
    """The processes it was at are tried one by one; the one that ends workers is named."""
    root, (deadly, other) = large
    before = children()
    with deadly_file(root, deadly) as killed:
        report = verify_store(root, workers=2)
        assert [p.process for p in report.problems] == [deadly]
        assert report.problems[0].code is Fault.UNCHECKED
        assert report.problems[0].slot == 0
        assert f"ended by signal {signal.SIGKILL:d}" in report.problems[0].detail
        assert verify_store(root, other).ok
    assert len(killed) == 2
    assert children() == before


def test_too_many_deaths_leave_the_rest_unchecked(large, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that ends every worker is given up."""
    monkeypatch.setattr(crew, "MAX_DEATHS", 1)
    root, (deadly, _) = large
    with deadly_file(root, deadly) as killed:
        (problem,) = verify_store(root, workers=1).problems
    assert problem.code is Fault.UNCHECKED
    assert "1 workers died" in problem.detail
    assert len(killed) == 1


@pytest.mark.guarantee("S12")
@pytest.mark.parametrize("pages", [2, 3, 4, 6, 8])
def test_a_torn_file_ends_nobody_but_workers(sound: Sound, pages: int) -> None:
    """LMDB maps the file: reading beyond its end is a signal, and not an error."""
    file = sound.root / "shard-000" / "data.mdb"
    with file.open("r+b") as opened:
        opened.truncate(pages * 4096)
    report = verify_store(sound.root, workers=1)
    assert not report.ok
    assert {problem.code for problem in report.problems} <= {
        Fault.FILE,
        Fault.UNCHECKED,
        Fault.RECORD,
    }


@pytest.mark.guarantee("S12")
def test_a_file_of_noise_ends_nobody_but_workers(sound: Sound) -> None:
    """Whatever the pages hold, the caller gets a report."""
    file = sound.root / "shard-000" / "data.mdb"
    content = bytearray(file.read_bytes())
    for start in range(2 * 4096, len(content), 4096):
        content[start + 64 : start + 4096] = b"\xa5" * (4096 - 64)
    file.write_bytes(content)
    assert not verify_store(sound.root, workers=1).ok


def test_workers_find_what_is_wrong(sound: Sound) -> None:
    """Problems come back from other programs as they are."""
    flip(sound.root, "slots", sound.one.process + (2).to_bytes(8, "big"))
    here = verify_store(sound.root, workers=0).problems
    assert verify_store(sound.root, workers=2).problems == here != ()


def test_no_worker_is_left_when_the_caller_is_interrupted(untouched: Sound) -> None:
    """An error in the caller, such as Ctrl-C, ends the workers at their work."""

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    before = children()
    with pytest.raises(KeyboardInterrupt):
        verify_store(untouched.root, workers=2, progress=interrupt)
    assert children() == before


@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program"])
def test_workers_that_cannot_start_are_no_damage(
    untouched: Sound, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """The trouble is with this machine, and is not blamed on the store."""
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(Unavailable, match="worker"):
        verify_store(untouched.root)


def test_the_caller_needs_no_main_guard(untouched: Sound) -> None:
    """A script of three lines can verify: workers do not run the caller's main module again."""
    assert run(UNGUARDED, untouched.root) == "True\n"


@contextmanager
def deadly_file(root: Path, message_id: Id) -> Iterator[list[int]]:
    """Make a message a pipe, and kill whoever opens it for reading; yield the killed."""
    (file,) = (root / "shard-000" / "bodies").glob(f"*/{message_id}.*")
    file.unlink()
    os.mkfifo(file)
    killed: list[int] = []
    over = threading.Event()

    def kill_readers() -> None:
        while True:
            # Opening waits for a reader, who then waits for what nobody writes.
            with file.open("wb"):
                if over.is_set():
                    return
                (reader,) = (pid for pid in children() if has_open(pid, file))
                os.kill(reader, signal.SIGKILL)
                killed.append(reader)
                with suppress(ChildProcessError):
                    os.waitid(os.P_PID, reader, os.WEXITED | os.WNOWAIT)

    killer = threading.Thread(target=kill_readers)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        killer.join()
        os.close(descriptor)


def has_open(pid: int, file: Path) -> bool:
    return file in {link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()}


def children() -> set[int]:
    """Programs that this one started and did not wait for."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            # After the program's name, which may hold anything: state, then the parent.
            parent = status.read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.add(int(status.parent.name))
    return found
