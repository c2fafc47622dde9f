"""How the programs of one node talk: letters over Unix sockets that only their user can reach."""

from actors.channel.connection import Connection
from actors.channel.errors import ConnectionLost
from actors.channel.folder import SocketFolder
from actors.channel.letters import VERSION, pack, require_version, unpack
from actors.channel.listener import Listener, connect
from actors.channel.loop import Loop

__all__ = [
    "VERSION",
    "Connection",
    "ConnectionLost",
    "Listener",
    "Loop",
    "SocketFolder",
    "connect",
    "pack",
    "require_version",
    "unpack",
]
