"""Every error a user can meet, as one tree with stable codes."""

from __future__ import annotations


class SchedulerError(Exception):
    """Base of all errors of this project.

    Attributes:
        code: stable name for programs; never changes once released.
        status: the HTTP status that means the same.
        retry_after: seconds after which trying again is sensible, or None.
    """

    code = "scheduler_error"
    status = 500
    retry_after: float | None = None

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail or (self.__doc__ or self.code).splitlines()[0])
        if retry_after is not None:
            self.retry_after = retry_after

    @property
    def detail(self) -> str:
        """One sentence for a person."""
        return str(self.args[0])


class Refused(SchedulerError):
    """This request failed and nothing changed."""

    code = "refused"
    status = 400


class Fenced(SchedulerError):
    """The state of this store is unknown to us; only reopening it can tell."""

    code = "fenced"
    status = 503


class InvalidInput(Refused):
    """The message or the request is at fault; the same one is refused again."""

    code = "invalid_input"


class InvalidId(InvalidInput):
    """The text is not an ID in its canonical 43-character form."""

    code = "invalid_id"


class MalformedItem(InvalidInput):
    """The bytes are not a message in the codec they claim."""

    code = "malformed_item"


class NotCanonical(InvalidInput):
    """The item can be read but is not in the one form that bundlers take."""

    code = "not_canonical"


class TooLarge(InvalidInput):
    """The message or one of its parts is over its limit."""

    code = "too_large"
    status = 413


class UnsupportedSignature(InvalidInput):
    """The signature type is not one that this scheduler accepts."""

    code = "unsupported_signature_type"


class InvalidSignature(InvalidInput):
    """A signature does not verify, or there is none by a committer."""

    code = "invalid_signature"


class NoTarget(InvalidInput):
    """The message is no process and names no process as its target."""

    code = "no_target"


class WrongTarget(InvalidInput):
    """The message is for another process than the one it was sent to."""

    code = "wrong_target"


class NoScheduler(InvalidInput):
    """The process names no scheduler."""

    code = "no_scheduler"


class NotOurProcess(InvalidInput):
    """The process names schedulers, but none of the wallets held here."""

    code = "not_our_process"
    status = 421


class UnsupportedProcess(InvalidInput):
    """The process asks for a chain rule, commitment device or variant that is not built."""

    code = "unsupported_process"
    status = 422


class UnsupportedValue(InvalidInput):
    """A value cannot be written in the codec asked for."""

    code = "unsupported_value"


class IdCollision(InvalidInput):
    """The message ID is already taken by other bytes."""

    code = "id_collision"
    status = 409


class Duplicate(InvalidInput):
    """The message already has a slot, and this store refuses duplicates."""

    code = "duplicate"
    status = 409


class StaleLocation(InvalidInput):
    """The signer is known by a location record with this nonce, or a higher one."""

    code = "stale_location"
    status = 409


class NotFound(Refused):
    """There is no such process, slot or message here."""

    code = "not_found"
    status = 404


class NotNow(Refused):
    """The moment is at fault; the same request can succeed later."""

    code = "not_now"
    status = 503
    retry_after = 1.0


class Overloaded(NotNow):
    """Too much is queued; nothing was assigned."""

    code = "overloaded"


class DeadlineExpired(NotNow):
    """The deadline passed before the message was taken up; it is never assigned."""

    code = "deadline_expired"


class Recovering(NotNow):
    """The shard of this process is starting again; nothing was assigned."""

    code = "recovering"


class OutcomeUnknown(SchedulerError):
    """The message may have its slot or not; ask again with the same message."""

    code = "outcome_unknown"
    status = 504
    retry_after = 1.0


class PublicationPending(SchedulerError):
    """The slot stands and is stored; its publication takes longer than the deadline."""

    code = "publication_pending"
    status = 504
    retry_after = 5.0


class ClockAhead(NotNow):
    """The clock jumped ahead by more than a day while running; it is not obeyed."""

    code = "clock_ahead"
    retry_after = 60.0


class Unavailable(Refused):
    """The store or the configuration is at fault; an operator has to act."""

    code = "unavailable"
    status = 503


class Closed(Unavailable):
    """The scheduler is closed."""

    code = "closed"
    status = 503


class ProgramsFailed(Unavailable):
    """A program of this node cannot be started, or does not keep running."""

    code = "programs_failed"
    status = 503


class SchedulingDisabled(Unavailable):
    """The scheduler was opened with scheduling disabled; reads work."""

    code = "scheduling_disabled"
    status = 503


class StoreFull(Unavailable):
    """Less disk space is free than the store keeps in reserve."""

    code = "store_full"
    status = 507
    retry_after = 30.0


class StoreInUse(Unavailable):
    """Another program is writing to this store."""

    code = "store_in_use"
    status = 503


class StoreInvalid(Unavailable):
    """The folder is not a store that this version can open."""

    code = "store_invalid"
    status = 500


class NeedsAdoption(Unavailable):
    """The store was moved, restored or copied; it is read-only until adopted."""

    code = "needs_adoption"
    status = 503


class CorruptRecord(Unavailable):
    """A stored record does not match its digest; its process is not scheduled.

    Attributes:
        process: raw 32 bytes of the process whose record it is, or None for another record.
        slot: the slot of the record, or None when it is the head of the process.
    """

    code = "corrupt_record"
    status = 500
    process: bytes | None = None
    slot: int | None = None


class WalletMissing(Unavailable):
    """A wallet that the process names is not held here any more; it is read-only."""

    code = "wallet_missing"
    status = 503


class WalletError(Unavailable):
    """The wallet file cannot be used."""

    code = "wallet_error"
    status = 500


class UploadFailed(SchedulerError):
    """The bundler did not take the item this time; trying again is sensible."""

    code = "upload_failed"
    status = 502


class UploadRefused(SchedulerError):
    """The bundler will not take this item."""

    code = "upload_refused"
    status = 502


class PeerRefused(InvalidInput):
    """The URL leads to where this node sends nothing."""

    code = "peer_refused"
    status = 403


class PeerFailed(NotNow):
    """Another server gave no answer, or not one that can be used."""

    code = "peer_failed"
    status = 502
    retry_after = 5.0


class PeerTimeout(PeerFailed):
    """Another server took too long to answer."""

    code = "peer_timeout"
    status = 504


class PeerTooLarge(PeerFailed):
    """Another server answered more than this node reads."""

    code = "peer_answer_too_large"


class MalformedFrame(SchedulerError):
    """What another program of this node sent is nothing that this version can read."""

    code = "malformed_frame"
    status = 502


class UntrustedSchedule(SchedulerError):
    """What another scheduler sent does not prove itself; nothing of it is used."""

    code = "untrusted_schedule"
    status = 502


class UnexpectedSlot(SchedulerError):
    """A schedule was read and gave another slot than the one asked for.

    Attributes:
        expected: the slot asked for, or None when nobody said.
        found: the slot that came instead.
    """

    code = "unexpected_slot"
    status = 500
    expected: int | None = None
    found: int | None = None
