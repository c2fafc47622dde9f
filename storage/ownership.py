"""Who may write to a shard: one token in the database, tied to one machine."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import NamedTuple, Self

from storage.environment import data_file
from storage.sealing import seal, unseal
from storage.tables import META, OWNERSHIP

TOKEN_BYTES = 16
_MACHINE_ID = Path("/etc/machine-id")


class Ownership(NamedTuple):
    """The ownership record. Whoever wrote it last is the writer; others find out at commit.

    Attributes:
        token: random, new for each writer.
        machine: mark of the machine and the very file that it was written on.
        stopped: True when the writer closed in good order.
    """

    token: bytes
    machine: str
    stopped: bool

    @classmethod
    def new(cls, machine: str) -> Self:
        """Make the record of a new writer."""
        return cls(secrets.token_bytes(TOKEN_BYTES), machine, False)

    def pack(self) -> bytes:
        """Return it as a sealed record, for the key `OWNERSHIP`."""
        return seal(META, OWNERSHIP, self)


def unpack_ownership(record: bytes) -> Ownership:
    """Read the ownership record.

    Raises:
        CorruptRecord: it does not match its digest.
    """
    return Ownership._make(unseal(META, OWNERSHIP, record))


def machine_mark(folder: Path) -> str:
    """Name this machine and the data file in `folder`.

    A copied or restored file is another inode; a disk moved to another machine meets
    another machine ID. Machines without such an ID (some containers) are told apart by
    the inode alone.
    """
    try:
        machine = _MACHINE_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    return f"{machine or 'unknown'}:{data_file(folder).stat().st_ino}"
