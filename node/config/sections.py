"""What an operator can set, section by section; each field says its unit and its consequence."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from actors import Duplicates, SchedulingMode
from storage.layout import MAX_SHARDS

MEBIBYTE = 1 << 20
KIBIBYTE = 1 << 10

Seconds = Annotated[float, Field(gt=0, le=86_400 * 366, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Section(BaseModel):
    """One table of the configuration file: nothing unknown in it, nothing changed after."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Server(Section):
    """Where the node listens, and what it is called."""

    host: str = "127.0.0.1"
    """Address to listen on. 0.0.0.0 and :: are all addresses of this machine."""

    port: Port = 8734
    """Port to listen on; 0 takes a free one."""

    public_url: str = ""
    """How others reach this node: whoever asks here is never sent there. What the location record
    says is given to `location register`."""

    tls_certificate: Path | None = None
    """File of the certificate chain, PEM. With it the node speaks HTTPS, and HTTP/2 by ALPN."""

    tls_key: Path | None = None
    """File of the certificate's private key, PEM."""

    http3: bool = False
    """Whether to listen on UDP, too, at the same port. Needs the certificate."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks (10.0.0.0/8) of proxies whose x-forwarded-for is believed; without
    them every client behind a proxy shares one rate."""

    graceful_seconds: Seconds = 10.0
    """How long requests under way may take once the node is told to end."""

    gateways: Annotated[int, Field(ge=1, le=MAX_SHARDS)] = 1
    """Programs that speak HTTP and share the port. More than one needs `store.shards` above 0,
    unless the node only reads."""

    @field_validator("trusted_proxies")
    @classmethod
    def _names_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ip_network(proxy)
        return proxies


class Store(Section):
    """Where things are kept."""

    data: Path = Path("data")
    """Folder of the store, created when there is none."""

    wallets: tuple[Path, ...] = Field(default=(Path("wallet.json"),), min_length=1)
    """JWK files; the first is the operator's, which is created when there is none."""

    shards: Annotated[int, Field(ge=0, le=MAX_SHARDS)] | None = None
    """Programs that schedule, each with its part of the processes; 0 does all in the program
    that speaks HTTP. Unless given: as many as the store has, and for a new one as many as there
    are cores less one, at least one."""

    min_free_bytes: Annotated[int, Field(ge=0)] = 256 * MEBIBYTE
    """Free disk space to keep in reserve; below it no slot is given."""

    @field_validator("wallets")
    @classmethod
    def _names_files(cls, wallets: tuple[Path, ...]) -> tuple[Path, ...]:
        # A key pasted where its file's name belongs would end in messages about that file.
        if any("{" in str(wallet) for wallet in wallets):
            raise ValueError("a wallet is given as the name of its file")
        return wallets


class Scheduling(Section):
    """How messages are scheduled."""

    mode: SchedulingMode = SchedulingMode.LOCAL_CONFIRMATION
    """The stage an answer waits for, unless the request names another; disabled only reads."""

    deadline_seconds: Seconds = 10.0
    """By when every request to schedule has its answer."""

    duplicates: Duplicates = Duplicates.SAME
    """What a message gets that comes again: the same slot, a new one, or a refusal."""

    chain: Literal["hash-chain", "base-hashpath"] = "hash-chain"
    """Chain rule of new processes that name none; only with hash-chain are consecutive slots
    of one process signed on all cores."""

    commitment_device: Literal["ans104@1.0", "httpsig@1.0"] = "ans104@1.0"
    """Form of the assignments of new processes that name none."""

    accept_signature_types: tuple[Annotated[int, Field(ge=2, le=3)], ...] = ()
    """ANS-104 signature types taken beside 1, RSA: 2 Ed25519, 3 Ethereum."""

    max_live_processes: Count = 2000
    """Processes kept in memory; others come back with one read."""


class Replies(Section):
    """How requests are answered."""

    sign_replies: bool = False
    """Whether replies other than assignments are signed, too; each costs an RSA signature."""

    follow_redirects: bool = False
    """Whether a request for another scheduler's process is passed on; else it is redirected."""


class Bundler(Section):
    """Where items are published."""

    url: str = ""
    """Address of the bundler; empty publishes into a folder of the store."""


class Gateway(Section):
    """Where Arweave is asked."""

    url: str = ""
    """Address of the gateway; empty asks nobody, and assignments carry block 0."""

    block_interval_seconds: Seconds = 30.0
    """Between two questions for the newest block."""


class Peers(Section):
    """How other nodes are spoken to."""

    notify: tuple[str, ...] = ()
    """Addresses of nodes that are sent our location record."""

    allow_private: bool = False
    """Whether requests may go to private, loopback and link-local addresses."""

    ports: tuple[Port, ...] = (80, 443, 8734, 10_000)
    """Ports that requests may go to."""

    timeout_seconds: Seconds = 10.0
    """How long one answer may take, redirects included."""

    max_answer_bytes: Count = 64 * MEBIBYTE
    """The largest answer that is read; a page of a schedule carries its messages."""

    async_remote_cache: bool = True
    """Whether other schedulers' assignments are kept after the answer, not before it."""

    location_ttl_seconds: Seconds = 7 * 86_400.0
    """How long others may rely on our location record."""


class Limits(Section):
    """What one request, one client and all of them together may use."""

    body_bytes: Count = 10 * MEBIBYTE
    """Largest body of a request."""

    header_bytes: Annotated[int, Field(ge=KIBIBYTE)] = 64 * KIBIBYTE
    """Largest sum of a request's header names, values and path."""

    headers: Count = 200
    """Most header fields of a request."""

    parts: Count = 64
    """Most parts of a multipart body."""

    nesting: Count = 8
    """Deepest nesting of a message."""

    header_seconds: Seconds = 5.0
    """By when a connection's request has its headers complete; also how long it may be idle."""

    body_seconds: Seconds = 15.0
    """By when a request's body is complete."""

    buffered_bytes: Count = 256 * MEBIBYTE
    """Most bytes of bodies that are held at once; with more, the answer is 503."""

    connections: Count = 4096
    """Connections at once; fewer where the system gives a process fewer files."""

    connections_per_address: Count = 256
    """Connections of one address (of one /64 with IPv6) at once; more are closed at once."""

    rate_per_address: Rate = 500.0
    """Requests a second of one address (of one /64 with IPv6), after a burst of two seconds'
    worth; 0 is no limit."""

    rate_per_signer: Rate = 100.0
    """Messages a second of one signer, after a burst of two seconds' worth; 0 is no limit."""

    queue: Count = 4096
    """Requests to schedule that may wait; with more, the answer is 503."""


class Log(Section):
    """What is told on standard error."""

    level: Literal["quiet", "error", "warning", "info", "debug"] = "warning"
    """The lowest level of events that is written, one JSON object a line."""
