"""The chain rules, each on its own; the recorded schedules judge them, too."""

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


@pytest.mark.parametrize("name", ["hashpath", "", "Hash-Chain", "x" * 100_000])
def test_a_rule_that_is_not_built_is_refused(name: str) -> None:
    """An unknown rule is never replaced by the default, and its name is not repeated in full."""
    with pytest.raises(UnsupportedProcess) as refusal:
        chain_rule(name)
    assert len(refusal.value.detail) < 200


def test_rules_are_known_by_their_own_name() -> None:
    """Each rule says under which key an assignment carries its link, and whether it is serial."""
    rules = {name: (rule.name, rule.key, rule.serial) for name, rule in CHAIN_RULES.items()}
    assert rules == {
        "hash-chain": ("hash-chain", "hash-chain", False),
        "base-hashpath": ("base-hashpath", "base-hashpath", True),
        "legacy": ("legacy", "Hash-Chain", True),
    }


@pytest.mark.guarantee("S3")
@given(st.lists(IDS, min_size=1, max_size=5))
def test_a_legacy_link_hashes_the_assignment_before(assignments: list[Id]) -> None:
    """link(n) = SHA-256 of the raw assignment ID and link before; at first of the process."""
    rule, process = chain_rule("legacy"), Id(bytes(32))
    link = rule.next("", process, None)
    expected = hashlib.sha256(process).digest()
    for before in assignments:
        assert str(Id(expected)) == link
        link = rule.next(link, process, before)
        expected = hashlib.sha256(before + expected).digest()
    assert str(Id(expected)) == link


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("name", ["base-hashpath", "legacy"])
def test_a_serial_rule_needs_the_assignment_before(name: str) -> None:
    """Without its ID there is no link, rather than a wrong one."""
    rule, message = chain_rule(name), Id(bytes(32))
    first = rule.next("", message, None)
    with pytest.raises(ValueError, match="assignment before"):
        rule.next(first, message, None)


def chained(messages: list[Id]) -> str:
    link = ""
    for message in messages:
        link = RULE.next(link, message, None)
    return link
