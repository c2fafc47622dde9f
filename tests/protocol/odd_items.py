"""Items that no builder of ours would make, signed by real keys all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.codecs import ans104
from protocol.codecs.avro import Tag, encode_tags
from protocol.codecs.signatures import ED25519, RSA
from protocol.wallet import Wallet
from tests.protocol.recorded import raw, vectors

TARGET = bytes(range(32))


def odd_item(
    user: Wallet,
    tags: Sequence[Tag] = (),
    *,
    block: bytes | None = None,
    count: int | None = None,
    target: bytes = TARGET,
    data: bytes = b"",
) -> bytes:
    """Return a signed item; `block` and `count` are written instead of the true ones."""
    item = ans104.Item(
        signature_type=RSA,
        signature=b"",
        owner=b"",
        target=target,
        anchor=b"",
        tags=tuple(tags),
        tag_bytes=encode_tags(tags) if block is None else block,
        data=data,
        tag_count=len(tags) if count is None else count,
    )
    return ans104.sign(item, user).encode()


def ed25519_item() -> bytes:
    """Return an item signed by a new Ed25519 key."""
    key = Ed25519PrivateKey.generate()
    owner = key.public_key().public_bytes_raw()
    item = replace(ans104.unsigned(target=TARGET), signature_type=ED25519, owner=owner)
    return replace(item, signature=key.sign(item.signature_data())).encode()


def ethereum_item() -> bytes:
    """Return an item signed by the Ethereum wallet of a real client."""
    (recorded,) = (f for f in vectors("ans104")["foreign"] if f["name"] == "arb-ethereum")
    return raw(recorded["item_b64u"])
