from __future__ import annotations

from dataclasses import replace

import pytest

from node.http.assignment_wire import assignment_wire
from protocol.codecs.assignment import tabm
from protocol.codecs.httpsig_commitment import to_wire
from protocol.wallet import Wallet
from tests.foreign import schedule, signed


@pytest.mark.parametrize("chain", ["hash-chain", "base-hashpath"])
@pytest.mark.parametrize("device", ["ans104@1.0", "httpsig@1.0"])
def test_what_is_written_by_hand_is_what_the_codec_writes(
    user_wallet: Wallet, wallet: Wallet, chain: str, device: str
) -> None:
    """Slot after slot, whatever the chain rule and the commitment device."""
    for entry in schedule(user_wallet, wallet, 3, chain=chain, device=device):
        expected = to_wire(tabm(entry.assignment), bundle=False)
        assert assignment_wire(entry.assignment).encode() == expected.encode()


@pytest.mark.parametrize("path", [b"push", b"a\r\nb: c", b"\xff"])
def test_a_path_that_somebody_chose_is_written_by_the_codec(
    user_wallet: Wallet, wallet: Wallet, path: bytes
) -> None:
    """It may hold what no header can, and the codec knows what to do with it."""
    (entry,) = schedule(user_wallet, wallet, 1)
    chosen = signed(replace(entry.assignment, path=path), wallet)
    assert assignment_wire(chosen) == to_wire(tabm(chosen), bundle=False)


def test_two_signers_are_both_there(user_wallet: Wallet, wallet: Wallet) -> None:
    """An assignment by several wallets carries the signature of each."""
    (entry,) = schedule(user_wallet, wallet, 1)
    both = signed(entry.assignment, wallet, user_wallet)
    fields = dict(assignment_wire(both).headers)
    assert fields[b"signature"].count(b"comm-") == 2
