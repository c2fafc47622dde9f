from __future__ import annotations

import json
import stat

from node.cli.verification import counted
from node.demonstration import MESSAGES_PER_MODE, MODES
from protocol.ids import Id
from protocol.wallet import Wallet
from storage.tables import slot_key
from tests.node.conftest import Shell
from tests.node.running import command
from tests.storage.tamper import flip

SLOTS = 1 + MESSAGES_PER_MODE * len(MODES)


def test_the_demonstration_makes_what_it_needs(shell: Shell) -> None:
    """In an empty folder it makes a wallet and a store, and shows and verifies every slot."""
    folder = shell.data.with_name("new")
    shell.environment |= {
        "AO_SCHEDULER_DATA": str(folder / "store"),
        "AO_SCHEDULER_WALLET": str(folder / "keys" / "wallet.json"),
    }
    done = command(shell.environment, "demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "all is well" in done.stdout
    wallet = folder / "keys" / "wallet.json"
    assert stat.S_IMODE(wallet.stat().st_mode) == 0o600
    assert str(Wallet.load(wallet).address) in done.stdout
    assert shown(done.stdout) == schedule(shell, done.stdout)
    assert json.loads(shell.works("verify", "--json"))["assignments"] == SLOTS


def test_the_demonstration_can_be_repeated(shell: Shell) -> None:
    """Each run adds a process of its own, with the wallet that is there."""
    for run in (1, 2):
        done = shell.run("demo")
        assert (done.exit_code, done.stderr) == (0, "")
        assert str(shell.wallet.address) in done.stdout
        assert f"all is well: {counted(run, 'processes')}, {run * SLOTS} assignments" in done.stdout


def test_the_demonstration_fails_with_the_verification(shell: Shell) -> None:
    """Exit code 1 when anything in the store does not verify, whoever put it there."""
    process = shell.schedule(slots=2).process
    flip(shell.data, "commitments", slot_key(process, 1))
    done = shell.run("demo")
    assert done.exit_code == 1
    assert f"process {process} slot 1: record" in done.stdout
    assert f"{SLOTS} of {SLOTS} answers are on disk" in done.stdout


def test_a_stage_is_never_reached_before_the_one_below(shell: Shell) -> None:
    """In every mode the latencies grow from assigned over stored to published."""
    output = shell.works("demo")
    for mode in MODES:
        rows = [line.split() for line in output.splitlines() if line.startswith(mode.value)]
        assert len(rows) == MESSAGES_PER_MODE
        for row in rows:
            assigned, stored, published = map(float, row[-3:])
            assert 0 < assigned <= stored <= published


def shown(output: str) -> list[tuple[str, ...]]:
    """Slot, message ID and link of each row."""
    first = output.splitlines().index(heading(output)) + 1
    return [tuple(line.split()[1:4]) for line in output.splitlines()[first : first + SLOTS]]


def heading(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("mode "))


def schedule(shell: Shell, output: str) -> list[tuple[str, ...]]:
    """The same from the store."""
    process = Id.parse(next(line for line in output.splitlines() if "process " in line).split()[1])
    found = json.loads(shell.works("schedule", process, "--format", "json"))
    return [(str(row["slot"]), row["message_id"], row["link"]) for row in found]
