"""How often one address may ask, and how often one signer may have a message scheduled."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from node.errors import RateLimited
from node.limits.addresses import Clients
from node.limits.buckets import Buckets
from node.limits.levels import Levels
from node.limits.refusing import Refuser
from protocol.ids import Id


class AddressRate:
    """Let through to `app` what its client's rate allows."""

    def __init__(self, app: ASGIApp, refuse: Refuser, buckets: Buckets, clients: Clients) -> None:
        """Count each request in the bucket of the client that it came from."""
        self._app = app
        self._refuse = refuse
        self._buckets = buckets
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            wait = self._buckets.take(self._clients.of_request(scope))
            if wait:
                refusal = RateLimited("too many requests of this address", retry_after=wait)
                await self._refuse(refusal, scope, receive, send)
                return
        await self._app(scope, receive, send)


class SignerRate:
    """How many messages each signer may have scheduled; used from one thread.

    Asked before a signature is verified, because it is the cheaper check, and charged after:
    else anyone could use up what belongs to somebody else's name.
    """

    def __init__(self, rate: float = 0.0, levels: Levels | None = None) -> None:
        """Allow `rate` messages a second and signer; 0 is no limit.

        Args:
            rate: of each signer.
            levels: where it is kept how much each has left; in memory unless given.
        """
        self._buckets = Buckets(rate, levels=levels) if rate else None

    def require(self, signer: Id) -> None:
        """Raise if the signer has to wait.

        Raises:
            RateLimited: it has; says for how long.
        """
        if self._buckets is not None and (wait := self._buckets.wait(signer)):
            raise RateLimited("too many messages of this signer", retry_after=wait)

    def charge(self, signer: Id) -> None:
        """Count a message that the signer has indeed signed."""
        if self._buckets is not None:
            self._buckets.spend(signer)
