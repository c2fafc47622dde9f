"""The sandbox as a server on this machine."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from node.sandbox.faults import Fault, Kind
from node.sandbox.standin import Reply, StandIn
from protocol.codecs.ans104 import MAX_ITEM_BYTES
from protocol.ids import Id

POLL_SECONDS = 0.02
"""How long stopping may go unnoticed."""


class Sandbox:
    """A bundler and a gateway in one, on a port of this machine, in this program.

    Attributes:
        stand_in: what it answers from.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, stand_in: StandIn | None = None
    ) -> None:
        """Prepare. Port 0 is any that is free."""
        self.stand_in = stand_in or StandIn()
        self._place = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Serve from now on, and return the URL.

        Raises:
            OSError: the port is taken.
        """
        self._server = _Server(self._place, self.stand_in)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="sandbox", daemon=True
        )
        self._thread.start()
        return self.url

    @property
    def url(self) -> str:
        """Where it is, once started."""
        host, port = self._server.server_address[:2] if self._server else self._place
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        """Close all connections and end. Idempotent."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self.heal()
            self._server.hang_up()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def items(self) -> dict[Id, bytes]:
        """Everything that was taken and kept, in order of arrival."""
        return self.stand_in.shelf.all()

    def asked(self, route: str) -> int:
        """How often a route (``tx``, ``block``, ``graphql``, ``raw``, ``info``) was asked."""
        return self.stand_in.asked[route]

    def connections(self) -> int:
        """How many connections there were since the start."""
        return self._server.accepted if self._server else 0

    def fail(self, route: str = "", **options: Any) -> None:
        """Answer with an error; options as in `Fault`, such as ``times=3, status=503``."""
        self._tell(Kind.FAIL, route, options)

    def delay(self, route: str = "", **options: Any) -> None:
        """Answer ``seconds`` late, or not before it is healed."""
        self._tell(Kind.DELAY, route, options)

    def drop(self, route: str = "", **options: Any) -> None:
        """Close the connection without an answer; ``applied=True`` does the work before."""
        self._tell(Kind.DROP, route, options)

    def forget(self, route: str = "tx", **options: Any) -> None:
        """Acknowledge items and not keep them."""
        self._tell(Kind.FORGET, route, options)

    def lie(self, route: str = "", **options: Any) -> None:
        """Answer what is not true."""
        self._tell(Kind.LIE, route, options)

    def heal(self) -> None:
        """Do nothing wrong any more."""
        self.stand_in.faults.heal()

    def _tell(self, kind: Kind, route: str, options: dict[str, Any]) -> None:
        self.stand_in.faults.tell(Fault.read({**options, "kind": kind, "route": route}))


class _Server(ThreadingHTTPServer):
    # Threads are waited for at the end, so that nothing outlives a test.
    daemon_threads = False
    request_queue_size = 256

    def __init__(self, place: tuple[str, int], stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.accepted = 0
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        super().__init__(place, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self.accepted += 1
            self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        with self._lock:
            for request in self._open:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what a sandbox is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together; otherwise Nagle's algorithm holds the body back.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            self._send(Reply(411, b""), close=True)
        elif int(length) > MAX_ITEM_BYTES:
            self._send(Reply(413, b""), close=True)
        else:
            self._serve(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        reply = self.server.stand_in.answer(self.command, self.path, body)
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply)

    def _send(self, reply: Reply, *, close: bool = False) -> None:
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(reply.body)))
        if close:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)
