"""Commit to a message with ``httpsig@1.0``, and verify what is committed to."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import replace

from protocol.codecs import ans104_tabm
from protocol.codecs.commitment_fields import (
    PUBLIC_KEY,
    Claim,
    with_claims,
)
from protocol.codecs.httpsig import MOST_COMPONENTS
from protocol.codecs.httpsig_covered import (
    DEVICE,
    LINK,
    base_of,
    cover,
    hmac_claim,
    require_no_body_key,
)
from protocol.codecs.older_httpsig import base_of_may, is_of_may
from protocol.codecs.signatures import verify_rsa_sha512
from protocol.codecs.signed_wire import from_wire, to_wire
from protocol.commitment import RSA_PSS_SHA512, Commitment
from protocol.errors import InvalidSignature, UnsupportedSignature
from protocol.message_ids import (
    bare,
    bundled,
    linked,
    only,
    signed_keys,
    signers_of,
    without_commitments,
)
from protocol.tabm import Tabm
from protocol.wallet import Wallet

__all__ = ["commit", "from_wire", "to_wire", "verify"]


def commit(
    tabm: Tabm, wallet: Wallet, *, committed: Sequence[bytes] | None = None, bundle: bool = False
) -> dict[bytes, bytes | Tabm]:
    """Return the message with a signature by `wallet`, and the HMAC that names it unsigned.

    Args:
        tabm: unsigned, or signed by others, whose commitments stay.
        wallet: the committer.
        committed: keys to sign, without ``+link``; None for those that the signatures
            before are over, or all.
        bundle: sign nested messages in full instead of by their IDs.

    Raises:
        UnsupportedValue: httpsig cannot carry the message.
        InvalidSignature: a key to sign is not there, or four have signed before.
    """
    require_no_body_key(tabm)
    before = signers_of(tabm)
    if committed is None:
        own = (key.removesuffix(LINK) for key in without_commitments(tabm))
        committed = before[0].committed if before else sorted(own)
    covered = cover(_form(only(tabm, committed), bundle=bundle), MOST_COMPONENTS)
    components = covered.components
    claim = Claim(
        device=DEVICE,
        type=RSA_PSS_SHA512.encode(),
        keyid=PUBLIC_KEY + b2a_base64(wallet.owner, newline=False),
        signature=b"",
        committed=covered.committed(components),
        rest={b"bundle": b"true"} if bundle else {},
    )
    base = base_of(claim, covered.values, components)
    signed = replace(claim, signature=wallet.sign(base, RSA_PSS_SHA512))
    after = with_claims(tabm, (*before, signed, hmac_claim(covered, signed)))
    signers_of(after)
    return after


def verify(tabm: Tabm) -> list[Commitment]:
    """Verify every signature of a message; HMACs are passed over, they prove nothing.

    A nested message that is signed by its ID only is verified, too: that ID says nothing of
    what stands there.

    Raises:
        InvalidSignature: nobody signed it, a signature does not verify, or the signatures
            are over different keys.
        UnsupportedSignature: a signature is of a kind that is not built.
        UnsupportedValue: httpsig cannot carry what was signed.
    """
    signers = signers_of(tabm)
    keys = signed_keys(tabm, signers)
    if not all(claim.bundle for claim in signers):
        _verify_nested(keys)
    return [_verified(tabm, claim) for claim in signers]


def _verify_nested(tabm: Tabm) -> None:
    for value in without_commitments(tabm).values():
        if isinstance(value, Mapping):
            if signers_of(value):
                verify(value)
            else:
                _verify_nested(value)


def _verified(tabm: Tabm, claim: Claim) -> Commitment:
    if claim.device == ans104_tabm.DEVICE:
        good = _is_item(tabm, claim)
    elif (claim.device, claim.type) == (DEVICE, RSA_PSS_SHA512.encode()):
        good = _signed(tabm, claim)
    else:
        raise UnsupportedSignature(f"{claim.device[:80]!r} with {claim.type[:80]!r} is not built")
    if not good:
        raise InvalidSignature(f"the signature {claim.id} does not verify")
    return claim.commitment()


def _is_item(tabm: Tabm, claim: Claim) -> bool:
    # Its tags may stand in the commitment once more: they must not say something else.
    item = ans104_tabm.item_for(tabm, claim)
    keys = only(tabm, claim.committed)
    same = bare(ans104_tabm.tabm_of(item)) == bare(keys if claim.bundle else linked(keys))
    return same and item.verify()


def _signed(tabm: Tabm, claim: Claim) -> bool:
    covered = cover(_form(only(tabm, claim.committed), bundle=claim.bundle))
    if is_of_may(claim.keyid):
        base = base_of_may(claim, covered.values)
    else:
        base = base_of(claim, covered.values, covered.components_of(claim))
    return verify_rsa_sha512(claim.owner, base, claim.signature)


def _form(tabm: Tabm, *, bundle: bool) -> dict[bytes, bytes | Tabm]:
    return bundled(tabm) if bundle else linked(tabm)
