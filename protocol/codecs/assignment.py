"""Assignments under every commitment device: what is signed, published, shown and read back."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from protocol.assignment import Assignment
from protocol.codecs import ans104_assignment, httpsig_assignment
from protocol.codecs.assignment_reading import of_item, of_tabm
from protocol.codecs.assignment_tabm import tabm
from protocol.codecs.signatures import check_rsa, rsa_key
from protocol.commitment import ANS104, HTTPSIG, RSA_SCHEMES, Commitment
from protocol.errors import InvalidSignature, UnsupportedProcess
from protocol.ids import Id, digest_id

__all__ = [
    "commit",
    "encode",
    "of_item",
    "of_tabm",
    "published",
    "published_ids",
    "scheme",
    "signature_data",
    "tabm",
    "verifies",
    "verify",
]

encode = ans104_assignment.encode
"""Return the data item of one ``ans104@1.0`` commitment."""


def scheme(device: str) -> str:
    """Return how a wallet signs under a commitment device.

    Raises:
        UnsupportedProcess: there is no such device.
    """
    try:
        return RSA_SCHEMES[device]
    except KeyError:
        raise UnsupportedProcess(f"commitment device {device[:80]!r} is not built") from None


def signature_data(assignment: Assignment, owner: bytes, device: str = ANS104) -> bytes:
    """Return what the wallet with public key `owner` signs, by the device's `scheme`."""
    if device == HTTPSIG:
        return httpsig_assignment.signature_data(assignment, owner)
    return ans104_assignment.signature_data(assignment, owner)


def commit(owner: bytes, signature: bytes, device: str = ANS104) -> Commitment:
    """Return the commitment that a signature over an assignment makes."""
    return Commitment(
        id=digest_id(signature),
        committer=_address(owner),
        device=device,
        type=RSA_SCHEMES[device],
        owner=owner,
        signature=signature,
    )


def published(assignment: Assignment) -> list[tuple[Id, bytes]]:
    """Return what goes to Arweave, with the IDs it is known by.

    One data item per signer with ``ans104@1.0``; one wire form with all signatures with
    ``httpsig@1.0``.
    """
    if assignment.commitments[0].device == HTTPSIG:
        return [(assignment.id, httpsig_assignment.encode(assignment))]
    return [(each.id, encode(assignment, each)) for each in assignment.commitments]


def published_ids(assignment: Assignment) -> tuple[Id, ...]:
    """Return the IDs alone of what goes to Arweave."""
    if assignment.commitments[0].device == HTTPSIG:
        return (assignment.id,)
    return tuple(commitment.id for commitment in assignment.commitments)


def verify(assignment: Assignment) -> None:
    """Insist that everybody who is said to have signed the assignment did.

    Raises:
        InvalidSignature: somebody did not, or nobody is said to.
    """
    if not assignment.commitments:
        raise InvalidSignature("the assignment is not signed")
    for commitment in assignment.commitments:
        if not verifies(assignment, commitment):
            raise InvalidSignature(f"the signature of {commitment.committer} does not verify")


def verifies(assignment: Assignment, commitment: Commitment) -> bool:
    """Tell whether one commitment is its committer's, over exactly this assignment."""
    owner, signature = commitment.owner, commitment.signature
    named = (digest_id(owner), digest_id(signature), RSA_SCHEMES.get(commitment.device))
    if named != (commitment.committer, commitment.id, commitment.type):
        return False
    try:
        data = signature_data(assignment, owner, commitment.device)
        check_rsa(_known_key(owner), data, signature, commitment.type)
    except (BadSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _address(owner: bytes) -> Id:
    return digest_id(owner)


@lru_cache(maxsize=64)
def _known_key(owner: bytes) -> RSAPublicKey:
    # Schedules are signed by few wallets, and a new key costs a sixth of a verification, most
    # of it at its first use.
    return rsa_key(owner)
