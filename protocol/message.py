"""Messages: decoded from a codec, and verified before anything is done with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import InitVar, dataclass, field

from protocol.assignment import DEFAULT_PATH
from protocol.codecs import ans104
from protocol.codecs.ans104_keys import item_of, keys_of
from protocol.codecs.canonical import MAX_VALUE_BYTES
from protocol.codecs.signatures import RSA, signature_type
from protocol.codecs.structured import Scalar, to_tabm
from protocol.commitment import Commitment
from protocol.errors import (
    InvalidSignature,
    MalformedItem,
    NoTarget,
    TooLarge,
    UnsupportedSignature,
    UnsupportedValue,
)
from protocol.ids import Id, combine
from protocol.terms import ANS104
from protocol.wallet import Wallet

Encoded = bytes | bytearray | memoryview
"""Bytes of a message; what can still be changed is copied."""

ACCEPTED = frozenset({RSA})
MAX_INTEGER = 10**15 - 1
"""Largest integer that parsers of structured fields take (RFC 8941, 3.3.1)."""

MAX_PATH_BYTES = MAX_VALUE_BYTES
"""Longest `path`: the assignment repeats it in a tag of its own."""

_PROOF = object()
"""What only this module can show: that it made a value by the way the value stands for."""


@dataclass(frozen=True, slots=True)
class Message:
    """An AO message as it came; nothing about it is verified.

    Only `decode` and `create` make one, so its keys are always those of its bytes.

    Attributes:
        codec: name of the codec it came in.
        encoded: its bytes in that codec.
        keys: names in lower case, and values.
        commitments: one per signature it carries.
        item: the ANS-104 item it came in.
    """

    codec: str
    encoded: bytes = field(repr=False)
    # All that follows is read from those bytes, so equal bytes are equal messages.
    keys: Mapping[bytes, bytes] = field(repr=False, compare=False)
    commitments: tuple[Commitment, ...] = field(compare=False)
    item: ans104.Item = field(repr=False, compare=False)
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("only decode() and create() make a Message")

    @property
    def id(self) -> Id:
        """The sum of the IDs of its commitments."""
        return combine(commitment.id for commitment in self.commitments)

    @classmethod
    def decode(cls, encoded: Encoded, codec: str = "ans104") -> Message:
        """Read a message.

        Raises:
            MalformedItem, UnsupportedSignature, TooLarge: it cannot be read.
        """
        if codec != "ans104":
            raise MalformedItem(f"codec {codec!r} is not built")
        if not isinstance(encoded, Encoded):
            raise MalformedItem(f"a message comes as bytes, not as {type(encoded).__name__}")
        encoded = bytes(encoded)
        return _from_item(ans104.parse(encoded), encoded)

    @classmethod
    def create(cls, keys: Mapping[str, Scalar], wallet: Wallet) -> Message:
        """Build and sign a message as an ANS-104 item.

        Args:
            keys: names as they shall be written (``Action`` stays so), and values: text,
                bytes, integers, floats, booleans. `data`, `target` and `anchor` fill the
                item's own fields, as far as the last two are IDs.
            wallet: the committer.

        Raises:
            UnsupportedValue: a value cannot be carried by a tag.
            TooLarge: there are more, or longer, tags than ANS-104 allows.
        """
        for name, value in keys.items():
            if isinstance(value, int) and abs(value) > MAX_INTEGER:
                raise UnsupportedValue(f"integer {name!r} has more than 15 digits")
        item = ans104.sign(item_of(to_tabm(keys)), wallet)
        return _from_item(item, item.encode())


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signatures were checked, with its committed keys only.

    Only `verify` makes one.

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
            raise TypeError("only verify() makes a Verified")


def verify(
    message: Message | Encoded,
    *,
    accept: Collection[int] = ACCEPTED,
    check_signatures: bool = True,
) -> Verified:
    """Check a message for scheduling: cheap checks first, the signature last.

    Args:
        message: decoded, or the bytes of an ANS-104 item.
        accept: ANS-104 signature types that are taken.
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
    item = message.item
    ans104.require_canonical(item)
    if item.signature_type not in accept:
        raise UnsupportedSignature(f"signature type {item.signature_type} is not accepted here")
    message_id = message.id
    process = named_process(message)
    path = _path(message.keys)
    if check_signatures and not item.verify():
        raise InvalidSignature("the item's signature does not verify")
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


def named_process(message: Message) -> Id:
    """Return the process a message is for: itself if it is one, else its target.

    Raises:
        NoTarget, InvalidId: it is no process and names none.
    """
    return message.id if _is_process(message) else _target(message.keys)


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
    return Message("ans104", encoded, keys_of(item), (commitment,), item, _PROOF)


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
