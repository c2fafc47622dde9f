"""Messages, wallets and signatures that look right and cost no cryptography."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from protocol.assignment import Assignment, Block
from protocol.codecs.ans104 import unsigned as unsigned_item
from protocol.codecs.ans104 import with_signature
from protocol.codecs.assignment import commit
from protocol.commitment import ANS104, Commitment
from protocol.ids import Id, digest_id
from protocol.message import Verified, verify

RSA_BYTES = 512


def noise(seed: str) -> bytes:
    """512 bytes that look like a signature or a modulus; the same for the same seed."""
    return hashlib.shake_256(seed.encode()).digest(RSA_BYTES)


OWNERS = {digest_id(noise(name)): noise(name) for name in ("first wallet", "second wallet")}
"""Address -> public key of the wallets that schedule."""

FIRST, SECOND = OWNERS


def process_message(name: str, signers: Sequence[Id] = (FIRST,), **keys: str) -> Verified:
    """A process that names `signers` as its schedulers."""
    scheduler = ",".join(str(signer) for signer in signers)
    return _verified(name, {"Type": "Process", "Scheduler": scheduler, **keys})


def message(name: str, process: Id, **keys: str) -> Verified:
    """A message for `process`."""
    return _verified(name, {"Type": "Message", **keys}, process)


def sized_message(name: str, process: Id, size: int) -> Verified:
    """A message for `process` with `size` bytes of data."""
    return _verified(name, {"Type": "Message"}, process, bytes(size))


def assignment(slot: int = 0, process: str = "process") -> Assignment:
    """A signed assignment, good enough where nobody looks at its chain."""
    message_id = digest_id(f"{process} {slot}".encode())
    unsigned = Assignment(digest_id(process.encode()), slot, message_id, "link", slot, Block())
    return unsigned.signed(signatures((FIRST,), f"{process} {slot}"))


def signatures(signers: Sequence[Id], seed: str, device: str = ANS104) -> list[Commitment]:
    """What signers hand over; another seed gives other signatures, as salted RSA does."""
    return [commit(OWNERS[signer], noise(f"{seed} by {signer}"), device) for signer in signers]


def _verified(name: str, keys: dict[str, str], target: bytes = b"", data: bytes = b"") -> Verified:
    tags = [(key.encode(), value.encode()) for key, value in keys.items()]
    item = unsigned_item(tags, data or name.encode(), target)
    signed = with_signature(item, noise("a user"), noise(f"message {name}"))
    return verify(signed.encode(), check_signatures=False)
