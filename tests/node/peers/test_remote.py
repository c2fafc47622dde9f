from __future__ import annotations

import pytest

from node.peers.finding import Elsewhere
from node.peers.remote import RemoteSchedules
from protocol.assignment import LEGACY_VARIANT
from protocol.entry import Entry
from protocol.errors import (
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    PeerFailed,
    PeerRefused,
    UnexpectedSlot,
    UntrustedSchedule,
)
from protocol.message import Message, verify
from storage.cache import Cache
from storage.foreign import ForeignTable
from tests.foreign import extended, forged, schedule
from tests.items import message_item
from tests.node.peers.far import VARIANTS, FarNode
from tests.node.peers.outside import redirect, reply

URL = "http://node.example"
SLOTS = 12


@pytest.fixture(scope="module", params=VARIANTS)
def kind(request) -> tuple[str, str]:
    """Chain rule and variant of the process."""
    return VARIANTS[request.param]


@pytest.fixture(scope="module")
def original(kind, user_wallet, wallet) -> list[Entry]:
    """What the far node's scheduler gave."""
    chain, variant = kind
    return schedule(user_wallet, wallet, SLOTS, chain=chain, variant=variant)


@pytest.fixture
def far(server, original) -> FarNode:
    """A node that sends it."""
    return FarNode(server, original)


@pytest.fixture
def place(kind, wallet) -> Elsewhere:
    """Where that node is."""
    return Elsewhere(wallet.address, URL, kind[1])


@pytest.fixture
def table(tmp_path):
    """A cache with nothing in it."""
    with Cache(tmp_path / "cache") as cache:
        yield ForeignTable(cache)


@pytest.fixture
def remote(client, table):
    """What reads it, keeping what it verified before it answers."""
    remote = RemoteSchedules(client, table, async_cache=False)
    yield remote
    remote.close()


def test_the_newest_slot_is_asked_for(remote, far, place) -> None:
    """As the scheduler says it."""
    assert remote.slot(place, far.process) == SLOTS - 1


def test_a_schedule_is_read_whole(remote, far, place, original, table) -> None:
    """Verified, in order, with its messages, and kept."""
    found = remote.entries(place, far.process)
    assert list(found.entries) == original
    assert not found.more
    assert list(table.entries(far.process, 0, 100)) == original


@pytest.mark.parametrize(
    ("first", "last", "limit", "slots", "more"),
    [
        (0, 3, 1000, range(4), False),
        (4, 7, 1000, range(4, 8), False),
        (4, 7, 2, range(4, 6), True),
        (4, None, 3, range(4, 7), True),
        (SLOTS - 1, None, 1000, range(SLOTS - 1, SLOTS), False),
        (0, None, SLOTS, range(SLOTS), False),
        (SLOTS, None, 1000, range(0), False),
        (SLOTS + 5, None, 1000, range(0), False),
        (5, 4, 1000, range(0), False),
        (-3, 1, 1000, range(2), False),
        (5, SLOTS + 9, 1000, range(5, SLOTS), False),
        (1 << 70, None, 1000, range(0), False),
        (0, None, 0, range(0), False),
    ],
)
def test_any_range_can_be_read(
    remote, far, place, original, first, last, limit, slots, more
) -> None:
    """Fetched or from the cache, a range is the same and says whether it goes on."""
    for _ in range(2):
        found = remote.entries(place, far.process, first, last, limit)
        assert list(found.entries) == [original[slot] for slot in slots]
        assert found.more is more


def test_what_is_kept_is_not_asked_for_again(remote, far, place, original) -> None:
    """A second reader costs the other node nothing."""
    remote.entries(place, far.process, 0, 5)
    before = len(far.asked)
    assert list(remote.entries(place, far.process, 2, 4).entries) == original[2:5]
    assert len(far.asked) == before


def test_only_the_rest_is_fetched(remote, far, place, original) -> None:
    """From the first slot that is not kept."""
    remote.entries(place, far.process, 0, 5)
    assert list(remote.entries(place, far.process, 3, 8).entries) == original[3:9]
    assert ("from=6" in far.asked[-1]) or ("from-nonce=5" in far.asked[-1])


def test_a_schedule_that_grew_is_read_on(remote, far, place, original) -> None:
    """The end of a schedule is not remembered."""
    far.entries = original[:5]
    assert len(remote.entries(place, far.process).entries) == 5
    far.entries = original
    found = remote.entries(place, far.process, 0, None, 5)
    assert found.more
    assert list(remote.entries(place, far.process).entries) == original


def test_short_pages_say_that_more_follows(remote, far, place, original) -> None:
    """A node may send less than was asked for."""
    far.page_limit = 4
    found = remote.entries(place, far.process)
    assert list(found.entries) == original[:4]
    assert found.more
    assert list(remote.entries(place, far.process, 4).entries) == original[4:8]


def test_a_redirect_is_followed(remote, far, place, original, internet) -> None:
    """What comes from there is verified like all else."""
    internet.names["moved.example"] = [["93.184.216.35"]]

    def moved(path: str) -> bytes:
        if path.startswith("/there"):
            return far.answer(path.removeprefix("/there"))
        return redirect(f"http://moved.example/there{path}", 307)

    far.answer_with(moved)
    assert list(remote.entries(place, far.process).entries) == original
    assert remote.slot(place, far.process) == SLOTS - 1


def test_redirects_in_a_circle_end(remote, far, place) -> None:
    """After a few."""
    far.answer_with(lambda path: redirect(f"{URL}{path}", 307))
    with pytest.raises(PeerFailed):
        remote.slot(place, far.process)
    assert len(far.asked) == 4
    with pytest.raises(PeerFailed):
        remote.entries(place, far.process)


def test_a_scheduler_in_a_private_network_is_not_asked(remote, far, place, internet) -> None:
    """Wherever a record or a hint leads, the client's rules hold."""
    internet.names["node.example"] = [["10.0.0.1"]]
    with pytest.raises(PeerRefused):
        remote.entries(place, far.process)
    assert far.asked == []


@pytest.mark.usefixtures("far")
def test_an_unknown_process_is_not_found(remote, place, user_wallet) -> None:
    """The other node's word for it is ours."""
    with pytest.raises(NotFound):
        remote.entries(place, user_wallet.address)
    with pytest.raises(NotFound):
        remote.slot(place, user_wallet.address)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_node_that_fails_is_named_so(remote, far, place, status) -> None:
    """Try again later."""
    far.answer_with(lambda _: reply(status))
    with pytest.raises(PeerFailed):
        remote.slot(place, far.process)
    with pytest.raises(PeerFailed):
        remote.entries(place, far.process)


@pytest.mark.parametrize("body", [b"", b"no page", b"{}", b"\xff\xfe"])
def test_nonsense_is_refused(remote, far, place, body) -> None:
    """Whatever comes instead of a slot or a page."""
    headers = [("content-type", 'multipart/form-data; boundary="x"'), ("current", "ten")]
    far.answer_with(lambda _: reply(body=body, headers=headers))
    with pytest.raises(UntrustedSchedule):
        remote.slot(place, far.process)
    with pytest.raises(UntrustedSchedule):
        remote.entries(place, far.process)


def test_a_node_that_promises_more_and_sends_nothing_is_refused(remote, far, place) -> None:
    """Nobody is sent round in circles."""
    if place.variant == LEGACY_VARIANT:
        told = reply(body=b'{"page_info":{"has_next_page":true},"edges":[]}')
    else:
        told = reply(headers=[("type", "schedule"), ("continues", "true")])
    far.answer_with(lambda _: told)
    with pytest.raises(UntrustedSchedule):
        remote.entries(place, far.process)


@pytest.mark.guarantee("S11")
@pytest.mark.parametrize("poison", ["signer", "gap", "message", "start", "shifted", "chain"])
def test_a_poisoned_schedule_is_refused_and_not_kept(
    remote, far, place, original, table, user_wallet, wallet, poison
) -> None:
    """Not a single slot of a page with a forgery in it is passed on or kept."""
    process = far.process
    remote.entries(place, process, 0, 2)
    far.entries = poisoned(original, poison, user_wallet, wallet)
    for _ in range(2):
        with pytest.raises((UntrustedSchedule, UnexpectedSlot)):
            remote.entries(place, process, 0, 9)
    assert list(table.entries(process, 0, 100)) == original[:3]
    far.entries = original
    assert list(remote.entries(place, process).entries) == original


def test_another_slot_than_the_one_asked_for_is_named(remote, far, place, original) -> None:
    """As `next` has to say it: which was expected, and which came."""
    remote.entries(place, far.process, 0, 2)
    far.entries = [*original[:3], *original[4:]]
    with pytest.raises(UnexpectedSlot) as caught:
        remote.entries(place, far.process, 3, 3)
    assert (caught.value.expected, caught.value.found) == (3, 4)


def poisoned(original, poison, user_wallet, wallet) -> list[Entry]:
    entries = list(original)
    if poison == "signer":
        entries[5] = forged(entries[5], user_wallet)
    elif poison == "gap":
        del entries[5]
    elif poison == "message":
        entries[5] = Entry(entries[5].assignment, entries[6].message)
    elif poison == "start":
        entries[4] = entries[5]
    elif poison == "shifted":
        entries = [entries[0], *entries]
    elif poison == "chain":
        link = entries[7].assignment.link
        entries[5] = forged(entries[5], wallet, link=link)
    return entries


@pytest.mark.guarantee("S11")
def test_two_histories_of_one_scheduler_do_not_mix(
    remote, far, place, original, user_wallet, wallet, kind
) -> None:
    """What is kept from before, on either side, must follow what is fetched."""
    process = far.process
    remote.entries(place, process, 8, 10)
    other = original[:4]
    for number in range(8):
        message = Message.decode(message_item(user_wallet, process, 100 + number))
        other.append(extended(other, message, wallet, kind[0], variant=kind[1]))
    far.entries = other
    with pytest.raises(UntrustedSchedule):
        remote.entries(place, process, 3, 7)
    assert list(remote.entries(place, process, 0, 3).entries) == original[:4]
    far.entries = original
    assert list(remote.entries(place, process, 3, 11).entries) == original[3:]


def test_a_run_in_the_middle_begins_with_a_signed_slot(remote, far, place, original) -> None:
    """Only who may sign is looked up in slot 0; the run's own first link is taken as signed."""
    assert list(remote.entries(place, far.process, 6, 8).entries) == original[6:9]
    assert len(far.asked) == 2


@pytest.mark.guarantee("S11")
def test_a_process_that_names_another_scheduler_is_refused(
    remote, server, place, user_wallet, wallet, kind
) -> None:
    """The node that sends a schedule does not decide who may give it."""
    entries = schedule(
        user_wallet, wallet, 3, chain=kind[0], variant=kind[1], named=str(user_wallet.address)
    )
    far = FarNode(server, entries)
    with pytest.raises(UntrustedSchedule, match="does not name"):
        remote.entries(place, far.process)


def test_bundles_without_signatures_are_asked_for_as_json(remote, far, place, original) -> None:
    """HyperBEAM's own bundles lost what proves them, its JSON has it."""
    far.bundles = False
    assert list(remote.entries(place, far.process).entries) == original


def test_the_cache_is_written_behind_the_answer(client, far, place, original, table) -> None:
    """Asynchronously it is complete once the schedules are closed."""
    remote = RemoteSchedules(client, table)
    assert list(remote.entries(place, far.process).entries) == original
    remote.close()
    remote.close()
    assert list(table.entries(far.process, 0, 100)) == original


def test_who_asks_while_it_is_closed_is_answered(client, far, place, original, table) -> None:
    """What comes too late to be kept is passed on all the same."""
    remote = RemoteSchedules(client, table)
    remote.close()
    assert list(remote.entries(place, far.process).entries) == original
    assert table.entries(far.process, 0, 100) == ()


def test_a_cache_that_fails_harms_nobody(remote, client, far, place, original, tmp_path) -> None:
    """Schedules are fetched each time then."""
    cache = Cache(tmp_path / "other")
    cache.close()
    remote = RemoteSchedules(client, ForeignTable(cache), async_cache=False)
    for _ in range(2):
        assert list(remote.entries(place, far.process).entries) == original


def test_a_source_reads_one_scheduler(remote, far, place, original) -> None:
    """Equal places are equal sources, so that readers ahead are shared."""
    source = remote.source(place)
    assert source == remote.source(place)
    assert hash(source) == hash(remote.source(place))
    assert list(source.entries(far.process, 2, 4, 10).entries) == original[2:5]


def test_a_message_is_scheduled_elsewhere(
    remote, far, place, original, user_wallet, wallet, kind
) -> None:
    """The slot that it got is read back and verified."""
    message = verify(message_item(user_wallet, far.process, 50))
    added = extended(original, Message.decode(message.encoded), wallet, kind[0], variant=kind[1])
    take(far, lambda: far.entries.append(added), slot=SLOTS)
    assert remote.schedule(place, message) == added
    posted = next(each for each in far.requests if each.startswith(b"POST"))
    assert posted.endswith(message.encoded)


def test_a_slot_with_another_message_is_no_answer(remote, far, place, user_wallet) -> None:
    """A scheduler that says it took a message and did not is found out."""
    message = verify(message_item(user_wallet, far.process, 50))
    take(far, lambda: None, slot=3)
    with pytest.raises((UntrustedSchedule, NotFound)):
        remote.schedule(place, message)


@pytest.mark.parametrize(
    ("status", "error"), [(400, InvalidInput), (413, InvalidInput), (500, OutcomeUnknown)]
)
def test_a_scheduler_may_refuse_a_message(remote, far, place, user_wallet, status, error) -> None:
    """Its refusal is ours; where it fails, nobody knows."""
    far.answer_with(lambda _: reply(status))
    with pytest.raises(error):
        remote.schedule(place, verify(message_item(user_wallet, far.process, 50)))


def test_a_lost_answer_leaves_the_outcome_open(remote, far, place, user_wallet) -> None:
    """The message may have been scheduled."""

    def hang_up(connection, _request) -> None:
        connection.close()

    far.answer_with(lambda _: hang_up)
    with pytest.raises(OutcomeUnknown):
        remote.schedule(place, verify(message_item(user_wallet, far.process, 50)))


def take(far: FarNode, happens, slot: int) -> None:
    """Have the far node take the next message that is posted."""
    answer = far.answer

    def posted(connection, head: bytes) -> None:
        if head.startswith(b"POST"):
            happens()
            connection.sendall(reply(headers=[("slot", str(slot))]))
            return
        path = head.split(b" ", 2)[1].decode()
        told = answer(path)
        told(connection, head) if callable(told) else connection.sendall(told)

    far.answer_with(lambda _: posted)
