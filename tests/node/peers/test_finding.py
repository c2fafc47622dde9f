from __future__ import annotations

import pytest

from actors import Scheduler
from node.peers.finding import Elsewhere, Finder, Local
from node.peers.locations import Locations
from protocol.assignment import LEGACY_VARIANT
from protocol.codecs import ans104
from protocol.codecs.ans104 import Item
from protocol.errors import InvalidInput, NoScheduler, NotFound, PeerFailed
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from protocol.wallet import Wallet
from storage.cache import Cache
from storage.foreign import ForeignTable
from storage.locations import LocationTable
from tests.foreign import process_of, schedule
from tests.items import message_item, process_item

URL = "https://node.example"
HINT = "https://hint.example"
OURS = "https://ours.example"
NOW = 1_700_000_000_000


class Archive:
    """What gateways know.

    Attributes:
        items: published messages by ID, and location records.
        asked: how often somebody looked something up.
        away: whether nobody answers.
    """

    def __init__(self, *items: Item) -> None:
        self.items = {item.id: item for item in items}
        self.asked = 0
        self.away = False

    def find_message(self, message_id: Id) -> Item | None:
        self._look()
        return self.items.get(message_id)

    def find_location(self, address: Id) -> list[Item]:
        self._look()
        return [item for item in self.items.values() if item.owner_address == address]

    def _look(self) -> None:
        self.asked += 1
        if self.away:
            raise PeerFailed("the gateway is away")


@pytest.fixture(scope="module")
def second() -> Wallet:
    """Another wallet of this node."""
    return Wallet.generate()


@pytest.fixture
def scheduler(tmp_path, wallet, second):
    """The scheduler of this node."""
    with Scheduler.open(tmp_path / "store", [wallet, second]) as scheduler:
        yield scheduler


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


@pytest.fixture
def table(cache) -> LocationTable:
    return LocationTable(cache)


@pytest.fixture
def foreign(cache) -> ForeignTable:
    return ForeignTable(cache)


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
def finder(scheduler, wallet, second, table, foreign, archive) -> Finder:
    locations = Locations(table, wallet, gateway=archive, clock=lambda: NOW)
    ours = (wallet.address, second.address)
    return Finder(scheduler, ours, locations, foreign=foreign, gateway=archive, own_url=f"{OURS}/")


def spawn(user: Wallet, scheduler: str) -> Message:
    return Message.decode(process_item(user, user.address, Scheduler=scheduler))


@pytest.mark.guarantee("S11")
def test_what_is_scheduled_here_is_local(finder, scheduler, archive, user_wallet, second) -> None:
    """Nobody is asked, hint or no hint; of several wallets the one that the process names."""
    process = scheduler.assign(process_item(user_wallet, second.address)).process
    assert finder.find(process) == Local(second.address)
    assert finder.find(process, hint=HINT) == Local(second.address)
    assert archive.asked == 0


def test_a_new_process_that_names_us_is_local(finder, user_wallet, wallet, second) -> None:
    """The first of our addresses that it names, wherever it stands among others."""
    stranger = Id(b"\x01" * 32)
    message = spawn(user_wallet, f"{stranger},{second.address},{wallet.address}")
    assert finder.find(message.id, keys=message.keys) == Local(second.address)


@pytest.mark.guarantee("S11")
def test_holding_a_wallet_is_no_authority(finder, user_wallet) -> None:
    """A process that names others is not ours, even if nobody knows where they are."""
    message = spawn(user_wallet, str(user_wallet.address))
    with pytest.raises(NotFound):
        finder.find(message.id, keys=message.keys)


@pytest.mark.parametrize("variant", ["ao.N.1", LEGACY_VARIANT])
def test_a_scheduler_with_a_record_is_elsewhere(finder, table, user_wallet, variant) -> None:
    """Its URL and the protocol it speaks are those of the record."""
    table.keep(Location.sign(user_wallet, URL, 1, variant=variant), NOW, refresh=True)
    message = spawn(user_wallet, str(user_wallet.address))
    expected = Elsewhere(user_wallet.address, URL, variant)
    assert finder.find(message.id, keys=message.keys) == expected
    assert finder.find(message.id) == expected
    assert finder.find(message.id, hint=HINT) == expected


def test_a_process_is_looked_up_at_the_gateway(finder, archive, user_wallet) -> None:
    """Once: what it names never changes."""
    message = spawn(user_wallet, str(user_wallet.address))
    record = Location.sign(user_wallet, URL, 1)
    archive.items = {message.id: message.item, message.id[::-1]: ans104.parse(record.encoded)}
    for _ in range(3):
        assert finder.find(message.id) == Elsewhere(user_wallet.address, URL, "ao.N.1")
    assert archive.asked == 2


def test_a_process_that_names_us_and_is_not_here_is_local(
    finder, archive, user_wallet, wallet
) -> None:
    """It can begin here, and until then it has no slot."""
    message = spawn(user_wallet, str(wallet.address))
    archive.items = {message.id: message.item}
    assert finder.find(message.id) == Local(wallet.address)


def test_a_process_that_was_read_before_is_known(
    finder, foreign, table, archive, user_wallet, wallet
) -> None:
    """From the cache of other schedulers' slots."""
    entries = schedule(wallet, user_wallet, 1)
    foreign.keep(entries)
    table.keep(Location.sign(user_wallet, URL, 1), NOW)
    assert finder.find(process_of(entries)) == Elsewhere(user_wallet.address, URL, "ao.N.1")
    assert archive.asked == 0


def test_an_unknown_process_is_not_found(finder, user_wallet) -> None:
    """Neither here nor at the gateway."""
    with pytest.raises(NotFound):
        finder.find(spawn(user_wallet, "x").id)


def test_a_message_is_no_process(finder, archive, user_wallet) -> None:
    """Though it may name a scheduler."""
    message = Message.decode(message_item(user_wallet, Id(b"\x01" * 32), Scheduler="x"))
    archive.items = {message.id: message.item}
    with pytest.raises(NotFound):
        finder.find(message.id)


def test_a_process_that_names_nobody_has_no_scheduler(finder, user_wallet) -> None:
    """That is another thing than one that cannot be found."""
    keys = {b"type": b"Process"}
    with pytest.raises(NoScheduler):
        finder.find(user_wallet.address, keys=keys)


def test_a_hint_leads_to_a_process_that_nobody_here_knows(finder, archive, user_wallet) -> None:
    """Without asking the gateway; who may sign is found out there."""
    process = spawn(user_wallet, "x").id
    assert finder.find(process, hint=f"{HINT}/") == Elsewhere(None, HINT, "ao.N.1")
    assert archive.asked == 0


def test_hints_come_after_records(finder, table, user_wallet) -> None:
    """First the signed place of any scheduler that is named, then the process's own hints."""
    stranger = Id(b"\x01" * 32)
    message = spawn(user_wallet, f"{stranger}?hint={HINT},{user_wallet.address}")
    assert finder.find(message.id, keys=message.keys) == Elsewhere(stranger, HINT, "ao.N.1")
    other = finder.find(message.id, keys=message.keys, hint=URL)
    assert other == Elsewhere(stranger, HINT, "ao.N.1")
    table.keep(Location.sign(user_wallet, URL, 1), NOW)
    assert finder.find(message.id).url == URL


def test_the_callers_hint_is_the_last_resort(finder, user_wallet) -> None:
    """For a process that is known, whose scheduler has no known place."""
    message = spawn(user_wallet, str(user_wallet.address))
    found = finder.find(message.id, keys=message.keys, hint=HINT)
    assert found == Elsewhere(None, HINT, "ao.N.1")


@pytest.mark.parametrize("hint", ["nowhere", "file:///etc/passwd", "http://x/?a=b"])
def test_a_hint_that_is_no_url_is_refused(finder, user_wallet, hint) -> None:
    """By the time it is given."""
    with pytest.raises(InvalidInput):
        finder.find(user_wallet.address, hint=hint)


def test_nobody_is_sent_in_a_circle(finder, table, user_wallet) -> None:
    """A record or a hint that leads to this very node leads nowhere."""
    table.keep(Location.sign(user_wallet, OURS, 1), NOW)
    message = spawn(user_wallet, str(user_wallet.address))
    with pytest.raises(NotFound):
        finder.find(message.id, keys=message.keys)
    with pytest.raises(NotFound):
        finder.find(message.id, hint=f"{OURS}/")


def test_a_gateway_that_fails_is_said(finder, archive, user_wallet) -> None:
    """An error for now, unless a hint leads on."""
    archive.away = True
    message = spawn(user_wallet, str(user_wallet.address))
    with pytest.raises(PeerFailed):
        finder.find(message.id)
    with pytest.raises(PeerFailed):
        finder.find(message.id, keys=message.keys)
    assert finder.find(message.id, keys=message.keys, hint=HINT).url == HINT
