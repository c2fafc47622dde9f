from __future__ import annotations

import json

import pytest

from actors import Scheduler
from protocol.ids import Id, digest_id
from protocol.message import Message, verify
from tests.items import message_item, process_item, signed_message
from tests.node.conftest import Shell
from tests.node.running import command, holder
from tests.storage.schedules import random_id

KEYS = ["process", "slot", "message_id", "link", "assignment_id", "stage"]


def test_a_process_and_its_messages_get_their_slots(shell: Shell) -> None:
    """`spawn` answers with slot 0, `send` with the next one; the store holds what they said."""
    item = process_item(shell.user, shell.wallet.address)
    spawned = json.loads(shell.works("spawn", shell.file(item), "--json"))
    assert list(spawned) == KEYS
    process = verify(item).process
    assert (spawned["process"], spawned["slot"], spawned["stage"]) == (str(process), 0, "stored")
    message = message_item(shell.user, process)
    sent = json.loads(shell.works("send", shell.file(message), "--json"))
    with Scheduler.open(shell.data, mode="disabled") as reader:
        stored = reader.assignment(process, 1)
    assert sent == {
        "process": str(process),
        "slot": 1,
        "message_id": str(verify(message).message_id),
        "link": stored.link,
        "assignment_id": str(stored.id),
        "stage": "stored",
    }


def test_messages_signed_as_http_messages_are_scheduled(shell: Shell) -> None:
    """A file in httpsig is taken as an item is; the codec is told by how it begins."""
    process = shell.schedule(slots=1).process
    message = signed_message(shell.user, process)
    sent = json.loads(shell.works("send", shell.file(message.encoded), "--json"))
    assert (sent["slot"], sent["message_id"]) == (1, str(message.id))
    forged = message.encoded.replace(b"type: Message", b"type: Massage")
    assert "signature" in shell.fails("send", shell.file(forged))


def test_people_get_the_same_facts(shell: Shell) -> None:
    """Without --json the answer is one fact a line."""
    item = process_item(shell.user, shell.wallet.address)
    lines = shell.works("spawn", shell.file(item)).splitlines()
    told = dict(line.split() for line in lines)
    assert list(told) == KEYS
    assert (told["process"], told["slot"]) == (str(verify(item).process), "0")


@pytest.mark.parametrize(
    ("mode", "stage"),
    [
        ("aggressive", "assigned"),
        ("local", "stored"),
        ("local_confirmation", "stored"),
        ("remote", "published"),
        ("remote_confirmation", "published"),
    ],
)
def test_the_mode_names_the_stage(shell: Shell, mode: str, stage: str) -> None:
    """Short and full names of a mode say what is waited for, and the answer says what it was."""
    item = process_item(shell.user, shell.wallet.address)
    told = json.loads(shell.works("spawn", shell.file(item), "--mode", mode, "--json"))
    assert told["stage"] == stage
    # What may still change is not told.
    assert (told["assignment_id"] is None) is (mode == "aggressive")


def test_asking_again_gives_the_same_answer(shell: Shell) -> None:
    """Sending a file twice is harmless."""
    file = shell.file(message_item(shell.user, shell.schedule().process))
    assert shell.works("send", file) == shell.works("send", file)


def test_a_command_leaves_nothing_unpublished(shell: Shell) -> None:
    """A command that answers early still publishes before it ends."""
    process = shell.schedule(slots=1).process
    shell.works("send", shell.file(message_item(shell.user, process)), "--mode", "aggressive")
    with Scheduler.open(shell.data, mode="disabled") as reader:
        assert reader.receipt(process, 1) is not None
        assert reader.pending() == []


def test_a_held_store_names_its_holder(shell: Shell) -> None:
    """While another program writes, `send` and `spawn` tell its PID, and change nothing."""
    process = shell.schedule().process
    message = shell.file(message_item(shell.user, process), "message")
    spawn = shell.file(process_item(shell.user, shell.wallet.address), "process")
    with holder(shell.environment) as program:
        assert program.line() == "open"
        refused = command(shell.environment, "send", message)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == f"error: {shell.data} is in use by PID {program.pid}\n"
        assert shell.fails("spawn", spawn) == f"{shell.data} is in use by PID {program.pid}"
    assert shell.works("slot", process) == "2\n"


def test_a_scheduler_that_is_disabled_schedules_nothing(shell: Shell) -> None:
    """--mode disabled is a mode of the API, and refuses as it does there."""
    process = shell.schedule().process
    file = shell.file(message_item(shell.user, process))
    assert "scheduling disabled" in shell.fails("send", file, "--mode", "disabled")


def test_an_unknown_mode_is_a_usage_error(shell: Shell) -> None:
    """The error names the modes there are."""
    told = shell.run("send", shell.file(b""), "--mode", "fast")
    assert told.exit_code == 2
    assert "'fast' is none of aggressive, local, remote" in told.stderr


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"", "the item ends before its signature type"),
        (lambda _: b"\xff\x1b[31m" * 1000, "signature type"),
        (lambda item: item[:-400], "the item ends before"),
        (lambda item: item[:-1] + b"!", "the item's signature does not verify"),
        (lambda item: item + bytes(11 << 20), "the item is over 10485760 bytes"),
    ],
    ids=["empty", "noise", "cut short", "forged", "too large"],
)
def test_a_bad_file_is_refused_before_any_store_is_touched(shell: Shell, damage, reason) -> None:
    """What is no signed message is one clear line, and makes no store."""
    file = shell.file(damage(message_item(shell.user, random_id())))
    assert reason in shell.fails("send", file)
    assert reason in shell.fails("spawn", file)
    assert not shell.data.exists()


def test_a_message_for_nobody_is_refused(shell: Shell) -> None:
    """A message that names no process is one clear line, and makes no store."""
    file = shell.file(Message.create({"Type": "Message"}, shell.user).encoded)
    assert "names no process" in shell.fails("send", file)
    assert not shell.data.exists()


def test_spawn_and_send_are_not_mixed_up(shell: Shell) -> None:
    """Each names the other one when it was given the wrong kind of message."""
    process = shell.file(process_item(shell.user, shell.wallet.address), "p")
    message = shell.file(message_item(shell.user, random_id()), "m")
    assert shell.fails("send", process) == f"{process} is a message of type Process: use spawn"
    assert shell.fails("spawn", message) == f"{message} is not a message of type Process: use send"
    assert not shell.data.exists()


def test_sending_makes_no_store(shell: Shell) -> None:
    """A mistyped --data is an error, not a new store."""
    file = shell.file(message_item(shell.user, random_id()))
    assert shell.fails("send", file) == f"{shell.data} is not a store"
    assert not shell.data.exists()


def test_what_is_not_ours_is_refused_by_name(shell: Shell) -> None:
    """An unknown process, and a process of another scheduler, change nothing."""
    process = shell.schedule().process
    unknown: Id = random_id()
    file = shell.file(message_item(shell.user, unknown))
    assert shell.fails("send", file) == f"process {unknown} is not scheduled here"
    foreign = shell.file(process_item(shell.user, digest_id(b"another")))
    assert "none of the wallets" in shell.fails("spawn", foreign)
    with Scheduler.open(shell.data, mode="disabled") as reader:
        assert reader.processes() == [process]


def test_scheduling_needs_the_wallet(shell: Shell) -> None:
    """Without its wallet the error names the file that is missing."""
    file = shell.file(process_item(shell.user, shell.wallet.address))
    told = shell.fails("spawn", file, "--wallet", shell.data / "none.json")
    assert told == f"cannot read wallet {shell.data / 'none.json'}: No such file or directory"
