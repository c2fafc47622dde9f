"""The messages of the load: made before the clock starts, never the same one twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Generic, Protocol, TypeVar

from bench.floor import CORES
from protocol.codecs.ans104 import with_signature
from protocol.codecs.ans104_keys import item_of
from protocol.codecs.structured import Scalar, to_tabm
from protocol.ids import Id, digest_id
from protocol.message import Message, Verified, verify
from protocol.wallet import OWNER_BYTES, Wallet

DATA_BYTES = 512
"""Payload of a message, a usual size: with signature and key an item has about 1.8 KB."""

Keys = dict[str, Scalar]
Item_co = TypeVar("Item_co", bound=bytes | Verified, covariant=True)


class Author(Protocol[Item_co]):
    """Write messages for the scheduler to take."""

    def write(self, wanted: Sequence[Keys]) -> Sequence[Item_co]:
        """Return a message for each set of keys."""


class Stranger:
    """Sign for real, and leave it to the scheduler to verify."""

    def __init__(self, wallet: Wallet) -> None:
        self._wallet = wallet

    def write(self, wanted: Sequence[Keys]) -> Sequence[bytes]:
        """Return signed items, made on all cores: a signature releases the GIL."""
        with ThreadPoolExecutor(CORES) as pool:
            return list(pool.map(self._sign, wanted))

    def _sign(self, keys: Keys) -> bytes:
        return Message.create(keys, self._wallet).encoded


class Forger:
    """Sign with random bytes, and hand messages over as if they had been verified.

    For measuring everything but cryptography. The ID of a message is the digest of its
    signature, so that only messages whose IDs fit can be had for nothing.
    """

    def __init__(self, fits: Callable[[Id], bool] = lambda _: True) -> None:
        self._owner = os.urandom(OWNER_BYTES)
        self._fits = fits

    def write(self, wanted: Sequence[Keys]) -> Sequence[Verified]:
        """Return messages whose signatures nobody checked."""
        return [self._forge(keys) for keys in wanted]

    def _forge(self, keys: Keys) -> Verified:
        item = with_signature(item_of(to_tabm(keys)), self._owner, self._signature())
        return verify(item.encode(), check_signatures=False)

    def _signature(self) -> bytes:
        while not self._fits(digest_id(signature := os.urandom(OWNER_BYTES))):
            pass
        return signature


class Mail(Generic[Item_co]):
    """Have numbered messages written, to processes in turn."""

    def __init__(self, author: Author[Item_co], scheduler: Id) -> None:
        self._author = author
        self._scheduler = scheduler
        self._numbers = count()

    def spawns(self, number: int) -> Sequence[Item_co]:
        """Return process messages that name the scheduler."""
        return self._author.write([self._spawn() for _ in range(number)])

    def messages(self, processes: Sequence[Id], number: int) -> Sequence[Item_co]:
        """Return messages, to each process in turn."""
        targets = (processes[n % len(processes)] for n in range(number))
        return self._author.write([self._message(target) for target in targets])

    def _spawn(self) -> Keys:
        return {
            "Data-Protocol": "ao",
            "Variant": "ao.N.1",
            "Type": "Process",
            "Scheduler": str(self._scheduler),
            "Module": str(digest_id(b"a module")),
            "Name": f"bench-{next(self._numbers)}",
        }

    def _message(self, target: Id) -> Keys:
        return {
            "Data-Protocol": "ao",
            "Variant": "ao.N.1",
            "Type": "Message",
            "Action": "Transfer",
            "Recipient": str(self._scheduler),
            "Quantity": "1000000",
            "Reference": str(next(self._numbers)),
            "target": str(target),
            "data": bytes(DATA_BYTES),
        }
