"""How a program reaches its shards, and reaches them again."""

from __future__ import annotations

import errno
import socket
import threading
from queue import SimpleQueue

import pytest

from actors.channel.folder import SocketFolder
from actors.channel.loop import Loop
from actors.shards.front import Front
from actors.shards.service import Service
from actors.shards.session import Session
from actors.ticket import Ticket
from protocol.message import verify
from storage import shard_of
from tests.actors.outside import PATIENCE
from tests.actors.shards.lines import until
from tests.actors.shards.linked import assigned_again, codes


def test_a_shard_that_ends_in_the_middle_of_a_greeting_is_dialled_again(link, spawn) -> None:
    """A connection that is reset before the shard said what it is counts as none."""
    linked = link()
    scheduler = linked.open()
    linked.end_service()
    with socket.socket(socket.AF_UNIX) as dying:
        dying.bind(str(linked.sockets.socket(0)))
        dying.listen()
        greeted, _ = dying.accept()
        # What was sent and not read makes it a reset.
        assert greeted.recv(1)
        greeted.close()
    linked.begin_service()
    assert assigned_again(scheduler, spawn).slot == 0


def test_a_program_without_a_free_descriptor_dials_again(link, spawn, monkeypatch) -> None:
    """One that cannot make a socket just now reaches the shard once it can."""
    linked = link()
    scheduler = linked.open()
    tried: SimpleQueue[object] = SimpleQueue()

    def refuse(path: object) -> None:
        tried.put(path)
        raise OSError(errno.EMFILE, "no descriptor")

    with monkeypatch.context() as patched:
        patched.setattr("actors.shards.session.connect", refuse)
        linked.end_service()
        for _ in range(2):
            tried.get(timeout=PATIENCE)
    linked.begin_service()
    assert assigned_again(scheduler, spawn).slot == 0


def test_another_shard_is_not_taken_for_this_one(link, spawn) -> None:
    """What listens in a shard's place and says that it is another gets no message."""
    linked = link()
    scheduler = linked.open()
    linked.end_service()
    linked.begin_service(number=1)
    while scheduler.status().shards[0].state == "ready":
        pass
    assert codes(scheduler.schedule(spawn)) == {"recovering"}


@pytest.mark.guarantee("S1")
def test_a_shard_takes_no_message_for_the_process_of_another(link, spawn) -> None:
    """Whoever sends one is hung up on, and nothing is assigned."""
    linked, message = link(), verify(spawn)
    other = 1 - shard_of(message.process, 2)
    sockets, ended = SocketFolder.create(), threading.Event()
    service, loop = Service(linked.shard, other, 2, 1, sockets.socket(other)), Loop("caller")
    service.start()
    loop.start()
    session = Session(
        loop, sockets.socket(other), lambda *_: None, lambda _: ended.set(), lambda: False
    )
    ticket = Ticket(float("inf"))
    assert ticket.claim()
    session.submit(message, float("inf"), ticket)
    assert ended.wait(PATIENCE)
    assert codes(ticket) == {"outcome_unknown"}
    assert linked.shard.journal.process_count() == linked.shard.queued == 0
    loop.stop()
    service.stop()
    sockets.remove()


def test_a_shard_that_does_not_greet_keeps_nobody_from_the_others(
    link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen before it said what it is, it is recovering, and the next one is reached."""
    monkeypatch.setattr("actors.shards.line.HELLO_SECONDS", 2 * PATIENCE)
    linked, sockets = link(), SocketFolder.create()
    service = Service(linked.shard, 1, 2, 1, sockets.socket(1))
    front = Front(sockets, 2, linked.front.reader)
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(sockets.socket(0)))
        frozen.listen()
        service.start()
        front.start(0)
        greeted, _ = frozen.accept()
        until(lambda: [shard.state for shard in front.shards] == ["recovering", "ready"])
        greeted.close()
    front.close()
    service.stop()
    sockets.remove()


def test_closing_while_it_dials_comes_to_an_end(link, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the call to dial again is not heard, because the one before is worked off."""
    linked = link()
    woken, closed = threading.Event(), threading.Event()

    def close() -> None:
        linked.front.close()
        closed.set()

    class Deaf(threading.Event):
        """Loses what was set until it is cleared, by whoever closes."""

        def clear(self) -> None:
            threading.Thread(target=close).start()
            assert woken.wait(PATIENCE)
            super().clear()

        def set(self) -> None:
            super().set()
            woken.set()

    (line,) = linked.front._lines
    redial = line.redial
    monkeypatch.setattr(line, "redial", Deaf())
    redial.set()
    assert closed.wait(PATIENCE)
