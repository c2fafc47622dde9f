from __future__ import annotations

import json
import shutil

from storage import open_writer
from storage.tables import slot_key
from tests.disks import StatedDisk
from tests.node.conftest import Shell
from tests.node.running import holder
from tests.storage.programs import Program
from tests.storage.signed import SignedSchedule
from tests.storage.tamper import flip

IDLE = "no program writes; the next one goes on with it"

IDLE_WRITER = """
import sys
from storage import open_writer
with open_writer(sys.argv[1]):
    print("open", flush=True)
    input()
"""


def test_a_finished_store_has_nothing_to_tell(shell: Shell) -> None:
    """Everything stored and published: no writer, no obstacle, nothing unfinished."""
    shell.schedule()
    assert status(shell) == {
        "data": str(shell.data),
        "processes": 1,
        "writer": None,
        "obstacle": None,
        "unfinished": [],
        "shards": [{"shard": 0, "processes": 1, "writer": None, "obstacle": None}],
    }
    lines = shell.works("status").splitlines()
    assert [line.split()[0] for line in lines] == ["store", "processes", "writer", "unfinished"]


def test_what_a_writer_left_undone_is_listed(shell: Shell) -> None:
    """Each first slot without signature or receipt is listed, with the stage it waits for."""
    process = unfinished(shell).process
    expected = [(str(process), 2, "signature", IDLE), (str(process), 1, "receipt", IDLE)]
    assert [tuple(entry.values()) for entry in status(shell)["unfinished"]] == expected
    lines = shell.works("status").splitlines()
    assert lines[-2].split()[:3] == [str(process), "2", "signature"]


def test_a_running_writer_is_named(shell: Shell) -> None:
    """While a program writes its PID is shown; once it was killed it is not."""
    shell.schedule()
    with holder(shell.environment) as program:
        assert program.line() == "open"
        assert status(shell)["writer"] == program.pid
        program.kill()
        assert status(shell)["writer"] is None


def test_what_only_the_writer_knows_is_not_made_up(shell: Shell) -> None:
    """Beside a running writer, why a slot waits is left to the one who knows."""
    unfinished(shell)
    with Program(IDLE_WRITER, str(shell.data)) as program:
        assert program.line() == "open"
        reasons = {entry["reason"] for entry in status(shell)["unfinished"]}
        assert reasons == {f"PID {program.pid} is at work on it, and alone knows what holds it up"}


def test_a_copy_says_that_it_needs_adoption(shell: Shell) -> None:
    """A copied store names its obstacle, and what is unfinished waits for that."""
    unfinished(shell)
    copy = shell.data.with_name("copy")
    shutil.copytree(shell.data, copy)
    found = status(shell, "--data", copy)
    assert found["obstacle"] == "read-only until adopted: it was moved, restored or copied"
    assert {entry["reason"] for entry in found["unfinished"]} == {found["obstacle"]}
    assert found["obstacle"] in shell.works("status", "--data", copy)


def test_a_full_disk_is_an_obstacle(shell: Shell, disk: StatedDisk) -> None:
    """With less free space than the reserve nothing is scheduled, and status says why."""
    shell.schedule()
    disk.free = 1 << 20
    assert status(shell)["obstacle"] == "less than 256 MiB of the disk are free"


def test_another_wallet_is_a_reason(shell: Shell) -> None:
    """A slot that the wallet here cannot sign names the one that can; publishing needs none."""
    unfinished(shell)
    shell.environment["AO_SCHEDULER_WALLET"] = str(shell.data.with_name("user.json"))
    shell.user.save(shell.environment["AO_SCHEDULER_WALLET"])
    signature, receipt = status(shell)["unfinished"]
    assert signature["reason"] == (
        f"it is signed by {shell.wallet.address}; the wallet here is {shell.user.address}"
    )
    assert receipt["reason"] == IDLE


def test_no_wallet_is_needed(shell: Shell) -> None:
    """Without a wallet the store is shown all the same."""
    unfinished(shell)
    shell.environment["AO_SCHEDULER_WALLET"] = "none.json"
    assert [entry["reason"] for entry in status(shell)["unfinished"]] == [IDLE, IDLE]


def test_a_damaged_slot_is_a_reason(shell: Shell) -> None:
    """A record that does not match its digest keeps its slot from being signed or published."""
    process = unfinished(shell).process
    flip(shell.data, "slots", slot_key(process, 2))
    flip(shell.data, "slots", slot_key(process, 1))
    signature, receipt = status(shell)["unfinished"]
    assert "slot 2" in signature["reason"]
    assert "slot 1" in receipt["reason"]


def status(shell: Shell, *arguments: object) -> dict:
    return json.loads(shell.works("status", "--json", *arguments))


def unfinished(shell: Shell) -> SignedSchedule:
    """Store a process with slot 0 published, 1 stored, and 2 and 3 pinned."""
    schedule = SignedSchedule(shell.user, shell.wallet)
    with open_writer(shell.data) as journal:
        for batch in (schedule.published(1), schedule.stored(1), schedule.pinned(2)):
            journal.append(batch)
    return schedule
