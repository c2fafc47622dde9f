from __future__ import annotations

import io
import json
import sys

import pytest

from actors.events import EventLog, log
from actors.probe import Point
from actors.settings import PublishSettings, Settings
from protocol.errors import Refused, StoreFull, UploadFailed
from protocol.ids import Id
from protocol.message import Message
from tests.actors.outside import PATIENCE, Bundler, Gate, GatedSigner
from tests.items import message_item, process_item

pytestmark = pytest.mark.embedded


NOWHERE = Id(bytes(32))


@pytest.fixture
def lines():
    """What is logged from the info level on."""
    stream = io.StringIO()
    log.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.configure("quiet")


def test_every_step_of_a_message_is_an_event(opened, lines, user_wallet, wallet) -> None:
    """From opening to publication each step names its process, slot and message."""
    with opened() as scheduler:
        spawn = process_item(user_wallet, wallet.address)
        first = scheduler.schedule(spawn).published.get(timeout=PATIENCE)
    assert "starting_scheduler" in {line["event"] for line in lines()}
    steps = {line["event"]: line for line in lines() if line.get("slot") == 0}
    assert {"assigned", "pinned", "stored", "uploading", "published"} <= steps.keys()
    assert {line["process"] for line in steps.values()} == {str(first.process)}
    assert {line["message"] for line in steps.values()} == {str(first.message_id)}
    for step in ("pinned", "assigned", "stored", "published"):
        assert steps[step]["duration_ms"] >= 0
        assert steps[step]["stage"] == step
    assert steps["uploading"]["stage"] == "stored"


def test_what_a_program_is_stands_in_every_event() -> None:
    """Several programs may write to one place."""
    stream, several = io.StringIO(), EventLog()
    several.configure("info", stream, shard=3)
    several.step("one")
    several.warning("two")
    assert [json.loads(line)["shard"] for line in stream.getvalue().splitlines()] == [3, 3]


def test_steps_are_told_in_their_order(opened, lines, user_wallet, wallet) -> None:
    """Assigned comes once it is pinned and signed, uploading before the upload is over."""
    with opened() as scheduler:
        spawn = process_item(user_wallet, wallet.address)
        scheduler.schedule(spawn).published.get(timeout=PATIENCE)
    told = [line["event"] for line in lines()]
    expected = ["new_schedule", "pinned", "assigned", "stored", "uploading", "published"]
    assert [event for event in told if event in expected] == expected


def test_assigned_is_told_when_it_is_released(opened, lines, gate, user_wallet, wallet) -> None:
    """A slot that is given and pinned is not assigned before it is signed."""
    pinned = Gate()
    scheduler = opened(
        signer=GatedSigner(gate),
        probe=lambda point: pinned.open() if point is Point.AFTER_PIN_COMMIT else None,
    )
    ticket = scheduler.schedule(process_item(user_wallet, wallet.address))
    pinned.pass_through()
    assert "assigned" not in [line["event"] for line in lines()]
    gate.open()
    ticket.assigned.get(timeout=PATIENCE)
    assert "assigned" in [line["event"] for line in lines()]


def test_a_schedule_says_whether_it_is_new(opened, lines, user_wallet, wallet) -> None:
    """A process that begins, and one that goes on in the next run, are told apart."""
    spawn = process_item(user_wallet, wallet.address)
    with opened() as scheduler:
        process = scheduler.assign(spawn).process
    with opened() as scheduler:
        scheduler.assign(message_item(user_wallet, process))
    told = [line for line in lines() if line["event"].endswith("_schedule")]
    assert [line["event"] for line in told] == ["new_schedule", "continuing_schedule"]
    assert [line["slot"] for line in told] == [-1, 0]


def test_a_refusal_is_an_event(opened, lines, user_wallet, wallet) -> None:
    """A message that gets no slot is told with the error's code, and with what is known of it."""
    scheduler = opened(duplicates="reject")
    spawn = process_item(user_wallet, wallet.address)
    process = scheduler.assign(spawn).process
    known = message_item(user_wallet, NOWHERE)
    for item in (b"", known, known[:-1], Message.decode(known[:-1]), spawn):
        with pytest.raises(Refused):
            scheduler.assign(item)
    told = [line for line in lines() if line["event"] == "scheduling_failed"]
    assert [line["code"] for line in told] == [
        "malformed_item",
        "not_found",
        "invalid_signature",
        "invalid_signature",
        "duplicate",
    ]
    places = [str(NOWHERE)] * 3
    assert [line.get("process") for line in told] == [None, *places, str(process)]
    unknown = str(Message.decode(known).id)
    assert [line.get("message") for line in told] == [None, *[unknown] * 3, str(process)]


def test_a_large_message_without_room_is_an_event(opened, lines, disk, user_wallet, wallet) -> None:
    """What is refused before its slot is given is told like any other refusal."""
    disk.free = 257 << 20  # the reserve, and a megabyte
    scheduler = opened()
    process = scheduler.assign(process_item(user_wallet, wallet.address)).process
    large = message_item(user_wallet, process, data=bytes(2_000_000))
    with pytest.raises(StoreFull):
        scheduler.assign(large)
    (told,) = [line for line in lines() if line["event"] == "scheduling_failed"]
    assert (told["code"], told["process"]) == ("store_full", str(process))


def test_nothing_is_written_by_default(opened, capsys, user_wallet, wallet) -> None:
    """A scheduler is quiet, whether it works or meets trouble; its status tells of that."""
    bundler, failures = Bundler(), iter([UploadFailed("away")])
    bundler.refuse = lambda _: next(failures, None)
    settings = Settings(publish=PublishSettings(backoff_seconds=0.001))
    with opened(uploader=bundler, settings=settings) as scheduler:
        spawn = process_item(user_wallet, wallet.address)
        scheduler.schedule(spawn).published.get(timeout=PATIENCE)
    assert capsys.readouterr() == ("", "")


def test_warnings_are_one_json_object_a_line() -> None:
    """IDs are written as text, other values as they show themselves."""
    stream = io.StringIO()
    events = EventLog()
    events.configure("warning", stream)
    events.warning("odd", process=NOWHERE, cause=ValueError("why"))
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"]) == ("odd", "warning")
    assert (told["process"], told["cause"]) == ("A" * 43, "ValueError('why')")


def test_steps_below_the_level_are_left_out() -> None:
    """What is not asked for is not written."""
    stream = io.StringIO()
    events = EventLog()
    events.configure("error", stream)
    events.step("stored", slot=1)
    events.warning("odd")
    assert stream.getvalue() == ""


class Broken(io.StringIO):
    """What a pipe is whose reader has ended, until another one comes."""

    reads = False

    def write(self, line: str) -> int:
        if not self.reads:
            raise BrokenPipeError
        return super().write(line)


def test_a_line_that_cannot_be_written_is_lost(monkeypatch) -> None:
    """No thread ends because nobody reads its events; the next line is tried again."""
    stream, events = Broken(), EventLog()
    events.configure("warning", stream)
    events.warning("lost")
    stream.reads = True
    events.warning("read")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["read"]
    stream.close()
    events.warning("closed")
    monkeypatch.setattr(sys, "stderr", None)
    events.configure("warning")
    events.warning("nowhere")


def test_an_exception_comes_with_its_traceback() -> None:
    """An unexpected exception can be found from its event."""
    stream = io.StringIO()
    events = EventLog()
    events.configure("error", stream)
    try:
        raise ValueError("unexpected")
    except ValueError:
        events.exception("broken")
    assert "Traceback" in json.loads(stream.getvalue())["exception"]


def test_the_named_points_lie_in_order(opened, user_wallet, wallet) -> None:
    """A probe sees every point of a message's way, each after those it follows from."""
    seen: list[Point] = []
    with opened(probe=seen.append) as scheduler:
        spawn = process_item(user_wallet, wallet.address)
        scheduler.schedule(spawn).published.get(timeout=PATIENCE)
    assert sorted(seen) == sorted(Point)
    at = {point: seen.index(point) for point in Point}
    pins = [Point.SLOT_GIVEN, Point.BEFORE_PIN_COMMIT, Point.AFTER_PIN_COMMIT]
    signs = [Point.SLOT_GIVEN, Point.AFTER_SIGNING, Point.BEFORE_COMMITMENT_COMMIT]
    stores = [Point.BEFORE_COMMITMENT_COMMIT, Point.AFTER_COMMITMENT_COMMIT, Point.AFTER_UPLOAD]
    publishes = [Point.AFTER_UPLOAD, Point.BEFORE_RECEIPT_COMMIT, Point.AFTER_RECEIPT_COMMIT]
    for way in (pins, signs, stores, publishes):
        assert [at[point] for point in way] == sorted(at[point] for point in way)
