"""Only our own user's programs connect, and to nobody else's."""

from __future__ import annotations

import errno
import os
import queue
import resource
import socket
import stat
import threading
from contextlib import contextmanager, suppress

import pytest

from actors.channel import ConnectionLost, Listener, Loop, connect, pack
from actors.channel.letters import Greeting
from actors.channel.peers import Peer, is_ours, peer_of
from protocol.errors import Unavailable
from tests.actors.channel.conftest import End, descriptors, in_a_child
from tests.actors.outside import PATIENCE


def stranger(_: socket.socket) -> Peer:
    return Peer(pid=1, uid=os.geteuid() + 1, gid=0)


@pytest.fixture
def listen(loop, path):
    """Listen at the path; who connects stands in the queue that comes with it."""
    made = []

    def make(accepted=None, **options):
        arrived = queue.SimpleQueue()
        made.append(Listener(loop, path, accepted or arrived.put, **options))
        return made[-1], arrived

    yield make
    for listener in made:
        listener.close()


def test_who_connects_is_handed_over(listen, path, loop) -> None:
    """Both ends can be made connections, and letters go through."""
    _, arrived = listen()
    ours = End(loop, connect(path))
    theirs = End(loop, arrived.get(timeout=PATIENCE))
    ours.connection.send(pack(Greeting(1)))
    assert theirs.letter() == Greeting(1)


def test_the_socket_is_ours_alone(listen, path) -> None:
    """Nobody but the owner may open it."""
    listen()
    found = path.lstat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600


def test_peers_are_known_by_the_system(pair) -> None:
    """The system says who is at the other end; nobody there has a say."""
    assert peer_of(pair[0]) == Peer(os.getpid(), os.geteuid(), os.getegid())
    assert is_ours(peer_of(pair[0]))


def test_a_stranger_is_turned_away(listen, path, warned) -> None:
    """Another user's program is closed at once, logged, and handed to nobody."""
    _, arrived = listen(who_is=stranger)
    sock = connect(path)
    sock.settimeout(PATIENCE)
    assert sock.recv(1) == b""
    sock.close()
    assert arrived.empty()
    assert "channel_stranger" in warned()


def test_a_strangers_socket_is_not_used(listen, path) -> None:
    """Whoever connects makes sure whose program listens."""
    _, arrived = listen()
    before = descriptors()
    with pytest.raises(ConnectionLost, match="another user"):
        connect(path, who_is=stranger)
    arrived.get(timeout=PATIENCE).close()
    assert descriptors() == before


def test_nobody_listens(path, loop) -> None:
    """No socket, a socket that nobody listens at, and a file: one error, and nothing left open."""
    before = descriptors()
    with pytest.raises(ConnectionLost):
        connect(path)
    Listener(loop, path, print).close()
    bare = socket.socket(socket.AF_UNIX)
    bare.bind(str(path))
    bare.close()
    with pytest.raises(ConnectionLost):
        connect(path)
    path.unlink()
    path.touch()
    with pytest.raises(ConnectionLost):
        connect(path)
    assert descriptors() == before


def test_a_queue_that_stays_full_is_given_up(path) -> None:
    """Whoever listens and never accepts holds nobody up for ever."""
    with socket.socket(socket.AF_UNIX) as deaf, closing_all() as held:
        deaf.bind(str(path))
        deaf.listen(0)
        with pytest.raises(ConnectionLost):
            held.extend(connect(path, seconds=0.01) for _ in range(10))


def test_a_socket_left_behind_is_replaced(listen, path) -> None:
    """A program that was killed leaves its socket; its successor listens at the same path."""
    bare = socket.socket(socket.AF_UNIX)
    bare.bind(str(path))
    bare.close()
    _, arrived = listen()
    connect(path).close()
    arrived.get(timeout=PATIENCE).close()


def test_closing_leaves_a_successors_socket_alone(listen, path) -> None:
    """A listener removes its own socket file only, and closing again changes nothing."""
    first, _ = listen()
    second, arrived = listen()
    first.close()
    connect(path).close()
    arrived.get(timeout=PATIENCE).close()
    second.close()
    second.close()
    assert not path.exists()
    assert repr(second) == f"<Listener {path} closed>"


def test_a_file_in_the_way_is_not_removed(listen, path) -> None:
    """What is no socket was not left by us."""
    path.write_text("precious")
    before = descriptors()
    with pytest.raises(FileExistsError):
        listen()
    assert path.read_text() == "precious"
    assert descriptors() == before


def test_an_open_folder_is_refused(listen, path) -> None:
    """Where others can enter nobody listens."""
    path.parent.chmod(0o755)
    before = descriptors()
    with pytest.raises(Unavailable):
        listen()
    assert descriptors() == before


def test_a_path_too_long_is_refused(loop, folder) -> None:
    """The system's own limit is told, and nothing is left open."""
    before = descriptors()
    with pytest.raises(OSError, match="too long"):
        Listener(loop, folder.path / ("x" * 200), print)
    assert descriptors() == before


def test_a_loop_that_is_over_gets_no_listener(path) -> None:
    """Nothing is left open, and no socket in the folder."""
    loop = Loop("over")
    loop.stop()
    before = descriptors()
    with pytest.raises(ConnectionLost):
        Listener(loop, path, print)
    assert descriptors() == before
    assert not path.exists()


def test_stopping_the_loop_closes_the_listener(path) -> None:
    """The socket file goes with it."""
    before = descriptors()
    loop = Loop("short")
    Listener(loop, path, print)
    loop.start()
    loop.stop()
    assert not path.exists()
    assert descriptors() == before


@pytest.mark.parametrize("failing", ["accepted", "who_is"])
def test_a_failure_closes_what_was_accepted(listen, path, warned, failing) -> None:
    """The one who connected sees the end, and the next one is served."""
    failures = []

    def fail(sock: socket.socket) -> Peer | None:
        if not failures:
            failures.append(sock)
            raise OSError(errno.ENOTCONN, "a mistake")
        arrived.put(sock)
        return peer_of(sock)

    arrived = queue.SimpleQueue()
    listen(**{failing: fail}) if failing == "accepted" else listen(arrived.put, who_is=fail)
    with connect(path) as first:
        first.settimeout(PATIENCE)
        assert first.recv(1) == b""
    with connect(path):
        arrived.get(timeout=PATIENCE).close()
    assert "channel_failed" in warned()


def test_one_who_went_away_again_is_no_defect(listen, path, loop, warned) -> None:
    """A connection that is lost while it is taken over ends as others do, without a traceback."""
    ends = queue.SimpleQueue()

    def accepted(sock: socket.socket) -> None:
        ends.put(End(loop, sock))
        raise ConnectionLost("gone while it was greeted")

    listen(accepted)
    ours = End(loop, connect(path))
    ours.connection.send(pack(Greeting(1)))
    theirs = ends.get(timeout=PATIENCE)
    assert theirs.letter() == Greeting(1)
    ours.connection.close()
    assert theirs.ending() is None
    assert warned() == ""


def test_without_descriptors_who_connects_is_turned_away(listen, path, warned) -> None:
    """The one who connects is told instead of waiting, and later ones are served again."""
    _, arrived = listen()
    waiting = socket.socket(socket.AF_UNIX)
    waiting.settimeout(PATIENCE)
    with no_descriptors():
        waiting.connect(str(path))
        assert waiting.recv(1) == b""
    waiting.close()
    assert arrived.empty()
    assert "channel_accept_failed" in warned()
    connect(path).close()
    arrived.get(timeout=PATIENCE).close()


def test_a_forked_child_stops_listening_for_itself_only(listen, path) -> None:
    """The child's copy is closed, and the socket file stays."""
    listener, arrived = listen()

    def child() -> None:
        assert repr(listener).endswith("closed>")
        listener.close()

    in_a_child(child)
    connect(path).close()
    arrived.get(timeout=PATIENCE).close()


@pytest.mark.guarantee("L2")
def test_ten_thousand_connections_leave_nothing(listen, path, loop) -> None:
    """Descriptors and threads are as many after 10,000 connections as after the first one."""
    accepted = queue.SimpleQueue()
    listen(lambda sock: accepted.put(End(loop, sock, _echo)))
    counts = set()
    for number in range(10_000):
        ours = End(loop, connect(path))
        ours.connection.send(pack(Greeting(1)))
        assert ours.letter() == Greeting(1)
        theirs = accepted.get(timeout=PATIENCE)
        (ours, theirs)[number % 2].connection.close()
        ours.ending()
        theirs.ending()
        if number % 1000 == 0:
            counts.add((descriptors(), threading.active_count()))
    assert len(counts) == 1


def _echo(connection, letter) -> None:
    connection.send(pack(letter))


@contextmanager
def closing_all():
    """Sockets that are closed at the end."""
    held = []
    yield held
    for sock in held:
        sock.close()


@contextmanager
def no_descriptors():
    """No file or socket can be opened inside."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208 - numbers, no files
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 2, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)
