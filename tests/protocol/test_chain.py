"""The rule `hash-chain`, on its own."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.chain import CHAIN_RULES, chain_rule, preimage
from protocol.errors import UnsupportedProcess
from protocol.ids import ID_BYTES, Id

IDS = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(Id)
RULE = chain_rule("hash-chain")


@pytest.mark.guarantee("S3")
@given(st.lists(IDS, min_size=1, max_size=5))
def test_a_link_hashes_the_one_before_and_the_message(messages: list[Id]) -> None:
    """link(n) = SHA-256 of the raw link(n - 1), nothing at first, and the message ID's text."""
    before, link = b"", ""
    for message in messages:
        link = RULE.next(link, message, None)
        before = hashlib.sha256(before + str(message).encode("ascii")).digest()
        assert str(Id(before)) == link


@given(IDS, IDS)
def test_a_link_needs_no_signature(first: Id, second: Id) -> None:
    """The rule is parallel: it ignores the previous assignment's ID."""
    link = RULE.next("", first, None)
    assert not RULE.serial
    assert RULE.next(link, second, first) == RULE.next(link, second, None)


@pytest.mark.guarantee("S3")
@given(st.lists(IDS, min_size=2, max_size=4, unique=True))
def test_order_changes_the_link(messages: list[Id]) -> None:
    """Two orders of the same messages never end in the same link."""
    assert chained(messages) != chained(messages[::-1])


def test_a_preimage_is_43_or_75_bytes() -> None:
    """Nothing stands before slot 0; later the raw link does, never its text."""
    message = Id(bytes(32))
    link = RULE.next("", message, None)
    assert preimage("", message) == message.ascii
    assert preimage(link, message) == urlsafe_b64decode(link + "=") + message.ascii


@pytest.mark.parametrize("name", ["base-hashpath", "", "Hash-Chain", "x" * 100_000])
def test_a_rule_that_is_not_built_is_refused(name: str) -> None:
    """An unknown rule is never replaced by the default, and its name is not repeated in full."""
    with pytest.raises(UnsupportedProcess) as refusal:
        chain_rule(name)
    assert len(refusal.value.detail) < 200


def test_rules_are_known_by_their_own_name() -> None:
    """The table's keys are the names that assignments carry."""
    assert {name: rule.name for name, rule in CHAIN_RULES.items()} == {"hash-chain": "hash-chain"}


def chained(messages: list[Id]) -> str:
    link = ""
    for message in messages:
        link = RULE.next(link, message, None)
    return link
