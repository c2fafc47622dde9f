"""What a shard says about itself arrives."""

from __future__ import annotations

from actors.channel.frames import HEADER
from actors.channel.letters import Answer, pack, unpack
from actors.shards.answers import packed_status, status_of
from actors.status import ShardStatus
from protocol.ids import Id


def test_a_status_arrives_as_it_was() -> None:
    """Every field, with what stands in the way of which process."""
    status = ShardStatus(
        number=1,
        state="ready",
        pid=7,
        generation=3,
        addresses=(numbered(1),),
        queued=4,
        under_way=5,
        live_processes=6,
        commits=8,
        stuck={numbered(2): (9, "402")},
        unfit={numbered(3): "wallet_missing"},
        fenced="lost",
    )
    assert over_the_channel(status) == status


def test_a_status_of_any_size_arrives() -> None:
    """A shard with very many processes in trouble is not taken for one that does not answer."""
    many = [numbered(number) for number in range(100_000)]
    status = ShardStatus(
        number=0,
        state="ready",
        stuck=dict.fromkeys(many, (2**60, "\N{OWL}" * 5000)),
        unfit=dict.fromkeys(many, "unsupported_signature_type"),
    )
    told = over_the_channel(status)
    assert told.state == "ready"
    assert (many[0] in told.stuck, many[0] in told.unfit) == (True, True)


def over_the_channel(status: ShardStatus) -> ShardStatus:
    """Send a status as a shard does."""
    answer = unpack(pack(Answer(0, packed_status(status)))[HEADER.size :])
    assert isinstance(answer, Answer)
    return status_of(answer.value)


def numbered(number: int) -> Id:
    """Some ID."""
    return Id(number.to_bytes(32, "big"))
