from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from protocol.assignment import Block
from protocol.codecs.ans104 import sign, unsigned
from protocol.codecs.ans104_tabm import item_of, tabm_of
from protocol.codecs.assignment import verify
from protocol.codecs.httpsig_commitment import from_wire, to_wire
from protocol.errors import InvalidSignature, UnsupportedValue
from protocol.foreign.bundle import page
from protocol.formats import bundle
from protocol.formats.enclosed import enclosed
from protocol.formats.frame import Frame
from protocol.ids import Id
from protocol.message import Message
from tests.protocol.formats.entries import entry
from tests.protocol.odd_tags import DATA, TAGS
from tests.protocol.signed import SIGNER

PROCESS = Id(bytes(range(32)))
BLOCK = Block()


def item(pairs: list[tuple[bytes, bytes]], data: bytes) -> Message:
    """A signed item with these tags."""
    return Message.decode(sign(unsigned(tuple(pairs), data, bytes(PROCESS)), SIGNER).encode())


def read_back(messages: list[Message]) -> list[Message]:
    """The messages of a page that was written and read; each assignment is verified."""
    entries = [entry(message, SIGNER, PROCESS, slot) for slot, message in enumerate(messages)]
    made = bundle.schedule(Frame(PROCESS, False, 0, BLOCK), entries)
    try:
        wire = to_wire(made, bundle=True)
    except UnsupportedValue:
        wire = to_wire(enclosed(made), bundle=True)
    found = page(wire, len(messages)).entries
    for each in found:
        verify(each.assignment)
    assert [each.assignment for each in found] == [each.assignment for each in entries]
    return [each.message for each in found]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs=TAGS, data=DATA)
def test_any_item_stands_on_a_page(pairs: list[tuple[bytes, bytes]], data: bytes) -> None:
    """Whatever its tags are called: the item is read back byte for byte, and so are others."""
    odd, plain = item(pairs, data), item([(b"Action", b"Ping")], b"hi")
    assert read_back([plain, odd, plain]) == [plain, odd, plain]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs=TAGS, data=DATA)
def test_any_item_is_a_message_and_that_item_again(
    pairs: list[tuple[bytes, bytes]], data: bytes
) -> None:
    """As a message it keeps all its bytes; in headers, too, unless those cannot carry it."""
    made = item(pairs, data)
    tabm = tabm_of(made.item)
    again = item_of(tabm)
    assert again.encode() == made.encoded
    assert again.verify()
    try:
        wire = to_wire(tabm, bundle=False)
    except (UnsupportedValue, InvalidSignature):
        return
    assert Message.of_tabm(from_wire(wire)) == made


@pytest.mark.parametrize("name", ["a/b", 'a"b', "a\\b", "é"])
def test_any_signed_message_stands_on_a_page(name: str) -> None:
    """What is no item stands there with its signature, whatever its keys are called."""
    keys = {"target": str(PROCESS), name: b"a\r\nb"}
    odd = Message.create(keys, SIGNER, codec="httpsig")
    plain = item([], b"")
    assert read_back([odd, plain]) == [odd, plain]
