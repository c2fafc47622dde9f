"""The configuration of a node: one documented value, checked as a whole."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from actors import SchedulingMode
from node.config.sections import (
    Bundler,
    Gateway,
    Limits,
    Log,
    Peers,
    Replies,
    Scheduling,
    Section,
    Server,
    Store,
)


class Config(Section):
    """Everything a node can be told; `Config()` are the embedded defaults.

    Frozen. `node.config.load` makes one from a file, the environment and flags, and knows
    where each value came from.
    """

    server: Server = Field(default_factory=Server)
    store: Store = Field(default_factory=Store)
    scheduling: Scheduling = Field(default_factory=Scheduling)
    replies: Replies = Field(default_factory=Replies)
    bundler: Bundler = Field(default_factory=Bundler)
    gateway: Gateway = Field(default_factory=Gateway)
    peers: Peers = Field(default_factory=Peers)
    limits: Limits = Field(default_factory=Limits)
    log: Log = Field(default_factory=Log)

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        server = self.server
        if (server.tls_certificate is None) != (server.tls_key is None):
            raise ValueError("server.tls_certificate and server.tls_key belong together")
        if server.http3 and server.tls_certificate is None:
            raise ValueError("server.http3 needs server.tls_certificate and server.tls_key")
        return self

    @model_validator(mode="after")
    def _one_program_has_one_gateway(self) -> Self:
        writes = self.scheduling.mode is not SchedulingMode.DISABLED
        if self.server.gateways > 1 and self.store.shards == 0 and writes:
            raise ValueError("server.gateways above 1 needs store.shards above 0")
        return self
