"""Chain rules: how the link of a slot follows from the one before."""

from __future__ import annotations

import hashlib
from binascii import a2b_base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from protocol.codecs.base64url import encode_base64url
from protocol.errors import UnsupportedProcess
from protocol.ids import Id

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


class ChainRule(Protocol):
    """How one process links its slots; chosen at slot 0 and never changed."""

    name: str
    """Name of the rule."""

    key: str
    """The assignment's key that carries the link."""

    serial: bool
    """True when a link needs the previous assignment's ID, hence its signature."""

    def next(self, previous: str, message_id: Id, previous_assignment: Id | None) -> str:
        """Return the link of the slot that follows.

        Args:
            previous: link text of the slot before, "" for slot 0.
            message_id: the message in the new slot; at slot 0 that is the process.
            previous_assignment: ID of the assignment before; only serial rules read it, and
                none does at slot 0.
        """


class HashChain:
    """Link message IDs: SHA-256 of the raw previous link and the message ID's 43 characters.

    Source: HyperBEAM's `hash-chain` key. Nothing stands before slot 0. The link does not
    depend on any signature, so consecutive slots are signed in parallel.
    """

    name = key = "hash-chain"
    serial = False

    def next(self, previous: str, message_id: Id, previous_assignment: Id | None = None) -> str:
        """Return base64url(SHA-256(raw previous link, then the message ID's text))."""
        return link_text(hashlib.sha256(preimage(previous, message_id)).digest())


class BaseHashpath:
    """Link assignment IDs: each slot carries the hashpath of all assignments before it.

    Source: HyperBEAM's `base-hashpath` key. Slot 0 carries the process's ID alone, slot 1 that
    and the ID of assignment 0, and from there on what stood before is hashed into one.
    """

    name = key = "base-hashpath"
    serial = True

    def next(self, previous: str, message_id: Id, previous_assignment: Id | None) -> str:
        """Return ``base/assignment ID``, or the process's ID at slot 0."""
        if not previous:
            return str(message_id)
        first, _, second = previous.partition("/")
        base = _hashed(_raw(first), _raw(second)) if second else first
        return f"{base}/{_named(previous_assignment)}"


class LegacyChain:
    """Link assignment IDs as scheduler units of variant ``ao.TN.1`` do.

    Source: permaweb/ao, `Hash-Chain` tag. Slot 0 hashes the process's raw ID.
    """

    name = "legacy"
    key = "Hash-Chain"
    serial = True

    def next(self, previous: str, message_id: Id, previous_assignment: Id | None) -> str:
        """Return base64url(SHA-256(raw previous assignment ID, then the raw previous link))."""
        if not previous:
            return _hashed(message_id)
        return _hashed(_named(previous_assignment), _raw(previous))


def preimage(previous: str, message_id: Id) -> bytes:
    """What `HashChain` hashes: 43 bytes at slot 0, else 32 + 43."""
    raw = _raw(previous) if previous else b""
    return raw + message_id.ascii


def link_text(raw: bytes) -> str:
    """A raw 32-byte link as the 43 characters an assignment carries."""
    return encode_base64url(raw).decode("ascii")


CHAIN_RULES: Mapping[str, ChainRule] = MappingProxyType(
    {rule.name: rule for rule in (HashChain(), BaseHashpath(), LegacyChain())}
)


def chain_rule(name: str) -> ChainRule:
    """Return the rule called `name`.

    Raises:
        UnsupportedProcess: the rule is not built.
    """
    try:
        return CHAIN_RULES[name]
    except KeyError:
        raise UnsupportedProcess(f"chain rule {name[:80]!r} is not built") from None


def _raw(text: str) -> bytes:
    return a2b_base64(text.encode("ascii").translate(_TO_STANDARD) + b"=")


def _hashed(*parts: bytes) -> str:
    return link_text(hashlib.sha256(b"".join(parts)).digest())


def _named(assignment: Id | None) -> Id:
    if assignment is None:
        raise ValueError("a serial chain rule needs the ID of the assignment before")
    return assignment
