"""A loop, and connections whose ends a test holds."""

from __future__ import annotations

import os
import queue
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.channel import Connection, Loop, SocketFolder
from tests.actors.outside import PATIENCE


def descriptors() -> int:
    """How many files, sockets and the like this program has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - it opens one itself, always


def in_a_child(check: Callable[[], None]) -> None:
    """Run `check` in a forked child, and insist that it passes there."""
    child = os.fork()
    if not child:
        # Nothing of the test run may go on in the child.
        try:
            check()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that runs; afterwards nothing of it is left."""
    before = descriptors(), threading.active_count()
    loop = Loop("test")
    loop.start()
    yield loop
    loop.stop()
    assert (descriptors(), threading.active_count()) == before


@pytest.fixture
def folder() -> Iterator[SocketFolder]:
    """A folder for sockets."""
    folder = SocketFolder.create()
    yield folder
    folder.remove()


@pytest.fixture
def path(folder: SocketFolder) -> Path:
    """Where a socket can be."""
    return folder.socket(0)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; the second one stays in the hands of the test."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(PATIENCE)
    yield ours, theirs
    ours.close()
    theirs.close()


class End:
    """One end of a connection: what it was told, in order."""

    def __init__(self, loop: Loop, sock: socket.socket, reply=None) -> None:
        self.letters = queue.SimpleQueue()
        self.endings = queue.SimpleQueue()
        self.threads = set()
        self._reply = reply
        self.connection = Connection(loop, sock, self._received, self._lost)

    def letter(self):
        """The next letter."""
        return self.letters.get(timeout=PATIENCE)

    def ending(self):
        """Why it is over: None, or an error."""
        return self.endings.get(timeout=PATIENCE)

    def _received(self, connection, letter) -> None:
        self.threads.add(threading.current_thread().name)
        self.letters.put(letter)
        if self._reply is not None:
            self._reply(connection, letter)

    def _lost(self, connection, error) -> None:
        self.threads.add(threading.current_thread().name)
        self.endings.put(error)


@pytest.fixture
def end(loop: Loop, pair):
    """Make the first of two sockets a connection; the other end is the test's."""

    def make(reply=None) -> End:
        return End(loop, pair[0], reply)

    return make


@pytest.fixture
def theirs(pair) -> socket.socket:
    """The other end, as a bare socket."""
    return pair[1]


@pytest.fixture
def ends(loop: Loop):
    """Make both ends connections, with what each does about a letter."""
    made = []

    def make(reply=None, other_reply=None) -> tuple[End, End]:
        ours, theirs = socket.socketpair()
        made.extend((End(loop, ours, reply), End(loop, theirs, other_reply)))
        return made[-2], made[-1]

    return make
