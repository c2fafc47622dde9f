"""A real server on a port of its own, and raw connections to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from starlette.types import ASGIApp, Receive, Scope, Send

from node.config import Config
from node.limits import limited
from node.serving.hypercorn import serve
from node.serving.sockets import bind

PATIENCE_SECONDS = 30


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with method, path and body, as the server understood them."""
    if scope["type"] == "lifespan":
        return
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    told = b"%s %s %s" % (scope["method"].encode(), scope["raw_path"], body)
    headers = [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


class Living:
    """An application behind the limits of a configuration, served on a thread.

    Attributes:
        sockets: what it listens on.
        stop: begins the end.
    """

    def __init__(self, config: Config, app: ASGIApp = echo, *, guarded: bool = True) -> None:
        self.sockets = bind(config)
        self.port = self.sockets.port
        self.config = config
        self._app = limited(app, config) if guarded else app
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name="living")

    def connect(self) -> Connection:
        """Open a raw connection."""
        return Connection(self.port)

    def stop(self) -> None:
        """Tell it to end; if it has, that is no error."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)

    def ended(self) -> bool:
        """Wait for the end; tell whether it came."""
        self._thread.join(PATIENCE_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._running.set()
        await serve(self._app, self.config, self.sockets, self._stop)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._running.wait(PATIENCE_SECONDS)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        assert self.ended()


class Connection:
    """Bytes to a server and back."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self._socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._seen = b""

    def send(self, *pieces: bytes) -> Self:
        """Send; a server that has closed already is no error."""
        try:
            for piece in pieces:
                self._socket.sendall(piece)
        except (ConnectionError, ssl.SSLError):
            pass
        return self

    def finish(self) -> Self:
        """Send nothing more."""
        self._socket.shutdown(socket.SHUT_WR)
        return self

    def until(self, mark: bytes) -> bytes:
        """Return what comes up to and with `mark`."""
        while mark not in self._seen and self._more():
            pass
        seen, found, self._seen = self._seen.partition(mark)
        return seen + found

    def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        while self._more():
            pass
        seen, self._seen = self._seen, b""
        return seen

    def reply(self) -> tuple[int, bytes]:
        """Return status and body of one reply that has a content-length."""
        head = self.until(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(self._seen) < length and self._more():
            pass
        body, self._seen = self._seen[:length], self._seen[length:]
        return int(head.split()[1]), body

    def _more(self) -> bool:
        try:
            received = self._socket.recv(1 << 16)
        except ConnectionError:
            return False
        self._seen += received
        return bool(received)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
