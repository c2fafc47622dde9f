"""The client that all outgoing HTTP goes through."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx
import orjson

from node.peers.addresses import is_host
from node.peers.deadline import deadline, remaining
from node.peers.guard import Guard, Resolver, resolve
from node.peers.rules import Rules, origin
from protocol.errors import PeerFailed, PeerRefused, PeerTimeout, PeerTooLarge

MAX_REDIRECTS = 3

MAX_CONNECTIONS = 64
"""Of one client, to all servers together; whoever needs one more waits, within the deadline."""

KEEP_ALIVE_SECONDS = 15.0
"""How long a connection is kept for the next request. Shorter than servers keep theirs, so that
we seldom write into one that is being closed."""

REDIRECTS = {301, 302, 303, 307, 308}
SAME_METHOD = {307, 308}
SECRETS = {b"authorization", b"cookie"}

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        status: any, 4xx and 5xx too.
        headers: (name, value) pairs; names in lower case.
        body: all of it.
        url: where it came from, after redirects.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    url: str

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header, by its name in lower case."""
        return next((value for given, value in self.headers if given == name), None)

    def json(self) -> Any:
        """Return what the body says as JSON.

        Raises:
            PeerFailed: it is no JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise PeerFailed(f"{_host(self.url)} answered no JSON") from None


class Client:
    """Ask other servers, within rules. Thread-safe; keeps connections for later requests.

    No proxies, no environment, no cookies, no compressed answers. Sent to a spawned program, it
    is one of the same rules with connections of its own.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        """Prepare; nothing is contacted.

        Args:
            rules: where requests may go; for URLs of strangers unless given.
            resolver: from names to addresses.
            tls: whom to believe who they are; the usual authorities unless given.
            network: connects to addresses; the system's unless given.
        """
        self.rules = rules or Rules()
        self._made_with = (resolver, tls, network)
        context = tls or _authorities()
        # Two pools, so that no redirect of a stranger can come to use a connection that was
        # made without looking at the address.
        self._guards = {
            True: Guard(is_host, resolver, network),
            False: Guard(self.rules.reaches, resolver, network),
        }
        self._pools = {
            trusted: httpcore.ConnectionPool(
                ssl_context=context,
                max_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=guard,
            )
            for trusted, guard in self._guards.items()
        }

    def get(self, url: str, *, headers: Headers = (), follow: bool = False) -> Answer:
        """Ask for something.

        Args:
            url: complete, http or https.
            headers: (name, value) pairs to send along.
            follow: follow at most 3 redirects, each checked like the first URL.

        Raises:
            PeerRefused: the rules forbid this URL, or where it leads.
            PeerFailed: there is no usable answer; `PeerTimeout` and `PeerTooLarge` are kinds.
        """
        return self._ask("GET", url, b"", headers, follow=follow)

    def post(self, url: str, body: bytes, *, headers: Headers = (), follow: bool = False) -> Answer:
        """Send something. Only redirects that keep the method (307, 308) are followed.

        Raises:
            As `get`.
        """
        return self._ask("POST", url, body, headers, follow=follow)

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        for guard in self._guards.values():
            guard.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.rules, *self._made_with)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(
        self, method: str, text: str, body: bytes, headers: Headers, *, follow: bool
    ) -> Answer:
        url, trusted = self.rules.parse(text), True
        with deadline(self.rules.timeout_seconds):
            for _ in range(MAX_REDIRECTS + 1):
                # Trust ends with the first origin that the operator did not name.
                trusted = trusted and self.rules.trusts(url)
                self.rules.admit(url, trusted=trusted)
                answer = self._exchange(method, url, body, headers, trusted=trusted)
                location = _redirected(answer, method) if follow else None
                if location is None:
                    return answer
                target = self.rules.parse(_joined(url, location))
                if origin(target) != origin(url):
                    headers = [field for field in headers if field[0].lower() not in SECRETS]
                url = target
        raise PeerFailed(f"{_host(text)} redirects more than {MAX_REDIRECTS} times")

    def _exchange(
        self, method: str, url: httpx.URL, body: bytes, headers: Headers, *, trusted: bool
    ) -> Answer:
        with (
            _peer_errors(str(url)),
            self._pools[trusted].stream(
                method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=[(b"host", url.netloc), (b"accept-encoding", b"identity"), *headers],
                content=body if method == "POST" else None,
                extensions={"timeout": {"pool": remaining()}},
            ) as response,
        ):
            received = tuple((name.lower(), value) for name, value in response.headers)
            return Answer(response.status, received, self._read(response), str(url))

    def _read(self, response: httpcore.Response) -> bytes:
        if any(
            name.lower() == b"content-encoding" and value.lower() != b"identity"
            for name, value in response.headers
        ):
            raise PeerFailed("the answer is compressed, which was not asked for")
        chunks: list[bytes] = []
        left = self.rules.max_answer_bytes
        for chunk in response.iter_stream():
            left -= len(chunk)
            if left < 0:
                raise PeerTooLarge(f"the answer is over {self.rules.max_answer_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


@cache
def _authorities() -> ssl.SSLContext:
    # Reading their certificates takes 50 ms, and all clients of a program believe the same ones.
    return httpcore.default_ssl_context()


def _again(
    rules: Rules,
    resolver: Resolver,
    tls: ssl.SSLContext | None,
    network: httpcore.NetworkBackend | None,
) -> Client:
    return Client(rules, resolver=resolver, tls=tls, network=network)


@contextmanager
def _peer_errors(url: str) -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as exc:
        raise PeerTimeout(f"{_host(url)} took too long") from exc
    except (httpcore.NetworkError, httpcore.ProtocolError) as exc:
        raise PeerFailed(f"{_host(url)} cannot be asked: {exc!s}"[:200]) from exc


def _redirected(answer: Answer, method: str) -> bytes | None:
    if answer.status not in (REDIRECTS if method == "GET" else SAME_METHOD):
        return None
    return answer.header(b"location")


def _joined(url: httpx.URL, location: bytes) -> str:
    try:
        return str(url.join(location.decode("ascii")))
    except (httpx.InvalidURL, UnicodeDecodeError):
        raise PeerRefused(f"{url.host} redirects to what is no URL") from None


def _host(url: str) -> str:
    # Paths and queries may hold what does not belong into a log.
    return httpx.URL(url).host
