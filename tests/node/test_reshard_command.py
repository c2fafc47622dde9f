"""`reshard`, and every other command on the store of several shards that it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.ids import Id
from storage import stored_shards
from tests.items import message_item, process_item
from tests.node.conftest import Shell
from tests.node.running import holder, on_terminal
from tests.storage.signed import SignedSchedule


@pytest.fixture
def sharded(shell: Shell) -> SignedSchedule:
    """A schedule of two slots, in a store of two shards."""
    schedule = shell.schedule(slots=2)
    assert shell.works("reshard", "--shards", 2) == (
        f"{shell.data} has 2 shards now; all of it was verified\n"
    )
    return schedule


def test_it_tells_what_became_of_the_store(shell: Shell) -> None:
    """Done, nothing to do, and how many there are."""
    shell.schedule()
    done = "{} has {} now; all of it was verified\n"
    assert shell.works("reshard", "--shards", 3) == done.format(shell.data, "3 shards")
    assert shell.works("reshard", "--shards", 3) == f"nothing to do: {shell.data} has 3 shards\n"
    assert shell.works("reshard", "--shards", 1) == done.format(shell.data, "1 shard")


def test_a_terminal_shows_how_far_it_is(shell: Shell) -> None:
    """On a terminal a bar says what is being done; at the end only the result is left."""
    shell.schedule()
    code, seen = on_terminal(shell.environment, "reshard", "--shards", 2)
    assert code == 0
    assert "removing" in seen
    assert f"{shell.data} has 2 shards now; all of it was verified" in seen


def test_an_unfinished_one_is_given_up(shell: Shell) -> None:
    """`status` names the commands that end it, and the one with the old number gives it up."""
    shell.schedule()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.reshard.run.verify_store", _interrupted)
        assert shell.run("reshard", "--shards", 2).exit_code == 130
    obstacle = json.loads(shell.works("status", "--json"))["obstacle"]
    assert "`ao-scheduler reshard --shards 2` finishes it" in obstacle
    assert obstacle in shell.works("status")
    assert shell.works("reshard", "--shards", 1) == (
        f"given up: {shell.data} stays as it was, with 1 shard\n"
    )
    assert json.loads(shell.works("status", "--json"))["obstacle"] is None


def test_a_running_writer_is_named(shell: Shell) -> None:
    """Beside a program that writes nothing is resharded."""
    shell.schedule()
    with holder(shell.environment) as program:
        assert program.line() == "open"
        assert (
            shell.fails("reshard", "--shards", 2) == f"{shell.data} is in use by PID {program.pid}"
        )


@pytest.mark.parametrize("number", ["0", "65", "two"])
def test_a_senseless_number_is_misuse(shell: Shell, number: str) -> None:
    """What is no number of shards is refused before the store is looked at."""
    assert shell.run("reshard", "--shards", number).exit_code == 2


@pytest.mark.usefixtures("sharded")
def test_every_shard_is_listed(shell: Shell) -> None:
    """`status` shows the whole store, and each shard by itself."""
    found = json.loads(shell.works("status", "--json"))
    assert found["processes"] == sum(shard["processes"] for shard in found["shards"]) == 1
    assert [shard["shard"] for shard in found["shards"]] == [0, 1]
    lines = shell.works("status").splitlines()
    assert lines[-3].split() == ["shard", "processes", "writer", "obstacle"]
    assert sorted(line.split()[1] for line in lines[-2:]) == ["0", "1"]


def test_it_is_read_and_verified(shell: Shell, sharded: SignedSchedule) -> None:
    """`slot`, `schedule` and `verify` find a process wherever it lies."""
    assert shell.works("slot", sharded.process) == "1\n"
    assert len(json.loads(shell.works("schedule", sharded.process, "--format", "json"))) == 2
    assert json.loads(shell.works("verify", "--json"))["assignments"] == 2
    assert json.loads(shell.works("verify", sharded.process, "--json"))["ok"]


def test_it_is_backed_up_and_adopted(shell: Shell, sharded: SignedSchedule, tmp_path: Path) -> None:
    """`backup` copies every shard; `adopt` takes all of them into use."""
    backup = tmp_path / "backup"
    shell.works("backup", backup)
    assert stored_shards(backup) == 2
    found = json.loads(shell.works("status", "--json", "--data", backup))
    assert {shard["obstacle"] for shard in found["shards"]} == {found["obstacle"]}
    assert "must be adopted first" in shell.fails("reshard", "--shards", 1, "--data", backup)
    assert shell.works("adopt", "--data", backup).startswith("adopted")
    shell.works("reshard", "--shards", 1, "--data", backup)
    assert shell.works("slot", sharded.process, "--data", backup) == "1\n"


@pytest.mark.usefixtures("sharded")
def test_it_is_checked(shell: Shell) -> None:
    """`doctor` says how many shards the store has."""
    said = shell.run("doctor", "--set", "server.port=0").stdout
    assert f"{shell.data}: 1 processes in 2 shards, nobody writes" in said


def test_messages_get_their_slots(shell: Shell, sharded: SignedSchedule) -> None:
    """`spawn` and `send` schedule in the shard of the process."""
    message = shell.file(message_item(shell.user, sharded.process, 7))
    assert json.loads(shell.works("send", message, "--json"))["slot"] == 2
    process = shell.file(process_item(shell.user, shell.wallet.address, Number=9))
    spawned = json.loads(shell.works("spawn", process, "--json"))
    assert (spawned["slot"], shell.works("slot", Id.parse(spawned["process"]))) == (0, "0\n")


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
