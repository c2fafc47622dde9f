"""What the programs schedule: processes of one or two schedulers, and messages for them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import count, cycle

from actors import SchedulingMode
from actors.settings import PublishSettings, Settings
from protocol.ids import Id
from protocol.wallet import Wallet
from storage import shard_of
from tests.crash.telling import Item
from tests.items import message_item, process_item, signed_message

SERIAL = {"scheduler_chain": "base-hashpath"}
HTTPSIG = {"scheduler_commitment_spec": "httpsig@1.0"}
KINDS: tuple[dict[str, str], ...] = (
    {},
    SERIAL,
    HTTPSIG,
    {"Variant": "ao.TN.1"},
    SERIAL | HTTPSIG,
)
"""What processes ask for, in turn: every chain rule and commitment device."""
CURRENT_KINDS = tuple(kind for kind in KINDS if "Variant" not in kind)

PROCESSES = 6
HTTPSIG_EVERY = 4
"""One of so many messages is no data item; the others are."""
NEW_MESSAGES = 40
"""Per round: what two cores schedule in the time that most programs live."""

SHORT_SECONDS = 0.03
"""A life that ends while the store is opened and the last one's work is taken up."""
LONG_SECONDS = 0.35

SMALL_UPLOADS = Settings(publish=PublishSettings(workers=2, chunk=3))
"""So that a short run has several uploads on the way at once, and several receipts."""


def spawned(
    user: Wallet,
    schedulers: Sequence[Id],
    processes: int,
    kinds: Sequence[dict[str, str]] = KINDS,
) -> list[Item]:
    """Make processes of all kinds, by the first scheduler alone and by all of them in turn."""
    items = []
    for number in range(processes):
        signers = schedulers if number % 2 else schedulers[:1]
        named = ",".join(map(str, signers))
        asked = kinds[number % len(kinds)]
        item = process_item(user, signers[0], Scheduler=named, Name=str(number), **asked)
        items.append(Item.of(item))
    return items


class Load:
    """Messages for several processes, in all modes; each new one once, some old ones again.

    Attributes:
        items: all of them so far.
    """

    def __init__(
        self, seed: int, user: Wallet, schedulers: Sequence[Id], *, over_http: bool = False
    ) -> None:
        self.random = random.Random(seed)
        self._user = user
        modes = (mode for mode in SchedulingMode if mode is not SchedulingMode.DISABLED)
        self._modes: Iterator[SchedulingMode] = cycle(modes)
        self._numbers = count()
        # Over HTTP only what is easily posted, and answered in a form that all processes share.
        self._httpsig_every = 0 if over_http else HTTPSIG_EVERY
        self._new = NEW_MESSAGES // 2 if over_http else NEW_MESSAGES
        kinds = CURRENT_KINDS if over_http else KINDS
        self._spawns = spawned(user, schedulers, PROCESSES, kinds)
        self.items = list(self._spawns)

    def next_round(self) -> tuple[Item, ...]:
        """The processes, so that they are there, and then old and new messages mixed."""
        again = self.random.choices(self.items, k=self._new // 4)
        new = [self._message() for _ in range(self._new)]
        self.items += new
        mixed = [*again, *new]
        self.random.shuffle(mixed)
        return (*self._spawns, *mixed)

    def lifetime(self) -> float:
        """Seconds until the next kill."""
        long = self.random.random() < 0.8
        return self.random.uniform(0, LONG_SECONDS if long else SHORT_SECONDS)

    def _message(self) -> Item:
        process, number = self.random.choice(self._spawns).id, next(self._numbers)
        if not self._httpsig_every or number % self._httpsig_every:
            return Item.of(message_item(self._user, process, number), next(self._modes))
        message = signed_message(self._user, process, number)
        return Item.of(message.encoded, next(self._modes), message.codec)


def one_in_each(shards: int, user: Wallet, scheduler: Id) -> tuple[Item, ...]:
    """Make a process for each shard of a store, by number."""
    found: dict[int, Item] = {}
    while len(found) < shards:
        item = Item.of(process_item(user, scheduler))
        found[shard_of(item.id, shards)] = item
    return tuple(found[number] for number in range(shards))
