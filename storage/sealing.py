"""Sealed records: msgpack values behind a digest that also covers where they belong."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import Any

import msgpack

from protocol.errors import CorruptRecord
from protocol.ids import ID_BYTES, Id

DIGEST_BYTES = 16
SLOT_BYTES = 8
_pack = msgpack.Packer(autoreset=True).pack
_unpack = msgpack.unpackb


def seal(table: bytes, key: bytes, value: object) -> bytes:
    """Return the record for `value`: 16 bytes of BLAKE2b, then msgpack.

    The digest covers the table's name and the key, so a record that was moved under
    another key does not open there.
    """
    payload: bytes = _pack(value)
    return _digest(table, key, payload) + payload


def unseal(table: bytes, key: bytes, record: bytes) -> Any:
    """Return the value in `record`; arrays come back as tuples.

    Raises:
        CorruptRecord: it is not what was sealed for this table and key.
    """
    payload = record[DIGEST_BYTES:]
    if record[:DIGEST_BYTES] != _digest(table, key, payload):
        raise corrupt(table, key, "does not match its digest")
    return _unpack(payload, use_list=False)


def corrupt(table: bytes, key: bytes, what: str) -> CorruptRecord:
    """The error for one record, naming the process and slot that its key names."""
    process = bytes(key[:ID_BYTES]) if table not in _KEYED_OTHERWISE else None
    slot = key[ID_BYTES:] if process and len(key) == ID_BYTES + SLOT_BYTES else None
    name = f"{table.decode()} record"
    if process:
        name += f" of process {Id(process)}"
    if slot:
        name += f" slot {int.from_bytes(slot, 'big')}"
    error = CorruptRecord(f"{name} {what}")
    error.process = process
    error.slot = int.from_bytes(slot, "big") if slot else None
    return error


def _digest(table: bytes, key: bytes, payload: bytes) -> bytes:
    digest = _blank(table).copy()
    digest.update(key + payload)
    return digest.digest()


@cache
def _blank(table: bytes) -> blake2b:
    # Copied for each record: preparing one anew takes as long as hashing a short record.
    return blake2b(digest_size=DIGEST_BYTES, person=table)


_KEYED_OTHERWISE = frozenset({b"messages", b"meta"})
