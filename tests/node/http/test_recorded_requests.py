from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from protocol.codecs.assignment import of_tabm
from protocol.message import Message
from protocol.message_ids import without_commitments
from protocol.tabm import COMMITMENTS, Tabm
from tests.node.http.recorded import (
    RECORDED,
    SCHEDULES,
    assignments_of,
    recorded_message,
    send,
    stand_in,
)
from tests.node.http.replies import message_of
from tests.node.http.service import Service
from tests.protocol.recorded import Json, raw

TAKEN = 200
OTHERWISE = {"schedule-negative-from", "status", "status-json", "status-linked"}
"""Replies that differ on purpose: HyperBEAM answers nothing to a range that ends at slot 0, where
its own draft says that a negative `from` is 0; and each status is of the node that was asked."""


@pytest.fixture(params=SCHEDULES)
def schedule(request: pytest.FixtureRequest) -> Json:
    """One of the recorded processes, with everything that was sent to it."""
    return SCHEDULES[request.param]


@pytest.fixture
def replayed(
    service: Service, schedule: Json, tmp_path: Path
) -> Iterator[tuple[Service, list[Tabm]]]:
    """The node after all recorded posts, and what it answered to those it took."""
    stand, memory = stand_in(service, schedule, tmp_path / "recorded")
    with stand, closing(stand.node.scheduler):
        answers = []
        for exchange in (schedule["spawn"], *schedule["posts"]):
            reply = send(stand, exchange)
            taken = exchange["reply"]["status"] == TAKEN
            assert reply.status_code == (TAKEN if taken else 400), reply.text
            if taken:
                answers.append(message_of(reply))
                memory.slot += 1
        yield stand, answers


def test_recorded_posts_get_the_recorded_assignments(
    replayed: tuple[Service, list[Tabm]], schedule: Json
) -> None:
    """Slots, links, times and signatures come out as HyperBEAM gave them, post by post."""
    _, answers = replayed
    assert [of_tabm(answer) for answer in answers] == assignments_of(schedule)


def test_recorded_posts_get_the_recorded_replies(
    replayed: tuple[Service, list[Tabm]], schedule: Json
) -> None:
    """Each key of HyperBEAM's reply is in ours, and each message inside is the one posted."""
    _, answers = replayed
    taken = [
        exchange
        for exchange in (schedule["spawn"], *schedule["posts"])
        if exchange["reply"]["status"] == TAKEN
    ]
    for answer, exchange in zip(answers, taken, strict=True):
        theirs = recorded_message(exchange)
        for key in of_tabm(answer).signed(()).tags():
            if key[0] not in (b"ao-types", b"body+link"):
                assert answer[key[0]] == theirs[key[0]]
        if isinstance(theirs.get(b"body"), dict):
            assert own(answer[b"body"]) == own(theirs[b"body"])
            assert Message.of_tabm(answer[b"body"]).id == of_tabm(answer).message_id


def test_recorded_reads_get_the_recorded_replies(
    replayed: tuple[Service, list[Tabm]], schedule: Json
) -> None:
    """Each route answers with HyperBEAM's keys, and pages hold the same assignments."""
    service, _ = replayed
    for exchange in schedule["replies"]:
        if exchange["name"] in OTHERWISE or "aos2" in exchange["name"]:
            continue
        reply = send(service, exchange)
        assert reply.status_code == exchange["reply"]["status"], exchange["name"]
        if exchange["reply"]["status"] != TAKEN or "json" in exchange["name"]:
            continue
        ours, theirs = message_of(reply), recorded_message(exchange)
        for key in set(theirs) & {b"current", b"process", b"block-hash", b"type", b"continues"}:
            assert ours[key] == theirs[key], exchange["name"]
        if isinstance(theirs.get(b"assignments"), dict):
            assert shown(ours) == shown(theirs), exchange["name"]


def test_recorded_pages_of_aos_2_are_equal(
    replayed: tuple[Service, list[Tabm]], schedule: Json
) -> None:
    """Cursor by cursor the messages are those of HyperBEAM's JSON."""
    service, _ = replayed
    for exchange in schedule["replies"]:
        if "aos2" in exchange["name"]:
            ours = orjson.loads(send(service, exchange).content)["edges"]
            theirs = orjson.loads(raw(exchange["reply"]["body_b64u"]))["edges"]
            assert [edge["cursor"] for edge in ours] == [edge["cursor"] for edge in theirs]
            for one, other in zip(ours, theirs, strict=True):
                assert one["node"]["message"]["Data"] == other["node"]["message"]["Data"]


REFUSED = {exchange["name"]: exchange for exchange in RECORDED["negative"]}


@pytest.mark.parametrize("name", REFUSED)
def test_what_hyperbeam_refuses_is_refused_with_a_code(
    service: Service, tmp_path: Path, name: str
) -> None:
    """Where it crashes, the reply here says what is wrong."""
    schedule = SCHEDULES["httpsig-process"]
    stand, memory = stand_in(service, schedule, tmp_path / "recorded")
    with stand, closing(stand.node.scheduler):
        send(stand, schedule["spawn"])
        memory.slot = 1
        reply = send(stand, REFUSED[name])
        if REFUSED[name]["reply"]["status"] == TAKEN:
            assert reply.status_code == TAKEN
            assert reply.headers["slot"] == "1"
        else:
            assert 400 <= reply.status_code < 500
            assert reply.json()["code"]
            assert stand.node.scheduler.slot(schedule["process_id"]) == 0


def own(message: object) -> Tabm:
    """A message without its commitments."""
    assert isinstance(message, dict)
    return without_commitments(message)


def shown(page: Tabm) -> dict[bytes, list[Tabm]]:
    """What a page shows of each slot: the assignment's own keys, and its message's."""
    slots = page[b"assignments"]
    assert isinstance(slots, dict)
    found = {}
    for slot, assignment in slots.items():
        if slot != COMMITMENTS:
            assert isinstance(assignment, dict)
            keys = own(assignment)
            body = own(keys.pop(b"body"))
            found[slot] = [keys, body]
    return found
