"""Which new shards want a message: those of the processes that it was assigned to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from protocol.ids import ID_BYTES, Id
from storage.placement import shard_of
from storage.reshard.source import Entry

_BUCKETS = 256
"""By the first byte of the message's ID, so that one after the other fits into memory."""
_BUFFER_BYTES = 32 << 10
_ROW_BYTES = ID_BYTES + 1
"""A message's ID and, in one byte, the number of a shard: there are far fewer than 256."""

Places = Mapping[bytes, tuple[int, ...]]
"""The shards that want each message."""


class Wanted:
    """Turns the index, which is in order of processes, into the order of messages.

    In files, because a store may know more messages than fit into memory. They need not survive
    anything: whoever takes copying up again makes them again.
    """

    def __init__(self, folder: Path, shards: int) -> None:
        """Take an empty folder, and the number of new shards."""
        self._folder = folder
        self._shards = shards

    def note(self, index: Iterable[Entry]) -> None:
        """Read the whole index of the store.

        Raises:
            OSError: there is no room.
        """
        process, place = b"", b""
        with ExitStack() as opened:
            writes = [
                opened.enter_context(self._file(number).open("wb", _BUFFER_BYTES)).write
                for number in range(_BUCKETS)
            ]
            for key, _ in index:
                if not process or not key.startswith(process):
                    process = key[:ID_BYTES]
                    place = bytes([shard_of(Id(process), self._shards)])
                writes[key[ID_BYTES]](key[ID_BYTES:] + place)

    def places(self, first: int) -> Places:
        """Return where the messages go whose IDs begin with the byte `first`."""
        rows = self._file(first).read_bytes()
        alone = [(shard,) for shard in range(self._shards)]
        found: dict[bytes, tuple[int, ...]] = {}
        for start in range(0, len(rows), _ROW_BYTES):
            message_id, shard = rows[start : start + ID_BYTES], rows[start + ID_BYTES]
            known = found.get(message_id)
            if known is None:
                found[message_id] = alone[shard]
            elif shard not in known:
                found[message_id] = (*known, shard)
        return found

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:02x}"
