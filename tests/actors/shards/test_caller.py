"""What a shard tells the caller of one request."""

from __future__ import annotations

import threading

from actors.channel.frames import HEADER
from actors.channel.letters import Reached, unpack
from actors.shards.caller import Passage
from actors.stages import Stage
from actors.ticket import Ticket
from tests.actors.cheap import assignment
from tests.actors.outside import PATIENCE


class Wire:
    """What was sent, in that order; the first frame is held up on its way."""

    def __init__(self) -> None:
        self.letters: list[Reached] = []
        self._begun = threading.Event()
        self._free = threading.Event()

    def tell(self, frame: bytes) -> None:
        if not self._begun.is_set():
            self._begun.set()
            assert self._free.wait(PATIENCE)
        self.letters.append(unpack(frame[HEADER.size :]))

    def wait_for_the_first(self) -> None:
        assert self._begun.wait(PATIENCE)

    def go_on(self) -> None:
        self._begun.set()
        self._free.set()


def requested(wire: Wire) -> Ticket:
    """Make a ticket whose outcome goes over the wire."""
    ticket, passage = Ticket(float("inf")), Passage(wire.tell, 7)
    ticket.assigned.add_done_callback(passage.assigned)
    ticket.stored.add_done_callback(passage.stored)
    ticket.published.add_done_callback(passage.published)
    return ticket


def test_an_assignment_is_sent_once() -> None:
    """Stages that bring the same one as the stage before say so, and no more."""
    wire, reached = Wire(), assignment()
    wire.go_on()
    requested(wire).reach(Stage.PUBLISHED, reached)
    assert wire.letters == [Reached(7, stage, None if stage > 1 else reached) for stage in Stage]


def test_a_stage_that_overtakes_the_one_before_brings_its_assignment() -> None:
    """A request that joins another has its first stage from the actor, the next from the committer.

    Whoever hears of the second one first could not know what it is about.
    """
    wire, reached = Wire(), assignment()
    ticket = requested(wire)
    actor = threading.Thread(target=ticket.reach, args=(Stage.ASSIGNED, reached))
    actor.start()
    wire.wait_for_the_first()
    ticket.reach(Stage.STORED, reached)
    wire.go_on()
    actor.join()
    assert wire.letters == [Reached(7, Stage.STORED, reached), Reached(7, Stage.ASSIGNED, reached)]
