"""An assignment as a value and as a data item."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.assignment import ZERO_HASH, Assignment, Block
from protocol.codecs import ans104
from protocol.codecs.assignment import commit, encode, signature_data
from protocol.ids import combine, digest_id
from protocol.message import Message, verify
from protocol.wallet import Wallet
from tests.items import message_item

PROCESS = digest_id(b"process")
PLAIN = Assignment(
    process=PROCESS,
    slot=7,
    message_id=digest_id(b"message"),
    link=ZERO_HASH,
    timestamp=1_795_222_378_393,
    block=Block(),
)
LARGEST = (1 << 63) - 1
ASSIGNMENTS = st.builds(
    dataclasses.replace,
    st.just(PLAIN),
    slot=st.integers(0, LARGEST),
    timestamp=st.integers(0, LARGEST),
    block=st.builds(
        Block,
        st.integers(0, LARGEST),
        st.integers(0, LARGEST),
        st.text("abcXYZ019-_", min_size=43, max_size=64),
    ),
    path=st.binary(min_size=1, max_size=3072),
)


@pytest.mark.guarantee("L3")
@given(ASSIGNMENTS)
def test_every_assignment_is_a_canonical_item(assignment: Assignment) -> None:
    """Whatever the message's path, bundlers take the assignment: nothing can jam publication."""
    item = published(assignment, bytes(512), bytes(512))
    assert item.flaw == ""
    assert item.tags == tuple(assignment.tags())
    assert item.signature_data() == signature_data(assignment, bytes(512))


@pytest.mark.guarantee("L3")
def test_the_longest_path_goes_all_the_way(wallet: Wallet, user_wallet: Wallet) -> None:
    """A message with its own `path` of 3,072 bytes is assigned under it, signed and canonical."""
    path = "/~device@1.0/" + "p" * (3072 - 13)
    verified = verify(message_item(user_wallet, PROCESS, path=path))
    assignment = dataclasses.replace(PLAIN, message_id=verified.message_id, path=verified.path)
    item = published(
        assignment, wallet.owner, wallet.sign(signature_data(assignment, wallet.owner))
    )
    assert item.verify()
    assert item.flaw == ""
    assert dict(item.tags)[b"path"] == path.encode()


def test_another_path_is_another_assignment() -> None:
    """The path is signed, as the message wrote it."""
    other = dataclasses.replace(PLAIN, path=b"/~push@1.0")
    assert dict(PLAIN.tags())[b"path"] == b"compute"
    assert signature_data(other, bytes(512)) != signature_data(PLAIN, bytes(512))


@pytest.mark.parametrize("field", ["process", "slot", "message_id", "link", "timestamp", "block"])
def test_every_field_is_signed(field: str) -> None:
    """No field can change without the signature noticing."""
    changed = {
        "process": digest_id(b"other"),
        "slot": 8,
        "message_id": digest_id(b"other"),
        "link": "B" * 43,
        "timestamp": PLAIN.timestamp + 1,
        "block": Block(1),
    }
    other = dataclasses.replace(PLAIN, **{field: changed[field]})
    assert signature_data(other, bytes(512)) != signature_data(PLAIN, bytes(512))


def test_an_unknown_block_is_as_hyperbeam_writes_it() -> None:
    """Offline, height and time are 0 and the hash is 43 times A."""
    assert Block() == Block(
        height=0, timestamp=0, hash="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )


def test_tags_are_sorted() -> None:
    """HyperBEAM signs the keys in the order of their bytes."""
    names = [name for name, _ in PLAIN.tags()]
    assert names == sorted(names)
    assert len(names) == 14


def test_an_unsigned_assignment_has_no_id() -> None:
    """An ID would promise something that is not final yet."""
    with pytest.raises(ValueError, match="unsigned"):
        _ = PLAIN.id


def test_several_signers_add_up(wallet: Wallet, user_wallet: Wallet) -> None:
    """Each wallet signs its own item; the assignment's ID is the sum of theirs."""
    commitments = [
        commit(w.owner, w.sign(signature_data(PLAIN, w.owner))) for w in (wallet, user_wallet)
    ]
    signed = PLAIN.signed(commitments)
    assert signed.id == combine(c.id for c in commitments)
    assert [c.committer for c in commitments] == [wallet.address, user_wallet.address]
    for commitment in commitments:
        item = ans104.parse(encode(signed, commitment))
        assert item.verify()
        assert (item.id, item.owner_address) == (commitment.id, commitment.committer)


def test_an_assignment_reads_as_a_message(wallet: Wallet) -> None:
    """Anybody can decode the published item: its keys are the assignment's."""
    item = published(PLAIN, wallet.owner, wallet.sign(signature_data(PLAIN, wallet.owner)))
    message = Message.decode(item.encode())
    assert message.keys[b"type"] == b"Assignment"
    assert message.keys[b"body+link"] == PLAIN.message_id.ascii
    assert message.keys[b"process"] == PROCESS.ascii
    assert message.keys[b"slot"] == b"7"


def test_a_signed_assignment_travels(wallet: Wallet) -> None:
    """Pickling keeps every field, IDs included."""
    signed = PLAIN.signed([commit(wallet.owner, bytes(512))])
    assert pickle.loads(pickle.dumps(signed)) == signed
    assert len(repr(signed)) < 1500


def published(assignment: Assignment, owner: bytes, signature: bytes) -> ans104.Item:
    return ans104.parse(encode(assignment, commit(owner, signature)))
