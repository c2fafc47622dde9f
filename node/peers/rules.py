"""Where this node may send requests, and how much it waits for and reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import httpx

from node.peers.addresses import Address, is_host, is_public
from protocol.errors import PeerRefused

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed to be contacted. The defaults suit URLs that strangers name."""

    schemes: frozenset[str] = frozenset(DEFAULT_PORTS)
    """Anything else is refused."""

    ports: frozenset[int] = frozenset({80, 443, 8734, 10000})
    """The web's, and those that HyperBEAM nodes use. Others may be anything, mail servers too."""

    allow_private: bool = False
    """Also private, loopback and link-local addresses: for development and closed networks.
    Whoever can name a URL then reaches them through this node."""

    trusted: frozenset[str] = frozenset()
    """Origins that the operator named: any port and address, unless a stranger redirects there."""

    timeout_seconds: float = 10.0
    """For one question as a whole: resolving, connecting, redirects, the last byte."""

    max_answer_bytes: int = 32 << 20
    """Longest body that is read."""

    def trusting(self, *urls: str) -> Rules:
        """Return the same rules for a client whose URLs the operator names.

        Raises:
            PeerRefused: one of them is no URL that can be asked.
        """
        return replace(self, trusted=self.trusted | {origin(self.parse(url)) for url in urls})

    def trusts(self, url: httpx.URL) -> bool:
        """Tell whether the operator named the origin of a URL."""
        return origin(url) in self.trusted

    def admit(self, url: httpx.URL, *, trusted: bool) -> None:
        """Check the port; trusted URLs may name any.

        Raises:
            PeerRefused: nothing is sent to that port.
        """
        if not trusted and port(url) not in self.ports:
            raise PeerRefused(f"port {port(url)} is not one that this node contacts")

    def reaches(self, address: Address) -> bool:
        """Tell whether an address that a stranger's URL leads to may be connected to."""
        return is_host(address) and (self.allow_private or is_public(address))

    def parse(self, text: str) -> httpx.URL:
        """Read a URL that is complete and has a scheme that is allowed.

        Raises:
            PeerRefused: it is not that, or carries a user name.
        """
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, UnicodeError):
            raise PeerRefused("that is no URL") from None
        if url.scheme not in self.schemes or not url.host:
            raise PeerRefused(f"a URL of {' or '.join(sorted(self.schemes))} is needed")
        if url.userinfo:
            raise PeerRefused("the URL carries a user name")
        return url


def origin(url: httpx.URL) -> str:
    """Scheme, host and port: what a connection is for."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}:{port(url)}"


def port(url: httpx.URL) -> int:
    """The port, also when the URL leaves it to the scheme."""
    return url.port if url.port is not None else DEFAULT_PORTS.get(url.scheme, 0)
