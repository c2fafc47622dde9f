"""Two recorded schedules, replayed from their message IDs, times and block."""

from __future__ import annotations

from itertools import pairwise

import pytest

from protocol.assignment import Assignment, Block
from protocol.chain import chain_rule, preimage
from protocol.codecs import ans104
from protocol.codecs.assignment import commit, encode, signature_data
from protocol.codecs.signatures import RSA, signature_type
from protocol.errors import InvalidSignature, MalformedItem
from protocol.ids import Id
from protocol.message import verify
from protocol.terms import Terms, spawn_terms
from tests.protocol.recorded import body, pairs, raw, vectors

RECORDED = vectors("assignments")
SCHEDULES = {schedule["name"]: schedule for schedule in RECORDED["schedules"]}
SLOTS = [(name, slot) for name, schedule in SCHEDULES.items() for slot in range(11)]
ITEMS = [
    (name, number)
    for name, schedule in SCHEDULES.items()
    for number, post in enumerate(schedule["posts"])
    if post["how"] == "item"
]
REFUSED = {
    "tampered-item": InvalidSignature,
    "truncated-item": MalformedItem,
    "empty-item": MalformedItem,
}


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("name", SCHEDULES)
def test_the_chain_is_as_recorded(name: str) -> None:
    """Every link follows from the message IDs alone, and hashes the recorded bytes."""
    recorded = SCHEDULES[name]["assignments"]
    links = ["", *(link(name, slot) for slot in range(len(recorded)))]
    for slot, (before, after) in enumerate(pairwise(links)):
        message = message_id(name, slot)
        assert recorded[slot]["hash_chain_ok"]
        assert after == recorded[slot]["hash_chain"]
        assert preimage(before, message) == raw(recorded[slot]["hash_chain_preimage_b64u"])


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_what_is_signed_is_as_recorded(name: str, slot: int) -> None:
    """Tags, their Avro bytes and the 48 signed bytes are those of HyperBEAM's data item."""
    recorded, replayed = item(name, slot), assignment(name, slot)
    assert replayed.tags() == list(recorded.tags)
    assert signature_data(replayed, recorded.owner) == recorded.signature_data()
    as_ans104 = SCHEDULES[name]["assignments"][slot]["as_ans104"]
    assert replayed.tags() == pairs(as_ans104["tags"])
    assert recorded.signature_data() == raw(as_ans104["signature_data_b64u"])
    assert str(ans104.unsigned(replayed.tags()).unsigned_id) == as_ans104["unsigned_id"]


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_the_published_item_is_as_recorded(name: str, slot: int) -> None:
    """With the recorded signature, the assignment becomes the recorded item, ID and all."""
    recorded = SCHEDULES[name]["assignments"][slot]["as_ans104"]
    commitment = commit(item(name, slot).owner, item(name, slot).signature)
    signed = assignment(name, slot).signed([commitment])
    assert encode(signed, commitment) == raw(recorded["item_b64u"])
    assert str(signed.id) == str(commitment.id) == recorded["id"]
    assert str(commitment.committer) == recorded["owner_address"] == RECORDED["scheduler_address"]


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_the_scheduler_signed_what_we_replay(name: str, slot: int) -> None:
    """HyperBEAM's signature verifies over our form of the assignment, and of no other slot."""
    recorded, replayed = item(name, slot), assignment(name, slot)
    rsa = signature_type(RSA)
    signed = signature_data(replayed, recorded.owner)
    assert rsa.verify(recorded.owner, signed, recorded.signature)
    other = signature_data(assignment(name, (slot + 1) % 11), recorded.owner)
    assert not rsa.verify(recorded.owner, other, recorded.signature)


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_the_keys_are_those_of_the_recorded_message(name: str, slot: int) -> None:
    """The tags are the recorded message's own keys, as HyperBEAM encodes them for any codec."""
    recorded, replayed = SCHEDULES[name]["assignments"][slot], assignment(name, slot)
    assert dict(replayed.tags()) == dict(pairs(recorded["tabm_linked"]))
    assert (str(replayed.process), replayed.slot) == (recorded["process"], recorded["slot"])


@pytest.mark.parametrize(("name", "number"), ITEMS)
def test_a_posted_item_is_what_was_scheduled(name: str, number: int) -> None:
    """The posted bytes verify as the message in the slot of the reply, for this process."""
    post = SCHEDULES[name]["posts"][number]
    verified = verify(body(post))
    assert str(verified.message_id) == post["message_ids"]["all"]
    assert verified.message_id == message_id(name, int(dict(post["reply"]["headers"])["slot"]))
    assert str(verified.process) == SCHEDULES[name]["process_id"]
    assert verified.path == b"compute"


def test_a_posted_process_starts_its_own_schedule() -> None:
    """The recorded spawn is its own process, and asks for the recorded scheduler."""
    schedule = SCHEDULES["ans104-process"]
    verified = verify(body(schedule["spawn"]))
    assert verified.is_process
    assert str(verified.process) == schedule["process_id"]
    scheduler = Id.parse(RECORDED["scheduler_address"])
    assert spawn_terms(verified.keys, {scheduler}) == Terms((scheduler,))


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("name", REFUSED)
def test_a_posted_item_that_the_node_refused_is_refused(name: str) -> None:
    """Where HyperBEAM's reply was an error without a word, the refusal here has a name."""
    (exchange,) = (negative for negative in RECORDED["negative"] if negative["name"] == name)
    assert exchange["reply"]["status"] == 500
    with pytest.raises(REFUSED[name]):
        verify(body(exchange))


def test_both_schedules_hold_a_message_twice() -> None:
    """The replay covers duplicates: the same message takes two slots with different links."""
    for name in SCHEDULES:
        assert message_id(name, 1) == message_id(name, 5)
        assert link(name, 1) != link(name, 5)


def assignment(name: str, slot: int) -> Assignment:
    recorded = SCHEDULES[name]["assignments"][slot]
    time = dict(pairs(recorded["tabm_linked"]))[b"timestamp"]
    block = RECORDED["arweave_time"]
    return Assignment(
        process=Id.parse(SCHEDULES[name]["process_id"]),
        slot=slot,
        message_id=message_id(name, slot),
        link=link(name, slot),
        timestamp=int(time),
        block=Block(block["height"], block["timestamp"], block["hash"]),
    )


def link(name: str, slot: int) -> str:
    rule, text = chain_rule("hash-chain"), ""
    for number in range(slot + 1):
        text = rule.next(text, message_id(name, number), None)
    return text


def message_id(name: str, slot: int) -> Id:
    return Id.parse(SCHEDULES[name]["assignments"][slot]["body_ids"]["all"])


def item(name: str, slot: int) -> ans104.Item:
    return ans104.parse(raw(SCHEDULES[name]["assignments"][slot]["as_ans104"]["item_b64u"]))
