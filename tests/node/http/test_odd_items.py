from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.codecs.ans104 import sign, unsigned
from protocol.codecs.assignment import verify
from protocol.codecs.wire import Wire
from protocol.foreign.bundle import page
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service, Services
from tests.protocol.odd_tags import DATA, TAGS

ACCEPTED = ("application/http", "application/aos-2", "application/json", "application/ans104")


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, wallet: Wallet, user_wallet: Wallet
) -> Iterator[tuple[Service, Id, bytes]]:
    """A node with a process of two slots, and the message in the second one."""
    folder: Path = tmp_path_factory.mktemp("odd")
    with Services(folder, [wallet]) as services:
        service = services.start(limits={"rate_per_signer": 0})
        spawned = service.post("/push", process_item(user_wallet, wallet.address))
        process = Id.parse(spawned.headers["process"])
        plain = message_item(user_wallet, process)
        service.post("/push", plain)
        yield service, process, plain


@pytest.mark.guarantee("L1")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs=TAGS, data=DATA, posted=st.sampled_from(ACCEPTED))
def test_any_item_that_is_taken_can_be_read(
    place: tuple[Service, Id, bytes],
    user_wallet: Wallet,
    pairs: list[tuple[bytes, bytes]],
    data: bytes,
    posted: str,
) -> None:
    """Whatever its tags are called: every address and codec has it, and it spoils no page."""
    service, process, plain = place
    item = sign(unsigned(tuple(pairs), data, bytes(process)), user_wallet)
    # A tag may ask for the reply's codec, or for one that there is not; the header goes first.
    reply = service.post(f"/{process}/schedule", item.encode(), require_codec=posted)
    assert reply.status_code == 200, reply.text
    slot = int(reply.headers["slot"]) if "slot" in reply.headers else newest(service, process)
    for accept in ACCEPTED:
        for address in (f"/{item.id}", f"/{process}/schedule?from=1"):
            assert service.get(address, accept=accept).status_code == 200
    for address in (f"/{item.id}?process-id={process}", f"/{process}?from-nonce=0"):
        assert service.get(address).json()
    assert service.get(f"/{item.id}", accept="application/ans104").content == item.encode()
    first, last = (one_slot(service, process, number) for number in (1, slot))
    assert (first.encoded, last.encoded) == (plain, item.encode())


def newest(service: Service, process: Id) -> int:
    return int(service.get(f"/{process}/slot").headers["current"])


def one_slot(service: Service, process: Id, slot: int) -> Message:
    """The message of a slot, out of the page of all slots; its assignment verifies."""
    pages = service.get(f"/{process}/schedule?from=1&to={slot}", accept="application/http")
    (*_, entry) = page(wire_of(pages), 1000).entries
    verify(entry.assignment)
    assert entry.assignment.slot == slot
    return entry.message


def wire_of(reply: httpx.Response) -> Wire:
    assert reply.status_code == 200, reply.text
    return Wire(tuple((name.lower(), value) for name, value in reply.headers.raw), reply.content)
