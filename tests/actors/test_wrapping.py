"""Items that carry what is none: signed by the right wallet, or not made."""

from __future__ import annotations

import pytest

from actors.signing import WalletSigner
from actors.wrapping import Wrapper
from protocol.codecs.carrier import Carried, carried_by
from protocol.errors import UploadFailed, WalletMissing
from protocol.ids import digest_id
from tests.actors.outside import BrokenSigner, WrongSigner

CARRIED = Carried(digest_id(b"message"), b"\r\nhello")


@pytest.fixture
def wrapper(wallet):
    """Wrap with the wallet of the scheduler, and a signer that may be chosen."""
    return lambda signer: Wrapper({wallet.address: wallet}, signer)


def test_an_item_is_signed_by_the_wallet_asked_for(wrapper, wallet) -> None:
    """It verifies, and carries what was given."""
    item = wrapper(WalletSigner()).wrap(CARRIED, b"Message", wallet.address)
    assert item.verify()
    assert item.owner_address == wallet.address
    assert carried_by(item) == CARRIED


def test_a_wallet_that_is_away_is_named(wrapper) -> None:
    """Nobody else signs in its place."""
    with pytest.raises(WalletMissing):
        wrapper(WalletSigner()).wrap(CARRIED, b"Message", digest_id(b"another"))


@pytest.mark.guarantee("L3")
@pytest.mark.parametrize("signer", [BrokenSigner(), WrongSigner(bytes(512)), WrongSigner(None)])
def test_a_signer_that_fails_is_tried_again(wrapper, wallet, signer) -> None:
    """Publishing waits for a good signature, and nothing without one is offered."""
    with pytest.raises(UploadFailed):
        wrapper(signer).wrap(CARRIED, b"Message", wallet.address)
