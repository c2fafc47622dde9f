"""Listening at a Unix socket that only our own user can reach, and connecting to one."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from actors.channel.errors import ConnectionLost
from actors.channel.folder import require_private
from actors.channel.loop import Loop
from actors.channel.peers import WhoIs, is_ours, peer_of
from actors.events import log
from storage.durable_files import PRIVATE_FILE
from storage.forks import give_up_in_children

CONNECT_SECONDS = 5
"""How long a listener's queue may be full before somebody who wants to connect gives up."""

QUEUE = 1024
"""Connections that may wait to be accepted."""

ROUND = 64
"""Connections accepted before others of the loop have a turn."""

_TIMEVAL = struct.Struct("@ll")
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


class Listener:
    """Accept connections of our own user's programs, until closed."""

    def __init__(
        self,
        loop: Loop,
        path: Path,
        accepted: Callable[[socket.socket], None],
        *,
        who_is: WhoIs = peer_of,
    ) -> None:
        """Listen at `path`; a socket that a dead program left there is replaced.

        Args:
            loop: who waits for connections.
            path: in a folder of our own that is open to nobody else.
            accepted: takes each socket over, on the loop's thread, usually for a `Connection`.
                When it raises, a socket that no connection took over is closed.
            who_is: says who is at the other end.

        Raises:
            Unavailable: the folder is open to others.
            OSError: it cannot listen there.
            ConnectionLost: the loop is over.
        """
        require_private(path.parent)
        self._loop = loop
        self._path = path
        self._accepted = accepted
        self._who_is = who_is
        # The socket is accepted from and closed under the lock.
        self._lock = threading.Lock()
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Given up for a moment to tell who cannot be served that it is so.
        self._spare = -1
        self._inode = 0
        try:
            self._begin()
        except BaseException:
            self._give_up()
            raise

    def close(self) -> None:
        """Accept nobody any more, and remove the socket file. Idempotent, any thread."""
        with self._lock:
            self._give_up()

    def ready(self, events: int) -> None:
        """Accept who is waiting; the loop calls it."""
        for _ in range(ROUND):
            sock = self._accept()
            if sock is None:
                return
            self._admit(sock)

    def end(self, error: BaseException | None) -> None:
        """Be over; the loop calls it."""
        self.close()

    def after_fork(self) -> None:
        """Close the child's copies; the parent goes on listening."""
        self._lock = threading.Lock()
        self._sock.close()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def _begin(self) -> None:
        self._spare = _spare()
        self._sock.setblocking(False)
        _remove_stale(self._path)
        self._sock.bind(os.fspath(self._path))
        self._path.chmod(PRIVATE_FILE)
        self._inode = self._path.lstat().st_ino
        self._sock.listen(QUEUE)
        give_up_in_children(self)
        self._loop.watch(self._sock.fileno(), self)

    def _give_up(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.forget(self._sock.fileno())
            # A successor may have replaced it; while ours is open none has its inode number.
            with suppress(OSError):
                if self._path.lstat().st_ino == self._inode:
                    self._path.unlink()
        self._sock.close()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def _accept(self) -> socket.socket | None:
        with self._lock:
            try:
                return self._sock.accept()[0]
            except BlockingIOError:
                return None
            except OSError as exc:
                if self._sock.fileno() >= 0:
                    log.warning("channel_accept_failed", reason=str(exc))
                    if exc.errno in _NO_DESCRIPTORS:
                        self._turn_away()
                return None

    def _turn_away(self) -> None:
        # Without this the one who waits would wait for ever, and the loop would not rest.
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        with suppress(OSError):
            self._sock.accept()[0].close()
        with suppress(OSError):
            self._spare = _spare()

    def _admit(self, sock: socket.socket) -> None:
        try:
            peer = self._who_is(sock)
            if not is_ours(peer):
                log.warning("channel_stranger", pid=peer.pid, uid=peer.uid)
                sock.close()
                return
            self._accepted(sock)
        except ConnectionLost:
            # It went away again; a connection that was made meanwhile says so itself.
            sock.close()
        except Exception:
            log.exception("channel_failed")
            sock.close()

    def __repr__(self) -> str:
        state = "closed" if self._sock.fileno() < 0 else "open"
        return f"<Listener {self._path} {state}>"


def connect(
    path: Path, *, seconds: float = CONNECT_SECONDS, who_is: WhoIs = peer_of
) -> socket.socket:
    """Connect to a program of our own user that listens at `path`.

    Waits at most `seconds` while its queue is full.

    Raises:
        ConnectionLost: nobody listens there, not in time, or somebody else's program does.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # A time limit of Python's makes the socket non-blocking, and then a full queue is
        # refused at once.
        limit = _TIMEVAL.pack(*divmod(max(1, int(seconds * 1e6)), 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.connect(os.fspath(path))
        if not is_ours(who_is(sock)):
            raise ConnectionLost(f"{path} belongs to a program of another user")
    except OSError as exc:
        sock.close()
        raise ConnectionLost(f"cannot connect to {path}: {exc.strerror or exc}") from exc
    except BaseException:
        sock.close()
        raise
    return sock


def _spare() -> int:
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _remove_stale(path: Path) -> None:
    # Whoever held it is gone: a successor starts only when that is certain.
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "something else than a socket is there", str(path))
        path.unlink()
