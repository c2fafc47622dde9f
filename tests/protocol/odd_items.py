"""Items that no builder of ours would make, signed by a real wallet all the same."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.codecs import ans104
from protocol.codecs.avro import Tag, encode_tags
from protocol.codecs.signatures import RSA
from protocol.wallet import Wallet

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
