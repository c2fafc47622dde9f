"""Messages signed with httpsig, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.message import Message
from protocol.tabm import Tabm
from protocol.wallet import Wallet

KEYS = {b"type": b"Message", b"action": b"Ping", b"data": b"payload"}
NESTED = {b"a": b"1", b"deeper": {b"b": b"2"}}

SIGNER = Wallet.generate()
"""For tests that cannot have a fixture, because they are many with one name."""

SAMPLE = Message.create({"type": "Process", "data": "x", "m": {"a": 1}}, SIGNER, "httpsig")


def inside(tabm: Tabm, *path: bytes) -> Tabm:
    for key in path:
        found = tabm[key]
        assert isinstance(found, Mapping)
        tabm = found
    return tabm
