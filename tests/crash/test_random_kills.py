"""A store whose programs are killed under load, again and again, at moments nobody chose."""

from __future__ import annotations

import faulthandler
import os
import random
import secrets
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path

import pytest

from actors import SchedulingMode
from protocol.ids import Id
from protocol.wallet import Wallet
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.telling import Item, Job, Opening
from tests.crash.testimony import Testimony
from tests.items import message_item, process_item

SEED = int(os.environ.get("AO_CRASH_SEED") or secrets.randbits(32))
"""In the name of the test; give it again to repeat the same plan."""

IN_FLIGHT = 16
PROCESSES = 5
NEW_MESSAGES = 40
"""Per round: what two cores schedule in the time that most programs live."""

SHORT_SECONDS = 0.03
"""A life that ends while the store is opened and the last one's work is taken up."""
LONG_SECONDS = 0.35


class Load:
    """Messages for several processes, in all modes; each new one once, some old ones again.

    Attributes:
        items: all of them so far.
    """

    def __init__(self, seed: int, user: Wallet, scheduler: Id) -> None:
        self.random = random.Random(seed)
        self._user = user
        modes = (mode for mode in SchedulingMode if mode is not SchedulingMode.DISABLED)
        self._modes: Iterator[SchedulingMode] = cycle(modes)
        self._numbers = count()
        spawns = [process_item(user, scheduler, Name=str(n)) for n in range(PROCESSES)]
        self._spawns = [Item.of(spawn) for spawn in spawns]
        self.items = list(self._spawns)

    def next_round(self) -> tuple[Item, ...]:
        """The processes, so that they are there, and then old and new messages mixed."""
        again = self.random.choices(self.items, k=NEW_MESSAGES // 4)
        new = [self._message() for _ in range(NEW_MESSAGES)]
        self.items += new
        mixed = [*again, *new]
        self.random.shuffle(mixed)
        return (*self._spawns, *mixed)

    def lifetime(self) -> float:
        """Seconds until the next kill."""
        long = self.random.random() < 0.8
        return self.random.uniform(0, LONG_SECONDS if long else SHORT_SECONDS)

    def _message(self) -> Item:
        process = self.random.choice(self._spawns).id
        item = message_item(self._user, process, next(self._numbers))
        return Item.of(item, next(self._modes))


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S13")
@pytest.mark.parametrize(
    ("rounds", "seed"), [(20, SEED), pytest.param(200, SEED, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments(
    rounds: int,
    seed: int,
    testimony: Testimony,
    wallet: Wallet,
    user_wallet: Wallet,
    wallet_file: Path,
) -> None:
    """However often its programs are killed under load, all that any of them said holds."""
    # The watch over tests that hang: this one lasts, and programs that hang are found out here.
    faulthandler.cancel_dump_traceback_later()
    load = Load(seed, user_wallet, wallet.address)
    for _ in range(rounds):
        job = Job(testimony.root, wallet_file, load.next_round(), IN_FLIGHT, again=True)
        with Program(job, testimony.root.parent) as program:
            program.wait_for(Opening)
            program.listen_for(load.lifetime())
        testimony.hear(program.records)
        testimony.judge()
    recover(testimony, wallet, load.items)
