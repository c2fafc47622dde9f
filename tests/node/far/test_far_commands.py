from __future__ import annotations

import json
import socket

import pytest

from node.cli.reading import as_json
from protocol.ids import Id, digest_id
from protocol.message import Message, verify
from tests.items import message_item, process_item, signed_message
from tests.node.conftest import Shell
from tests.node.http.service import Service
from tests.node.running import command
from tests.storage.schedules import random_id

READING = ["slot", "schedule", "verify"]


@pytest.fixture
def process(there: Service, shell: Shell) -> Id:
    """A process of the node, with four slots."""
    scheduler = there.node.scheduler
    process = scheduler.assign(process_item(shell.user, shell.wallet.address)).process
    for number in range(3):
        scheduler.assign(message_item(shell.user, process, number))
    return process


def test_a_process_and_its_messages_get_their_slots_at_a_node(
    shell: Shell, there: Service, url: str
) -> None:
    """`spawn` and `send` tell what the node stored; there is no store on this side."""
    item = process_item(shell.user, shell.wallet.address)
    process = verify(item).process
    files = shell.file(item, "p"), shell.file(message_item(shell.user, process), "m")
    told = [
        json.loads(shell.works(name, file, "--node", url, "--json"))
        for name, file in zip(("spawn", "send"), files, strict=True)
    ]
    stored = [entry.assignment for entry in there.node.scheduler.entries(process).entries]
    assert told == [
        {
            "process": str(process),
            "slot": slot,
            "message_id": str(assignment.message_id),
            "link": assignment.link,
            "assignment_id": str(assignment.id),
            "stage": "stored",
        }
        for slot, assignment in enumerate(stored)
    ]
    assert not shell.data.exists()


@pytest.mark.parametrize(
    ("mode", "stages"),
    [
        ("aggressive", {"stored", "published"}),
        ("local", {"stored", "published"}),
        ("remote", {"published"}),
    ],
)
def test_a_node_waits_for_the_stage_that_the_mode_names(
    shell: Shell, url: str, mode: str, stages: set[str]
) -> None:
    """What is read back is stored at least; `remote` is answered once it is published."""
    file = shell.file(process_item(shell.user, shell.wallet.address))
    told = json.loads(shell.works("spawn", file, "--mode", mode, "--node", url, "--json"))
    assert told["stage"] in stages
    assert told["assignment_id"]


def test_sending_to_a_node_again_gives_the_same_slot(
    shell: Shell, url: str, process: Id, there: Service
) -> None:
    """A file that was sent twice has one slot."""
    file = shell.file(message_item(shell.user, process, 99))
    slots = [json.loads(shell.works("send", file, "--node", url, "--json"))["slot"] for _ in "ab"]
    assert slots == [4, 4]
    assert there.node.scheduler.slot(process) == 4


@pytest.mark.parametrize(
    "asked",
    [
        {"require_codec": "application/json"},
        {"require_codec": "ans104@1.0"},
        {"require_codec": "httpsig@1.0", "accept_bundle": "true"},
        {"accept": "application/json", "accept_bundle": "true"},
        {"slot": "77"},
    ],
    ids=",".join,
)
def test_an_item_may_ask_for_another_form_of_answer(
    shell: Shell, url: str, process: Id, asked: dict[str, str]
) -> None:
    """Tags that choose the answer's codec are honoured by the node, and understood here."""
    file = shell.file(message_item(shell.user, process, 1000, **asked))
    assert json.loads(shell.works("send", file, "--node", url, "--json"))["slot"] == 4


def test_messages_signed_as_http_messages_are_sent_from_files(
    shell: Shell, url: str, there: Service
) -> None:
    """A process and a message in httpsig: both get their slots, and both verify."""
    keys = {"type": "Process", "scheduler": str(shell.wallet.address), "module": "m" * 43}
    spawn = Message.create(keys, shell.user, codec="httpsig")
    shell.works("spawn", shell.file(spawn.encoded), "--node", url)
    message = signed_message(shell.user, spawn.id)
    told = json.loads(shell.works("send", shell.file(message.encoded), "--node", url, "--json"))
    assert (told["slot"], told["message_id"]) == (1, str(message.id))
    assert shell.works("verify", spawn.id, "--node", url) == "all is well: 2 slots\n"
    stored = there.node.scheduler.entries(spawn.id).entries
    assert [entry.message.encoded for entry in stored] == [spawn.encoded, message.encoded]


def test_a_node_is_read(shell: Shell, url: str, process: Id, there: Service) -> None:
    """`slot`, `schedule` and `verify` say the same as beside the node's store."""
    assert shell.works("slot", process, "--node", f"{url}/") == "3\n"
    found = json.loads(shell.works("schedule", process, "--node", url, "--format", "json"))
    stored = there.node.scheduler.entries(process).entries
    assert found == [as_json(entry.assignment) for entry in stored]
    assert shell.works("verify", process, "--node", url) == "all is well: 4 slots\n"
    assert json.loads(shell.works("verify", process, "--node", url, "--json")) == {
        "ok": True,
        "process": str(process),
        "slots": 4,
        "problem": None,
    }
    assert not shell.data.exists()


@pytest.mark.parametrize(
    ("bounds", "slots"),
    [
        (["--from", 1], [1, 2, 3]),
        (["--to", 1], [0, 1]),
        (["--to", 0], [0]),
        (["--from", 1, "--to", 2], [1, 2]),
        (["--from", 2, "--to", 99], [2, 3]),
        (["--from", 4], []),
        (["--from", 3, "--to", 2], []),
    ],
)
def test_both_bounds_are_included_at_a_node(
    shell: Shell, url: str, process: Id, bounds: list, slots: list[int]
) -> None:
    """--from and --to name the first and the last slot, as they do of a store."""
    asked = ["schedule", process, *bounds, "--node", url, "--format", "json"]
    assert [assignment["slot"] for assignment in json.loads(shell.works(*asked))] == slots


def test_an_id_may_begin_with_a_dash(shell: Shell, url: str, there: Service) -> None:
    """One ID in 64 does, and stands wherever another may."""
    items = (process_item(shell.user, shell.wallet.address, Number=n) for n in range(10_000))
    item = next(item for item in items if str(verify(item).process).startswith("-"))
    process = there.node.scheduler.assign(item).process
    assert shell.works("slot", process, "--node", url) == "0\n"
    assert shell.works("verify", "--node", url, process) == "all is well: 1 slot\n"
    assert len(shell.works("schedule", "--from", 0, process, "--node", url).splitlines()) == 2
    assert shell.fails("location", "show", process, "--node", url) == KNOWS_NONE
    assert shell.fails("location", "show", "--node", url, process) == KNOWS_NONE


KNOWS_NONE = "the node knows no such record"


def test_what_a_node_refuses_is_told_in_its_words(shell: Shell, url: str) -> None:
    """A process of another scheduler, and a message to an unknown one: one line, exit code 1."""
    foreign = shell.file(process_item(shell.user, digest_id(b"another")), "foreign")
    unknown = shell.file(message_item(shell.user, random_id()), "unknown")
    told = shell.fails("spawn", foreign, "--node", url)
    assert told.startswith("the scheduler refuses the message: status 421: ")
    told = shell.fails("send", unknown, "--node", url)
    assert told.startswith("the scheduler refuses the message: status 404: ")


@pytest.mark.parametrize("name", READING)
def test_a_process_that_a_node_does_not_know(shell: Shell, url: str, name: str) -> None:
    """It is an error, and no schedule of nothing."""
    told = shell.fails(name, random_id(), "--node", url)
    assert told.startswith("the scheduler does not know that: status 404: ")


@pytest.fixture
def nobody() -> str:
    """A URL where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_node_that_is_not_there(shell: Shell, nobody: str) -> None:
    """One line that names it, exit code 1, whatever was asked."""
    process = random_id()
    for name in READING:
        told = shell.fails(name, process, "--node", nobody)
        assert told.startswith("127.0.0.1 cannot be asked: ")
    for name, item in [
        ("send", message_item(shell.user, process)),
        ("spawn", process_item(shell.user, process)),
    ]:
        told = shell.fails(name, shell.file(item), "--node", nobody)
        assert told.startswith("the scheduler gave no answer: 127.0.0.1 cannot be asked: ")


@pytest.mark.parametrize("wrong", ["127.0.0.1:8734", "ftp://127.0.0.1", "/tmp", "http://u:p@host"])
def test_what_is_no_url_of_a_node(shell: Shell, wrong: str) -> None:
    """It is refused before anything is asked."""
    assert "URL" in shell.fails("slot", random_id(), "--node", wrong)


def test_disabled_and_whole_nodes_are_not_asked_for(shell: Shell, url: str) -> None:
    """`--mode disabled` schedules nowhere, and `verify` checks one process of a node."""
    file = shell.file(message_item(shell.user, random_id()))
    told = shell.fails("send", file, "--mode", "disabled", "--node", url)
    assert "scheduling disabled" in told
    done = shell.run("verify", "--node", url)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "--node needs a PROCESS" in done.stderr


def test_a_node_is_asked_by_the_program(shell: Shell, url: str, process: Id) -> None:
    """The console command as it is, on its own."""
    done = command(shell.environment, "verify", process, "--node", url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all is well: 4 slots\n", "")
