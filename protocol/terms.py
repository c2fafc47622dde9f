"""What a process's own message fixes for ever at slot 0."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from protocol.assignment import LEGACY_VARIANT, VARIANT
from protocol.chain import BaseHashpath, HashChain, LegacyChain
from protocol.commitment import ANS104, HTTPSIG
from protocol.errors import InvalidId, NoScheduler, NotOurProcess, TooLarge, UnsupportedProcess
from protocol.ids import Id

__all__ = ["ANS104", "Defaults", "Terms", "named_schedulers", "spawn_terms"]

CHAINS = frozenset({HashChain.name, BaseHashpath.name})
COMMITMENT_DEVICES = frozenset({ANS104, HTTPSIG})
VARIANTS = frozenset({VARIANT, LEGACY_VARIANT})

MAX_TERM_BYTES = 3072
"""Longest value read here, that of a tag. A process may carry more under one of these names,
as its data; nothing that means something is that long."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a process gets as far as it asks for nothing else; the node's choice.

    Attributes:
        chain: name of the chain rule, ``hash-chain`` or ``base-hashpath``.
        device: commitment device, ``ans104@1.0`` or ``httpsig@1.0``.

    Raises:
        ValueError: that is not built.
    """

    chain: str = HashChain.name
    device: str = ANS104

    def __post_init__(self) -> None:
        if self.chain not in CHAINS:
            raise ValueError(f"chain is one of {sorted(CHAINS)}, not {self.chain!r}")
        if self.device not in COMMITMENT_DEVICES:
            raise ValueError(
                f"commitment device is one of {sorted(COMMITMENT_DEVICES)}, not {self.device!r}"
            )


DEFAULTS = Defaults()
"""Signatures in parallel, in the form that bundlers take."""


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


def spawn_terms(
    keys: Mapping[bytes, bytes], ours: Collection[Id], defaults: Defaults = DEFAULTS
) -> Terms:
    """Read the terms from a process message's committed keys (names in lower case).

    A process of variant ``ao.TN.1`` has that variant's own chain rule, in data items.

    Args:
        keys: committed keys of a message of type Process.
        ours: addresses of the wallets held here.
        defaults: for what the process does not ask for.

    Raises:
        NoScheduler: it names none (keys `scheduler`, else `scheduler-location`).
        NotOurProcess: it names only others.
        UnsupportedProcess: it asks for a rule, device or variant that is not built.
        TooLarge: what it asks for is longer than a tag.
    """
    signers = tuple(address for address in named_schedulers(keys) if address in ours)
    if not signers:
        raise NotOurProcess()
    variant = _one_of(keys, b"variant", VARIANT, VARIANTS)
    chains, devices = CHAINS, COMMITMENT_DEVICES
    chain, device = defaults.chain, defaults.device
    if variant == LEGACY_VARIANT:
        chain, device = LegacyChain.name, ANS104
        chains, devices = frozenset({chain}), frozenset({device})
    chain = _one_of(keys, b"scheduler-chain", chain, chains)
    device = _one_of(keys, b"scheduler-commitment-spec", device, devices)
    return Terms(signers, chain, device, variant)


def named_schedulers(keys: Mapping[bytes, bytes]) -> list[Id]:
    """The addresses a process names, each once, in its order.

    One address or a comma-separated list; a hint behind an address (``?hint=URL``) says only
    where to look, and what is no address (a URL, say) cannot be ours and is passed over.

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
            addresses[Id.parse(part.strip(b' "').partition(b"?")[0])] = None
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
