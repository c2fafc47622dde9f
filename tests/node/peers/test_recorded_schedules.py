from __future__ import annotations

import pytest

from node.peers.finding import Elsewhere
from node.peers.remote import RemoteSchedules
from protocol.assignment import VARIANT
from protocol.errors import UnexpectedSlot, UntrustedSchedule
from protocol.ids import Id
from storage.cache import Cache
from storage.foreign import ForeignTable
from tests.node.peers.far import Answers
from tests.node.peers.outside import reply
from tests.protocol.recorded import pairs, raw, vectors

SCHEDULES = {each["name"]: each for each in vectors("assignments")["schedules"]}
READABLE = 9
"""Slots of each recorded page before the first one whose message lost what proves it."""


@pytest.fixture(params=SCHEDULES)
def recorded(request):
    """What a HyperBEAM node holds of one process."""
    return SCHEDULES[request.param]


@pytest.fixture
def process(recorded) -> Id:
    return Id.parse(recorded["process_id"])


@pytest.fixture
def table(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield ForeignTable(cache)


@pytest.fixture
def remote(client, table):
    remote = RemoteSchedules(client, table, async_cache=False)
    yield remote
    remote.close()


@pytest.fixture
def place() -> Elsewhere:
    address = Id.parse(vectors("assignments")["scheduler_address"])
    return Elsewhere(address, "http://node.example", VARIANT)


@pytest.mark.parametrize("form", ["bundle_unsigned_reply", "bundle_signed_reply"])
def test_a_hyperbeam_nodes_schedule_is_verified_and_kept(
    server, remote, table, place, recorded, process, form
) -> None:
    """Every link, every signature of the scheduler and every sender's, over HTTP."""
    wire = recorded["signed_schedule"][form]["wire"]
    headers = [(name.decode(), value.decode()) for name, value in pairs(wire["headers"])]
    server.answers = Answers(lambda _: reply(body=raw(wire["body_b64u"]), headers=headers))
    found = remote.entries(place, process)
    assert len(found.entries) == READABLE
    assert found.more
    assert [str(entry.assignment.id) for entry in found.entries] == [
        each["ids"]["all"] for each in recorded["assignments"][:READABLE]
    ]
    assert table.entries(process, 0, 100) == found.entries
    with pytest.raises(UnexpectedSlot):
        remote.entries(place, process, READABLE)


@pytest.mark.guarantee("S11")
@pytest.mark.parametrize("form", ["schedule-bundle", "schedule-linked", "schedule-json"])
def test_what_a_hyperbeam_node_stored_without_signatures_is_refused(
    server, remote, table, place, recorded, process, form
) -> None:
    """Its own replies of November 2025 lost what proves them, in every codec."""
    (answer,) = (each["reply"] for each in recorded["replies"] if each["name"] == form)
    kept = [field for field in answer["headers"] if field[0].lower() != "transfer-encoding"]
    server.answers = Answers(lambda _: reply(body=raw(answer["body_b64u"]), headers=kept))
    with pytest.raises(UntrustedSchedule):
        remote.entries(place, process)
    assert table.entries(process, 0, 100) == ()


def test_a_hyperbeam_nodes_slot_is_read(server, remote, place, recorded, process) -> None:
    """Whether or not it answers with an index page."""
    (answer,) = (each["reply"] for each in recorded["replies"] if each["name"] == "slot")
    kept = [field for field in answer["headers"] if field[0].lower() != "transfer-encoding"]
    server.answers = Answers(lambda _: reply(body=raw(answer["body_b64u"]), headers=kept))
    assert remote.slot(place, process) == 10
