"""Chain rules: how the link of a slot follows from the one before."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from protocol.errors import UnsupportedProcess
from protocol.ids import Id


class ChainRule(Protocol):
    """How one process links its slots; chosen at slot 0 and never changed."""

    name: str
    """Name of the rule, and of the assignment key that carries the link."""

    serial: bool
    """True when a link needs the previous assignment's ID, hence its signature."""

    def next(self, previous: str, message_id: Id, previous_assignment: Id | None) -> str:
        """Return the link of the slot that follows.

        Args:
            previous: link text of the slot before, "" for slot 0.
            message_id: the message in the new slot.
            previous_assignment: ID of the assignment before; only serial rules read it.
        """


class HashChain:
    """Link message IDs: SHA-256 of the raw previous link and the message ID's 43 characters.

    Source: HyperBEAM's `hash-chain` key. Nothing stands before slot 0. The link does not
    depend on any signature, so consecutive slots are signed in parallel.
    """

    name = "hash-chain"
    serial = False

    def next(self, previous: str, message_id: Id, previous_assignment: Id | None = None) -> str:
        """Return base64url(SHA-256(raw previous link, then the message ID's text))."""
        return link_text(hashlib.sha256(preimage(previous, message_id)).digest())


def preimage(previous: str, message_id: Id) -> bytes:
    """What `HashChain` hashes: 43 bytes at slot 0, else 32 + 43."""
    raw = urlsafe_b64decode(previous + "=") if previous else b""
    return raw + message_id.ascii


def link_text(raw: bytes) -> str:
    """A raw 32-byte link as the 43 characters an assignment carries."""
    return urlsafe_b64encode(raw)[:-1].decode("ascii")


CHAIN_RULES: Mapping[str, ChainRule] = MappingProxyType({HashChain.name: HashChain()})


def chain_rule(name: str) -> ChainRule:
    """Return the rule called `name`.

    Raises:
        UnsupportedProcess: the rule is not built.
    """
    try:
        return CHAIN_RULES[name]
    except KeyError:
        raise UnsupportedProcess(f"chain rule {name[:80]!r} is not built") from None
