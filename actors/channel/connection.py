"""A connection to another program of this node: letters in both directions."""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from actors.channel.errors import ConnectionLost
from actors.channel.frames import FrameReader
from actors.channel.kinds import Letter
from actors.channel.letters import unpack
from actors.channel.loop import BURST_BYTES, Loop
from actors.events import log
from protocol.errors import MalformedFrame, Overloaded, SchedulerError
from storage.forks import give_up_in_children

MAX_BACKLOG_BYTES = 64 << 20
"""What is kept for a reader that does not read. More means more memory for one that hangs."""

SOCKET_BYTES = 1 << 20
"""What the system is asked to hold for a reader (it may allow less), so that the writer of a
burst seldom has to come back."""


class Connection:
    """Send and receive letters over one socket, which it owns from now on.

    Anybody may send; `received` and `lost` are called on the loop's thread only, possibly
    before the constructor returns to its caller.
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        received: Callable[[Connection, Letter], None],
        lost: Callable[[Connection, BaseException | None], None],
    ) -> None:
        """Take over a connected socket; it is closed when this fails.

        Args:
            loop: who waits for the socket.
            sock: connected.
            received: told each letter, in order. What it posts on any connection of the loop is
                flushed once the burst is worked off. What it raises ends this connection.
            lost: told once that this connection is over, and why: None when it ended between
                two letters, or was closed here.

        Raises:
            ConnectionLost: the loop is over.
        """
        self._loop = loop
        # The socket object that was handed in is empty from here on: closing it does nothing.
        self._sock = socket.socket(sock.family, sock.type, sock.proto, sock.detach())
        self._received = received
        self._lost = lost
        # Owned by the loop's thread.
        self._frames = FrameReader()
        # All below is touched under the lock. A descriptor is closed under it, too, so that
        # nobody writes into whatever gets its number next.
        self._lock = threading.Lock()
        self._kept: deque[bytes | memoryview] = deque()
        self._kept_bytes = 0
        self._awaits_room = False
        self._closing = False
        self._broken: OSError | None = None
        self._over = False
        # Set once nothing is kept, or never will be written; there while somebody waits for it.
        self._emptied: threading.Event | None = None
        try:
            self._begin()
        except BaseException:
            self._over = True
            self._sock.close()
            raise

    @property
    def over(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._over or self._closing or self._broken is not None

    def send(self, frame: bytes) -> None:
        """Write a frame after those before it, without waiting. Any thread.

        What the socket does not take now is kept and written when it does.

        Raises:
            Overloaded: too much is kept already; nothing of this frame is sent.
            ConnectionLost: the connection is over; the other side may have got a part of
                what was sent before.
        """
        with self._lock:
            self._keep(frame)
            if not self._awaits_room:
                self._write()
            if self._broken is not None:
                raise ConnectionLost("the other side is gone") from self._broken

    def post(self, frame: bytes) -> None:
        """Keep a frame until the next `flush` or `send`. Any thread.

        On the loop's thread it is flushed when the present burst was worked off.

        Raises:
            Overloaded, ConnectionLost: as `send` does.
        """
        with self._lock:
            self._keep(frame)
        if self._loop.is_current:
            self._loop.flush_after_burst(self)

    def flush(self) -> None:
        """Write what was posted, without waiting. Any thread.

        Whether the connection is over says `lost`.
        """
        with self._lock:
            if not self._awaits_room and not self.over:
                self._write()

    def drain(self, seconds: float) -> bool:
        """Wait until the socket took all that was sent and posted. Any thread but the loop's.

        What it took arrives, even when the connection is closed or this program ends.

        Returns:
            False when that took longer than `seconds`, or the connection is over.
        """
        with self._lock:
            if not self._awaits_room and not self.over:
                self._write()
            if self.over or not self._kept:
                return not self.over
            self._emptied = emptied = self._emptied or threading.Event()
        return emptied.wait(seconds) and not self.over

    def close(self) -> None:
        """End it: nothing is received any more. Idempotent, any thread.

        What the socket takes now is still sent; `drain` waits for the rest. `lost` is called on
        the loop's thread, later.
        """
        with self._lock:
            if self.over:
                return
            if not self._awaits_room:
                self._write()
            self._closing = True
            self._drop()
            self._shut()

    def ready(self, events: int) -> None:
        """Read or write what can be; the loop calls it."""
        if events & select.EPOLLOUT:
            with self._lock:
                self._write()
        if events & ~select.EPOLLOUT:
            self._read()

    def end(self, error: BaseException | None) -> None:
        """Be over; the loop calls it."""
        with self._lock:
            if self._over:
                return
            self._over = True
            self._drop()
            self._loop.forget(self._sock.fileno())
            self._sock.close()
        try:
            self._lost(self, error)
        except Exception:
            log.exception("channel_failed")

    def after_fork(self) -> None:
        """Close the child's copy; the connection stays its parent's."""
        self._lock = threading.Lock()
        self._emptied = None
        self._over = True
        self._drop()
        self._sock.close()

    def _begin(self) -> None:
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        give_up_in_children(self)
        self._loop.watch(self._sock.fileno(), self)

    def _keep(self, frame: bytes) -> None:
        if self.over:
            raise ConnectionLost("the connection is over")
        if self._kept_bytes + len(frame) > MAX_BACKLOG_BYTES:
            raise Overloaded("another program of this node does not read what it is sent")
        self._kept.append(frame)
        self._kept_bytes += len(frame)

    def _write(self) -> None:
        try:
            while self._kept:
                self._took(self._sock.send(self._gathered()))
        except BlockingIOError:
            self._await_room(wanted=True)
        except OSError as exc:
            self._broken = exc
            self._drop()
            self._shut()
        else:
            self._await_room(wanted=False)
            self._tell_emptied()

    def _gathered(self) -> bytes | memoryview:
        # Many small frames are copied together, because each write has its price.
        if len(self._kept) > 1:
            frames = [self._kept.popleft()]
            size = len(frames[0])
            while self._kept and size + len(self._kept[0]) <= BURST_BYTES:
                frames.append(self._kept.popleft())
                size += len(frames[-1])
            self._kept.appendleft(frames[0] if len(frames) == 1 else b"".join(frames))
        return self._kept[0]

    def _took(self, sent: int) -> None:
        first = self._kept.popleft()
        self._kept_bytes -= sent
        if sent < len(first):
            self._kept.appendleft(memoryview(first)[sent:])

    def _await_room(self, *, wanted: bool) -> None:
        if wanted is not self._awaits_room:
            self._awaits_room = wanted
            self._loop.await_room(self._sock.fileno(), wanted=wanted)

    def _shut(self) -> None:
        # Wakes the loop, which reads what came before the end: that still counts.
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0
        self._tell_emptied()

    def _tell_emptied(self) -> None:
        if self._emptied is not None:
            self._emptied.set()
            self._emptied = None

    def _read(self) -> None:
        try:
            size = self._sock.recv_into(self._loop.buffer)
        except BlockingIOError:
            return
        except OSError as exc:
            self.end(None if self._closing else exc)
            return
        if self._closing:
            self.end(None)
        elif size:
            self._deliver(self._loop.buffer[:size])
        else:
            self.end(self._broken or self._cut())

    def _deliver(self, burst: memoryview) -> None:
        try:
            for payload in self._frames.feed(burst):
                self._received(self, unpack(payload))
                if self._closing:
                    return
        except (SchedulerError, ConnectionLost) as exc:
            log.warning("channel_ended", reason=str(exc))
            self.end(exc)
        except Exception as exc:
            log.exception("channel_failed")
            self.end(exc)

    def _cut(self) -> MalformedFrame | None:
        return (
            MalformedFrame("the connection ended inside a frame") if self._frames.inside else None
        )

    def __repr__(self) -> str:
        return f"<Connection {'over' if self.over else 'open'} kept={self._kept_bytes}>"
