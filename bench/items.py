"""The messages of the load: made before the clock starts, never the same one twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Protocol

from bench.floor import CORES
from bench.load import Item
from protocol.codecs.ans104 import with_signature
from protocol.codecs.ans104_keys import item_of
from protocol.codecs.structured import Scalar, to_tabm
from protocol.ids import Id, digest_id
from protocol.message import Message, verify
from protocol.wallet import Wallet

DATA_BYTES = 512
"""Payload of a message, a usual size: with signature and key an item has about 1.8 KB."""

Keys = dict[str, Scalar]


class Author(Protocol):
    """Write messages for the scheduler to take."""

    def write(self, keys: Keys) -> Item:
        """Return a message with these keys. Called from several threads."""


class Stranger:
    """Sign for real, and leave it to the scheduler to verify."""

    def __init__(self, wallet: Wallet) -> None:
        self._wallet = wallet

    def write(self, keys: Keys) -> bytes:
        """Return the bytes of a signed item."""
        return Message.create(keys, self._wallet).encoded


class Forger:
    """Sign with random bytes and hand over messages as if they had been verified.

    For the measurement of everything but cryptography.
    """

    def __init__(self) -> None:
        self._owner = os.urandom(512)

    def write(self, keys: Keys) -> Item:
        """Return a message that nobody checked."""
        item = with_signature(item_of(to_tabm(keys)), self._owner, os.urandom(512))
        return verify(item.encode(), check_signatures=False)


class Mail:
    """Write numbered messages to processes in turn."""

    def __init__(self, author: Author, scheduler: Id) -> None:
        self._author = author
        self._scheduler = scheduler
        self._numbers = count()

    def spawns(self, number: int) -> list[Item]:
        """Return process messages that name the scheduler."""
        return self._all([self._spawn() for _ in range(number)])

    def messages(self, processes: Sequence[Id], number: int) -> list[Item]:
        """Return messages, to each process in turn."""
        targets = (processes[n % len(processes)] for n in range(number))
        return self._all([self._message(target) for target in targets])

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

    def _all(self, wanted: list[Keys]) -> list[Item]:
        # A signature releases the GIL, so threads sign on all cores.
        with ThreadPoolExecutor(CORES) as pool:
            return list(pool.map(self._author.write, wanted, chunksize=16))
