from __future__ import annotations

import pytest

from actors.sequencer import NO_SLOT, Known
from actors.stages import Duplicates, Stage
from protocol.assignment import Block
from protocol.chain import HashChain, chain_rule
from protocol.errors import (
    ClockAhead,
    CorruptRecord,
    Duplicate,
    IdCollision,
    NeedsAdoption,
    NotFound,
    NotNow,
    NotOurProcess,
    StoreFull,
    UnsupportedProcess,
    UnsupportedValue,
    WalletMissing,
    WrongTarget,
)
from protocol.ids import Id
from protocol.message import Verified
from tests.actors.cheap import FIRST, SECOND, message, process_message
from tests.actors.sequenced import HELLO, PROCESS, SPAWN, MovedJournal, World, state_of


@pytest.fixture
def world():
    return World()


@pytest.fixture
def sequencer(world):
    """A process with its own message stored."""
    sequencer = world.sequencer()
    flight = sequencer.give(SPAWN)
    world.pin(flight)
    world.store(flight)
    return sequencer


def test_a_process_begins_at_slot_0(world) -> None:
    """The process's own message takes slot 0 and carries the terms into the store."""
    flight = world.sequencer().give(process_message("both", (SECOND, FIRST)))
    assert flight.slot == 0
    assert flight.signers == flight.pin.terms.signers == (SECOND, FIRST)


@pytest.mark.guarantee("S2")
def test_slots_follow_each_other(sequencer) -> None:
    """Each message takes the slot after the one before, without waiting for the store."""
    flights = [sequencer.give(message(str(number), PROCESS)) for number in range(3)]
    assert [flight.slot for flight in flights] == [1, 2, 3]
    assert [flight.pin.terms for flight in flights] == [None] * 3
    assert sequencer.outstanding == 3


@pytest.mark.guarantee("S3")
def test_links_follow_from_each_other(world) -> None:
    """Each link is the rule's, over the one before and the message ID."""
    sequencer = world.sequencer()
    first, second = sequencer.give(SPAWN).assignment, sequencer.give(HELLO).assignment
    rule = HashChain()
    assert first.link == rule.next("", PROCESS, None)
    assert second.link == rule.next(first.link, HELLO.message_id, None)


@pytest.mark.guarantee("S3")
def test_a_restart_goes_on_where_the_store_stands(world, sequencer) -> None:
    """A sequencer over a known head gives the slot and the link after it."""
    restarted = world.sequencer()
    assert restarted.give(HELLO).assignment == sequencer.give(HELLO).assignment


@pytest.mark.guarantee("S3")
@pytest.mark.parametrize("asked", [{"scheduler-chain": "base-hashpath"}, {"Variant": "ao.TN.1"}])
def test_a_serial_link_is_made_of_what_is_stored(world, asked) -> None:
    """The slot before counts with the signature that the store holds, also after a restart."""
    spawn = process_message("serial", **asked)
    sequencer = world.sequencer(spawn.process)
    first, hello = sequencer.give(spawn), message("hello", spawn.process)
    assert sequencer.serial
    world.pin(first)
    with pytest.raises(NotFound):
        sequencer.give(hello)
    world.store(first)
    stored = world.journal.assignment(spawn.process, 0)
    rule = chain_rule(stored.chain)
    expected = rule.next(stored.link, hello.message_id, stored.id)
    assert world.sequencer(spawn.process).give(hello).assignment.link == expected
    assert sequencer.give(hello).assignment.link == expected


@pytest.mark.guarantee("S12")
def test_a_damaged_slot_is_not_linked_to(world) -> None:
    """Under a serial rule, no slot is given after one that does not match its digest."""
    spawn = process_message("serial", **{"scheduler-chain": "base-hashpath"})
    sequencer = world.sequencer(spawn.process)
    first = sequencer.give(spawn)
    world.pin(first)
    world.store(first)
    world.journal.disk.damaged.add((spawn.process, 0))
    with pytest.raises(CorruptRecord):
        sequencer.give(message("hello", spawn.process))
    assert sequencer.slot == 0


def test_a_flight_knows_its_commitment_device(world) -> None:
    """It signs as its process asks, also when it is taken up again after a crash."""
    spawn = process_message("httpsig", **{"scheduler-commitment-spec": "httpsig@1.0"})
    flight = world.sequencer(spawn.process).give(spawn)
    assert flight.device == flight.pin.terms.device == "httpsig@1.0"
    world.pin(flight)
    (again,) = world.sequencer(spawn.process).resume()
    assert again.device == "httpsig@1.0"


def test_a_path_that_no_header_carries_gets_no_slot_there(world) -> None:
    """Only where assignments are HTTP messages."""
    spawn = process_message("httpsig", **{"scheduler-commitment-spec": "httpsig@1.0"})
    sequencer = world.sequencer(spawn.process)
    sequencer.give(spawn)
    odd = message("odd", spawn.process, path="a\nb")
    with pytest.raises(UnsupportedValue):
        sequencer.give(odd)
    assert (sequencer.slot, sequencer.outstanding) == (0, 1)


def test_a_message_keeps_its_path(sequencer) -> None:
    """The assignment carries the message's own path, else ``compute``."""
    own = message("own path", PROCESS, path="credit-notice")
    assert sequencer.give(own).assignment.path == b"credit-notice"
    assert sequencer.give(HELLO).assignment.path == b"compute"


@pytest.mark.guarantee("S8")
def test_time_never_goes_back(world, sequencer) -> None:
    """When the clock goes back the slot takes the time of the one before."""
    world.ms = 2000
    later = sequencer.give(message("later", PROCESS)).assignment
    world.ms = 500
    earlier = sequencer.give(message("earlier", PROCESS)).assignment
    assert (later.timestamp, earlier.timestamp) == (2000, 2000)


@pytest.mark.guarantee("S8")
@pytest.mark.usefixtures("sequencer")
def test_time_never_goes_back_across_a_restart(world) -> None:
    """A restarted process keeps at least the time of its stored head."""
    world.ms = 1
    assert world.sequencer().give(HELLO).assignment.timestamp == 1000


@pytest.mark.guarantee("S8")
def test_blocks_never_go_back(world, sequencer) -> None:
    """When the block clock goes back the slot names the whole block of the one before."""
    world.block = high = Block(9, 90, "hash of 9")
    sequencer.give(message("high", PROCESS))
    world.block = Block(3, 30, "hash of 3")
    assert sequencer.give(message("low", PROCESS)).assignment.block == high


def test_a_block_of_the_same_height_is_the_newest(world, sequencer) -> None:
    """After a fork of the block chain the newer block of that height is named."""
    world.block = Block(9, 90, "hash of 9")
    sequencer.give(message("before", PROCESS))
    world.block = fork = Block(9, 91, "other hash of 9")
    assert sequencer.give(message("after", PROCESS)).assignment.block == fork


@pytest.mark.guarantee("S13")
def test_a_message_under_way_is_found(sequencer) -> None:
    """A second sender joins the first one's flight."""
    flight = sequencer.give(HELLO)
    assert sequencer.find(HELLO) is flight


@pytest.mark.guarantee("S13")
def test_a_pinned_message_is_found_under_way(world, sequencer) -> None:
    """Until its commitment is visible to readers a message stays with its flight."""
    flight = sequencer.give(HELLO)
    world.pin(flight)
    flight.reach(Stage.ASSIGNED)
    assert sequencer.find(HELLO) is flight


@pytest.mark.guarantee("S13")
def test_a_stored_message_is_found_in_the_store(world, sequencer) -> None:
    """Once stored, a message is known by its slot, in this run and the next."""
    flight = sequencer.give(HELLO)
    world.pin(flight)
    world.store(flight)
    assert sequencer.find(HELLO) == Known(1)
    assert world.sequencer().find(HELLO) == Known(1)
    assert (sequencer.outstanding, sequencer.stored) == (0, 1)


def test_an_unknown_message_is_not_found(sequencer) -> None:
    """A new message is nowhere yet, in a live process and in one not begun."""
    assert sequencer.find(HELLO) is None
    assert World().sequencer().find(SPAWN) is None


@pytest.mark.guarantee("S13")
def test_allowed_duplicates_get_a_new_slot() -> None:
    """With duplicates allowed a message is never looked up, and takes the next slot."""
    sequencer = World(Duplicates.ALLOW).sequencer()
    sequencer.give(SPAWN)
    first = sequencer.give(HELLO)
    assert sequencer.find(HELLO) is None
    assert sequencer.give(HELLO).slot == first.slot + 1


@pytest.mark.guarantee("S10")
@pytest.mark.parametrize("durable", [False, True])
def test_a_message_that_comes_again_with_other_bytes_is_refused(durable) -> None:
    """Also before the store has the first ones: there, the others would fence the shard."""
    world = World(Duplicates.ALLOW)
    sequencer = world.sequencer()
    flights = [sequencer.give(SPAWN), sequencer.give(HELLO)]
    if durable:
        world.pin(*flights)
        for flight in flights:
            flight.body = None
    with pytest.raises(IdCollision):
        sequencer.find(message("hello", PROCESS, Extra="x"))
    assert sequencer.give(HELLO).slot == 2


@pytest.mark.guarantee("S10")
def test_an_id_that_stands_for_other_bytes_in_another_process_is_refused() -> None:
    """Messages are kept once however often assigned, so no slot could tell the two apart."""
    world = World()
    sequencer = world.sequencer()
    world.pin(sequencer.give(SPAWN))
    world.journal.disk.bodies[HELLO.message_id] = world.journal.disk.bodies[PROCESS]
    before = state_of(sequencer)
    with pytest.raises(IdCollision):
        sequencer.find(HELLO)
    assert state_of(sequencer) == before


def test_allowed_duplicates_leave_memory_one_by_one() -> None:
    """The same message in two slots under way does not confuse either."""
    world = World(Duplicates.ALLOW)
    sequencer = world.sequencer()
    flights = [sequencer.give(each) for each in (SPAWN, HELLO, HELLO)]
    world.pin(*flights)
    world.store(*flights[:2])
    assert sequencer.outstanding == 1
    world.store(flights[2])
    assert sequencer.outstanding == 0


@pytest.mark.guarantee("S13")
@pytest.mark.parametrize("stored", [False, True])
def test_rejected_duplicates_are_told_their_slot(stored) -> None:
    """With duplicates refused the refusal names the slot, under way or stored."""
    world = World(Duplicates.REJECT)
    sequencer = world.sequencer()
    flights = [sequencer.give(SPAWN), sequencer.give(HELLO)]
    if stored:
        world.pin(*flights)
        world.store(*flights)
    with pytest.raises(Duplicate, match="slot 1"):
        sequencer.find(HELLO)


def test_a_message_for_another_process_is_refused(sequencer) -> None:
    """A sequencer serves one process only."""
    with pytest.raises(WrongTarget):
        sequencer.find(message("stray", Id(bytes(32))))


@pytest.mark.guarantee("S1")
def test_recovery_takes_up_pinned_slots_for_the_same_messages(world, sequencer) -> None:
    """After a crash what was pinned keeps its slot, and is found under way."""
    lost = [sequencer.give(message(str(number), PROCESS)) for number in range(3)]
    world.pin(*lost)
    restarted = world.sequencer()
    flights = restarted.resume()
    assert [each.assignment for each in flights] == [each.assignment for each in lost]
    assert all(each.pin is None and each.signers == (FIRST,) for each in flights)
    assert restarted.find(message("1", PROCESS)) is flights[1]
    assert restarted.give(HELLO).slot == 4


@pytest.mark.usefixtures("sequencer")
def test_there_is_nothing_to_resume_where_all_is_signed(world) -> None:
    """A process with nothing pinned and unsigned, or nothing at all, starts as it is."""
    assert world.sequencer().resume() == []
    assert World().sequencer().resume() == []


def test_recovery_without_the_wallet_is_refused(world, sequencer) -> None:
    """What cannot be signed is left as it is, for the day the wallet comes back."""
    world.pin(sequencer.give(HELLO))
    world.wallets = (SECOND,)
    restarted = world.sequencer()
    with pytest.raises(WalletMissing):
        restarted.resume()
    assert restarted.outstanding == 0


@pytest.mark.guarantee("S12")
def test_recovery_of_a_store_that_needs_adoption_is_refused(world, sequencer) -> None:
    """Nothing pinned is signed in a store that was moved, restored or copied."""
    world.pin(sequencer.give(HELLO))
    world.journal = MovedJournal(world.journal.disk)
    with pytest.raises(NeedsAdoption):
        world.sequencer().resume()


@pytest.mark.guarantee("L3")
def test_recovery_on_a_full_disk_goes_on(world, sequencer) -> None:
    """What was pinned is signed and stored out of the reserve that a full store keeps."""
    world.pin(sequencer.give(HELLO))
    world.journal.disk.full = True
    assert [flight.slot for flight in world.sequencer().resume()] == [1]


@pytest.mark.guarantee("S12")
def test_recovery_of_a_damaged_slot_is_refused(world, sequencer) -> None:
    """A record that does not match its digest is not signed over."""
    world.pin(sequencer.give(HELLO))
    world.journal.disk.damaged.add((PROCESS, 1))
    with pytest.raises(CorruptRecord) as caught:
        world.sequencer().resume()
    assert (caught.value.process, caught.value.slot) == (PROCESS, 1)


def full_disk(world: World) -> Verified:
    world.journal.disk.full = True
    return HELLO


def clock_ahead(world: World) -> Verified:
    world.ahead = True
    return HELLO


def clock_broken(world: World) -> Verified:
    world.ms = "noon"
    return HELLO


def block_clock_broken(world: World) -> Verified:
    world.block = None
    return HELLO


@pytest.mark.parametrize(
    ("obstacle", "refusal"),
    [
        (full_disk, StoreFull),
        (clock_ahead, ClockAhead),
        (clock_broken, NotNow),
        (block_clock_broken, NotNow),
    ],
)
def test_a_refusal_leaves_no_trace(world, sequencer, obstacle, refusal) -> None:
    """A message that was refused takes no slot, and the next one stands where it would have."""
    before = state_of(sequencer)
    refused = obstacle(world)
    with pytest.raises(refusal):
        sequencer.give(refused)
    assert state_of(sequencer) == before
    assert sequencer.find(refused) is None


@pytest.mark.parametrize(
    ("first", "refusal"),
    [
        (HELLO, NotFound),
        (process_message("stranger", (Id(bytes(32)),)), NotOurProcess),
        (process_message("serial", **{"Scheduler-Chain": "assignment-chain"}), UnsupportedProcess),
        (process_message("variant", Variant="ao.N.2"), UnsupportedProcess),
    ],
)
def test_a_refused_beginning_leaves_no_trace(world, first, refusal) -> None:
    """A process that cannot be scheduled here does not begin, and fixes no terms."""
    sequencer = world.sequencer(first.process)
    before = state_of(sequencer)
    with pytest.raises(refusal):
        sequencer.give(first)
    assert state_of(sequencer) == before
    assert sequencer.slot == NO_SLOT


@pytest.mark.usefixtures("sequencer")
def test_a_process_without_its_wallet_is_read_only(world) -> None:
    """Messages it holds are found; a new one is refused by the missing wallet's address."""
    world.wallets = (SECOND,)
    restarted = world.sequencer()
    assert restarted.find(SPAWN) == Known(0)
    with pytest.raises(WalletMissing, match=str(FIRST)):
        restarted.give(HELLO)
