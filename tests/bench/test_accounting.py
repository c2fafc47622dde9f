from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actors import Scheduler
from bench.accounting import Unaccounted, account, settle
from bench.items import Forger, Mail
from bench.stand_ins import CountingUploader, NoSigner
from protocol.assignment import Assignment
from protocol.ids import digest_id
from protocol.wallet import Wallet

MESSAGES = 5


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def uploader() -> CountingUploader:
    return CountingUploader(0.0)


@pytest.fixture
def promised(store: Path, wallet: Wallet, uploader: CountingUploader) -> list[Assignment]:
    """What a scheduler promised to two processes and their senders."""
    mail = Mail(Forger(), wallet.address)
    with Scheduler.open(store, wallet, signer=NoSigner(), uploader=uploader) as scheduler:
        spawned = [scheduler.assign(item) for item in mail.spawns(2)]
        items = mail.messages([assignment.process for assignment in spawned], MESSAGES)
        promised = [*spawned, *(scheduler.assign(item) for item in items)]
        settle(scheduler, promised)
    return promised


def test_what_was_promised_and_stored_is_accounted_for(store: Path, promised) -> None:
    """A store that holds every promised slot and no other passes."""
    assert len(promised) == 2 + MESSAGES
    account(store, promised)


def test_all_is_published_when_it_has_settled(promised, uploader: CountingUploader) -> None:
    """A row ends only after message and assignment of every slot were uploaded."""
    assert uploader.items == 2 * len(promised)


def test_a_missing_assignment_fails_the_run(store: Path, promised) -> None:
    """A slot that was promised and is not in the store is an error."""
    unstored = replace(promised[-1], slot=99)
    with pytest.raises(Unaccounted, match="1 promised slots are not stored, 0 stored"):
        account(store, [*promised, unstored])


def test_an_assignment_that_nobody_was_promised_fails_the_run(store: Path, promised) -> None:
    """A slot that the store holds and nobody was told of is an error."""
    with pytest.raises(Unaccounted, match="0 promised slots are not stored, 1 stored"):
        account(store, promised[:-1])


def test_another_message_in_a_slot_fails_the_run(store: Path, promised) -> None:
    """A slot that holds another message than was promised is an error."""
    other = replace(promised[-1], message_id=digest_id(b"another"))
    with pytest.raises(Unaccounted):
        account(store, [*promised[:-1], other])


def test_a_slot_that_was_promised_twice_fails_the_run(store: Path, promised) -> None:
    """Two requests that were told the same slot are an error."""
    with pytest.raises(Unaccounted):
        account(store, [*promised, promised[-1]])


def test_an_unknown_process_fails_the_run(store: Path, promised) -> None:
    """A process that was never spawned in this row is an error."""
    known = [a for a in promised if a.process == promised[0].process]
    with pytest.raises(Unaccounted, match="other processes"):
        account(store, known)
