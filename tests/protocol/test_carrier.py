"""Items that carry what is no data item."""

from __future__ import annotations

import pytest

from protocol.codecs import ans104
from protocol.codecs.carrier import MAX_CONTENT_BYTES, Carried, carried_by, carrier
from protocol.errors import InvalidId, MalformedItem
from protocol.ids import digest_id
from protocol.wallet import Wallet

MESSAGE = Carried(digest_id(b"message"), b"type: Message\r\n\r\nbody")


def test_an_item_says_what_it_carries(user_wallet: Wallet) -> None:
    """Data is the wire form, tags say what it is; bundlers take it, and it is read back."""
    item = ans104.sign(carrier(MESSAGE, b"Message"), user_wallet)
    assert item.flaw == ""
    assert dict(item.tags) == {
        b"data-protocol": b"ao",
        b"content-type": b"application/http",
        b"type": b"Message",
        b"message-id": MESSAGE.id.ascii,
    }
    assert item.data == MESSAGE.content
    assert carried_by(ans104.parse(item.encode())) == MESSAGE


@pytest.mark.guarantee("L3")
@pytest.mark.parametrize("kind", [b"", b"x" * 4000])
def test_a_type_that_is_no_tag_is_a_message(kind: bytes) -> None:
    """Whatever a message calls itself, nothing can jam publication."""
    assert dict(carrier(MESSAGE, kind).tags)[b"type"] == b"Message"


@pytest.mark.guarantee("L3")
def test_the_largest_content_fits_into_an_item(user_wallet: Wallet) -> None:
    """With the longest type, too: an item that bundlers refuse would be stuck for ever."""
    largest = Carried(MESSAGE.id, bytes(MAX_CONTENT_BYTES))
    item = ans104.sign(carrier(largest, b"x" * 3072), user_wallet)
    assert ans104.parse(item.encode()).flaw == ""


@pytest.mark.parametrize(
    "tags",
    [
        (),
        ((b"content-type", b"text/html"), (b"message-id", MESSAGE.id.ascii)),
        ((b"content-type", b"application/http"),),
        ((b"content-type", b"application/http"), (b"message-id", b"x")),
    ],
)
def test_other_items_carry_nothing(tags: tuple[tuple[bytes, bytes], ...]) -> None:
    """An item without both tags is what it is."""
    with pytest.raises((MalformedItem, InvalidId)):
        carried_by(ans104.unsigned(tags))
