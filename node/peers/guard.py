"""The network as outgoing requests see it: only addresses that were checked, only in time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import httpcore

from node.peers.addresses import Address
from node.peers.deadline import remaining
from protocol.errors import PeerFailed, PeerRefused, PeerTimeout

RESOLVING_THREADS = 8
"""Names looked up at once, on threads of their own: the system's resolver knows no deadline."""

MAX_ADDRESSES = 4
"""Addresses of one name that are tried."""

WRITE_BYTES = 64 << 10
"""Bytes between two looks at the deadline."""

Resolver = Callable[[str, int], Sequence[str]]
"""From a name and a port to the addresses it stands for, as text; raises `OSError`."""


def resolve(host: str, port: int) -> list[str]:
    """Ask the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Guard(httpcore.NetworkBackend):
    """Resolve a name once, check what it stands for, and connect to just that address.

    A name that stands for another address a moment later changes nothing: it is not asked
    for again.
    """

    def __init__(
        self,
        reaches: Callable[[Address], bool],
        resolver: Resolver = resolve,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._reaches = reaches
        self._resolver = resolver
        self._network = network or httpcore.SyncBackend()
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, "resolver")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first permitted address that answers.

        Raises:
            PeerRefused: none of its addresses is permitted.
            PeerFailed: the name does not exist.
            PeerTimeout: the deadline passed.
        """
        addresses = self._permitted(host, port)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port)
            except httpcore.ConnectError:
                continue
        return self._connect(addresses[-1], port)

    def close(self) -> None:
        """End the threads that resolve; whoever waits for one is not kept waiting."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _permitted(self, host: str, port: int) -> list[Address]:
        found = self._addresses(host, port)
        permitted = [address for address in found if self._reaches(address)]
        if not permitted:
            raise PeerRefused(f"{host} is at an address that this node does not contact")
        return permitted[:MAX_ADDRESSES]

    def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        pending = self._threads.submit(self._resolver, host, port)
        try:
            texts = pending.result(timeout=remaining())
        except TimeoutError:
            pending.cancel()
            raise PeerTimeout(f"looking up {host} took too long") from None
        except (OSError, UnicodeError):
            raise PeerFailed(f"{host} cannot be looked up") from None
        return [ip_address(text) for text in dict.fromkeys(texts)]

    def _connect(self, address: Address, port: int) -> httpcore.NetworkStream:
        return _Stream(self._network.connect_tcp(str(address), port, timeout=remaining()))


class _Stream(httpcore.NetworkStream):
    # The timeouts that are passed in hold for one operation each; a server that sends one byte
    # at a time would never exceed them. The deadline is for all operations together.

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_BYTES):
            self._inner.write(buffer[start : start + WRITE_BYTES], remaining())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, remaining()))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
