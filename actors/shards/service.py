"""The service: lets the other programs of a node schedule in the shard of this one."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from actors.channel.connection import Connection
from actors.channel.letters import VERSION, Hello, Letter, pack
from actors.channel.listener import Listener
from actors.channel.loop import Loop
from actors.shard import Shard
from actors.shards.caller import Caller
from protocol.ids import Id
from storage import shard_of

DRAIN_SECONDS = 1.0
"""How long a caller may take to read the last that it is told."""

ANSWERERS = 2
"""Threads for questions that take their time, because they upload."""


class Service:
    """Take messages, subscriptions and questions from every connection to one socket.

    What the committer releases in one go leaves in one write per connection; what other
    threads have to tell leaves at once.
    """

    def __init__(self, shard: Shard, number: int, shards: int, generation: int, path: Path) -> None:
        """Prepare, without listening.

        Args:
            shard: started already.
            number: of the shard.
            shards: how many the store has.
            generation: how often this shard was started, this time included.
            path: of the socket.
        """
        self.number = number
        self._shards = shards
        self.generation = generation
        self.shard = shard
        self._hello = pack(Hello(VERSION, number, shards, generation, os.getpid(), shard.addresses))
        self._loop = Loop(f"shard-{number}")
        self._path = path
        self._listener: Listener | None = None
        self._lock = threading.Lock()
        self._callers: dict[Connection, Caller] = {}
        # Connections with something posted and not flushed; only the committer's thread adds.
        self._posted: set[Connection] = set()
        self._committer: int | None = None
        self.questions: Executor = ThreadPoolExecutor(ANSWERERS, thread_name_prefix="answers")

    def start(self) -> None:
        """Listen from now on.

        Raises:
            OSError: the socket cannot be made.
        """
        self.shard.released = self._flush
        self._loop.start()
        self._listener = Listener(self._loop, self._path, self._accept)

    def tell(self, connection: Connection, frame: bytes) -> None:
        """Send a frame, from some threads with others that come right after it."""
        if threading.get_ident() == self._committer:
            connection.post(frame)
            self._posted.add(connection)
        elif self._loop.is_current:
            connection.post(frame)
        else:
            connection.send(frame)

    def has(self, process: Id) -> bool:
        """Whether a process belongs to this shard."""
        return shard_of(process, self._shards) == self.number

    def refuse_new(self) -> None:
        """Take no more connections; those that there are go on."""
        if self._listener is not None:
            self._listener.close()

    def stop(self) -> None:
        """End every connection, once what was sent has left."""
        self.refuse_new()
        self.questions.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            connections = list(self._callers)
        for connection in connections:
            connection.drain(DRAIN_SECONDS)
            connection.close()
        self._loop.stop()

    def _accept(self, sock: socket.socket) -> None:
        connection = Connection(self._loop, sock, self._received, self._lost)
        with self._lock:
            self._callers[connection] = Caller(self, connection)
        connection.send(self._hello)

    def _received(self, connection: Connection, letter: Letter) -> None:
        with self._lock:
            caller = self._callers.get(connection)
        if caller is not None:
            caller.take(letter)

    def _lost(self, connection: Connection, _reason: BaseException | None) -> None:
        with self._lock:
            caller = self._callers.pop(connection, None)
        if caller is not None:
            caller.gone()

    def _flush(self) -> None:
        # At the end of what the committer released: also how its thread makes itself known.
        self._committer = threading.get_ident()
        while self._posted:
            self._posted.pop().flush()
