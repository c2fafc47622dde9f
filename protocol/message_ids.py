"""The IDs of messages, and the two ways in which a message stands inside another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from protocol.codecs.commitment_fields import HMAC, Claim, claims_of
from protocol.codecs.httpsig import MOST_COMPONENTS
from protocol.codecs.httpsig_covered import LINK, cover, hmac_claim
from protocol.errors import InvalidInput, InvalidSignature, MalformedItem
from protocol.ids import Id, combine
from protocol.tabm import COMMITMENTS, Tabm

MAX_COMMITTERS = 4
"""Most signatures of one message: its ID is the sum of theirs, and among the sums of many
signatures somebody could find one that is taken."""

_TYPES = b"ao-types"
_LIST = re.compile(rb'(?:^|,) *\.="list"')


def unsigned_id(tabm: Tabm) -> Id:
    """The ID of a message whoever signed it: its HMAC over all keys, nested ones linked.

    Raises:
        UnsupportedValue: httpsig cannot carry the message.
        InvalidSignature: a nested message's commitments are malformed.
    """
    return hmac_claim(cover(linked(without_commitments(tabm)))).id


def signed_id(tabm: Tabm) -> Id:
    """The sum of the IDs of its signatures, or the unsigned ID if there is none.

    Nothing is verified: the ID is what the message says of itself.

    Raises:
        UnsupportedValue: httpsig cannot carry the message.
        InvalidSignature: its commitments, or those of a nested message, are malformed.
    """
    signers = signers_of(tabm)
    return combine(claim.id for claim in signers) if signers else unsigned_id(tabm)


def signers_of(tabm: Tabm) -> tuple[Claim, ...]:
    """Return the commitments of a message that somebody stands for.

    Raises:
        InvalidSignature: they are malformed, or more than four.
    """
    signers = tuple(claim for claim in claims_of(tabm) if not claim.is_hmac)
    if len(signers) > MAX_COMMITTERS:
        raise InvalidSignature(f"a message has at most {MAX_COMMITTERS} signatures")
    return signers


def signed_keys(tabm: Tabm, signers: Sequence[Claim]) -> dict[bytes, bytes | Tabm]:
    """Return the message cut to the keys that all its signatures are over.

    Args:
        tabm: the message.
        signers: what `signers_of` says of it.

    Raises:
        InvalidSignature: there is no signature, they are over different keys, or over one
            that is not there.
    """
    if not signers:
        raise InvalidSignature("nobody signed the message")
    if len({frozenset(claim.committed) for claim in signers}) > 1:
        raise InvalidSignature("the message's signatures are over different keys")
    return only(tabm, signers[0].committed)


def linked(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    """Return the message with each nested one replaced by its ID, under ``key+link``."""
    form: dict[bytes, bytes | Tabm] = {}
    for key, value in tabm.items():
        if isinstance(value, bytes) or key == COMMITMENTS:
            form[key] = value
        elif key + LINK in tabm:
            raise MalformedItem(f"the message has {key[:80]!r} both nested and as a link")
        else:
            form[key + LINK] = signed_id(value).ascii
    return form


def bundled(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    """Return the message with each nested one inside, together with its commitments.

    A nested message without an HMAC gets one, as HyperBEAM writes it; lists and empty
    messages have none.
    """
    return {
        key: value if isinstance(value, bytes) or key == COMMITMENTS else _inner(value)
        for key, value in tabm.items()
    }


def inline(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    """Return the message with each nested one inside, where no signature is over all of it.

    A nested message that nobody signed gets its HMAC, as HyperBEAM writes it, unless it can
    have none: no header could carry its keys, or there are too many of them.
    """
    return {
        key: value if isinstance(value, bytes) or key == COMMITMENTS else _named(value)
        for key, value in tabm.items()
    }


def without_commitments(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    """Return the message's own keys."""
    return {key: value for key, value in tabm.items() if key != COMMITMENTS}


def bare(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    """Return the message without commitments, its own and those of all nested ones."""
    return {
        key: bare(value) if isinstance(value, Mapping) else value
        for key, value in without_commitments(tabm).items()
    }


def only(tabm: Tabm, keys: Sequence[bytes]) -> dict[bytes, bytes | Tabm]:
    """Return the message cut to these keys, whether they are there in full or as links.

    Raises:
        InvalidSignature: one is not there.
    """
    cut: dict[bytes, bytes | Tabm] = {}
    for key in keys:
        name = key if key in tabm else key + LINK
        if name not in tabm or key == COMMITMENTS:
            raise InvalidSignature(f"a commitment is over {key[:80]!r}, which is not there")
        cut[name] = tabm[name]
    return cut


def _inner(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    form = bundled(tabm)
    own = without_commitments(tabm)
    found = tabm.get(COMMITMENTS, {})
    given = found if isinstance(found, Mapping) else {}
    if _is_list_or_empty(own) or any(_is_hmac(fields) for fields in given.values()):
        return form
    claims = claims_of(tabm)
    unsigned = hmac_claim(cover(linked(only(own, claims[0].committed) if claims else own)))
    return {**form, COMMITMENTS: {**given, unsigned.id.ascii: unsigned.fields()}}


def _named(tabm: Tabm) -> dict[bytes, bytes | Tabm]:
    form = inline(tabm)
    if COMMITMENTS in tabm or len(tabm) > MOST_COMPONENTS or _is_list_or_empty(tabm):
        return form
    try:
        unsigned = hmac_claim(cover(linked(tabm)))
    except InvalidInput:
        return form
    if len(set(unsigned.committed)) < len(unsigned.committed):
        # A key stands there in full and as a link, which no commitment tells apart.
        return form
    return {**form, COMMITMENTS: {unsigned.id.ascii: unsigned.fields()}}


def _is_list_or_empty(own: Tabm) -> bool:
    types = own.get(_TYPES, b"")
    is_list = isinstance(types, bytes) and _LIST.search(types) is not None
    return is_list or own.keys() <= {_TYPES}


def _is_hmac(fields: bytes | Tabm) -> bool:
    return isinstance(fields, Mapping) and fields.get(b"type") == HMAC
