from __future__ import annotations

import json
from dataclasses import replace

import pytest

from protocol.assignment import LEGACY_VARIANT, VARIANT, Block
from protocol.codecs import portable
from protocol.codecs.wire import Wire
from protocol.commitment import ANS104, HTTPSIG
from protocol.entry import Entry
from protocol.errors import InvalidInput, MalformedItem
from protocol.foreign import aos2, bundle, legacy
from protocol.formats import aos2 as aos2_format
from protocol.formats import bundle as bundle_format
from protocol.formats import legacy as legacy_format
from protocol.formats.frame import Frame
from protocol.message import Message
from protocol.schedule_check import check
from tests.foreign import extended, process_of, schedule
from tests.items import message_item
from tests.protocol.recorded import pairs, raw, vectors

MOST = 1001
SCHEDULES = {each["name"]: each for each in vectors("assignments")["schedules"]}
READABLE = 9
"""Slots of each recorded page before the first one whose message lost what proves it."""


@pytest.fixture(
    scope="module",
    params=[("hash-chain", ANS104), ("hash-chain", HTTPSIG), ("base-hashpath", ANS104)],
    ids=["ans104", "httpsig", "hashpath"],
)
def entries(request, user_wallet, wallet) -> list[Entry]:
    """Four slots of a process of variant ao.N.1."""
    chain, device = request.param
    return schedule(user_wallet, wallet, 4, chain=chain, device=device, variant=VARIANT)


@pytest.fixture(scope="module")
def older(user_wallet, wallet) -> list[Entry]:
    """Four slots of a process of variant ao.TN.1."""
    return schedule(user_wallet, wallet, 4, chain="legacy", variant=LEGACY_VARIANT)


@pytest.mark.parametrize("more", [True, False])
def test_a_bundle_is_read_as_it_was_written(entries, more) -> None:
    """Assignments and messages come back with every signature."""
    found = bundle.page(_bundle(entries, more=more), MOST)
    assert list(found.entries) == entries
    assert found.more is more


def test_a_bundle_may_hold_assignments_of_the_older_variant(older) -> None:
    """Read as the items that were signed, with what stands beside them left out."""
    found = bundle.page(_bundle(older), MOST)
    assert list(found.entries) == older
    check(process_of(older), found.entries, None, older[0].message.keys)


@pytest.mark.parametrize("more", [True, False])
def test_aos2_is_read_as_it_was_written(entries, more) -> None:
    """Whatever the JSON does not say is found out by the signatures."""
    found = aos2.page(aos2_format.schedule(_frame(entries, more=more), entries), MOST)
    assert list(found.entries) == entries
    assert found.more is more


@pytest.mark.parametrize("more", [True, False])
def test_a_legacy_page_is_read_as_it_was_written(older, more) -> None:
    """With its anchors, without which no signature would verify."""
    written = legacy_format.page(older, more=more, by_nonce=True, show_anchor=True)
    found = legacy.page(written, MOST)
    assert list(found.entries) == older
    assert found.more is more
    check(process_of(older), found.entries, None, older[0].message.keys)


def test_one_legacy_slot_is_read(older) -> None:
    """As `latest` answers with it."""
    written = json.dumps(legacy_format.node(older[3], show_anchor=True)).encode()
    assert legacy.entry(written) == older[3]


@pytest.mark.parametrize("reply", ["bundle_unsigned_reply", "bundle_signed_reply"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_recorded_bundles_are_read_and_verify(name, reply) -> None:
    """What HyperBEAM's formatters give for signed assignments proves itself."""
    found = bundle.page(_wire(SCHEDULES[name]["signed_schedule"][reply]["wire"]), MOST)
    assert len(found.entries) == READABLE
    assert found.more
    process = found.entries[0].assignment.process
    check(process, found.entries, None, found.entries[0].message.keys)
    expected = [each["body_ids"]["all"] for each in SCHEDULES[name]["assignments"]]
    assert [str(entry.message.id) for entry in found.entries] == expected[:READABLE]


@pytest.mark.parametrize("name", ["schedule-bundle", "schedule-bundle-range"])
def test_a_recorded_reply_that_lost_its_signatures_proves_nothing(name) -> None:
    """HyperBEAM answers so for what it stored; nobody can tell who gave those slots."""
    for recorded in SCHEDULES.values():
        (reply,) = (each["reply"] for each in recorded["replies"] if each["name"] == name)
        with pytest.raises(InvalidInput):
            bundle.page(_reply(reply), MOST)


def test_a_recorded_empty_page_is_empty() -> None:
    """Beyond the newest slot there is nothing."""
    for recorded in SCHEDULES.values():
        (reply,) = (r["reply"] for r in recorded["replies"] if r["name"] == "schedule-past-end")
        assert bundle.page(_reply(reply), MOST).entries == ()


@pytest.mark.parametrize("name", ["slot", "slot-scheduler-device"])
def test_a_recorded_slot_is_read(name) -> None:
    """From the headers, whatever stands in the body."""
    for recorded in SCHEDULES.values():
        (reply,) = (each["reply"] for each in recorded["replies"] if each["name"] == name)
        assert bundle.slot(_reply(reply)) == 10


@pytest.mark.parametrize(
    ("headers", "expected"), [(((b"current", b"7"),), 7), (((b"current", b"-1"),), -1)]
)
def test_a_schedule_may_be_empty(headers, expected) -> None:
    """Slot -1 is none."""
    assert bundle.slot(Wire(headers)) == expected


@pytest.mark.parametrize("headers", [(), ((b"current", b"x"),), ((b"current", b"-2"),)])
def test_a_slot_that_is_no_number_is_refused(headers) -> None:
    """Nothing can be done with it."""
    with pytest.raises(MalformedItem):
        bundle.slot(Wire(headers))


def test_slots_come_in_their_order(user_wallet, wallet) -> None:
    """Parts are sorted as text, slots as numbers."""
    entries = schedule(user_wallet, wallet, 12)
    assert list(bundle.page(_bundle(entries), MOST).entries) == entries


def test_more_slots_than_asked_for_are_refused(entries, older) -> None:
    """A page is bounded by who asks for it."""
    for read, reply in (
        (bundle.page, _bundle(entries)),
        (aos2.page, aos2_format.schedule(_frame(entries), entries)),
        (legacy.page, legacy_format.page(older, more=False, by_nonce=True)),
    ):
        with pytest.raises(MalformedItem):
            read(reply, 3)


def test_a_message_that_json_cannot_carry_ends_the_page(user_wallet, wallet) -> None:
    """The slots before it are read; asked for alone, it is refused."""
    entries = schedule(user_wallet, wallet, 2)
    process = process_of(entries)
    binary = Message.decode(message_item(user_wallet, process, data=b"\xff\x00"))
    entries.append(extended(entries, binary, wallet))
    entries.append(extended(entries, entries[1].message, wallet))
    found = aos2.page(aos2_format.schedule(_frame(entries), entries), MOST)
    assert list(found.entries) == entries[:2]
    assert found.more
    with pytest.raises(InvalidInput):
        aos2.page(aos2_format.schedule(_frame(entries), entries[2:]), MOST)
    with pytest.raises(InvalidInput):
        legacy.page(legacy_format.page(entries[2:], more=False, by_nonce=True), MOST)


@pytest.mark.parametrize("read", [aos2.page, legacy.page])
@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"page_info":{}}',
        b'{"page_info":{},"edges":{}}',
        b'{"page_info":{},"edges":[null]}',
        b'{"page_info":{},"edges":[{"node":{"message":null,"assignment":{}}}]}',
        b'{"edges":[]}',
        b"\xff",
    ],
)
def test_what_is_no_page_is_refused(read, reply) -> None:
    """In one clear line, whatever it is."""
    with pytest.raises(MalformedItem):
        read(reply, MOST)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Signature", 5),
        ("Signature", "AAAA"),
        ("Signature", "!"),
        ("PublicKey", None),
        ("Tags", None),
        ("Tags", [{"name": "a"}]),
        ("Tags", [{"name": "a", "value": None}]),
        ("Tags", [5]),
        ("Tags", [{"name": "\ud800", "value": ""}]),
        ("Target", "AAAA"),
        ("Data", "other"),
        ("Anchor", 5),
    ],
)
@pytest.mark.parametrize("part", ["message", "assignment"])
def test_a_damaged_edge_is_refused(user_wallet, wallet, part, field, value) -> None:
    """Of whatever kind the damage is; what nobody reads does no harm."""
    entries = schedule(user_wallet, wallet, 2)[1:]
    page = json.loads(aos2_format.schedule(_frame(entries), entries))
    page["edges"][0]["node"][part][field] = value
    reply = json.dumps(page).encode()
    if part == "assignment" and field in ("Target", "Data", "Anchor"):
        assert list(aos2.page(reply, MOST).entries) == entries
        return
    with pytest.raises(InvalidInput):
        aos2.page(reply, MOST)


def _frame(entries: list[Entry], *, more: bool = False) -> Frame:
    return Frame(process_of(entries), more, 1_700_000_000, Block())


def _bundle(entries: list[Entry], *, more: bool = False) -> Wire:
    wire = portable.encode(bundle_format.schedule(_frame(entries, more=more), entries))
    return replace(wire, headers=(*wire.headers, (b"server", b"other")))


def _wire(recorded) -> Wire:
    return Wire(tuple(pairs(recorded["headers"])), raw(recorded["body_b64u"]))


def _reply(recorded) -> Wire:
    headers = tuple((name.lower().encode(), value.encode()) for name, value in recorded["headers"])
    return Wire(headers, raw(recorded["body_b64u"]))
