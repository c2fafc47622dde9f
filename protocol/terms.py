"""What a process's own message fixes for ever at slot 0."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from protocol.assignment import VARIANT
from protocol.chain import HashChain
from protocol.commitment import ANS104
from protocol.errors import InvalidId, NoScheduler, NotOurProcess, TooLarge, UnsupportedProcess
from protocol.ids import Id

__all__ = ["ANS104", "Terms", "named_schedulers", "spawn_terms"]

CHAINS = frozenset({HashChain.name})
COMMITMENT_DEVICES = frozenset({ANS104})
VARIANTS = frozenset({VARIANT})

MAX_TERM_BYTES = 3072
"""Longest value read here, that of a tag. A process may carry more under one of these names,
as its data; nothing that means something is that long."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms under which a process is scheduled; they never change.

    Attributes:
        signers: addresses of our wallets that the process names, in its order.
        chain: name of the chain rule.
        device: commitment device of its assignments.
        variant: protocol variant.
    """

    signers: tuple[Id, ...]
    chain: str = HashChain.name
    device: str = ANS104
    variant: str = VARIANT


def spawn_terms(keys: Mapping[bytes, bytes], ours: Collection[Id]) -> Terms:
    """Read the terms from a process message's committed keys (names in lower case).

    Args:
        keys: committed keys of a message of type Process.
        ours: addresses of the wallets held here.

    Raises:
        NoScheduler: it names none (keys `scheduler`, else `scheduler-location`).
        NotOurProcess: it names only others.
        UnsupportedProcess: it asks for a rule, device or variant that is not built.
        TooLarge: what it asks for is longer than a tag.
    """
    signers = tuple(address for address in named_schedulers(keys) if address in ours)
    if not signers:
        raise NotOurProcess()
    chain = _one_of(keys, b"scheduler-chain", HashChain.name, CHAINS)
    device = _one_of(keys, b"scheduler-commitment-spec", ANS104, COMMITMENT_DEVICES)
    variant = _one_of(keys, b"variant", VARIANT, VARIANTS)
    return Terms(signers, chain, device, variant)


def named_schedulers(keys: Mapping[bytes, bytes]) -> list[Id]:
    """The addresses a process names, each once, in its order.

    One address or a comma-separated list; what is no address (a URL, say) cannot be ours
    and is passed over.

    Raises:
        NoScheduler: neither key is there.
        TooLarge: the list is longer than a tag.
    """
    value = _term(keys, b"scheduler") or _term(keys, b"scheduler-location")
    if not value:
        raise NoScheduler()
    addresses: dict[Id, None] = {}
    for part in value.split(b","):
        try:
            addresses[Id.parse(part.strip(b' "'))] = None
        except InvalidId:
            continue
    return list(addresses)


def _one_of(keys: Mapping[bytes, bytes], name: bytes, default: str, built: Collection[str]) -> str:
    asked = _text(keys, name, default)
    if asked not in built:
        raise UnsupportedProcess(f"{name.decode()} {asked[:80]!r} is not built")
    return asked


def _text(keys: Mapping[bytes, bytes], name: bytes, default: str) -> str:
    return _term(keys, name).decode("utf-8", "replace") if name in keys else default


def _term(keys: Mapping[bytes, bytes], name: bytes) -> bytes:
    value = keys.get(name, b"")
    if len(value) > MAX_TERM_BYTES:
        raise TooLarge(f"{name.decode()} is {len(value)} bytes, over {MAX_TERM_BYTES}")
    return value
