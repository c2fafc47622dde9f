"""Wrapping: what is no data item travels in one, signed by a wallet of its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from actors.signing import Signer, is_trusted
from protocol.codecs import ans104
from protocol.codecs.carrier import Carried, carrier
from protocol.commitment import RSA_PSS_SHA256
from protocol.errors import UploadFailed, WalletMissing
from protocol.ids import Id
from protocol.wallet import Wallet


class Wrapper:
    """Make the items that carry httpsig messages and assignments. Safe for many threads."""

    def __init__(self, wallets: Mapping[Id, Wallet], signer: Signer) -> None:
        """Take the wallets, by address, and what makes signatures with them."""
        self._wallets = wallets
        self._signer = signer

    def wrap(self, carried: Carried, kind: bytes, address: Id) -> ans104.Item:
        """Return the signed item. Made again it has another signature, and so another ID.

        Args:
            carried: what it carries.
            kind: its `type`.
            address: whose wallet signs.

        Raises:
            WalletMissing: the wallet is not held here.
            UploadFailed: no signature was made; another try may succeed.
        """
        wallet = self._wallets.get(address)
        if wallet is None:
            raise WalletMissing(f"publishing {carried.id} needs wallet {address}")
        item = replace(carrier(carried, kind), owner=wallet.owner)
        try:
            signature = self._signer.sign(wallet, item.signature_data(), RSA_PSS_SHA256)
            signed = replace(item, signature=signature)
            sound = is_trusted(self._signer) or signed.verify()
        except Exception as exc:
            raise UploadFailed(f"the signer failed: {exc!r}") from exc
        if not sound:
            raise UploadFailed(f"the signer's signature by {address} does not verify")
        return signed
