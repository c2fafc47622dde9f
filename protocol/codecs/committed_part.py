"""A signed message cut to what its signatures are over, in the one form it is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from protocol.codecs import ans104_tabm
from protocol.codecs.commitment_fields import COMPONENTS, Claim, claims_of, with_claims
from protocol.codecs.httpsig_covered import DEVICE, cover, hmac_claim, require_no_body_key
from protocol.codecs.older_httpsig import is_of_may
from protocol.codecs.signature_base import SIGNED_PARAMETERS
from protocol.message_ids import bundled, linked, only, signed_keys, signers_of, without_commitments
from protocol.tabm import Tabm


def committed_part(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    """Return the committed keys with every signature, and with the HMAC that belongs to them.

    Whoever sends a message can add keys, HMACs, and fields to commitments without a
    signature noticing. They all end here, also in nested messages that are signed by their
    IDs only. The same signed message is the same bytes, then, however it came.

    Nothing is verified.

    Raises:
        InvalidSignature: nobody signed, or the commitments are malformed.
        UnsupportedValue: httpsig cannot carry what was signed.
    """
    signers = signers_of(tabm)
    keys = signed_keys(tabm, signers)
    if len(signers) == 1 and signers[0].device == ans104_tabm.DEVICE:
        return ans104_tabm.tabm_of(ans104_tabm.item_for(tabm, signers[0]))
    require_no_body_key(keys)
    # Signed in full, nested messages are what they are, with all that they carry.
    if any(claim.bundle and claim.device == DEVICE for claim in signers):
        keys = bundled(keys)
    else:
        keys = {key: _inside(value) for key, value in keys.items()}
    claims = [_bare(tabm, claim) for claim in signers]
    ours = next((claim for claim in claims if claim.device == DEVICE), None)
    if ours:
        form = only(keys, ours.committed)
        covered = cover(bundled(form) if ours.bundle else linked(form))
        claims.append(hmac_claim(covered, None if is_of_may(ours.keyid) else ours))
    return with_claims(keys, tuple(claims))


def _inside(value: bytes | Tabm) -> bytes | Tabm:
    if not isinstance(value, Mapping):
        return value
    if signers_of(value):
        return committed_part(value)
    require_no_body_key(value)
    return {key: _inside(nested) for key, nested in without_commitments(value).items()}


def _bare(tabm: Tabm, claim: Claim) -> Claim:
    if claim.device == ans104_tabm.DEVICE:
        (claim,) = claims_of(ans104_tabm.tabm_of(ans104_tabm.item_for(tabm, claim)))
        return claim
    return replace(
        claim, rest={key: value for key, value in claim.rest.items() if _kept(key, value)}
    )


def _kept(key: bytes, value: bytes | Tabm) -> bool:
    # A parameter is a text; what has another form under its name was not signed.
    return key == COMPONENTS or (key in SIGNED_PARAMETERS and isinstance(value, bytes))
