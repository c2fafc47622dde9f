"""Stores with every chain rule and commitment device are proven, and forgeries in them found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from storage import open_writer
from storage.verify import Fault, verify_store
from tests.storage.signed import SignedSchedule, receipt
from tests.storage.sound import found
from tests.storage.tamper import forge_head, forge_pin, forge_receipt, forge_signature

SERIAL = {"scheduler_chain": "base-hashpath"}
HTTPSIG = {"scheduler_commitment_spec": "httpsig@1.0"}
LEGACY = {"Variant": "ao.TN.1"}
KINDS = {"serial": SERIAL, "httpsig": HTTPSIG, "both": SERIAL | HTTPSIG, "legacy": LEGACY}
SLOTS = 4

pytestmark = pytest.mark.guarantee("S3", "S12")


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_a_sound_store_of_any_kind_is_proven(
    root: Path, user_wallet: Wallet, wallet: Wallet, asked: dict[str, str]
) -> None:
    """Chain, signatures and receipts of every kind of process, by one wallet and by two."""
    for number, second in enumerate((None, user_wallet)):
        kept(root, SignedSchedule(user_wallet, wallet, number, second, asked=asked))
    report = verify_store(root, workers=0)
    assert report.ok, report.problems
    assert (report.processes, report.assignments) == (2, 2 * SLOTS)
    assert report.signatures == 2 * SLOTS + 3 * SLOTS


@pytest.mark.parametrize("asked", [SERIAL, SERIAL | HTTPSIG, LEGACY])
def test_a_slot_that_was_signed_again_breaks_the_chain(
    root: Path, user_wallet: Wallet, wallet: Wallet, asked: dict[str, str]
) -> None:
    """Another signature over the same slot is a good one, and not the one that was linked."""
    schedule = kept(root, SignedSchedule(user_wallet, wallet, asked=asked))
    forge_signature(root, schedule.sign(schedule.pins[1].assignment))
    process = schedule.process
    assert found(root) == {(Fault.CHAIN, process, 2), (Fault.RECEIPT, process, 1)}


def test_a_pin_after_one_that_nobody_signed_is_found(
    root: Path, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Under a serial rule nothing can follow a slot that is not stored."""
    schedule = SignedSchedule(user_wallet, wallet, asked=SERIAL)
    with open_writer(root) as journal:
        for batch in schedule.one_by_one(SLOTS):
            journal.append(batch)
        journal.append(schedule.pinned(1))
    beyond = replace(schedule.pins[-1].assignment, slot=SLOTS + 1)
    forge_pin(root, beyond)
    forge_head(root, schedule.process, pinned=SLOTS + 1)
    assert (Fault.CHAIN, schedule.process, SLOTS + 1) in found(root)


def test_a_receipt_names_what_carries_it(root: Path, user_wallet: Wallet, wallet: Wallet) -> None:
    """An assignment that is no data item travels in one; a receipt without it is not one."""
    schedule = kept(root, SignedSchedule(user_wallet, wallet, asked=HTTPSIG))
    whole = receipt(schedule.signed[1])
    forge_receipt(root, whole._replace(carriers=()))
    message = whole.items[0][0]
    forge_receipt(root, receipt(schedule.signed[2])._replace(carriers=((message, message),)))
    assert found(root) == {(Fault.RECEIPT, schedule.process, slot) for slot in (1, 2)}


def kept(root: Path, schedule: SignedSchedule) -> SignedSchedule:
    with open_writer(root) as journal:
        for batch in schedule.one_by_one(SLOTS):
            journal.append(batch)
    return schedule
