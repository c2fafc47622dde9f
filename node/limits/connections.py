"""How many connections there may be: of one address, and of all together."""

from __future__ import annotations

import socket
import struct
import weakref
from collections import Counter
from typing import Any

from node.limits.addresses import Clients, key_of

STALLED_MILLISECONDS = 30_000
"""After which a connection ends whose client takes nothing of what is sent (RFC 5482)."""

_RESET = struct.pack("ii", 1, 0)  # closing at once, with nothing left to wait for


class Connections:
    """Count the open connections.

    Attributes:
        open: how many there are.
    """

    def __init__(self, per_address: int, total: int, clients: Clients) -> None:
        """Allow so many; those of trusted proxies count only in the total."""
        self._per_address = per_address
        self._total = total
        self._clients = clients
        self._open: Counter[str] = Counter()
        self.open = 0

    def enter(self, peer: str) -> str | None:
        """Count a connection; return the key to give back later, or None if it is one too many."""
        key = key_of(peer)
        full = self._open[key] >= self._per_address and not self._clients.trusts(peer)
        if full or self.open >= self._total:
            return None
        self._open[key] += 1
        self.open += 1
        return key

    def leave(self, key: str) -> None:
        """Count a connection no more."""
        self.open -= 1
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


class CountingListener(socket.socket):
    """A listening socket that resets connections that are too many, before anything is read."""

    def __init__(self, bound: socket.socket, connections: Connections) -> None:
        """Take over a bound TCP socket."""
        super().__init__(bound.family, bound.type, bound.proto, fileno=bound.detach())
        self.setblocking(False)
        # What is accepted inherits these. A reply is more than one write: without the first, the
        # second one waits 40 ms for the client's acknowledgement.
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MILLISECONDS)
        self._connections = connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection.

        Raises:
            BlockingIOError: there is none, or it was one too many.
        """
        connection, peer = super().accept()
        key = self._connections.enter(str(peer[0]))
        if key is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.close()
            raise BlockingIOError
        return _Counted(connection, self._connections, key), peer


class _Counted(socket.socket):
    # An accepted connection, counted until it is closed or nobody has it any more.

    def __init__(self, accepted: socket.socket, connections: Connections, key: str) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._left = weakref.finalize(self, connections.leave, key)
        self._left.atexit = False

    def close(self) -> None:
        super().close()
        self._left()
