"""Data items as messages, key for key as HyperBEAM decodes them."""

from __future__ import annotations

import pytest

from protocol.codecs.structured import to_tabm
from protocol.message import Message
from tests.protocol.recorded import octets, raw, recorded_items, scalar

SIGNED = {name: item for name, item in recorded_items().items() if item["id"]}
WHOLE = [name for name, item in SIGNED.items() if not item["nested"]]
"""Items whose data is no bundle; nested messages are read by a later codec."""


@pytest.mark.parametrize("name", WHOLE)
def test_the_keys_come_in_committed_order(name: str) -> None:
    """Names are in lower case, in the order that HyperBEAM commits to them."""
    committed = [octets(key) for key in SIGNED[name]["decoded"]["committed"]]
    assert [key.removesuffix(b"+link") for key in decoded(name).keys] == committed


@pytest.mark.parametrize("name", WHOLE)
def test_the_values_are_as_decoded(name: str) -> None:
    """Every value, typed or not, is the recorded one; a link keeps the ID it points to."""
    recorded = dict(SIGNED[name]["decoded"]["message"]["v"])
    plain = {k: scalar(v) for k, v in recorded.items() if v["t"] != "link"}
    links = {f"{k}+link": v["id"] for k, v in recorded.items() if k not in plain}
    assert decoded(name).keys == to_tabm(plain | links)


@pytest.mark.parametrize("name", SIGNED)
def test_the_commitment_is_as_decoded(name: str) -> None:
    """ID, device, type, committer, public key and signature are what HyperBEAM reports."""
    ((identifier, recorded),) = SIGNED[name]["decoded"]["message"]["commitments"].items()
    (commitment,) = decoded(name).commitments
    assert str(commitment.id) == identifier
    assert commitment.device == recorded["commitment-device"]
    assert commitment.type == recorded["type"]
    assert str(commitment.committer) == recorded["committer"]
    assert commitment.owner == raw(recorded["keyid"].removeprefix("publickey:"))
    assert commitment.signature == raw(recorded["signature"])


@pytest.mark.parametrize("name", SIGNED)
def test_the_message_id_is_that_of_its_signer(name: str) -> None:
    """One signer: its commitment's ID is the message's, as `id(all)` and `id(signed)` say."""
    decoded_ids = SIGNED[name]["decoded"]["ids"]
    for ids in (decoded_ids, SIGNED[name].get("ids", decoded_ids)):
        assert str(decoded(name).id) == ids["all"] == ids["signed"]


def decoded(name: str) -> Message:
    return Message.decode(raw(SIGNED[name]["item_b64u"]))
