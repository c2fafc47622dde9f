"""A loop looks after what it watches until it is stopped, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from actors.channel import Connection, ConnectionLost, Loop, pack
from actors.channel.letters import Greeting
from tests.actors.channel.conftest import End, descriptors, in_a_child
from tests.actors.outside import PATIENCE

GREETING = pack(Greeting(1))


def test_stopping_ends_every_connection(ends, loop) -> None:
    """Everything is over when `stop` returns, and who held it was told on the loop's thread."""
    pairs = [ends() for _ in range(10)]
    loop.stop()
    for end in (end for pair in pairs for end in pair):
        assert end.endings.get_nowait() is None
        assert end.endings.empty()
        assert end.threads == {"test"}
        with pytest.raises(ConnectionLost):
            end.connection.send(GREETING)


def test_stopping_again_changes_nothing(loop) -> None:
    """A loop may be stopped as often as one likes, from several threads."""
    threads = [threading.Thread(target=loop.stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    loop.stop()
    assert repr(loop) == "<Loop test over watched=0>"


def test_a_stopped_loop_does_not_start() -> None:
    """What is over stays over."""
    before = descriptors()
    loop = Loop("never")
    loop.stop()
    assert descriptors() == before
    with pytest.raises(RuntimeError):
        loop.start()


def test_stopping_before_the_start_ends_what_is_watched(pair) -> None:
    """Nobody waits for a thread that never was."""
    loop = Loop("never")
    end = End(loop, pair[0])
    loop.stop()
    assert end.endings.get_nowait() is None
    assert pair[0].fileno() == -1


@pytest.mark.parametrize("moment", ["received", "lost"])
def test_the_loop_may_be_stopped_from_its_own_thread(loop, pair, moment) -> None:
    """Stopping inside a call returns, and the loop is over once that call is."""
    stopped = threading.Event()

    def stop(*_: object) -> None:
        loop.stop()
        stopped.set()

    idle = print
    Connection(
        loop,
        pair[0],
        stop if moment == "received" else idle,
        stop if moment == "lost" else (lambda *_: None),
    )
    if moment == "received":
        pair[1].sendall(GREETING)
    else:
        pair[1].close()
    assert stopped.wait(PATIENCE)
    loop.stop()
    assert repr(loop) == "<Loop test over watched=0>"


def test_stopping_while_connections_are_made(loop) -> None:
    """A connection is refused, or ended: none is left that nobody looks after."""
    ended, made = threading.Semaphore(0), []
    first = threading.Event()

    def make() -> None:
        while True:
            ours, theirs = socket.socketpair()
            theirs.close()
            try:
                Connection(loop, ours, print, lambda *_: ended.release())
            except ConnectionLost:
                assert ours.fileno() == -1
                return
            made.append(ours)
            if len(made) > 50:
                first.set()

    thread = threading.Thread(target=make)
    thread.start()
    assert first.wait(PATIENCE)
    loop.stop()
    thread.join(PATIENCE)
    for sock in made:
        assert ended.acquire(timeout=0)
        assert sock.fileno() == -1
    assert not ended.acquire(timeout=0)


def test_something_broken_does_not_stop_the_loop(loop, ends, warned) -> None:
    """What fails where it should not is ended, and the others are served."""
    reading, writing = os.pipe()
    ended = threading.Event()

    class Broken:
        def ready(self, events: int) -> None:
            raise RuntimeError("a mistake")

        def end(self, error: BaseException | None) -> None:
            loop.forget(reading)
            ended.set()

    loop.watch(reading, Broken())
    os.write(writing, b"x")
    assert ended.wait(PATIENCE)
    ours, theirs = ends()
    ours.connection.send(GREETING)
    assert theirs.letter() == Greeting(1)
    assert "channel_failed" in warned()
    os.close(reading)
    os.close(writing)


def test_a_forked_child_has_no_loop(loop, ends) -> None:
    """The child's copies are closed at once; the parent's loop goes on."""
    ours, theirs = ends()

    def child() -> None:
        loop.stop()
        with pytest.raises(ConnectionLost):
            loop.watch(0, None)
        assert repr(loop) == "<Loop test over watched=0>"

    in_a_child(child)
    ours.connection.send(GREETING)
    assert theirs.letter() == Greeting(1)
