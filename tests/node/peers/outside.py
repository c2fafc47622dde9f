"""The rest of the internet: names, addresses, and servers that say what a test tells them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import httpcore

PUBLIC = "93.184.216.34"


class Server:
    """Answer each request on a connection with what `answers` gives for its path.

    Attributes:
        answers: from a path to raw bytes, or to a function that gets connection and request.
        requests: the raw heads and bodies, in order of arrival.
        connections: how many there were.
        pace: seconds between two reads of at most 64 KiB.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, bytes | Callable[[socket.socket, bytes], None]] = {}
        self.requests: list[bytes] = []
        self.connections = 0
        self.pace = 0.0
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        # Closing alone would not wake up whoever waits to accept.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                while head := self._request(connection):
                    self.requests.append(head)
                    self._answer(connection, head)

    def _request(self, connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            more = connection.recv(1 << 16)
            if not more:
                return b""
            received += more
        head, _, start = received.partition(b"\r\n\r\n")
        body, left = [start], _announced(head) - len(start)
        while left > 0 and (more := connection.recv(1 << 16)):
            body.append(more)
            left -= len(more)
            threading.Event().wait(self.pace)
        return head + b"\r\n\r\n" + b"".join(body)

    def _answer(self, connection: socket.socket, head: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        answer = self.answers.get(path, reply(404))
        if callable(answer):
            answer(connection, head)
        else:
            connection.sendall(answer)


class Internet(httpcore.NetworkBackend):
    """Names and addresses as a test says; every connection ends at one server.

    Attributes:
        names: from a name to the addresses that it stands for, one answer after the other.
        connected: the addresses and ports that were connected to.
        unreachable: addresses where nothing answers.
        port: where on this machine all connections end.
    """

    def __init__(self, server: Server) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.connected: list[tuple[str, int]] = []
        self.unreachable: set[str] = set()
        self.port = server.port

    def resolve(self, host: str, port: int) -> list[str]:
        try:
            answers = self.names[host]
        except KeyError:
            raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.connected.append((host, port))
        if host in self.unreachable:
            raise httpcore.ConnectError("unreachable")
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout)


def reply(status: int = 200, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return an answer as it is on the wire."""
    fields = [("content-length", str(len(body))), *headers]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status} So\r\n{lines}\r\n".encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    """Return an answer that leads elsewhere."""
    return reply(status, headers=[("location", location)])


def _announced(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
