from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.assignment import LEGACY_VARIANT
from protocol.codecs import ans104
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, InvalidSignature, MalformedItem, TooLarge
from protocol.location import (
    DEFAULT_TIME_TO_LIVE,
    MAX_RECORD_BYTES,
    MAX_URL_BYTES,
    NO_NONCE,
    Location,
    require_url,
)
from protocol.message import Message
from tests.protocol.recorded import raw, vectors

URL = "https://node.example"


def test_a_record_says_where_its_signer_is(wallet) -> None:
    """Signed, sent and read back, a record is the same."""
    made = Location.sign(wallet, URL, 7, 1000)
    assert (made.signer, made.url, made.nonce, made.time_to_live) == (wallet.address, URL, 7, 1000)
    assert made.variant == "ao.N.1"
    assert Location.decode(made.encoded) == made


def test_a_record_has_the_keys_that_hyperbeam_writes(wallet) -> None:
    """Names and values are those of a recorded record, but for whose it is."""
    recorded = Message.decode(raw(_recorded("post-ans104")["body_b64u"])).keys
    made = Message.decode(Location.sign(wallet, "https://su.public.example", 2).encoded).keys
    ours = {name: value for name, value in recorded.items() if name != b"status"}
    ours[b"ao-types"] = b'nonce="integer", time-to-live="integer"'
    assert made == ours


def test_a_recorded_record_is_read() -> None:
    """What a HyperBEAM node signed verifies once the status that it added later is gone."""
    encoded = raw(_recorded("post-ans104")["body_b64u"])
    with pytest.raises(InvalidSignature):
        Location.decode(encoded)
    found = Location.decode(_without_status(ans104.parse(encoded)))
    assert str(found.signer) == vectors("assignments")["scheduler_address"]
    assert (found.url, found.nonce) == ("https://su.public.example", 2)
    assert found.time_to_live == DEFAULT_TIME_TO_LIVE


def test_a_recorded_httpsig_record_is_read() -> None:
    """What HyperBEAM signs by default, as headers."""
    recorded = _recorded("post-httpsig")
    headers = {name.lower().encode(): value.encode() for name, value in recorded["headers"]}
    headers[b"ao-types"] = headers[b"ao-types"].replace(b'status="integer", ', b"")
    found = Location.decode(Wire(tuple(headers.items())).encode(), "httpsig")
    assert str(found.signer) == vectors("assignments")["scheduler_address"]
    assert (found.url, found.nonce) == ("https://su.public.example", 1)
    # Kept without what the server added, it is still the same record.
    assert Location.decode(found.encoded, found.codec) == found
    assert b"server" not in found.encoded


def test_what_a_stranger_posted_is_no_record() -> None:
    """HyperBEAM stored any message that was signed; it has no type and no place in the table."""
    recorded = _recorded("post-by-stranger")
    headers = tuple((name.lower().encode(), value.encode()) for name, value in recorded["headers"])
    with pytest.raises(MalformedItem, match="no location record"):
        Location.decode(Wire(headers).encode(), "httpsig")


def test_a_legacy_record_has_no_nonce(wallet) -> None:
    """Scheduler units of variant ao.TN.1 write other names, and nothing that orders records."""
    made = Location.sign(wallet, URL, 0, 1000, LEGACY_VARIANT)
    assert (made.url, made.nonce, made.variant) == (URL, NO_NONCE, LEGACY_VARIANT)
    names = {name for name, _ in ans104.parse(made.encoded).tags}
    assert names == {b"Data-Protocol", b"Variant", b"Type", b"Url", b"Time-To-Live"}


def test_the_oldest_records_name_no_variant(wallet) -> None:
    """Without variant and nonce a record is one of ao.TN.1."""
    found = Location.decode(_item(wallet, Type="Scheduler-Location", Url=URL))
    assert found.variant == LEGACY_VARIANT
    assert found.time_to_live == DEFAULT_TIME_TO_LIVE


@pytest.mark.guarantee("L2")
def test_a_huge_record_is_refused(wallet) -> None:
    """Strangers' records are kept: one that is large for its few keys wants the room."""
    keys = {"type": "location", "url": URL, "nonce": "1", "data": "x" * MAX_RECORD_BYTES}
    with pytest.raises(TooLarge, match="location record"):
        Location.decode(Message.create(keys, wallet).encoded)


def test_a_changed_record_is_refused(wallet) -> None:
    """Whoever carries a record cannot change where it leads."""
    item = ans104.parse(Location.sign(wallet, URL, 7).encoded)
    changed = ans104.unsigned([(n, v.replace(b"node", b"evil")) for n, v in item.tags])
    encoded = replace(changed, owner=item.owner, signature=item.signature).encode()
    with pytest.raises(InvalidSignature):
        Location.decode(encoded)


@pytest.mark.parametrize(
    "keys",
    [
        {"type": "Message", "url": URL, "nonce": "1", "variant": "ao.N.1"},
        {"url": URL, "nonce": "1", "variant": "ao.N.1"},
        {"type": "scheduler-location", "url": URL, "variant": "ao.N.1"},
        {"type": "scheduler-location", "url": URL, "nonce": "-1"},
        {"type": "scheduler-location", "url": URL, "nonce": "x"},
        {"type": "scheduler-location", "url": URL, "nonce": "1" * 16},
        {"type": "scheduler-location", "url": URL, "nonce": "1", "time-to-live": "1.5"},
    ],
)
def test_what_is_no_record_is_refused(wallet, keys) -> None:
    """A record says its type, a nonce and a lifetime that are numbers."""
    with pytest.raises(MalformedItem):
        Location.decode(_item(wallet, **keys))


@pytest.mark.parametrize(
    "url", ["http://a.example", "https://a.example:8734/base/", "http://[::1]"]
)
def test_urls_that_others_can_use_are_taken(url) -> None:
    """Scheme, host and path, and no slash at the end."""
    assert require_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/?",
        "http://a.example/#",
        "",
        "/schedule",
        "a.example",
        "ftp://a.example",
        "javascript:alert(1)",
        "http://",
        "http://user:secret@a.example",
        "http://a.example/?x=1",
        "http://a.example/#x",
        "http://a.example:99999",
        "http://a.example:0",
        "http://[::1",
        "http://a.example/a b",
        "http://a.example/\r\nx: y",
        "http://ä.example",
        "http://a.example/" + "x" * MAX_URL_BYTES,
    ],
)
def test_urls_that_others_cannot_use_are_refused(wallet, url) -> None:
    """Neither read nor written: what is no plain http address leads nobody anywhere."""
    with pytest.raises(InvalidInput):
        require_url(url)
    with pytest.raises(InvalidInput):
        Location.sign(wallet, url, 1)


@pytest.mark.parametrize("numbers", [(-1, 1), (1, -1)])
def test_numbers_below_zero_are_not_signed(wallet, numbers) -> None:
    """Nobody could read such a record."""
    with pytest.raises(InvalidInput):
        Location.sign(wallet, URL, *numbers)


def _item(wallet, **keys) -> bytes:
    return Message.create(
        {name.replace("_", "-"): value for name, value in keys.items()}, wallet
    ).encoded


def _recorded(name: str):
    return next(
        each["reply"] for each in vectors("assignments")["location"] if each["name"] == name
    )


def _without_status(item: ans104.Item) -> bytes:
    kept = [(n, v.replace(b'status="integer", ', b"")) for n, v in item.tags if n != b"status"]
    return replace(ans104.unsigned(kept), owner=item.owner, signature=item.signature).encode()
