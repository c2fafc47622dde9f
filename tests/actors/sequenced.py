"""A process to sequence, and the world around it, as a test wants them."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.sequencer import Sequencer, Surroundings
from actors.stages import Duplicates, Stage
from protocol.assignment import Block
from protocol.errors import ClockAhead, NeedsAdoption
from protocol.ids import Id
from storage.journal import Batch
from storage.memory_journal import MemoryJournal
from tests.actors.cheap import FIRST, SECOND, message, process_message, signatures

SPAWN = process_message("process")
PROCESS = SPAWN.process
HELLO = message("hello", PROCESS)


@dataclass
class World:
    """A store and the sequencers over it; a clock and a block that a test may change."""

    duplicates: Duplicates = Duplicates.SAME
    wallets: tuple[Id, ...] = (FIRST, SECOND)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    ms: int = 1000
    ahead: bool = False
    block: Block | None = field(default_factory=Block)

    def now(self) -> int:
        if self.ahead:
            raise ClockAhead
        return self.ms

    def latest(self) -> Block:
        return self.block

    def sequencer(self, process: Id = PROCESS) -> Sequencer:
        head = self.journal.disk.heads.get(process)
        around = Surroundings(self.journal, self.wallets, self.now, self, self.duplicates)
        return Sequencer(process, head, around)

    def pin(self, *flights) -> None:
        self.journal.append(Batch(pins=[flight.pin for flight in flights]))

    def store(self, *flights) -> None:
        signed = [each.assignment.signed(signatures(each.signers, "")) for each in flights]
        self.journal.append(Batch(signed=signed))
        for flight in flights:
            flight.reach(Stage.STORED)


class MovedJournal(MemoryJournal):
    """A store that came from another machine."""

    def require_space(self, size: int) -> None:
        raise NeedsAdoption


def state_of(sequencer: Sequencer) -> dict[str, object]:
    """All that a sequencer knows, to be compared."""
    return {name: repr(value) for name, value in vars(sequencer).items() if name != "_around"}
