from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.cli.reading import as_json
from storage import open_writer
from storage.tables import slot_key
from tests.items import message_item
from tests.node.conftest import Shell
from tests.node.running import command, holder, on_terminal
from tests.storage.schedules import Schedule, random_id
from tests.storage.tamper import flip

READING = ["slot", "schedule", "verify", "status"]


def test_slot_is_the_highest_stored_one(shell: Shell) -> None:
    """A slot that is pinned and not signed does not exist for readers."""
    schedule = shell.schedule(slots=3)
    with open_writer(shell.data) as journal:
        journal.append(schedule.pinned(1))
    assert shell.works("slot", schedule.process) == "2\n"


def test_a_schedule_is_one_json_array(shell: Shell) -> None:
    """--format json gives every stored assignment, with the names and values of the API."""
    schedule = shell.schedule(slots=3)
    found = json.loads(shell.works("schedule", schedule.process, "--format", "json"))
    assert found == [as_json(assignment) for assignment in schedule.signed]
    last, signed = found[-1], schedule.signed[-1]
    for name in ("process", "message_id", "link", "id"):
        assert last[name] == str(getattr(signed, name))
    assert (last["slot"], last["epoch"], last["timestamp"]) == (2, "0", 5002)
    assert last["block"] == {"height": 102, "timestamp": 1002, "hash": "b" * 43}
    assert [made["committer"] for made in last["commitments"]] == [str(shell.wallet.address)]


@pytest.mark.parametrize(
    ("bounds", "slots"),
    [
        (["--from", 1], [1, 2, 3]),
        (["--to", 1], [0, 1]),
        (["--from", 1, "--to", 2], [1, 2]),
        (["--from", 2, "--to", 99], [2, 3]),
        (["--from", 4], []),
        (["--from", 3, "--to", 2], []),
    ],
)
def test_both_bounds_are_included(shell: Shell, bounds: list, slots: list[int]) -> None:
    """--from and --to name the first and the last slot; beyond what is stored there is nothing."""
    process = shell.schedule(slots=4).process
    found = json.loads(shell.works("schedule", process, *bounds, "--format", "json"))
    assert [assignment["slot"] for assignment in found] == slots
    lines = shell.works("schedule", process, *bounds).splitlines()
    assert [int(line.split()[0]) for line in lines[1:]] == slots


def test_a_schedule_is_lines_off_a_terminal(shell: Shell) -> None:
    """A table that is piped has a heading and a line per slot, and nothing is drawn or cut."""
    schedule = shell.schedule(slots=3)
    heading, *lines = shell.works("schedule", schedule.process).splitlines()
    assert heading.split() == ["slot", "time", "message", "ID", "link", "assignment", "ID"]
    for line, signed in zip(lines, schedule.signed, strict=True):
        slot, _, *ids = line.split()
        assert slot == str(signed.slot)
        assert ids == [str(signed.message_id), signed.link, str(signed.id)]


def test_a_schedule_is_a_table_on_a_terminal(shell: Shell) -> None:
    """A terminal gets a table with whole IDs."""
    schedule = shell.schedule(slots=2)
    code, seen = on_terminal(shell.environment, "schedule", schedule.process)
    assert code == 0
    assert "───" in seen
    assert str(schedule.signed[1].id) in seen


def test_a_schedule_longer_than_a_page_comes_whole(shell: Shell) -> None:
    """A schedule of more than a thousand slots comes without gap or repetition."""
    long = Schedule()
    with open_writer(shell.data) as journal:
        journal.append(long.stored(1001))
    found = json.loads(shell.works("schedule", long.process, "--format", "json"))
    assert [assignment["slot"] for assignment in found] == list(range(1001))
    assert len(shell.works("schedule", long.process).splitlines()) == 1002


@pytest.mark.guarantee("S9")
def test_reading_works_beside_a_running_writer(shell: Shell, tmp_path: Path) -> None:
    """While another program writes, everything that reads, backs up or verifies works."""
    process = shell.schedule(slots=2).process
    with holder(shell.environment) as program:
        assert program.line() == "open"
        assert command(shell.environment, "slot", process).stdout == "1\n"
        assert len(json.loads(shell.works("schedule", process, "--format", "json"))) == 2
        assert json.loads(shell.works("verify", "--json"))["ok"]
        assert json.loads(shell.works("status", "--json"))["writer"] == program.pid
        shell.works("backup", tmp_path / "copy")
        program.go_on()
    assert json.loads(shell.works("verify", "--json", "--data", tmp_path / "copy"))["ok"]


@pytest.mark.parametrize("name", ["slot", "schedule", "verify"])
def test_an_unknown_process_is_one_line(shell: Shell, name: str) -> None:
    """A process that the store does not hold is named, and nothing else is printed."""
    shell.schedule()
    unknown = random_id()
    assert shell.fails(name, unknown) == f"process {unknown} is not in this store"


@pytest.mark.parametrize("name", ["slot", "schedule", "verify"])
@pytest.mark.parametrize("text", ["process", "A" * 42 + "B", "\x1b[2J" + "A" * 39, "ä" * 43])
def test_a_malformed_id_is_one_line(shell: Shell, name: str, text: str) -> None:
    """An ID in any but its canonical form is refused before the store is opened."""
    assert "ID" in shell.fails(name, text)


@pytest.mark.parametrize("name", READING)
def test_reading_makes_no_store(shell: Shell, name: str) -> None:
    """Where there is no store, the error says so and there is none afterwards."""
    arguments = [random_id()] if name in ("slot", "schedule") else []
    assert shell.fails(name, *arguments) == f"{shell.data} is not a store"
    assert not shell.data.exists()


def test_an_empty_store_is_read(shell: Shell) -> None:
    """A store without processes verifies, and has nothing unfinished."""
    open_writer(shell.data).close()
    assert json.loads(shell.works("verify", "--json"))["processes"] == 0
    assert json.loads(shell.works("status", "--json"))["unfinished"] == []


def test_what_a_message_says_cannot_steer_the_terminal(shell: Shell) -> None:
    """Control characters that a sender chose reach neither a table nor JSON as they are."""
    schedule = shell.schedule(slots=1)
    nasty = "\x1b]0;owned\x07\x9b2J\u202e"
    message = message_item(shell.user, schedule.process, path=nasty)
    shell.works("send", shell.file(message))
    for form in ("json", "table"):
        shown = shell.works("schedule", schedule.process, "--format", form)
        assert set(nasty[:1] + nasty[-1:]).isdisjoint(shown)
    assert json.loads(shell.works("schedule", schedule.process, "--format", "json"))[1]["path"] == (
        nasty
    )


def test_a_damaged_slot_is_named(shell: Shell) -> None:
    """A record that does not match its digest is one line with its process and slot."""
    process = shell.schedule(slots=2).process
    flip(shell.data, "slots", slot_key(process, 1))
    done = shell.run("schedule", process, "--format", "json")
    assert done.exit_code == 1
    assert f"process {process}" in done.stderr
