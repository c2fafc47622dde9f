"""Messages: decoded from a codec, and verified before anything is done with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import InitVar, dataclass, field
from functools import partial

from protocol.assignment import DEFAULT_PATH
from protocol.codecs import ans104
from protocol.codecs.ans104_building import unsigned_item
from protocol.codecs.ans104_keys import item_of as flat_item
from protocol.codecs.ans104_keys import keys_of
from protocol.codecs.ans104_tabm import DEVICE, item_for, item_of, tabm_of
from protocol.codecs.body_parts import Bounds
from protocol.codecs.canonical import MAX_VALUE_BYTES
from protocol.codecs.carrier import MAX_CONTENT_BYTES
from protocol.codecs.committed_part import committed_part
from protocol.codecs.httpsig_commitment import commit, from_wire, to_wire
from protocol.codecs.httpsig_commitment import verify as verify_commitments
from protocol.codecs.scalars import MAX_INTEGER
from protocol.codecs.signatures import RSA, signature_type
from protocol.codecs.structured import to_tabm
from protocol.codecs.wire import Wire
from protocol.commitment import ANS104, RSA_PSS_SHA512, Commitment
from protocol.errors import (
    InvalidSignature,
    MalformedItem,
    NoTarget,
    TooLarge,
    UnsupportedSignature,
    UnsupportedValue,
)
from protocol.ids import Id, combine
from protocol.late_keys import LateKeys
from protocol.message_ids import bare, signers_of
from protocol.tabm import Tabm, Typed
from protocol.wallet import Wallet

Encoded = bytes | bytearray | memoryview
"""Bytes of a message; what can still be changed is copied."""

ACCEPTED = frozenset({RSA})
MAX_PATH_BYTES = MAX_VALUE_BYTES
"""Longest `path`: the assignment repeats it in a tag of its own."""

STORED = Bounds(parts=4096, depth=16, lines=65_536)
"""What a message is decoded with: more than what a request may have, because nested messages
are kept with their commitments, and less than a page of messages."""

_PROOF = object()
"""What only this module can show: that it made a value by the way the value stands for."""


@dataclass(frozen=True, slots=True)
class Message:
    """An AO message as it came; nothing about it is verified.

    Only `decode`, `of_tabm` and `create` make one, so its keys are always those of its bytes.

    Attributes:
        codec: name of the codec it came in, ``ans104`` or ``httpsig``.
        encoded: its bytes in that codec.
        keys: names (of an item: in lower case) and values; nested messages are left out.
        commitments: one per signature it carries.
        item: the ANS-104 item it came in, if it did.
        signed: the message with its commitments, if it came in no item.
    """

    codec: str
    encoded: bytes = field(repr=False)
    # All that follows is read from those bytes, so equal bytes are equal messages.
    keys: Mapping[bytes, bytes] = field(repr=False, compare=False)
    commitments: tuple[Commitment, ...] = field(compare=False)
    item: ans104.Item | None = field(repr=False, compare=False)
    signed: Tabm = field(repr=False, compare=False)
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("only decode(), of_tabm() and create() make a Message")

    @property
    def id(self) -> Id:
        """The sum of the IDs of its commitments."""
        return combine(commitment.id for commitment in self.commitments)

    @property
    def tabm(self) -> Tabm:
        """The message with its commitments and everything that is nested in it."""
        return self.signed if self.item is None else tabm_of(self.item)

    @classmethod
    def decode(cls, encoded: Encoded, codec: str = "ans104") -> Message:
        """Read a message.

        Args:
            encoded: a data item, or what `Wire.encode` gives.
            codec: ``ans104`` or ``httpsig``.

        Raises:
            MalformedItem, UnsupportedSignature, TooLarge: it cannot be read.
            InvalidSignature: an httpsig message has no signature, or malformed ones.
        """
        if not isinstance(encoded, Encoded):
            raise MalformedItem(f"a message comes as bytes, not as {type(encoded).__name__}")
        encoded = bytes(encoded)
        if codec == "ans104":
            return _from_item(ans104.parse(encoded), encoded)
        if codec == "httpsig":
            return _from_tabm(from_wire(Wire.parse(encoded), STORED), encoded)
        raise MalformedItem(f"codec {codec!r} is not built")

    @classmethod
    def of_tabm(cls, tabm: Tabm) -> Message:
        """Take a message with its commitments, cut to what they are over.

        One that is signed as an ANS-104 item becomes that item again.

        Raises:
            InvalidSignature: nobody signed it, or its commitments are malformed.
            UnsupportedValue: it cannot be carried as what was signed.
            TooLarge: it is over 10 MiB, less what the item that will carry it needs, or
                could not be read back.
        """
        return _from_tabm(tabm, b"")

    @classmethod
    def create(cls, keys: Mapping[str, Typed], wallet: Wallet, codec: str = "ans104") -> Message:
        """Build and sign a message.

        Args:
            keys: names as they shall be written (``Action`` stays so), and values: text,
                bytes, integers, floats, booleans, and lists and maps of them. In an item,
                `data`, `target` and `anchor` fill its own fields, as far as the last two
                are IDs.
            wallet: the committer.
            codec: ``ans104`` (an item) or ``httpsig``.

        Raises:
            UnsupportedValue: the codec cannot carry a value.
            TooLarge: there are more, or longer, tags than ANS-104 allows.
        """
        for name, value in keys.items():
            if isinstance(value, int) and abs(value) > MAX_INTEGER:
                raise UnsupportedValue(f"integer {name!r} has more than 15 digits")
        tabm = to_tabm(keys)
        if codec == "httpsig":
            return cls.of_tabm(commit(tabm, wallet, bundle=_is_nested(tabm)))
        item = ans104.sign(_item(tabm), wallet)
        return _from_item(item, item.encode())


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signatures were checked, with its committed keys only.

    Only `verify` makes one, and `received` what another program verified.

    Attributes:
        message_id: sum of the IDs of its commitments.
        process: the process it is for: its own ID if it is a process, else its target.
        is_process: whether its type is exactly ``Process``.
        path: its own `path`, else ``compute``.
        keys: committed keys, names in lower case.
        codec, encoded: as it is stored and published.
        committers: addresses of those who signed it.
    """

    message_id: Id
    process: Id
    is_process: bool
    path: bytes
    keys: Mapping[bytes, bytes] = field(repr=False, compare=False)
    codec: str
    encoded: bytes = field(repr=False)
    committers: tuple[Id, ...]
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("only verify() and received() make a Verified")


def verify(
    message: Message | Encoded,
    *,
    accept: Collection[int] = ACCEPTED,
    check_signatures: bool = True,
) -> Verified:
    """Check a message for scheduling: cheap checks first, the signature last.

    Args:
        message: decoded, or the bytes of an ANS-104 item.
        accept: ANS-104 signature types that are taken; httpsig has only RSA.
        check_signatures: False only to measure everything but cryptography.

    Raises:
        MalformedItem: the bytes cannot be read.
        TooLarge: the item, its tags or its path are over their limit.
        NotCanonical: bundlers would not take the item.
        UnsupportedSignature: its signature type is not accepted.
        NoTarget, InvalidId: it is no process and names none.
        InvalidSignature: its signature does not verify.
    """
    if not isinstance(message, Message):
        message = Message.decode(message)
    if message.item is not None:
        _require_taken(message.item, accept)
    message_id = message.id
    process = named_process(message)
    path = _path(message.keys)
    if check_signatures:
        _require_signed(message, accept)
    return Verified(
        message_id=message_id,
        process=process,
        is_process=_is_process(message),
        path=path,
        keys=message.keys,
        codec=message.codec,
        encoded=message.encoded,
        committers=tuple(commitment.committer for commitment in message.commitments),
        proof=_PROOF,
    )


def received(
    *,
    message_id: Id,
    process: Id,
    is_process: bool,
    path: bytes,
    codec: str,
    encoded: bytes,
    committers: tuple[Id, ...],
) -> Verified:
    """Take what another program of this node verified, without checking anything again.

    The arguments are the fields of its `Verified`. The keys are read from `encoded` when
    somebody asks for them, which is for few messages; reading raises what `Message.decode`
    does.
    """
    return Verified(
        message_id=message_id,
        process=process,
        is_process=is_process,
        path=path,
        keys=LateKeys(partial(_keys_of, encoded, codec)),
        codec=codec,
        encoded=encoded,
        committers=committers,
        proof=_PROOF,
    )


def named_process(message: Message) -> Id:
    """Return the process a message is for: itself if it is one, else its target.

    Raises:
        NoTarget, InvalidId: it is no process and names none.
    """
    return message.id if _is_process(message) else _target(message.keys)


def _keys_of(encoded: bytes, codec: str) -> Mapping[bytes, bytes]:
    return Message.decode(encoded, codec).keys


def _require_taken(item: ans104.Item, accept: Collection[int]) -> None:
    ans104.require_canonical(item)
    if item.signature_type not in accept:
        raise UnsupportedSignature(f"signature type {item.signature_type} is not accepted here")


def _require_signed(message: Message, accept: Collection[int]) -> None:
    if message.item is None:
        names = {signature_type(number).name for number in accept} | {RSA_PSS_SHA512}
        if other := {each.type for each in message.commitments} - names:
            raise UnsupportedSignature(f"signature type {min(other)} is not accepted here")
        verify_commitments(message.signed)
    elif not message.item.verify():
        raise InvalidSignature("the item's signature does not verify")


def _item(tabm: Tabm) -> ans104.Item:
    # Too long a value could stand in a bundle, too, but not by surprise.
    if _is_nested(tabm):
        return unsigned_item(tabm, item_of)
    return flat_item({key: value for key, value in tabm.items() if isinstance(value, bytes)})


def _is_nested(tabm: Tabm) -> bool:
    return any(not isinstance(value, bytes) for value in tabm.values())


def _is_process(message: Message) -> bool:
    return message.keys.get(b"type") == b"Process"


def _from_item(item: ans104.Item, encoded: bytes) -> Message:
    commitment = Commitment(
        id=item.id,
        committer=item.owner_address,
        device=ANS104,
        type=signature_type(item.signature_type).name,
        owner=item.owner,
        signature=item.signature,
    )
    return Message("ans104", encoded, keys_of(item), (commitment,), item, {}, _PROOF)


def _from_tabm(tabm: Tabm, read: bytes) -> Message:
    """Take a message as `Message.of_tabm` does; `read` is what it was read from, if anything."""
    signers = signers_of(tabm)
    if len(signers) == 1 and signers[0].device == DEVICE:
        encoded = item_for(tabm, signers[0]).encode()
        return _from_item(ans104.parse(encoded), encoded)
    kept = committed_part(tabm)
    encoded = to_wire(kept, bundle=True).encode()
    if len(encoded) > MAX_CONTENT_BYTES:
        # It is published as the content of an item, which has a limit of its own.
        raise TooLarge(f"the message is over {MAX_CONTENT_BYTES} bytes")
    if encoded != read:
        _require_read_back(encoded, kept)
    keys = {key: value for key, value in kept.items() if isinstance(value, bytes)}
    commitments = tuple(claim.commitment() for claim in signers)
    return Message("httpsig", encoded, keys, commitments, None, kept, _PROOF)


def _require_read_back(encoded: bytes, kept: Tabm) -> None:
    # What gets a slot is shown and published for ever: one message that cannot be read would
    # hold up all that comes after it.
    if bare(from_wire(Wire.parse(encoded), STORED)) != bare(kept):
        raise UnsupportedValue("the message would be read back as another one")


def _target(keys: Mapping[bytes, bytes]) -> Id:
    target = keys.get(b"target")
    if not target:
        raise NoTarget()
    return Id.parse(target)


def _path(keys: Mapping[bytes, bytes]) -> bytes:
    path = keys.get(b"path") or DEFAULT_PATH
    if len(path) > MAX_PATH_BYTES:
        raise TooLarge(f"the path is {len(path)} bytes, over {MAX_PATH_BYTES}")
    return path
