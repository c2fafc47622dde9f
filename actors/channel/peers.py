"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

_CREDENTIALS = struct.Struct("iII")


class Peer(NamedTuple):
    """The program that connected, or listens, as the system knows it."""

    pid: int
    uid: int
    gid: int


WhoIs = Callable[[socket.socket], Peer]


def peer_of(sock: socket.socket) -> Peer:
    """Ask the system (SO_PEERCRED) who is at the other end.

    Raises:
        OSError: the socket is not connected.
    """
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


def is_ours(peer: Peer) -> bool:
    """Whether the program at the other end runs as the same user as we do."""
    return peer.uid == os.geteuid()
