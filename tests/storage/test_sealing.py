from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CorruptRecord
from storage.sealing import seal, unseal
from tests.storage.schedules import random_id

VALUES = st.recursive(
    st.none() | st.integers(-(2**63), 2**64 - 1) | st.binary() | st.text(),
    lambda values: st.lists(values).map(tuple),
    max_leaves=8,
)
KEY = bytes(40)


@given(VALUES)
def test_a_sealed_value_opens_again(value: object) -> None:
    """What is sealed comes back equal, with its types."""
    assert unseal(b"slots", KEY, seal(b"slots", KEY, value)) == value


@pytest.mark.guarantee("S12")
@given(st.binary(min_size=1), st.data())
def test_no_flipped_bit_goes_unnoticed(content: bytes, data: st.DataObject) -> None:
    """Any single bit, in the digest or in the value, breaks the seal."""
    record = bytearray(seal(b"slots", KEY, content))
    bit = data.draw(st.integers(0, 8 * len(record) - 1))
    record[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(CorruptRecord):
        unseal(b"slots", KEY, bytes(record))


@pytest.mark.guarantee("S12")
@given(st.binary(max_size=20))
def test_no_short_record_is_taken(record: bytes) -> None:
    """A record that was cut off, or is empty, is corrupt."""
    with pytest.raises(CorruptRecord):
        unseal(b"heads", KEY, record)


@pytest.mark.guarantee("S12")
def test_a_seal_holds_in_one_place_only() -> None:
    """Under another key or in another table the same record is corrupt."""
    record = seal(b"slots", KEY, 1)
    for table, key in ((b"slots", bytes(39) + b"\1"), (b"receipts", KEY)):
        with pytest.raises(CorruptRecord):
            unseal(table, key, record)


def test_the_error_names_process_and_slot() -> None:
    """Whoever reads the error knows which process must not be scheduled."""
    process = random_id()
    with pytest.raises(CorruptRecord, match=f"slots record of process {process} slot 7") as caught:
        unseal(b"slots", process + (7).to_bytes(8, "big"), b"")
    assert (caught.value.process, caught.value.slot) == (process, 7)
