"""A shard as a program of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from actors import Scheduler, Stage
from actors.channel.folder import SocketFolder
from actors.events import log
from actors.shard import ShardOptions
from actors.shards.fleet import Fleet
from actors.shards.line import Line
from actors.shards.program import SWITCH_SECONDS, shard_spec
from actors.shards.supervisor import Supervisor
from actors.uploader import FolderUploader
from protocol.errors import OutcomeUnknown, StoreInUse, StoreInvalid
from protocol.message import verify
from protocol.wallet import Wallet
from storage import StoreSettings, open_writer
from tests.actors.channel.conftest import in_a_child
from tests.actors.outside import PATIENCE, Gate
from tests.actors.shards.lines import CALM, until
from tests.actors.shards.outside import BarredSigner, BreakOnce
from tests.items import process_item
from tests.sources import ROOT

HEAVY = {"httpx", "prometheus_client", "pydantic", "rich", "starlette", "structlog", "typer"}

KILLED = """
import os, signal, sys
from actors import Scheduler
from protocol.wallet import Wallet

Scheduler.open(sys.argv[1], Wallet.load(sys.argv[2]), shards=2)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "store"


@pytest.fixture
def options(root: Path, wallet: Wallet):
    """What the shard is handed, beside what a test adds."""

    def make(**given) -> ShardOptions:
        return ShardOptions((wallet,), FolderUploader(root / "published"), **given)

    return make


@pytest.fixture
def fleet(root: Path, options):
    """A store of one shard that runs, with what a test hands it."""
    launched: list[Fleet] = []

    def launch(**given) -> Fleet:
        launched.append(Fleet.launch(root, 1, options(**given), StoreSettings(), CALM))
        return launched[-1]

    yield launch
    for each in launched:
        each.close()


@pytest.fixture
def spawn(user_wallet: Wallet, wallet: Wallet):
    """A message that starts a process."""
    return verify(process_item(user_wallet, wallet.address))


def submitted(fleet: Fleet, message):
    ticket = fleet.ticket(PATIENCE)
    fleet.submit(message, ticket)
    return ticket


def test_a_shard_that_cannot_open_its_store_says_why(root, options) -> None:
    """The error is the one that opening it in this program would raise."""
    sockets = SocketFolder.create()
    holder = open_writer(root)
    spec = shard_spec(root, 0, 1, sockets, options(), StoreSettings())
    try:
        with pytest.raises(StoreInUse, match=f"in use by PID {os.getpid()}"):
            Supervisor([spec], CALM).start()
    finally:
        holder.close()
        sockets.remove()


def test_a_forked_child_that_closes_leaves_the_shard_to_its_parent(fleet, spawn) -> None:
    """The folder of the sockets stays, too, so that the next life of the shard can be reached."""
    launched = fleet()
    in_a_child(launched.close)
    os.kill(launched.supervisor.pids[0], signal.SIGKILL)
    until(lambda: launched.supervisor.standings()[0].restarts and launched.shards[0].pid)
    assert submitted(launched, spawn).stored.get(timeout=PATIENCE).slot == 0


def test_what_came_before_the_end_is_read(fleet, spawn, monkeypatch) -> None:
    """However far behind this program is: what shards said before they ended still counts."""
    launched = fleet()
    ticket, gate = submitted(launched, spawn), Gate()
    # Holds up the thread that reads, until the shard is gone and somebody waits for that thread.
    ticket.assigned.add_done_callback(lambda _: gate.pass_through())
    hear_out, close = Line.hear_out, Line.close

    def open_and_hear_out(line: Line, seconds: float) -> None:
        gate.open()
        hear_out(line, seconds)

    def close_and_open(line: Line) -> None:
        close(line)
        gate.open()

    monkeypatch.setattr(Line, "hear_out", open_and_hear_out)
    monkeypatch.setattr(Line, "close", close_and_open)
    launched.close()
    assert ticket.stored.get(timeout=PATIENCE).slot == 0


def test_a_wallet_is_seen_nowhere(root, fleet, wallet) -> None:
    """The key reaches a shard, but no command line, no environment and no file."""
    running = fleet()
    secrets = [wallet._jwk[part].encode() for part in ("d", "p", "q")]
    (pid,) = running.supervisor.pids
    files = [Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ")]
    for folder in (root, running.sockets.path):
        files += [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 3
    for file in files:
        content = file.read_bytes()
        assert not any(secret in content for secret in secrets), file


def test_a_fenced_shard_ends_and_its_successor_knows_better(fleet, spawn, tmp_path) -> None:
    """Whoever waited does not know what became of it; the same message again tells."""
    running = fleet(probe=BreakOnce(tmp_path / "flag"))
    with pytest.raises(OutcomeUnknown):
        submitted(running, spawn).stored.get(timeout=PATIENCE)
    until(lambda: running.supervisor.standings()[0].generation == 2 and running.shards[0].pid)
    (standing,) = running.supervisor.standings()
    assert standing.reason == "shard 0 was fenced: broken after the commit"
    until(lambda: running.shards[0].state == "ready")
    assert submitted(running, spawn).stored.get(timeout=PATIENCE).slot == 0


def test_a_shard_that_is_signalled_finishes_what_it_accepted(fleet, spawn, line, bar) -> None:
    """Its callers still hear of what is stored meanwhile."""
    running = fleet(signer=BarredSigner(line.path, bar.path))
    ticket = submitted(running, spawn)
    word, *_, pid = line.hear()
    assert word == "signing"
    os.kill(int(pid), signal.SIGTERM)
    until(lambda: running.supervisor.standings()[0].state == "recovering")
    bar.lift()
    assert ticket.stored.get(timeout=PATIENCE).slot == 0


def test_a_shard_runs_with_the_numbers_it_is_given(fleet, spawn, line, bar) -> None:
    """Its switch interval is its own, and it writes the events that its parent does."""
    log.configure("error")
    try:
        running = fleet(signer=BarredSigner(line.path, bar.path))
    finally:
        log.configure("quiet")
    bar.lift()
    submitted(running, spawn)
    assert line.hear()[:-1] == ["signing", str(SWITCH_SECONDS), "error"]


@pytest.mark.parametrize("shards", [2, 64])
def test_another_number_of_shards_is_refused_before_any_program_starts(
    root, fleet, options, monkeypatch, shards
) -> None:
    """The refusal costs no time, however many there were to be."""
    fleet().close()
    monkeypatch.setattr(Supervisor, "start", NotImplementedError)
    with pytest.raises(StoreInvalid, match=f"has 1 shards, not {shards}"):
        Fleet.launch(root, shards, options(), StoreSettings())


def test_a_killed_program_leaves_no_folder_behind(root, wallet, tmp_path) -> None:
    """The last of its shards to end removes the one that their sockets were in."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    wallet.save(tmp_path / "wallet.json")
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", KILLED, str(root), str(tmp_path / "wallet.json")]
    killed = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    until(lambda: not list(temporary.iterdir()))


def test_a_shard_imports_little() -> None:
    """What only the node and the command line need costs no shard its start."""
    script = "import sys, actors.shards.program; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "actors.shard" in result.stdout.split()
    assert not HEAVY & set(result.stdout.split())


def test_what_a_killed_shard_stored_is_there_after_it(root, fleet, spawn, wallet) -> None:
    """Its successor opens the store as it was left, and the store opens without shards, too."""
    running = fleet()
    first = submitted(running, spawn).stored.get(timeout=PATIENCE)
    os.kill(running.supervisor.pids[0], signal.SIGKILL)
    until(lambda: running.supervisor.standings()[0].generation == 2)
    until(lambda: running.shards[0].state == "ready")
    assert submitted(running, spawn).future(Stage.STORED).get(timeout=PATIENCE) == first
    running.close()
    with Scheduler.open(root, wallet) as scheduler:
        assert scheduler.latest(spawn.process) == first
