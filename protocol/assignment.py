"""The assignment of a message to a slot: its fields and their canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.commitment import Commitment
from protocol.ids import Id, combine

EPOCH = "0"
VARIANT = "ao.N.1"
LEGACY_VARIANT = "ao.TN.1"
DEFAULT_PATH = b"compute"
ZERO_HASH = "A" * 43
_TYPES = b", ".join(
    key + b'="integer"' for key in (b"block-height", b"block-timestamp", b"slot", b"timestamp")
)

Tags = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Block:
    """An Arweave block as an assignment names it.

    Attributes:
        height: block height, 0 when unknown.
        timestamp: seconds since 1970, 0 when unknown.
        hash: text as the gateway writes it, `ZERO_HASH` when unknown.
    """

    height: int = 0
    timestamp: int = 0
    hash: str = ZERO_HASH


@dataclass(frozen=True, slots=True)
class Assignment:
    """One slot of one process, given to one message.

    Attributes:
        process: ID of the process.
        slot: 0 for the process message itself, then one more each time.
        message_id: ID of the message in this slot, sum of its commitments' IDs.
        link: the chain text it carries; `chain` names the key.
        timestamp: milliseconds since 1970, never below the slot before.
        block: newest Arweave block known when the slot was given.
        path: the message's own `path`, else ``compute``.
        chain: name of the chain rule.
        variant: protocol variant.
        epoch: always "0".
        commitments: one per signer, empty while unsigned.
        original: the data item it was read from, where another scheduler wrote it in a form
            of its own; empty for what is written from these fields.
    """

    process: Id
    slot: int
    message_id: Id
    link: str
    timestamp: int
    block: Block
    path: bytes = DEFAULT_PATH
    chain: str = "hash-chain"
    variant: str = VARIANT
    epoch: str = EPOCH
    commitments: tuple[Commitment, ...] = ()
    original: bytes = field(default=b"", repr=False, compare=False)

    @property
    def id(self) -> Id:
        """ID of the signed assignment: the sum of its commitments' IDs.

        Raises:
            ValueError: it is not signed, so it has no ID yet.
        """
        if not self.commitments:
            raise ValueError("an unsigned assignment has no ID")
        return combine(commitment.id for commitment in self.commitments)

    def signed(self, commitments: Sequence[Commitment]) -> Assignment:
        """Return the same assignment carrying `commitments`."""
        # Spelled out: dataclasses.replace takes twice as long, once per assignment.
        return Assignment(
            self.process,
            self.slot,
            self.message_id,
            self.link,
            self.timestamp,
            self.block,
            self.path,
            self.chain,
            self.variant,
            self.epoch,
            tuple(commitments),
            self.original,
        )

    def tags(self) -> Tags:
        """The committed keys of variant ``ao.N.1`` in the order they are signed: by name.

        The body goes in as a link, so the signature does not depend on how the message is
        carried. Source: HyperBEAM's `dev_scheduler_server`, recorded vectors.
        """
        block = self.block
        tags = [
            (b"ao-types", _TYPES),
            (b"block-hash", block.hash.encode()),
            (b"block-height", b"%d" % block.height),
            (b"block-timestamp", b"%d" % block.timestamp),
            (b"body+link", self.message_id.ascii),
            (b"data-protocol", b"ao"),
            (b"epoch", self.epoch.encode()),
            (self.chain.encode(), self.link.encode()),
            (b"path", self.path),
            (b"process", self.process.ascii),
            (b"slot", b"%d" % self.slot),
            (b"timestamp", b"%d" % self.timestamp),
            (b"type", b"Assignment"),
            (b"variant", self.variant.encode()),
        ]
        tags.sort()
        return tags
