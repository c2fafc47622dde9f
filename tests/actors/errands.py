"""Outside things of a test that stay in it, while shards in other programs use them."""

from __future__ import annotations

import pickle
import threading
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any


class Office:
    """Do in this program what errands ask for in others, each caller on a thread of its own."""

    def __init__(self) -> None:
        self._listener = Listener(family="AF_UNIX")
        self._things: list[Any] = []
        self._connections: list[Connection] = []
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name="office", daemon=True)
        self._thread.start()

    def errand(self, thing: Any) -> Errand:
        """Return what stands for `thing` in every program that it is pickled into."""
        self._things.append(thing)
        trusted = getattr(thing, "trusted", False)
        return Errand(self._listener.address, len(self._things) - 1, trusted=trusted)

    def close(self) -> None:
        """Serve nobody any more."""
        self._closing = True
        Client(self._listener.address).close()
        self._thread.join()
        self._listener.close()
        for connection in self._connections:
            # Each is closed by whoever serves it, too.
            with suppress(OSError):
                connection.close()

    def _accept(self) -> None:
        while not self._closing:
            # Who is killed while it connects is none of ours.
            with suppress(OSError):
                self._connections.append(self._listener.accept())
                serving = threading.Thread(
                    target=self._serve, args=(self._connections[-1],), daemon=True
                )
                serving.start()

    def _serve(self, connection: Connection) -> None:
        with suppress(OSError, EOFError, TypeError), connection:
            while True:
                number, name, arguments = connection.recv()
                connection.send(self._done(number, name, arguments))

    def _done(self, number: int, name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        try:
            thing = self._things[number]
            value = getattr(thing, name)(*arguments)
            pickle.dumps(value)
        except BaseException as exc:
            return False, exc
        return True, value


class Errand:
    """Call a thing that is in another program; each thread over a connection of its own."""

    def __init__(self, address: str, number: int, *, trusted: bool) -> None:
        self.trusted = trusted
        self._office = address, number
        self._mine = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return _errand, (*self._office, self.trusted)

    def __call__(self, *arguments: Any) -> Any:
        return self._ask("__call__", *arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._ask(name, *arguments)

    def _ask(self, name: str, *arguments: Any) -> Any:
        address, number = self._office
        if not hasattr(self._mine, "line"):
            self._mine.line = Client(address)
        self._mine.line.send((number, name, arguments))
        fine, value = self._mine.line.recv()
        if not fine:
            raise value
        return value


def _errand(address: str, number: int, trusted: bool) -> Errand:
    return Errand(address, number, trusted=trusted)
