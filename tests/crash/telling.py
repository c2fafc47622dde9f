"""What a program in another OS process is asked to do, and what it tells before it dies."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from actors import SchedulingMode, Stage
from actors.probe import Point
from protocol.assignment import Assignment
from protocol.ids import Id
from protocol.message import Message, verify

LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A signed message for a process, or that process, and the mode its sender waits in."""

    id: Id
    process: Id
    encoded: bytes
    mode: SchedulingMode
    codec: str = "ans104"

    @classmethod
    def of(
        cls,
        encoded: bytes,
        mode: SchedulingMode = SchedulingMode.LOCAL_CONFIRMATION,
        codec: str = "ans104",
    ) -> Self:
        """Make one from its bytes."""
        message = verify(Message.decode(encoded, codec), check_signatures=False)
        return cls(message.message_id, message.process, encoded, mode, codec)

    @property
    def message(self) -> Message:
        """What is scheduled."""
        return Message.decode(self.encoded, self.codec)


@dataclass(frozen=True, slots=True)
class Job:
    """What the program does.

    Attributes:
        root: folder of the store.
        wallets: files of the scheduler's wallets.
        items: to schedule, in this order.
        in_flight: senders that wait at once.
        point, call: where it kills itself: at which call of which point of the way.
        again: whether it sends all items again and again until it is killed.
        past_the_lock: whether it opens the store though another program holds it.
        shards: of the store, in programs of their own; 0 for none.
        shard: the only one that it opens, in itself.
        bar: what its shards wait for while they start.
    """

    root: Path
    wallets: tuple[Path, ...]
    items: tuple[Item, ...] = ()
    in_flight: int = 4
    point: Point | None = None
    call: int = 1
    again: bool = False
    past_the_lock: bool = False
    shards: int = 0
    shard: int | None = None
    bar: Path | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A sender was told that `stage` of an item is reached."""

    item: Id
    stage: Stage
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Failed:
    """A sender was told that `stage` of an item is not reached, and why."""

    item: Id
    stage: Stage
    error: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The program is about to open the store."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The program holds the store."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The program did not get the store, and was told why."""

    error: str


@dataclass(frozen=True, slots=True)
class Done:
    """Everything was published and the store is closed."""


Record = Told | Failed | Opening | Opened | Refused | Done


class Teller:
    """Write records to a pipe: what `tell` returned from reaches the reader, come what may."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def tell(self, record: Record) -> None:
        """Hand one record to the system before going on."""
        content = pickle.dumps(record)
        with self._lock:
            self._write(len(content).to_bytes(LENGTH_BYTES, "big") + content)

    def _write(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._descriptor, content) :]


class Listener:
    """Cut what comes through the pipe into records. The last one may have lost its end."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, content: bytes) -> Iterator[Record]:
        """Take more bytes; yield the records that are complete now."""
        self._rest += content
        while (end := self._end()) <= len(self._rest):
            record: Any = pickle.loads(self._rest[LENGTH_BYTES:end])
            self._rest = self._rest[end:]
            yield record

    def _end(self) -> int:
        return LENGTH_BYTES + int.from_bytes(self._rest[:LENGTH_BYTES], "big")
