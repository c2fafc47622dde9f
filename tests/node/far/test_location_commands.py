from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.codecs import portable
from protocol.location import Location
from protocol.message import Message
from protocol.tabm import Tabm
from protocol.wallet import Wallet
from tests.node.conftest import Shell
from tests.node.http.service import Service
from tests.node.peers.far import Answers
from tests.node.peers.outside import Server, reply
from tests.storage.schedules import random_id

PLACE = "https://scheduler.example"


def test_a_node_is_registered_and_shown(shell: Shell, url: str) -> None:
    """`register` prints the record that the node signed, `show` the same, for all to verify."""
    found = registered(shell, url)
    assert found == {
        "address": str(shell.wallet.address),
        "url": PLACE,
        "nonce": 0,
        "time_to_live_ms": 604_800_000,
        "variant": "ao.N.1",
    }
    for asked in ([], [shell.wallet.address]):
        assert json.loads(shell.works("location", "show", *asked, "--node", url, "--json")) == found
    told = dict(
        line.split() for line in shell.works("location", "show", "--node", url).splitlines()
    )
    assert told == {name: str(value) for name, value in found.items()}


def test_each_registration_has_the_next_nonce(shell: Shell, url: str) -> None:
    """Or the one that is asked for, above the last; a slash at the end of the URL says nothing."""
    nonces = [
        registered(shell, url, place, *asked)["nonce"]
        for place, *asked in [(PLACE,), (f"{PLACE}/",), (PLACE, "--nonce", 7), (PLACE,)]
    ]
    assert nonces == [0, 1, 7, 8]


@pytest.mark.parametrize("nonce", [7, 6, 0])
def test_an_old_nonce_is_refused(shell: Shell, url: str, nonce: int) -> None:
    """A registration that was made before does not come again; the record stands."""
    newest = registered(shell, url, PLACE, "--nonce", 7)
    told = shell.fails(
        "location", "register", "https://old.example", "--node", url, "--nonce", nonce
    )
    assert told.startswith("the node refuses: status 409: ")
    assert json.loads(shell.works("location", "show", "--node", url, "--json")) == newest


def test_only_the_operator_registers_a_node(
    shell: Shell, url: str, tmp_path: Path, user_wallet: Wallet
) -> None:
    """With another wallet the node signs nothing; its own record stays as it was."""
    newest = registered(shell, url)
    user_wallet.save(tmp_path / "other.json")
    asked = ["location", "register", "https://other.example", "--node", url]
    told = shell.fails(*asked, "--wallet", tmp_path / "other.json")
    assert told.startswith("the node refuses: status 4")
    assert json.loads(shell.works("location", "show", "--node", url, "--json")) == newest


def test_records_of_others_are_shown(
    shell: Shell, url: str, there: Service, user_wallet: Wallet
) -> None:
    """What a node has taken from another scheduler, by its address."""
    there.node.locations.take(Message.decode(Location.sign(user_wallet, PLACE, 3).encoded))
    asked = ["location", "show", user_wallet.address, "--node", url, "--json"]
    assert json.loads(shell.works(*asked))["nonce"] == 3


def test_a_record_cannot_steer_a_terminal(
    shell: Shell, server: Server, liars: str, user_wallet: Wallet
) -> None:
    """Whoever signs a record may write into it what he likes."""
    says(server, Location.sign(user_wallet, PLACE, 3, variant="ao\x1b[31m"))
    told = shell.works("location", "show", "--node", liars).splitlines()
    assert told[-1].split() == ["variant", "ao\\x1b[31m"]


def test_an_unknown_scheduler_is_not_found(shell: Shell, url: str) -> None:
    """A node that never registered, and an address that nobody knows: exit code 1, one line."""
    for asked in ([], [random_id()]):
        told = shell.fails("location", "show", *asked, "--node", url)
        assert told == "the node knows no such record"


@pytest.mark.parametrize("place", ["nowhere", "ftp://a.example", "https://a.example/?b", ""])
def test_a_place_that_others_cannot_use_is_refused(shell: Shell, url: str, place: str) -> None:
    """The node's words say why."""
    told = shell.fails("location", "register", place, "--node", url)
    assert told.startswith("the node refuses: status 400: ")
    assert "URL" in told


def registered(shell: Shell, url: str, place: str = PLACE, *options: object) -> dict:
    """Register, and return what is printed."""
    return json.loads(shell.works("location", "register", place, *options, "--node", url, "--json"))


def test_a_record_of_somebody_else_is_no_answer(
    shell: Shell, server: Server, liars: str, user_wallet: Wallet
) -> None:
    """Neither to a question about an address nor to a registration."""
    says(server, Location.sign(user_wallet, PLACE, 3))
    told = shell.fails("location", "show", shell.wallet.address, "--node", liars)
    assert told == f"the node answered with a record of {user_wallet.address}"
    told = shell.fails("location", "register", PLACE, "--node", liars)
    assert told == f"the node answered with record 3 of {user_wallet.address} at {PLACE}"


def test_an_older_record_is_no_answer_to_a_registration(
    shell: Shell, server: Server, liars: str
) -> None:
    """A node that keeps the place it had is not believed to have moved."""
    says(server, Location.sign(shell.wallet, "https://old.example", 3))
    told = shell.fails("location", "register", PLACE, "--node", liars)
    assert told.endswith("at https://old.example")
    old = "https://old.example"
    told = shell.fails("location", "register", old, "--nonce", 4, "--node", liars)
    assert told.startswith("the node answered with record 3 of ")


def test_a_record_that_was_changed_is_refused(shell: Shell, server: Server, liars: str) -> None:
    """What is printed is what the scheduler signed, or nothing."""
    record = Message.decode(Location.sign(shell.wallet, PLACE, 3).encoded).tabm
    answer(server, {**record, b"url": b"https://evil.example"})
    assert "sign" in shell.fails("location", "show", "--node", liars)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (reply(body=b"<html>"), ""),
        (reply(headers=[("body", "text")]), "something that is no record"),
        (reply(503, b'{"detail": "later"}'), "the node answered with status 503: later"),
        (b"", "cannot be asked"),
    ],
    ids=["page", "text", "broken", "silence"],
)
def test_what_answers_no_record_is_one_line(
    shell: Shell, server: Server, liars: str, sent: bytes, words: str
) -> None:
    """A wrong URL, a broken node."""

    def send(connection, _head: bytes) -> None:
        connection.sendall(sent)
        connection.close()

    server.answers = Answers(lambda _: send)
    for asked in (["show"], ["register", PLACE]):
        assert words in shell.fails("location", *asked, "--node", liars)


def test_what_is_no_url_is_refused(shell: Shell) -> None:
    """Before anything is asked, or signed."""
    told = shell.fails("location", "show", "--node", "127.0.0.1:8734")
    assert told == "a URL of http or https is needed"


def says(server: Server, record: Location) -> None:
    """Have a server answer everything with a record."""
    answer(server, Message.decode(record.encoded).tabm)


def answer(server: Server, tabm: Tabm) -> None:
    wire = portable.encode({b"body": tabm})
    headers = [(name.decode("latin-1"), value.decode()) for name, value in wire.headers]
    raw = reply(body=wire.body, headers=headers)
    server.answers = Answers(lambda _: raw)
