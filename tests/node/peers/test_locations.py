from __future__ import annotations

import threading

import pytest

from actors.uploader import Outcome, Upload
from node.peers.bundler import BundlerUploader
from node.peers.client import Client
from node.peers.gateway import Gateway
from node.peers.locations import MISSING_MILLISECONDS, PATH, Locations
from node.peers.rules import Rules
from node.sandbox import Sandbox
from protocol.assignment import LEGACY_VARIANT
from protocol.codecs import ans104
from protocol.codecs.ans104 import Item
from protocol.errors import (
    InvalidInput,
    InvalidSignature,
    MalformedItem,
    NotFound,
    PeerFailed,
    StaleLocation,
    StoreFull,
    UploadFailed,
)
from protocol.ids import Id
from protocol.location import Location
from protocol.message import Message
from storage.cache import Cache
from storage.locations import LocationTable
from tests.node.peers.outside import reply

URL = "https://node.example"
OTHER = "https://other.example"
NOW = 1_700_000_000_000
HOUR = 3_600_000


class Archive:
    """What gateways know.

    Attributes:
        items: the records that were published.
        asked: addresses that somebody looked up.
        away: whether nobody answers.
    """

    def __init__(self, *records: Location) -> None:
        self.items = [ans104.parse(record.encoded) for record in records]
        self.asked: list[Id] = []
        self.away = False

    def find_location(self, address: Id) -> list[Item]:
        self.asked.append(address)
        if self.away:
            raise PeerFailed("the gateway is away")
        return self.items


class Clock:
    """Milliseconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


@pytest.fixture
def table(cache) -> LocationTable:
    return LocationTable(cache)


@pytest.fixture
def located(table, wallet, clock):
    """Make what finds locations, with `wallet` as the operator."""
    return lambda **parts: Locations(table, wallet, clock=clock, **parts)


def request(wallet, **keys) -> Message:
    return Message.create({name.replace("_", "-"): value for name, value in keys.items()}, wallet)


def test_a_registration_is_kept_and_found(located, wallet) -> None:
    """The operator's node says where it is."""
    locations = located()
    made = locations.register(URL).location
    assert (made.signer, made.url, made.nonce) == (wallet.address, URL, 0)
    assert locations.find(wallet.address) == made


def test_each_registration_has_a_higher_nonce(located) -> None:
    """One more each time, or what the operator says as long as it is higher."""
    locations = located()
    assert [locations.register(URL).location.nonce for _ in range(3)] == [0, 1, 2]
    assert locations.register(URL, nonce=9).location.nonce == 9
    assert locations.register(URL).location.nonce == 10
    for nonce in (10, 3):
        with pytest.raises(StaleLocation):
            locations.register(OTHER, nonce=nonce)


def test_registrations_at_the_same_time_get_their_own_nonces(located) -> None:
    """However many threads register."""
    locations, made = located(), []
    threads = [
        threading.Thread(target=lambda: made.append(locations.register(URL).location.nonce))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1, 2, 3]


@pytest.mark.parametrize("codec", ["ans104", "httpsig"])
def test_the_operator_registers_by_a_signed_message(located, wallet, codec) -> None:
    """With whatever codec it is signed; the node signs the record."""
    locations = located()
    keys = {"url": URL, "nonce": 4, "time-to-live": HOUR}
    made = locations.take(Message.create(keys, wallet, codec))
    assert (made.url, made.nonce, made.time_to_live) == (URL, 4, HOUR)
    assert locations.find(wallet.address) == made


def test_an_old_request_moves_nobody_back(located, wallet) -> None:
    """A copied request without a nonce is answered with the record that stands."""
    locations = located()
    old = request(wallet, url=OTHER)
    locations.take(old)
    made = locations.take(request(wallet, url=URL))
    assert locations.take(old) == made
    assert locations.find(wallet.address).url == URL


def test_an_old_record_of_the_operator_is_refused(located) -> None:
    """Records that peers sent back are no requests for a new one."""
    locations = located()
    first = locations.register(OTHER).location
    locations.register(URL)
    with pytest.raises(StaleLocation):
        locations.take(Message.decode(first.encoded))


@pytest.mark.parametrize(
    "keys",
    [{}, {"url": "nowhere"}, {"url": URL, "nonce": "x"}, {"url": URL, "type": "Message"}],
)
def test_a_registration_needs_a_place(located, wallet, keys) -> None:
    """A URL that others can use, a nonce that is a number, and no other purpose."""
    locations = located()
    with pytest.raises(InvalidInput):
        locations.take(request(wallet, **keys))
    with pytest.raises(NotFound):
        locations.find(wallet.address)


def test_somebody_elses_record_is_kept_for_that_signer(located, wallet, user_wallet) -> None:
    """It says nothing about the operator."""
    locations = located()
    made = Location.sign(user_wallet, OTHER, 3)
    assert locations.take(Message.decode(made.encoded)) == made
    assert locations.find(user_wallet.address) == made
    with pytest.raises(NotFound):
        locations.find(wallet.address)


@pytest.mark.parametrize("nonce", [2, 3])
def test_an_old_record_of_somebody_else_is_refused(located, user_wallet, nonce) -> None:
    """Nonces are compared with those of the record's own signer."""
    locations = located()
    locations.register(URL, nonce=50)
    locations.take(Message.decode(Location.sign(user_wallet, URL, 3).encoded))
    with pytest.raises(StaleLocation):
        locations.take(Message.decode(Location.sign(user_wallet, OTHER, nonce).encoded))
    assert locations.find(user_wallet.address).url == URL


def test_a_posted_record_without_a_nonce_is_refused(located, user_wallet) -> None:
    """It could be as old as the network."""
    legacy = Location.sign(user_wallet, URL, 0, HOUR, LEGACY_VARIANT)
    with pytest.raises(StaleLocation):
        located().take(Message.decode(legacy.encoded))


def test_what_is_no_record_is_refused(located, user_wallet) -> None:
    """Strangers post location records and nothing else."""
    with pytest.raises(MalformedItem):
        located().take(request(user_wallet, url=URL, nonce=1))


def test_a_changed_record_is_refused(located, user_wallet) -> None:
    """Whoever carries it cannot change it."""
    encoded = bytearray(Location.sign(user_wallet, URL, 3).encoded)
    encoded[-40] ^= 1
    with pytest.raises((InvalidSignature, MalformedItem)):
        located().take(Message.decode(bytes(encoded)))


def test_a_full_table_refuses_strangers(cache, wallet, user_wallet, clock) -> None:
    """Who posts is told that the record is not kept."""
    locations = Locations(LocationTable(cache, max_locations=0), wallet, clock=clock)
    with pytest.raises(StoreFull):
        locations.take(Message.decode(Location.sign(user_wallet, URL, 3).encoded))


def test_an_expired_record_is_looked_up_again(located, user_wallet, clock) -> None:
    """From the gateway, whose record lives from then on."""
    archive = Archive()
    locations = located(gateway=archive)
    record = Location.sign(user_wallet, URL, 3, HOUR)
    locations.take(Message.decode(record.encoded))
    clock.now += HOUR - 1
    assert locations.find(user_wallet.address) == record
    assert archive.asked == []
    clock.now += 1
    with pytest.raises(NotFound):
        locations.find(user_wallet.address)
    clock.now += MISSING_MILLISECONDS
    archive.items = [ans104.parse(record.encoded)]
    assert locations.find(user_wallet.address) == record
    assert locations.find(user_wallet.address) == record
    assert len(archive.asked) == 2


def test_the_newest_of_several_records_counts(located, user_wallet) -> None:
    """In whatever order the gateway has them, and whatever else is among them."""
    records = [Location.sign(user_wallet, f"{URL}/{nonce}", nonce) for nonce in (2, 7, 5)]
    archive = Archive(*records, Location.sign(user_wallet, OTHER, 0, HOUR, LEGACY_VARIANT))
    archive.items.append(request(user_wallet, type="scheduler-location").item)
    assert located(gateway=archive).find(user_wallet.address) == records[1]


def test_a_legacy_record_is_found(located, user_wallet) -> None:
    """Its scheduler speaks the older protocol."""
    legacy = Location.sign(user_wallet, URL, 0, HOUR, LEGACY_VARIANT)
    assert located(gateway=Archive(legacy)).find(user_wallet.address) == legacy


def test_a_gateway_cannot_turn_the_time_back(located, user_wallet, clock) -> None:
    """A record older than the one that expired here is none."""
    locations = located(gateway=Archive(Location.sign(user_wallet, OTHER, 2)))
    locations.take(Message.decode(Location.sign(user_wallet, URL, 3, HOUR).encoded))
    clock.now += HOUR
    with pytest.raises(NotFound):
        locations.find(user_wallet.address)


def test_a_record_of_another_signer_is_none(located, wallet, user_wallet) -> None:
    """Whatever the gateway answers with."""
    locations = located(gateway=Archive(Location.sign(wallet, URL, 3)))
    with pytest.raises(NotFound):
        locations.find(user_wallet.address)


def test_an_address_that_nobody_knows_is_not_asked_for_all_the_time(
    located, user_wallet, clock
) -> None:
    """Once a minute at most."""
    archive = Archive()
    locations = located(gateway=archive)
    for _ in range(3):
        with pytest.raises(NotFound):
            locations.find(user_wallet.address)
    assert len(archive.asked) == 1
    clock.now += MISSING_MILLISECONDS
    with pytest.raises(NotFound):
        locations.find(user_wallet.address)
    assert len(archive.asked) == 2


def test_a_gateway_that_fails_is_no_answer(located, user_wallet) -> None:
    """An error now, and asked again the next time."""
    archive = Archive(Location.sign(user_wallet, URL, 3))
    locations = located(gateway=archive)
    archive.away = True
    with pytest.raises(PeerFailed):
        locations.find(user_wallet.address)
    archive.away = False
    assert locations.find(user_wallet.address).url == URL


def test_a_node_that_lost_its_cache_goes_on_from_what_it_published(located, wallet) -> None:
    """Its next record is newer than all that others know."""
    archive = Archive(Location.sign(wallet, OTHER, 41))
    assert located(gateway=archive).register(URL).location.nonce == 42


def test_without_an_answer_about_its_own_nonce_nothing_is_registered(located) -> None:
    """Peers would refuse a record with an old nonce; one that is given needs no answer."""
    archive = Archive()
    archive.away = True
    locations = located(gateway=archive)
    with pytest.raises(PeerFailed):
        locations.register(URL)
    assert locations.register(URL, nonce=7).location.nonce == 7


def test_records_are_published_and_looked_up_by_others(tmp_path, wallet, user_wallet) -> None:
    """Through a bundler and a gateway, as over the network."""
    with (
        Sandbox() as sandbox,
        Client(Rules().trusting(sandbox.url)) as client,
        Cache(tmp_path / "ours") as ours,
        Cache(tmp_path / "theirs") as theirs,
    ):
        uploader = BundlerUploader(client, sandbox.url)
        announced = Locations(LocationTable(ours), wallet, uploader=uploader).register(URL)
        assert announced.failures == ()
        gateway = Gateway(client, sandbox.url)
        reader = Locations(LocationTable(theirs), user_wallet, gateway=gateway)
        assert reader.find(wallet.address) == announced.location
        uploader.close()


def test_peers_are_told(located, server, asking) -> None:
    """The record itself, where HyperBEAM nodes take it; those that fail are named."""
    server.answers[PATH] = reply()
    client = asking()
    notify = ("http://node.example/", "http://nobody.example", "http://node.example/old")
    announced = located(client=client, notify=notify).register(URL)
    told = [each for each in server.requests if each.startswith(f"POST {PATH} ".encode())]
    assert len(told) == 1
    assert told[0].endswith(announced.location.encoded)
    assert b"content-type: application/ans104" in told[0].lower()
    failed, missing = announced.failures
    assert failed.startswith("http://nobody.example: ")
    assert missing == "http://node.example/old: status 404"


@pytest.mark.parametrize("raised", [True, False])
def test_a_bundler_that_fails_does_not_undo_a_registration(located, wallet, raised) -> None:
    """The record stands, and whoever registered is told what did not work."""

    class Away:
        def upload(self, items: list[Upload]) -> list[Outcome]:
            if raised:
                raise UploadFailed("away")
            return [UploadFailed("away") for _ in items]

    locations = located(uploader=Away())
    announced = locations.register(URL)
    assert announced.failures == ("publishing: away",)
    assert locations.find(wallet.address) == announced.location
