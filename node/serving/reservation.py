"""The port that the programs of one node share, and that no other node gets meanwhile."""

from __future__ import annotations

import socket

from node.config import Server
from node.serving.sockets import bound_to


class Reservation:
    """Hold a port without listening, until it is closed.

    Programs of the same user that ask for a shared port get it beside this one; whoever asks for
    it alone, as each node does first, does not. It is taken before any other program is
    started, so a port that is taken already is known at once, and port 0 is the same for all.

    Attributes:
        port: which one it is.
    """

    def __init__(self, server: Server) -> None:
        """Reserve what the configuration names.

        Raises:
            OSError: another program has the port; names the address.
        """
        self._held = _alone(server.host, server.port)
        self.port = int(self._held.getsockname()[1])
        try:
            if server.http3:
                # A bound UDP socket would be sent its part of what comes: only looked at.
                bound_to(server.host, self.port, socket.SOCK_DGRAM).close()
        except OSError:
            self._held.close()
            raise
        # In this order: nobody shared the port when it was taken, and from now on ours may.
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

    def close(self) -> None:
        """Give it up. Idempotent."""
        self._held.close()


def _alone(host: str, port: int) -> socket.socket:
    try:
        return bound_to(host, port, patient=True)
    except OSError:
        # Perhaps only the last node's connections are remembered; the system lets a port be
        # taken in spite of them where nobody listens.
        return bound_to(host, port)
