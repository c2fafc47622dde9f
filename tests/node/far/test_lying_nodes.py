from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from actors import SchedulingMode
from node.cli.far import FarNode as Far
from node.peers.rules import Rules
from protocol.entry import Entry
from protocol.errors import OutcomeUnknown
from protocol.message import Message, verify
from protocol.wallet import Wallet
from tests.foreign import extended, forged, schedule
from tests.items import message_item
from tests.node.conftest import Shell
from tests.node.far.conftest import Liar
from tests.node.peers.outside import reply

Lie = Callable[[list[Entry], Wallet, Wallet], None]
"""Changes a schedule of `user` that `wallet` signed."""


def another_message(entries: list[Entry], user: Wallet, _wallet: Wallet) -> None:
    """Slot 2 comes with another message than the one it was given to."""
    other = Message.decode(message_item(user, entries[0].message.id, 99))
    entries[2] = replace(entries[2], message=other)


def a_message_changed(entries: list[Entry], _user: Wallet, _wallet: Wallet) -> None:
    """The data of slot 2 is not what its sender signed; the ID stays."""
    message = Message.decode(entries[2].message.encoded[:-1] + b"!")
    entries[2] = replace(entries[2], message=message)


def another_time(entries: list[Entry], _user: Wallet, _wallet: Wallet) -> None:
    """Slot 2 says another time than its scheduler signed."""
    entries[2] = replace(entries[2], assignment=replace(entries[2].assignment, timestamp=1))


def another_scheduler(entries: list[Entry], user: Wallet, _wallet: Wallet) -> None:
    """Slot 2 is signed by somebody that the process does not name."""
    entries[2] = forged(entries[2], user)


def another_link(entries: list[Entry], _user: Wallet, wallet: Wallet) -> None:
    """Slot 2, signed by its scheduler, does not follow from slot 1."""
    entries[2] = forged(entries[2], wallet, link=entries[3].assignment.link)


def another_past(entries: list[Entry], user: Wallet, wallet: Wallet) -> None:
    """Slot 1 is exchanged by its scheduler, with a sound link: the rest does not follow."""
    other = Message.decode(message_item(user, entries[0].message.id, 99))
    entries[1] = extended(entries[:1], other, wallet)


def another_chain(entries: list[Entry], _user: Wallet, wallet: Wallet) -> None:
    """From slot 2 on, the links are of another rule."""
    entries[2] = forged(entries[2], wallet, chain="base-hashpath")


def one_left_out(entries: list[Entry], _user: Wallet, _wallet: Wallet) -> None:
    """There is no slot 2: where it should be, there is slot 3."""
    del entries[2]


def another_process(entries: list[Entry], user: Wallet, wallet: Wallet) -> None:
    """A sound slot 2, of another process."""
    entries[2] = schedule(user, wallet, 3)[2]


def another_beginning(entries: list[Entry], user: Wallet, wallet: Wallet) -> None:
    """A sound slot 0, of another process."""
    entries[0] = schedule(user, wallet, 1)[0]


LIES: dict[Lie, tuple[int, str]] = {
    another_message: (2, "its link does not follow"),
    a_message_changed: (2, "its message: the signature does not verify"),
    another_time: (2, "signature"),
    another_scheduler: (2, "a scheduler signed it that the process does not name"),
    another_link: (2, "its link does not follow"),
    another_past: (2, "its link does not follow"),
    another_chain: (2, "chain rule"),
    one_left_out: (3, "it comes after slot 1"),
    another_process: (2, "it belongs to process"),
    another_beginning: (0, "it belongs to process"),
}
"""What is done, and which slot is named for it with which words."""


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
@pytest.mark.parametrize("page_limit", [1000, 2])
def test_a_lie_is_found_and_its_slot_is_named(
    shell: Shell, liar: Liar, liars: str, lie: Lie, page_limit: int
) -> None:
    """Exit code 1 and what is wrong in which slot, however the node cuts its pages."""
    process, (slot, words) = liar.process, LIES[lie]
    lie(liar.entries, shell.user, shell.wallet)
    liar.page_limit = page_limit
    done = shell.run("verify", process, "--node", liars, "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, done.stderr, found["ok"]) == (1, "", False)
    assert found["problem"].startswith(f"slot {slot} of ")
    assert words in found["problem"]
    assert found["slots"] <= slot
    told = shell.run("verify", process, "--node", liars)
    assert (told.exit_code, told.stdout) == (1, f"{found['problem']}\n")


def test_short_pages_are_no_lie(shell: Shell, liar: Liar, liars: str) -> None:
    """A node may send one slot at a time."""
    liar.page_limit = 1
    assert shell.works("verify", liar.process, "--node", liars) == "all is well: 5 slots\n"


def test_pages_that_are_too_long_are_asked_for_in_parts(
    shell: Shell, liar: Liar, liars: str
) -> None:
    """Of large messages there are only so many in one answer; one slot alone must fit."""
    honest, too_long = liar.answer, reply(body=bytes(Rules().max_answer_bytes + 1))
    liar.answer_with(lambda target: too_long if "from=1&to=4" in target else honest(target))
    assert shell.works("verify", liar.process, "--node", liars) == "all is well: 5 slots\n"
    liar.answer_with(lambda target: too_long if "from=0&to=0" in target else honest(target))
    told = shell.fails("verify", liar.process, "--node", liars)
    assert told == f"the answer is over {Rules().max_answer_bytes} bytes"


@pytest.mark.parametrize("claimed", [5, 10**14])
def test_slots_that_are_claimed_must_be_shown(
    shell: Shell, liar: Liar, liars: str, claimed: int
) -> None:
    """The first one that is not there is named."""
    liar.claimed = claimed
    done = shell.run("verify", liar.process, "--node", liars)
    assert (done.exit_code, done.stdout) == (1, f"slot 5 of {liar.process} is missing\n")
    assert shell.fails("slot", liar.process, "--node", liars).startswith(f"slot {claimed} of ")


def test_a_process_without_slots_is_not_well(shell: Shell, liar: Liar, liars: str) -> None:
    """Nothing was checked, so nothing is said to be well."""
    liar.claimed = -1
    for name in ("slot", "schedule", "verify"):
        told = shell.fails(name, liar.process, "--node", liars)
        assert told == f"the node has no slot of process {liar.process}"


def test_only_what_is_proven_is_shown(shell: Shell, liar: Liar, liars: str) -> None:
    """`schedule` stops before the page that lies, and says why; `slot` says nothing else."""
    liar.page_limit = 2
    another_link(liar.entries, shell.user, shell.wallet)
    done = shell.run("schedule", liar.process, "--node", liars)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: slot 2 of ")
    another_scheduler(liar.entries, shell.user, shell.wallet)
    liar.claimed = 2
    assert "that the process does not name" in shell.fails("slot", liar.process, "--node", liars)


@pytest.mark.parametrize(
    "sent",
    [
        reply(body=b"<html>\x1b[31m", headers=[("content-type", "text/html")]),
        reply(body=b"{}", headers=[("content-type", "application/json")]),
        reply(500, b'{"detail": "out of \\u001b[31m order"}'),
        reply(302, headers=[("location", "http://127.0.0.1:1/")]),
        b"HTTP/1.1 200 So\r\ncontent-length: 99\r\n\r\ncut",
        b"\xff\x00",
        b"",
    ],
    ids=["page", "JSON", "broken", "redirect", "cut", "noise", "silence"],
)
def test_what_is_no_scheduler_is_one_clear_line(
    shell: Shell, liar: Liar, liars: str, sent: bytes
) -> None:
    """Whatever is at the URL, reading and sending end in good order."""

    def answer(_: str):
        def send(connection, _head: bytes) -> None:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_RDWR)

        return send

    liar.answer_with(answer)
    file = shell.file(message_item(shell.user, liar.process))
    for arguments in [("slot", liar.process), ("schedule", liar.process), ("send", file)]:
        told = shell.fails(*arguments, "--node", liars)
        assert told.isprintable()


def test_a_given_slot_must_hold_the_message(shell: Shell, liar: Liar, liars: str) -> None:
    """The node names a sound slot, with somebody else's message in it."""
    file = shell.file(message_item(shell.user, liar.process, 99))
    told = shell.fails("send", file, "--node", liars)
    assert told == f"slot 4 of {liar.process} has another message"


def test_a_given_slot_must_be_shown(shell: Shell, liar: Liar, liars: str) -> None:
    """A slot that never appears leaves the outcome open."""
    liar.given = "7"
    message = verify(message_item(shell.user, liar.process, 99))
    with Far(liars, patience_seconds=0) as node, pytest.raises(OutcomeUnknown, match="slot 7 of"):
        node.schedule(message, SchedulingMode.AGGRESSIVE)


def test_a_node_that_names_no_slot_is_asked_again_by_its_user(
    shell: Shell, liar: Liar, liars: str
) -> None:
    """No slot, or an error of the node's own: the line does not say that nothing happened."""
    file = shell.file(message_item(shell.user, liar.process, 99))
    liar.given = "none"
    told = shell.fails("send", file, "--node", liars)
    assert told == "the scheduler did not say which slot it gave"
    liar.status = 503
    assert shell.fails("send", file, "--node", liars) == "the scheduler answered with status 503"


def test_a_stage_that_is_not_said_is_not_told(shell: Shell, liar: Liar, liars: str) -> None:
    """Asked to wait for the bundler, a node that does not say so has stored, no more."""
    file = shell.file(liar.entries[4].message.encoded)
    asked = ["send", file, "--mode", "remote", "--node", liars, "--json"]
    assert json.loads(shell.works(*asked))["stage"] == "stored"
