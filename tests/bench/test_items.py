from __future__ import annotations

import pytest

from bench.items import Forger, Mail, Stranger
from protocol.errors import InvalidSignature
from protocol.ids import digest_id
from protocol.message import verify
from protocol.wallet import Wallet

PROCESSES = [digest_id(b"one"), digest_id(b"two")]
SCHEDULER = digest_id(b"a scheduler")


def test_a_stranger_signs(user_wallet: Wallet) -> None:
    """Messages of the load verify like those of anybody, and no two are the same."""
    items = Mail(Stranger(user_wallet), SCHEDULER).messages(PROCESSES, 5)
    verified = [verify(item) for item in items]
    assert len({message.message_id for message in verified}) == 5
    assert [message.process for message in verified] == [*PROCESSES, *PROCESSES, PROCESSES[0]]
    assert len({message.keys[b"reference"] for message in verified}) == 5


def test_a_forger_does_not_sign() -> None:
    """Messages without cryptography differ from others in nothing but their signature."""
    message, other = Mail(Forger(), SCHEDULER).messages(PROCESSES, 2)
    assert message.message_id != other.message_id
    assert message.process == PROCESSES[0]
    with pytest.raises(InvalidSignature):
        verify(message.encoded)


def test_spawned_processes_name_the_scheduler(user_wallet: Wallet) -> None:
    """Processes of the load are signed, different, and for the scheduler that is measured."""
    spawns = [verify(item) for item in Mail(Stranger(user_wallet), SCHEDULER).spawns(2)]
    assert all(spawn.is_process for spawn in spawns)
    assert len({spawn.process for spawn in spawns}) == 2
    assert {spawn.keys[b"scheduler"] for spawn in spawns} == {SCHEDULER.ascii}
