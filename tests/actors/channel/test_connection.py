"""A connection gives every letter once and in order, and ends once."""

from __future__ import annotations

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from actors.channel import Connection, ConnectionLost, Loop, connection, pack
from actors.channel.frames import HEADER, MAX_FRAME_BYTES, FrameReader
from actors.channel.letters import Answer, Ask, Greeting, Submit, unpack
from protocol.errors import MalformedFrame, Overloaded
from tests.actors.channel.conftest import End, in_a_child
from tests.actors.cheap import FIRST, sized_message
from tests.actors.outside import PATIENCE

GREETING = pack(Greeting(1))
LARGE = Submit(1, 1.0, sized_message("large", FIRST, 9 << 20))


def ask(number: int) -> Ask:
    return Ask(number, "what")


def read_all(sock: socket.socket) -> list:
    """What comes until the end, as letters."""
    reader, letters = FrameReader(), []
    while data := sock.recv(1 << 16):
        letters.extend(unpack(bytes(payload)) for payload in reader.feed(data))
    assert not reader.inside
    return letters


def test_letters_arrive_in_order(ends) -> None:
    """Both sides get what the other sent, on the loop's thread."""
    ours, theirs = ends()
    for number in range(1000):
        ours.connection.send(pack(ask(number)))
        theirs.connection.send(pack(Answer(number, number)))
    assert [theirs.letter() for _ in range(1000)] == [ask(number) for number in range(1000)]
    assert [ours.letter().question for _ in range(1000)] == list(range(1000))
    assert ours.threads == theirs.threads == {"test"}


def test_large_letters_cross(ends) -> None:
    """Letters far larger than a socket's buffer go both ways at once, and small ones after them."""
    pair = ends()
    for end in pair:
        for _ in range(3):
            end.connection.send(pack(LARGE))
        end.connection.send(GREETING)
    for end in pair:
        assert [end.letter() for _ in range(3)] == [LARGE] * 3
        assert end.letter() == Greeting(1)


def test_many_threads_may_send(ends) -> None:
    """Letters of several threads do not run into each other; each thread's keep their order."""
    ours, theirs = ends()

    def send(first: int) -> None:
        for number in range(300):
            ours.connection.send(pack(Ask(first + number, "x" * 3000)))

    threads = [threading.Thread(target=send, args=(1000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    arrived = [theirs.letter().question for _ in range(1200)]
    for thread in threads:
        thread.join()
    for n in range(4):
        assert [a for a in arrived if a // 1000 == n] == list(range(1000 * n, 1000 * n + 300))


def test_what_is_posted_waits_for_a_flush(end, theirs) -> None:
    """Posted frames leave together, before what is sent after them."""
    ours = end()
    ours.connection.post(pack(ask(1)))
    ours.connection.post(pack(ask(2)))
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
    ours.connection.flush()
    assert theirs.recv(1 << 16) == pack(ask(1)) + pack(ask(2))
    ours.connection.post(pack(ask(3)))
    ours.connection.send(pack(ask(4)))
    assert theirs.recv(1 << 16) == pack(ask(3)) + pack(ask(4))


def test_answers_to_a_burst_are_one_write(end, theirs, monkeypatch) -> None:
    """What is posted while a burst is read goes out when it was read, unasked."""
    writes = []
    gathered = Connection._gathered
    monkeypatch.setattr(Connection, "_gathered", lambda self: writes.append(1) or gathered(self))
    end(lambda connection, letter: connection.post(pack(letter)))
    burst = b"".join(pack(ask(number)) for number in range(100))
    theirs.sendall(burst)
    answer = b""
    while len(answer) < len(burst):
        answer += theirs.recv(1 << 16)
    assert answer == burst
    assert len(writes) == 1


def test_answers_on_another_connection_are_flushed_too(ends) -> None:
    """Whoever passes letters on to another connection of the loop need not flush it."""
    back, end_back = ends()
    front, end_front = ends(lambda _, letter: back.connection.post(pack(letter)))
    end_front.connection.send(GREETING)
    assert end_back.letter() == Greeting(1)
    assert front.letter() == Greeting(1)


def test_letters_may_be_sent_while_one_is_received(ends) -> None:
    """A letter that is answered at once, with as many as the socket does not take."""
    ours, theirs = ends(None, lambda connection, _: [connection.send(pack(LARGE))] * 2)
    ours.connection.send(GREETING)
    assert ours.letter() == LARGE
    assert theirs.letter() == Greeting(1)


@pytest.mark.guarantee("L2")
def test_what_is_kept_is_bounded(end, theirs, monkeypatch) -> None:
    """Past the bound a frame is refused whole; what was taken before arrives, and then more."""
    monkeypatch.setattr(connection, "MAX_BACKLOG_BYTES", 4 << 20)
    ours = end()
    frames = []

    def send() -> None:
        frame = pack(Ask(len(frames), "x" * 100_000))
        ours.connection.send(frame)
        frames.append(frame)

    with pytest.raises(Overloaded):
        for_ever(send)
    with pytest.raises(Overloaded):
        ours.connection.post(frames[0])
    assert len(frames) > 40
    arrived = b""
    while len(arrived) < sum(map(len, frames)):
        arrived += theirs.recv(1 << 20)
    assert arrived == b"".join(frames)
    ours.connection.send(GREETING)
    assert theirs.recv(1 << 16) == GREETING
    assert ours.endings.empty()


def test_the_end_of_the_other_side_is_told_once(end, theirs) -> None:
    """What was sent before the end arrives first; after it nothing can be sent."""
    ours = end()
    theirs.sendall(GREETING)
    theirs.close()
    assert ours.letter() == Greeting(1)
    assert ours.ending() is None
    assert ours.connection.over
    for attempt in (ours.connection.send, ours.connection.post):
        with pytest.raises(ConnectionLost):
            attempt(GREETING)
    ours.connection.flush()
    ours.connection.close()
    assert ours.endings.empty()
    assert ours.threads == {"test"}


BAD = {
    "half a header": GREETING[:2],
    "half a frame": GREETING[:-1],
    "a header only": HEADER.pack(MAX_FRAME_BYTES),
    "a frame over the limit": HEADER.pack(MAX_FRAME_BYTES + 1) + bytes(1000),
    "a frame that is no letter": HEADER.pack(5) + b"hello" + GREETING,
    "an empty frame": HEADER.pack(0) + GREETING,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_frame_ends_the_connection(end, theirs, bad, warned) -> None:
    """Letters before it are received, none after it, and the other side sees the end."""
    ours = end()
    theirs.sendall(GREETING + bad)
    theirs.shutdown(socket.SHUT_WR)
    assert ours.letter() == Greeting(1)
    assert isinstance(ours.ending(), MalformedFrame)
    assert ours.letters.empty()
    assert ours.endings.empty()
    # It may have left something unread.
    with contextlib.suppress(ConnectionResetError):
        assert theirs.recv(1) == b""
    assert "Traceback" not in warned()


def test_letters_of_one_who_is_gone_still_count(loop, pair) -> None:
    """A write that fails tells the sender; what the other side had said before is received."""
    ours, theirs = pair
    theirs.sendall(pack(ask(1)) + pack(ask(2)))
    theirs.close()
    with pytest.raises(BrokenPipeError):
        ours.send(GREETING)
    end = End(loop, ours)
    with pytest.raises(ConnectionLost):
        for_ever(lambda: end.connection.send(GREETING))
    assert [end.letter(), end.letter()] == [ask(1), ask(2)]
    end.ending()
    assert end.endings.empty()


def test_a_failed_write_does_not_lose_what_can_be_read(pair) -> None:
    """Before the loop looks, a write fails: the letters that wait are received all the same."""
    ours, theirs = pair
    loop = Loop("late")
    end = End(loop, ours)
    theirs.sendall(pack(ask(1)))
    theirs.close()
    with pytest.raises(ConnectionLost):
        end.connection.send(GREETING)
    with pytest.raises(ConnectionLost):
        end.connection.send(GREETING)
    loop.start()
    assert end.letter() == ask(1)
    assert isinstance(end.ending(), BrokenPipeError)
    loop.stop()
    assert end.endings.empty()


def test_a_reset_is_an_ending(end, theirs) -> None:
    """The other side went away with something unread: an end with an error, not a crash."""
    ours = end()
    ours.connection.send(GREETING)
    theirs.close()
    assert isinstance(ours.ending(), ConnectionResetError)


def test_a_reader_who_dies_in_the_middle(end, theirs) -> None:
    """A frame that was half taken when the other side died ends as a loss, once."""
    ours = end()
    ours.connection.send(pack(LARGE))
    theirs.recv(1)
    theirs.close()
    assert isinstance(ours.ending(), OSError)
    with pytest.raises(ConnectionLost):
        ours.connection.send(GREETING)
    assert ours.endings.empty()


def test_closing_sends_what_the_socket_takes(end, theirs) -> None:
    """What was posted before is not lost by closing; closing again changes nothing."""
    ours = end()
    ours.connection.post(GREETING)
    ours.connection.close()
    ours.connection.close()
    assert read_all(theirs) == [Greeting(1)]
    assert ours.ending() is None
    with pytest.raises(ConnectionLost):
        ours.connection.send(GREETING)
    ours.connection.close()
    assert ours.endings.empty()
    assert ours.threads == {"test"}


def test_draining_waits_for_the_socket(end, theirs) -> None:
    """Once it returns, all that was sent arrives, though the connection is closed at once."""
    ours = end()
    for _ in range(3):
        ours.connection.send(pack(LARGE))
    assert not ours.connection.drain(0)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all, theirs)
        assert ours.connection.drain(PATIENCE)
        ours.connection.post(GREETING)
        assert ours.connection.drain(0)
        ours.connection.close()
        assert reading.result(PATIENCE) == [LARGE] * 3 + [Greeting(1)]
    assert not ours.connection.drain(PATIENCE)


@pytest.mark.parametrize("ending", ["close", "death"])
def test_draining_ends_with_the_connection(end, theirs, ending) -> None:
    """Nobody waits for a socket that takes nothing any more."""
    ours = end()
    ours.connection.send(pack(LARGE))
    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(ours.connection.drain, 10 * PATIENCE)
        assert not ours.connection.drain(0)
        if ending == "close":
            ours.connection.close()
        else:
            theirs.close()
        assert drained.result(PATIENCE) is False


def test_closing_inside_a_letter(end, theirs) -> None:
    """Whoever closes while a letter is received gets no other one, and the end later."""
    ours = end(lambda connection, _: connection.close())
    theirs.sendall(GREETING * 5)
    assert ours.ending() is None
    assert ours.letter() == Greeting(1)
    assert ours.letters.empty()


def test_closing_while_others_send(ends) -> None:
    """Threads that send while the connection is closed get the error, and nothing breaks."""
    for _ in range(30):
        ours, theirs = ends()
        threads = [threading.Thread(target=send_on, args=(ours.connection,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        theirs.letter()
        ours.connection.close()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert ours.ending() is None
        theirs.ending()
        assert ours.endings.empty()
        assert theirs.endings.empty()


def test_a_receiver_that_fails_ends_its_connection(end, theirs, warned) -> None:
    """After an error nobody can say where things stand, so the connection ends with it."""

    def fail(*_) -> None:
        raise RuntimeError("a mistake")

    ours = end(fail)
    theirs.sendall(GREETING * 2)
    error = ours.ending()
    assert isinstance(error, RuntimeError)
    assert "channel_failed" in warned()
    ours.letter()
    assert ours.letters.empty()


def test_a_receiver_may_refuse(end, theirs, warned) -> None:
    """An error with a name ends the connection without a traceback."""

    def refuse(*_) -> None:
        raise MalformedFrame("the other side speaks version 2")

    assert isinstance(_ended(end(refuse), theirs), MalformedFrame)
    assert "version 2" in warned()
    assert "Traceback" not in warned()


def test_who_fails_to_hear_of_the_end_stops_nobody(loop, ends, pair, warned) -> None:
    """An error in `lost` is logged, and the loop goes on."""
    told = threading.Event()

    def lost(*_) -> None:
        told.set()
        raise RuntimeError("a mistake")

    Connection(loop, pair[0], print, lost)
    pair[1].close()
    assert told.wait(PATIENCE)
    ours, theirs = ends()
    ours.connection.send(GREETING)
    assert theirs.letter() == Greeting(1)
    assert "channel_failed" in warned()


def test_a_connection_on_a_loop_that_is_over_closes_its_socket(pair) -> None:
    """Nothing is left open when nobody would look after it."""
    loop = Loop("over")
    loop.stop()
    with pytest.raises(ConnectionLost):
        End(loop, pair[0])
    assert pair[0].fileno() == -1


def test_a_socket_that_is_closed_is_refused(loop, pair) -> None:
    """A socket that cannot be watched is no connection."""
    pair[0].close()
    with pytest.raises(ValueError, match="descriptor"):
        End(loop, pair[0])


def test_a_forked_child_leaves_the_connection_alone(end, theirs) -> None:
    """The child closes its copies: it cannot send, and its end is not the connection's."""
    ours = end()
    ours.connection.send(GREETING)

    def child() -> None:
        with pytest.raises(ConnectionLost):
            ours.connection.send(GREETING)
        ours.connection.close()
        assert ours.endings.empty()

    in_a_child(child)
    ours.connection.send(GREETING)
    theirs.sendall(GREETING)
    assert ours.letter() == Greeting(1)
    ours.connection.close()
    assert read_all(theirs) == [Greeting(1)] * 2


def test_the_repr_shows_the_state(end) -> None:
    """A connection in a log says whether it is over and what it keeps."""
    ours = end()
    assert repr(ours.connection) == "<Connection open kept=0>"
    ours.connection.close()
    assert repr(ours.connection) == "<Connection over kept=0>"


def send_on(connection: Connection) -> None:
    """Send until there is no connection any more."""
    while True:
        try:
            connection.send(pack(Ask(1, "x" * 5000)))
        except Overloaded:
            continue
        except ConnectionLost:
            return


def for_ever(act) -> None:
    while True:
        act()


def _ended(end, theirs):
    theirs.sendall(GREETING)
    return end.ending()
